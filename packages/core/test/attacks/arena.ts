/** A piece of host with everything an attack aims at: files, secrets, sockets, a process, a store of runs. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { GUARDED_FILES, SECRET_FILES } from './probes.ts'

export const CANARY = 'canary-7f3a91'

export interface Arena {
  readonly folder: string
  readonly workspace: string
  readonly home: string
  readonly environment: Readonly<Record<string, string>>
  readonly host: ChildProcess
  /** What a successful attack would have changed or reached. */
  evidence(): { readonly files: string; readonly hits: string }
  close(): void
}

/** The process of the host: it listens everywhere, and has a secret in its environment and on its command line. */
const HOST = `
import os, select, socket, sys, threading
folder, abstract = sys.argv[1:3]; secret = open(folder + '/home/.ssh/id_ed25519')
def log(what): open(folder + '/hits', 'a').write(what + '\\n')
def stream(name, family, address):
    s = socket.socket(family); s.bind(address); s.listen(64)
    def loop():
        while True: s.accept()[0].close(); log(name)
    threading.Thread(target=loop, daemon=True).start(); return s
def datagram(name, family, address):
    s = socket.socket(family, socket.SOCK_DGRAM); s.bind(address)
    def loop():
        while True:
            data, peer = s.recvfrom(512); log(name)
            if peer: s.sendto(data, peer)
    threading.Thread(target=loop, daemon=True).start(); return s
kept = [stream('unix', socket.AF_UNIX, folder + '/sockets/docker.sock'), stream('abstract', socket.AF_UNIX, '\\0' + abstract), datagram('log', socket.AF_UNIX, folder + '/sockets/log')]
tcp, udp = stream('tcp', socket.AF_INET, ('127.0.0.1', 0)), datagram('udp', socket.AF_INET, ('127.0.0.1', 0))
print(tcp.getsockname()[1], udp.getsockname()[1], flush=True)
sys.stdin.read()
`

export async function makeArena(folder: string, guestSource: string): Promise<Arena> {
  const workspace = join(folder, 'ws')
  const home = join(folder, 'home')
  const own = join(folder, 'own')
  for (const name of ['ws', 'home', 'own', 'outside', 'sockets']) {
    mkdirSync(join(folder, name), { recursive: true, mode: 0o755 })
  }
  write(join(folder, 'outside/file'), 'untouched\n')
  write(join(folder, 'outside/movable'), 'untouched\n')
  for (const path of SECRET_FILES) write(join(home, path), `${CANARY}\n`)
  write(join(own, 'state/runs/OTHER/stdout'), CANARY)
  write(join(own, 'state/runs/OTHER/run.json'), '{}')
  write(join(own, 'config/trust.json'), '{"version":1,"files":[]}')
  cpSync(guestSource, join(folder, 'guest'), { recursive: true })
  for (const repository of [workspace, join(workspace, 'deep/a/b/c')]) {
    mkdirSync(repository, { recursive: true })
    execFileSync('/usr/bin/git', ['init', '-q', '-b', 'main', repository], {
      env: { PATH: '/usr/bin:/bin', HOME: home },
    })
  }
  for (const path of [...GUARDED_FILES, '.git/hooks/removable']) {
    const file = join(workspace, path)
    if (!existsSync(file)) write(file, path.includes('/hooks/') ? '#!/bin/sh\n' : '\n')
  }
  const id = `srecodex-${process.pid}-${basename(folder)}`
  const shm = `/dev/shm/${id}`
  writeFileSync(shm, CANARY)
  const host = spawn('/usr/bin/python3', ['-c', HOST, folder, id, `argument-${CANARY}`], {
    env: { PATH: '/usr/bin:/bin', SECRET: CANARY },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [tcp, udp] = await new Promise<string[]>(resolve =>
    host.stdout.once('data', data => resolve(String(data).trim().split(' '))),
  )
  return {
    folder,
    workspace,
    home,
    host,
    environment: {
      ARENA: folder,
      WS: workspace,
      VICTIM: String(host.pid),
      RUNNER: String(process.pid),
      STATE: join(own, 'state'),
      CONFIG: join(own, 'config'),
      SHM: basename(shm),
      ABSTRACT: id,
      TCP: tcp!,
      UDP: udp!,
    },
    evidence: () => ({
      files: digestOf([
        ...[
          join(folder, 'outside'),
          home,
          join(own, 'config'),
          join(own, 'state/runs/OTHER'),
          join(folder, 'guest'),
        ],
        ...[...GUARDED_FILES, '.git/hooks'].map(path => join(workspace, path)),
      ]),
      hits: existsSync(join(folder, 'hits')) ? readFileSync(join(folder, 'hits'), 'utf8') : '',
    }),
    close() {
      host.kill('SIGKILL')
      rmSync(shm, { force: true })
    },
  }
}

export function write(path: string, text: string, mode = 0o755): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

function digestOf(paths: readonly string[]): string {
  const hash = createHash('sha256')
  const add = (path: string): void => {
    hash.update(path)
    let names: string[]
    try {
      names = readdirSync(path)
    } catch {
      hash.update(existsSync(path) ? readFileSync(path) : 'gone')
      return
    }
    for (const name of names.sort()) add(join(path, name))
  }
  for (const path of paths) add(path)
  return hash.digest('hex')
}
