import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { client, FORWARDER, httpRemote, proxyFor, scriptEnvironment, type Finished } from './stage.ts'

const PORT = 61_080

/** A shell in a network namespace of its own, with the forwarder beside it as init starts it. */
function inSandbox(socketPath: string, entries: readonly string[], script: string): Promise<Finished> {
  const start = `
    mkfifo /tmp/ready
    /usr/bin/perl ${FORWARDER} ${PORT} ${socketPath} 3 3>/tmp/ready &
    read -r -n 1 ready </tmp/ready
    ${script}
  `
  return client(
    'bwrap',
    [
      '--unshare-user',
      '--unshare-net',
      '--unshare-pid',
      '--die-with-parent',
      '--ro-bind',
      '/',
      '/',
      '--dev',
      '/dev',
      '--proc',
      '/proc',
      '--tmpfs',
      '/tmp',
      '--ro-bind',
      socketPath,
      socketPath,
      '--ro-bind',
      dirname(FORWARDER),
      dirname(FORWARDER),
      'bash',
      '-c',
      start,
    ],
    scriptEnvironment(entries, PORT),
  )
}

test('in a network namespace of its own, a script reaches what the list opens and nothing else', async () => {
  const remote = await httpRemote()
  const entries = [`localhost:${remote.port}`, '127.0.0.0/8']
  const proxy = await proxyFor(entries)
  const url = `http://localhost:${remote.port}/`
  const { stdout } = await inSandbox(
    proxy.path,
    entries,
    `
      echo "proxied $(curl -sS --max-time 5 ${url})"
      echo "direct $(curl -sS --max-time 5 --noproxy '*' ${url} 2>/dev/null || echo fails $?)"
      echo "by address $(curl -sS --max-time 5 --noproxy '*' http://1.1.1.1/ 2>/dev/null || echo fails $?)"
      echo "another $(curl -sS --max-time 5 http://other.example/)"
      kill %1; wait %1 2>/dev/null
      echo "without the forwarder $(curl -sS --max-time 5 ${url} 2>/dev/null || echo fails $?)"
    `,
  )
  expect(stdout.split('\n')).toEqual([
    'proxied hello ',
    'direct fails 7',
    'by address fails 7',
    'another srecodex: network access to other.example:80 is not allowed; allow it with --network other.example',
    'without the forwarder fails 7',
    '',
  ])
  expect(remote.requests).toHaveLength(1)
})

test('a server of the script’s own is reached directly unless the list opens the host’s loopback', async () => {
  const entries = ['other.example']
  const proxy = await proxyFor(entries)
  const { stdout } = await inSandbox(
    proxy.path,
    entries,
    `
      cd /tmp && echo mine >index.html
      /usr/bin/python3 -m http.server --bind 127.0.0.1 8080 2>/dev/null >/dev/null &
      for try in 1 2 3 4 5 6 7 8 9; do curl -sS http://localhost:8080/ 2>/dev/null && break; sleep 0.3; done
      /usr/bin/python3 -c 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:8080/").read())'
      kill %2
    `,
  )
  expect(stdout).toBe("mine\nb'mine\\n'\n")
  expect(proxy.report().refused).toBe(0)
})
