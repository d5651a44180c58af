/** The real kubectl: its own reading of a kubeconfig is the judge of ours, and its log-in programs of the sandbox. */

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { kubectlProgram } from '../../../../testkit/src/kubectl.ts'
import { pinKubeconfig } from '../../../src/tools/programs/kubeconfig.ts'
import { call, createBench, type Bench } from './bench.ts'

let bench: Bench
beforeEach(() => {
  bench = createBench()
})
afterEach(() => bench.clear())

const SYSTEM = `${dirname(await kubectlProgram())}:/usr/local/bin:/usr/bin:/bin`

const TWO = `apiVersion: v1
kind: Config
current-context: stage
contexts:
- { name: stage, context: { cluster: stage, user: dev } }
- { name: prod, context: { cluster: prod, user: ops, namespace: shop } }
clusters:
- { name: stage, cluster: { server: "https://stage:6443", insecure-skip-tls-verify: true, tls-server-name: s } }
- { name: prod, cluster: { server: "https://prod:6443", certificate-authority: pki/ca.crt } }
users:
- { name: dev, user: { username: bob, password: "0123" } }
- { name: ops, user: { client-certificate: pki/ops.crt, client-key: pki/ops.key } }
- { name: third, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: bin/login, args: [a], env: null, interactiveMode: Never } } }
`
const OVER = `apiVersion: v1
kind: Config
current-context: third
contexts:
- { name: third, context: { cluster: prod, user: third } }
users:
- { name: dev, user: { token: other } }
`

describe('a pinned kubeconfig says what kubectl itself reads in the files', () => {
  const files = ['a/config', 'b/config']
  it.each([
    ['one file', [0], []],
    ['another context', [0], ['--context', 'prod']],
    ['two files, the second first', [1, 0], []],
    ['two files, and a user of the first', [1, 0], ['--context=stage']],
  ] as const)('%s', (_name, order, args) => {
    bench.write('a/config', TWO)
    bench.write('b/config', OVER)
    for (const file of ['ca.crt', 'ops.crt', 'ops.key']) bench.write(`a/pki/${file}`, file)
    const paths = order.map(index => join(bench.root, files[index]!))
    const told = spawnSync('kubectl', [...args, 'config', 'view', '--raw', '--flatten', '--minify'], {
      encoding: 'utf8',
      env: { PATH: SYSTEM, HOME: bench.home, KUBECONFIG: paths.join(':') },
    })
    expect(told.stderr).toBe('')
    const sources = paths.map(path => ({ path, text: readFileSync(path, 'utf8') }))
    const pinned = pinKubeconfig(sources, { args, parse, readFile: path => readFileSync(path) })
    const ours = bench.write('ours', pinned.text)
    const again = spawnSync('kubectl', ['config', 'view', '--raw', '--flatten', '--minify'], {
      encoding: 'utf8',
      env: { PATH: SYSTEM, HOME: bench.home, KUBECONFIG: ours },
    })
    const commandOf = (text: string): string => text.replace(/command: \S+/, 'command: X')
    expect(parse(commandOf(again.stdout))).toEqual(parse(commandOf(told.stdout)))
    const login = /command: (\S+)/.exec(told.stdout)?.[1]
    // kubectl shows it as it is written, and starts it from the folder of the file that names it
    expect(pinned.login).toBe(login === undefined ? null : join(bench.root, 'a', login))
  })
})

describe('in its sandbox', () => {
  let server: Server
  const seen: { readonly path: string; readonly authorization: string }[] = []
  beforeEach(async () => {
    seen.length = 0
    server = createServer(selfSigned(), (request, response) => {
      seen.push({ path: request.url ?? '', authorization: request.headers.authorization ?? '' })
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answerTo(request.url ?? '')))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(() => {
    server.close()
  })
  const kubeconfig = (user: string): string => {
    const { port } = server.address() as { port: number }
    return `current-context: c\ncontexts: [{ name: c, context: { cluster: k, user: u } }]\nclusters: [{ name: k, cluster: { server: "https://127.0.0.1:${port}", certificate-authority: ca.pem } }]\nusers: [{ name: u, user: ${user} }]\n`
  }
  const environment = { PATH: SYSTEM }
  // kubectl sends a login only where the other side proves who it is
  const selfSigned = (): { readonly key: Buffer; readonly cert: Buffer } => {
    const [key, cert] = [bench.write('home/.kube/key.pem', ''), bench.write('home/.kube/ca.pem', '')]
    const subject = ['-subj', '/CN=k', '-addext', 'subjectAltName=IP:127.0.0.1']
    const made = spawnSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ],
      { encoding: 'utf8' },
    )
    if (made.status !== 0) throw new Error(made.stderr)
    return { key: readFileSync(key), cert: readFileSync(cert) }
  }

  it('speaks to the server that was pinned, with its own cache the second time', async () => {
    bench.write('home/.kube/config', kubeconfig('{ token: t0ken }'))
    const programs = await bench.open({}, { environment })
    const said = await call(programs, 'kubectl', ['get', 'namespaces', '-o', 'name'])
    expect(said).toMatchObject({ exitCode: 0, stdout: 'namespace/default\n', stderr: '' })
    expect(seen.every(one => one.authorization === 'Bearer t0ken')).toBe(true)
    const discovered = seen.filter(one => one.path.startsWith('/api?') || one.path === '/api').length
    expect(discovered).toBeGreaterThan(0)
    const before = seen.length
    await call(programs, 'kubectl', ['get', 'namespaces', '-o', 'name'])
    expect(seen.slice(before).filter(one => one.path.startsWith('/api?') || one.path === '/apis')).toEqual([])
  })

  it('logs in by the program that the operator named, which finds the system and kubectl does not', async () => {
    const credential = `{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"from-login"}}`
    const login = bench.write('elsewhere/login', `#!/bin/sh\ncat <<E\n${credential}\nE\n`, 0o755)
    bench.write(
      'home/.kube/config',
      kubeconfig(
        `{ exec: { apiVersion: client.authentication.k8s.io/v1, command: ${login}, interactiveMode: Never } }`,
      ),
    )
    await expect(
      call(await bench.open({}, { environment }), 'kubectl', ['get', 'namespaces']),
    ).rejects.toMatchObject({ code: 'REFUSED' })
    expect(seen).toEqual([])
    const programs = await bench.open({ kubectl: { helpers: [login] } }, { environment })
    const said = await call(programs, 'kubectl', ['get', 'namespaces', '-o', 'name'])
    expect(said).toMatchObject({ exitCode: 0, stdout: 'namespace/default\n', stderr: '' })
    expect(seen.at(-1)!.authorization).toBe('Bearer from-login')
  })

  it('says itself that it has no configuration', async () => {
    const said = await call(await bench.open({}, { environment }), 'kubectl', ['config', 'current-context'])
    expect(said).toMatchObject({ exitCode: 1, stderr: 'error: current-context is not set\n' })
  })

  it('finds no plug-in', async () => {
    bench.write('bin/kubectl-evil', '#!/bin/sh\necho evil\n', 0o755)
    const programs = await bench.open({}, { environment: { PATH: `${bench.bin}:${SYSTEM}` } })
    const said = await call(programs, 'kubectl', ['evil'])
    expect(said.exitCode).not.toBe(0)
    expect(said.stdout).toBe('')
  })
})

function answerTo(url: string): object {
  const path = url.split('?', 1)[0]
  if (path === '/version') return { major: '1', minor: '32', gitVersion: 'v1.32.4' }
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] }
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: [] }
  const namespaces = { name: 'namespaces', singularName: 'namespace', namespaced: false, kind: 'Namespace' }
  if (path === '/api/v1') {
    const resources = [{ ...namespaces, verbs: ['get', 'list'], shortNames: ['ns'] }]
    return { kind: 'APIResourceList', groupVersion: 'v1', resources }
  }
  const items = [{ kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'default' } }]
  return { kind: 'NamespaceList', apiVersion: 'v1', metadata: {}, items }
}
