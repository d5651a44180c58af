import { execFile } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  client,
  forwarderTo,
  httpRemote,
  httpsRemote,
  proxyFor,
  scriptEnvironment,
  temporaryFolder,
  type Finished,
} from './stage.ts'

const run = promisify(execFile)

/** A client behind the forwarder and a proxy for these entries; what it trusts comes by each client's own way. */
async function behind(
  entries: readonly string[],
  certificate: string | null = null,
): Promise<(command: string, ...argv: string[]) => Promise<Finished>> {
  const proxy = await proxyFor(entries)
  const env = scriptEnvironment(entries, await forwarderTo(proxy.path))
  const trust =
    certificate === null
      ? {}
      : { CURL_CA_BUNDLE: certificate, SSL_CERT_FILE: certificate, NODE_EXTRA_CA_CERTS: certificate }
  return (command, ...argv) => client(command, argv, { ...env, ...trust })
}

const CURL = ['-sS', '--max-time', '10']
const PYTHON = `
import sys, urllib.request, urllib.error
try:
    print(urllib.request.urlopen(sys.argv[1], data=sys.argv[2].encode() if len(sys.argv) > 2 else None, timeout=10).read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
except OSError as error:
    print(error)
`
const FETCH = `
const reply = await fetch(process.argv[1]).catch(error => ({ status: String(error.cause?.cause ?? error.cause), text: () => '' }))
console.log(reply.status, await reply.text())
`
const HTTP_GET = `
import https from 'node:https'
https.get(process.argv[1], reply => reply.setEncoding('utf8').on('data', text => console.log(text)))
  .on('error', error => console.log(String(error)))
`

describe.each(['http', 'https'] as const)('%s', scheme => {
  const stage = async () => {
    const remote = scheme === 'http' ? await httpRemote() : await httpsRemote()
    const { certificate } = remote
    const open = await behind([`localhost:${remote.port}`, '127.0.0.0/8', '::1'], certificate)
    // `::1` sends loopback names through this proxy too, which is what is to be refused here.
    const shut = await behind(['other.example', '::1'], certificate)
    const refusal = `network access to localhost:${remote.port} is not allowed; allow it with --network localhost:${remote.port}`
    return { remote, open, shut, refusal, url: `${scheme}://localhost:${remote.port}/x` }
  }

  test('curl', async () => {
    const { open, shut, refusal, url } = await stage()
    expect(await open('curl', ...CURL, url)).toEqual({ status: 0, stdout: 'hello ', stderr: '' })
    expect((await open('curl', ...CURL, '--data', 'body', url)).stdout).toBe('hello body')
    const refused = await shut('curl', ...CURL, '-v', url)
    expect(`${refused.stdout}${refused.stderr}`).toContain(scheme === 'http' ? refusal : '403')
  })

  test('curl sends large bodies that wait for a go-ahead', async () => {
    const { open, url } = await stage()
    const file = resolve('pnpm-lock.yaml')
    const { stdout, status } = await open('curl', ...CURL, '-H', 'Expect: 100-continue', '-T', file, url)
    expect(status).toBe(0)
    expect(stdout).toBe(`hello ${await readFile(file, 'utf8')}`)
  })

  test('Python’s urllib', async () => {
    const { open, shut, refusal, url } = await stage()
    expect((await open('/usr/bin/python3', '-c', PYTHON, url)).stdout).toBe('hello \n')
    expect((await open('/usr/bin/python3', '-c', PYTHON, url, 'body')).stdout).toBe('hello body\n')
    const refused = await shut('/usr/bin/python3', '-c', PYTHON, url)
    expect(refused.stdout).toContain(refusal)
    if (scheme === 'https') return
    const large = await shut(
      '/usr/bin/python3',
      '-c',
      PYTHON.replace('.encode()', '.encode() * 1_000_000'),
      url,
      'body',
    )
    expect(large.stdout).toContain(refusal)
  })

  test('Node’s fetch', async () => {
    const { open, shut, url } = await stage()
    expect(await open(process.execPath, '--input-type=module', '-e', FETCH, url)).toMatchObject({
      stdout: '200 hello \n',
    })
    const refused = await shut(process.execPath, '--input-type=module', '-e', FETCH, url)
    expect(refused.stdout).toContain('403')
  })

  test('git', async () => {
    const folder = await temporaryFolder()
    const bare = join(folder, 'served.git')
    await mkdir(bare)
    const git = (...argv: string[]) =>
      run('git', ['-C', bare, '-c', 'user.name=a', '-c', 'user.email=a@b', ...argv])
    await git('init', '-q', '--bare', '-b', 'main')
    const { stdout: tree } = await git('hash-object', '-t', 'tree', '-w', '/dev/null')
    const { stdout: commit } = await git('commit-tree', '-m', 'first', tree.trim())
    await git('update-ref', 'refs/heads/main', commit.trim())
    await git('update-server-info')
    const remote = await httpRemote((request, response) => {
      readFile(join(folder, new URL(request.url!, 'http://x').pathname)).then(
        bytes => response.end(bytes),
        () => response.writeHead(404).end(),
      )
    })
    const open = await behind([`localhost:${remote.port}`, '127.0.0.0/8'])
    const listed = await open('git', 'ls-remote', `http://localhost:${remote.port}/served.git`, 'main')
    expect(listed.stdout).toBe(`${commit.trim()}\trefs/heads/main\n`)
  })
})

test('Node’s https module', async () => {
  const remote = await httpsRemote()
  const open = await behind([`localhost:${remote.port}`, '127.0.0.0/8'], remote.certificate)
  const url = `https://localhost:${remote.port}/`
  expect((await open(process.execPath, '--input-type=module', '-e', HTTP_GET, url)).stdout).toBe('hello \n')
})

test('a name that stands for a public host is reached by that name, certificate and all', async () => {
  const remote = await httpsRemote()
  const entries = [`api.example.test:${remote.port}`, '127.0.0.0/8']
  const proxy = await proxyFor(entries, { lookup: async () => ['127.0.0.1'] })
  const env = scriptEnvironment(entries, await forwarderTo(proxy.path))
  const url = `https://api.example.test:${remote.port}/`
  const { stdout } = await client('curl', [...CURL, url], { ...env, CURL_CA_BUNDLE: remote.certificate })
  expect(stdout).toBe('hello ')
  expect(remote.requests).toEqual([{ line: 'GET /', host: `api.example.test:${remote.port}` }])
})

test('100 requests at once, some of them refused', async () => {
  const remote = await httpRemote()
  const open = await behind([`localhost:${remote.port}`, '127.0.0.0/8'])
  const script = `
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) =>
      fetch(i % 10 === 0 ? 'http://other.example/' : process.argv[1], { method: 'POST', body: 'n' + i })
        .then(reply => reply.text(), error => String(error.cause?.cause))))
    console.log(answers.filter((text, i) => text === 'hello n' + i).length, answers.filter(text => text.includes('403')).length)
  `
  const url = `http://localhost:${remote.port}/`
  const { stdout, stderr } = await open(process.execPath, '--input-type=module', '-e', script, url)
  expect({ stdout, stderr }).toEqual({ stdout: '90 10\n', stderr: '' })
})
