import { execa } from 'execa'
import { appendFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startPostgres, type Postgres } from '../src/postgres.ts'

const PAYLOAD = fileURLToPath(
  new URL('../../../dotcodex/skills/db/connection-test/scripts/connection_test.py', import.meta.url),
)

type Environment = Readonly<Record<string, string | undefined>>

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'srecodex-connect-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function ask(database: string, env: Environment = {}, seconds = 5) {
  const { exitCode, stdout, stderr } = await execa('python3', [PAYLOAD], {
    cwd: folder,
    input: JSON.stringify({ database, timeout_seconds: seconds }),
    env: { PATH: process.env.PATH, ...env },
    extendEnv: false,
    reject: false,
  })
  return { exitCode, stderr, result: stdout === '' ? null : JSON.parse(stdout) }
}

describe('PostgreSQL', () => {
  let postgres: Postgres
  beforeAll(async () => {
    const rules = ['host all barred 127.0.0.1/32 reject']
    postgres = await startPostgres({ rules })
    await postgres.sql(
      "CREATE ROLE barred LOGIN PASSWORD 'b'; CREATE ROLE one LOGIN PASSWORD 'o' CONNECTION LIMIT 0",
    )
  }, 180_000)
  afterAll(() => postgres.stop())

  test('connected: version, latency, encryption; nothing of where and as whom', async () => {
    const { exitCode, result } = await ask('postgresql', postgres.env)
    expect(exitCode).toBe(0)
    expect(result).toMatchObject({
      reachable: true,
      authenticated: true,
      problem: null,
      message: null,
      encrypted: false,
    })
    expect(result.version).toBe('PostgreSQL 15.18')
    expect(result.latency_ms).toBeGreaterThan(0)
    expect(result.summary).toMatch(/^postgresql: connected in [\d.]+ ms, PostgreSQL 15\.18, not encrypted$/)
    expect(JSON.stringify(result)).not.toMatch(/127\.0\.0\.1|sre|horse/)
  })

  test.each<[string, Environment, boolean, boolean, RegExp]>([
    ['authentication', { PGPASSWORD: 'wrong' }, true, false, /password authentication failed for user "<…>"/],
    ['authentication', { PGPASSWORD: undefined }, true, false, /no password supplied/],
    ['not-allowed', { PGUSER: 'barred', PGPASSWORD: 'b' }, true, false, /pg_hba\.conf rejects/],
    [
      'too-many-connections',
      { PGUSER: 'one', PGPASSWORD: 'o' },
      true,
      false,
      /too many connections for role/,
    ],
    ['no-such-database', { PGDATABASE: 'nowhere' }, true, true, /database "nowhere" does not exist/],
    ['refused', { PGPORT: '1' }, false, false, /Connection refused/],
    ['dns', { PGHOST: 'db.invalid' }, false, false, /could not translate host name "<…>"/],
    ['tls', { PGSSLMODE: 'require' }, true, false, /does not support SSL/],
  ])('%s: %j', async (problem, env, reachable, authenticated, words) => {
    const { exitCode, result } = await ask('postgresql', { ...postgres.env, ...env })
    expect(exitCode).toBe(0)
    expect(result).toMatchObject({ problem, reachable, authenticated, version: null, latency_ms: null })
    expect(result.message).toMatch(words)
    expect(result.summary).toContain(problem)
    const shown = JSON.stringify(result)
    expect(shown).not.toContain('127.0.0.1')
    const secret = [env.PGHOST, env.PGUSER].filter(name => name !== undefined && shown.includes(name))
    expect(secret).toEqual([])
  })

  test('a server that says nothing, and one that is starting up', async () => {
    const listening = async (answer: (socket: Socket) => void): Promise<string> => {
      const server = createServer(socket => socket.on('error', () => {}).once('data', () => answer(socket)))
      onTestFinished(() => void server.close())
      await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
      return String((server.address() as AddressInfo).port)
    }
    const silent = { ...postgres.env, PGPORT: await listening(() => {}) }
    expect((await ask('postgresql', silent, 1)).result).toMatchObject({
      reachable: false,
      problem: 'no-answer',
    })
    // The message in which a server refuses a start-up: severity, SQLSTATE, text.
    const fields = 'SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0'
    const length = Buffer.alloc(4)
    length.writeInt32BE(4 + fields.length)
    const refusal = Buffer.concat([Buffer.from('E'), length, Buffer.from(fields)])
    const starting = {
      ...postgres.env,
      PGSSLMODE: 'disable',
      PGPORT: await listening(socket => socket.end(refusal)),
    }
    expect((await ask('postgresql', starting)).result).toMatchObject({
      reachable: true,
      authenticated: false,
      problem: 'starting-up',
      message: 'FATAL: the database system is starting up',
    })
  })

  test('no psql on this machine is no result', async () => {
    const only = (await execa('python3', ['-c', 'import sys; print(sys.executable)'])).stdout
    const { exitCode, stderr } = await execa(only, [PAYLOAD], {
      input: '{"database":"postgresql"}',
      env: { PATH: folder },
      extendEnv: false,
      reject: false,
    })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringContaining('there is no psql here'),
    })
  })
})

describe('SQLite', () => {
  const python = (program: string) =>
    execa('python3', ['-c', `import sqlite3, sys\n${program}`], { cwd: folder })

  test('a good file; one that is missing is not made', async () => {
    await python('db = sqlite3.connect("good.db"); db.execute("CREATE TABLE a (i)"); db.commit()')
    const { result } = await ask('good.db')
    expect(result).toMatchObject({ reachable: true, authenticated: true, problem: null, encrypted: null })
    expect(result.version).toMatch(/^SQLite 3\.[\d.]+, 1 tables$/)
    const missing = await ask('missing.db')
    expect(missing).toMatchObject({ exitCode: 1, result: null })
    expect(missing.stderr).toContain('missing.db is not there, and is not created')
    expect(existsSync(join(folder, 'missing.db'))).toBe(false)
  })

  test('no database, a damaged one, a locked one', async () => {
    writeFileSync(join(folder, 'text.db'), 'these are sixteen bytes and more')
    expect((await ask('text.db')).result).toMatchObject({ problem: 'not-a-database', reachable: true })
    await python(`
db = sqlite3.connect("bad.db"); db.execute("CREATE TABLE a (t)")
db.executemany("INSERT INTO a VALUES (?)", [("x" * 500,)] * 200); db.commit(); db.close()
with open("bad.db", "r+b") as file:
    file.seek(4096 * 3); file.write(b"\\xff" * 8192)`)
    appendFileSync(join(folder, 'bad.db'), '')
    expect((await ask('bad.db')).result).toMatchObject({
      problem: 'damaged',
      reachable: true,
      authenticated: true,
    })
    const holder = execa(
      'python3',
      [
        '-c',
        'import sqlite3,sys\ndb=sqlite3.connect("good.db",isolation_level=None)\ndb.execute("BEGIN EXCLUSIVE")\nprint(1,flush=True)\nsys.stdin.read()',
      ],
      { cwd: folder },
    )
    await new Promise(resolve => holder.stdout.once('data', resolve))
    const { result } = await ask('good.db', {}, 1)
    holder.stdin.end()
    await holder
    expect(result).toMatchObject({ problem: 'locked', message: 'database is locked' })
    expect(readdirSync(folder).filter(name => name.includes('journal'))).toEqual([])
  })
})
