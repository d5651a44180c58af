import { execa } from 'execa'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startPostgres, type Postgres } from '../src/postgres.ts'

const SCRIPTS = fileURLToPath(new URL('../../../dotcodex/skills/db/migration-batch/scripts', import.meta.url))
const GUEST = fileURLToPath(new URL('../../core/src/guest/python', import.meta.url))

type Files = Readonly<Record<string, string>>
type Result = Readonly<Record<string, any>> // oxlint-disable-line typescript/no-explicit-any -- asserted, not claimed

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'srecodex-migrate-'))
  mkdirSync(join(folder, 'm'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(files: Files): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'm', name), text)
}

async function payload(
  inputs: object,
  env: Files = {},
): Promise<{ exitCode?: number; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await execa('python3', [join(SCRIPTS, 'migration_batch.py')], {
    cwd: folder,
    input: JSON.stringify({ folder: 'm', lock_timeout_seconds: 1, ...inputs }),
    env: { PATH: process.env.PATH, PYTHONPATH: GUEST, ...env },
    extendEnv: false,
    reject: false,
  })
  return exitCode === undefined ? { stdout, stderr } : { exitCode, stdout, stderr }
}

async function migrate(inputs: object, env: Files = {}): Promise<Result> {
  const { exitCode, stdout, stderr } = await payload(inputs, env)
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  return JSON.parse(stdout) as Result
}

/** A row a line, its cells parted by bars. */
async function sqlite(sql: string): Promise<string> {
  const program = `
import sqlite3, sys
for row in sqlite3.connect("app.db").execute(sys.argv[1]): print("|".join(map(str, row)))`
  return (await execa('python3', ['-c', program, sql], { cwd: folder })).stdout
}

const files = (result: Result): string[] => result.applied.map(({ file }: { file: string }) => file)

const THREE: Files = {
  '0001_orders.sql': 'CREATE TABLE orders (id integer PRIMARY KEY, note text);\n',
  '0002_fill.sql':
    "-- two; rows\nINSERT INTO orders VALUES (1, 'a;b');\nINSERT INTO orders VALUES (2, 'it''s');\n",
  '0010_column.sql': 'ALTER TABLE orders ADD COLUMN price integer',
}

describe('SQLite', () => {
  const DB = { database: 'app.db' }

  test('pending files in the order of their numbers, once, with their digests', async () => {
    write({
      ...THREE,
      'README.md': 'no migration',
      '9_between.sql': 'CREATE INDEX by_note ON orders (note);',
    })
    const result = await migrate(DB)
    expect(files(result)).toEqual(['0001_orders.sql', '0002_fill.sql', '9_between.sql', '0010_column.sql'])
    expect(result).toMatchObject({ pending: [], failed: null, changed: [], dry_run: false })
    expect(result.summary).toContain('4 of 4 pending migrations applied in app.db, m: 0001_orders.sql')
    expect(await sqlite('SELECT id, note, price FROM orders')).toBe("1|a;b|None\n2|it's|None")
    expect(await sqlite('SELECT version, file, length(sha256) FROM schema_migrations ORDER BY 1')).toBe(
      '1|0001_orders.sql|64\n2|0002_fill.sql|64\n9|9_between.sql|64\n10|0010_column.sql|64',
    )
    const again = await migrate(DB)
    expect(again).toMatchObject({ applied: [], pending: [], failed: null })
    expect(again.summary).toBe('nothing pending in app.db, m, 4 applied')
  })

  test('stops at the first failure, which is rolled back whole; goes on from there once it is mended', async () => {
    write({
      ...THREE,
      '0002_fill.sql': 'INSERT INTO orders VALUES (1, 1);\n\n-- wrong\nINSERT INTO\n  nowhere VALUES (1);',
    })
    const stopped = await migrate(DB)
    expect(files(stopped)).toEqual(['0001_orders.sql'])
    expect(stopped.pending).toEqual(['0002_fill.sql', '0010_column.sql'])
    expect(stopped.failed).toEqual({
      version: '0002',
      file: '0002_fill.sql',
      line: 4,
      sqlstate: null,
      message: 'no such table: nowhere',
    })
    expect(stopped.summary).toContain(
      'failed: 0002_fill.sql, line 4: no such table: nowhere (rolled back); 1 after it',
    )
    expect(await sqlite('SELECT count(*) FROM orders')).toBe('0')
    write(THREE)
    expect(files(await migrate(DB))).toEqual(['0002_fill.sql', '0010_column.sql'])
  })

  test('a trigger is one statement', async () => {
    const trigger = `CREATE TRIGGER t AFTER INSERT ON orders BEGIN
  UPDATE orders SET note = CASE WHEN new.id > 1 THEN 'big;' ELSE 'small' END WHERE id = new.id;
  SELECT 1;
END;
INSERT INTO orders VALUES (7, 'x')`
    write({ '1_a.sql': THREE['0001_orders.sql'] ?? '', '2_t.sql': trigger })
    expect(files(await migrate(DB))).toEqual(['1_a.sql', '2_t.sql'])
    expect(await sqlite('SELECT note FROM orders')).toBe('big;')
  })

  test('a dry run executes all, keeps nothing and makes no file', async () => {
    write(THREE)
    const trial = await migrate({ ...DB, dry_run: true })
    expect(trial).toMatchObject({ applied: [], failed: null, dry_run: true })
    expect(trial.pending).toHaveLength(3)
    expect(readdirSync(folder)).toEqual(['m'])
    await migrate({ ...DB, target: '0002' })
    write({
      '0010_column.sql':
        'ALTER TABLE orders ADD COLUMN price integer;\nALTER TABLE orders ADD COLUMN price integer;',
    })
    const failing = await migrate({ ...DB, dry_run: true })
    expect(failing).toMatchObject({
      failed: { file: '0010_column.sql', line: 2 },
      pending: ['0010_column.sql'],
    })
    expect(await sqlite("SELECT count(*) FROM pragma_table_info('orders')")).toBe('2')
  })

  test.each<[string, Files, string, number | null]>([
    ['two files with one number', { '01_a.sql': '', '1_b.sql': '' }, 'have one number', null],
    [
      'a transaction of its own',
      { '1_a.sql': 'SELECT 1;\n/* ; */ BEGIN;\nSELECT 1;\nCOMMIT;' },
      'BEGIN does not belong',
      2,
    ],
    ['a command of psql', { '1_a.sql': "SELECT '\\';\n\n\\i other.sql\n" }, 'psql commands such as \\i', 3],
  ])('refused before anything is executed: %s', async (_what, given, words, line) => {
    write(given)
    const refused = await migrate(DB)
    expect(refused).toMatchObject({ applied: [], failed: { line } })
    expect(refused.failed.message).toContain(words)
    expect(refused.summary).toContain('nothing was begun')
    expect(readdirSync(folder)).toEqual(['m'])
  })

  test('a file that changed after it was applied, and one that came too late, stop it', async () => {
    write(THREE)
    await migrate({ ...DB, target: '2' })
    write({ '0001_orders.sql': 'CREATE TABLE orders (id bigint);' })
    expect(await migrate(DB)).toMatchObject({
      applied: [],
      changed: ['0001_orders.sql'],
      failed: { file: '0001_orders.sql', message: '0001_orders.sql was applied, and has changed since' },
    })
    write({ ...THREE, '0000_late.sql': 'SELECT 1' })
    const late = await migrate(DB)
    expect(late.failed.message).toBe(
      '0000_late.sql is not applied, and 0002_fill.sql, which comes after it, is',
    )
    unlinkSync(join(folder, 'm/0000_late.sql'))
    expect(files(await migrate(DB))).toEqual(['0010_column.sql'])
  })

  test('a second runner waits for the lock, and then says so; two at once do the work once', async () => {
    write(THREE)
    const hold = `
import sqlite3, sys
db = sqlite3.connect("app.db", isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()`
    const holder = execa('python3', ['-c', hold], { cwd: folder })
    await new Promise(resolve => holder.stdout.once('data', resolve))
    const locked = await migrate(DB)
    expect(locked).toMatchObject({ applied: [], failed: { message: 'database is locked' } })
    holder.stdin.end()
    await holder
    const both = await Promise.all([1, 2].map(() => migrate({ ...DB, lock_timeout_seconds: 20 })))
    expect(both.flatMap(files).sort()).toEqual(['0001_orders.sql', '0002_fill.sql', '0010_column.sql'])
    expect(await sqlite('SELECT count(*) FROM orders')).toBe('2')
  })

  test('what takes no transaction runs alone; a statement that takes too long is ended', async () => {
    const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n;'
    write({ '1_a.sql': '-- no-transaction\nVACUUM;', '2_b.sql': `SELECT 1;\n${endless}` })
    const result = await migrate({ ...DB, statement_timeout_seconds: 1 })
    expect(files(result)).toEqual(['1_a.sql'])
    expect(result.failed).toMatchObject({
      file: '2_b.sql',
      line: 2,
      message: 'a statement took longer than 1 s',
    })
  })

  test('inputs that mean nothing end it', async () => {
    write(THREE)
    for (const [inputs, words] of [
      [{ ...DB, target: '7' }, 'there is no version 7'],
      [{ ...DB, folder: 'nowhere' }, 'nowhere is no folder'],
      [{ ...DB, table: 'x"; DROP TABLE y' }, 'is no name of a table'],
      [{ database: 'm/0001_orders.sql' }, 'file is not a database'],
    ] as const) {
      expect(await payload(inputs)).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: expect.stringContaining(words),
      })
    }
  })
})

describe('PostgreSQL', () => {
  const PG = { database: 'postgresql' }
  let postgres: Postgres
  let number = 0
  let env: Record<string, string>

  beforeAll(async () => {
    postgres = await startPostgres()
    await postgres.sql("CREATE ROLE reader LOGIN PASSWORD 'r'")
  }, 180_000)
  afterAll(() => postgres.stop())
  beforeEach(async () => {
    const database = `app${(number += 1)}`
    await postgres.sql(`CREATE DATABASE ${database}`)
    env = { ...postgres.env, PGDATABASE: database }
  })
  const sql = (text: string): Promise<string> => postgres.sql(text, env.PGDATABASE)

  test('pending files, once; what is applied stands in the table and in its comment', async () => {
    write(THREE)
    const result = await migrate(PG, env)
    expect(files(result)).toEqual(['0001_orders.sql', '0002_fill.sql', '0010_column.sql'])
    expect(await sql('SELECT note FROM orders ORDER BY id')).toBe("a;b\nit's")
    expect(await sql('SELECT version, file, length(sha256) FROM schema_migrations')).toBe(
      '1|0001_orders.sql|64\n2|0002_fill.sql|64\n10|0010_column.sql|64',
    )
    const again = await migrate(PG, env)
    expect(again.summary).toBe('nothing pending in postgresql, m, 3 applied')
  })

  test('stops at the first failure, with line and SQLSTATE, and rolls it back', async () => {
    write({
      ...THREE,
      '0002_fill.sql': "INSERT INTO orders VALUES (1, 'a');\n\nINSERT INTO orders\n  VALUES\n  (1 / 0, 'b');",
    })
    const stopped = await migrate(PG, env)
    expect(files(stopped)).toEqual(['0001_orders.sql'])
    expect(stopped.failed).toEqual({
      version: '0002',
      file: '0002_fill.sql',
      line: 3,
      sqlstate: '22012',
      message: 'division by zero',
    })
    expect(stopped.pending).toEqual(['0002_fill.sql', '0010_column.sql'])
    expect(await sql('SELECT count(*) FROM orders')).toBe('0')
    write({ ...THREE, '0002_fill.sql': 'SELECT 1;\nINSERT INTO orders\nVALUES (1, nothing);' })
    expect(await migrate(PG, env)).toMatchObject({ failed: { line: 3, sqlstate: '42703' } })
    write(THREE)
    expect(files(await migrate(PG, env))).toEqual(['0002_fill.sql', '0010_column.sql'])
  })

  test('functions with dollar quotes and atomic bodies', async () => {
    write({
      '1_f.sql': `CREATE FUNCTION a() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN RETURN 1; END; $body$;
CREATE FUNCTION b() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 2 END; END;
CREATE TABLE t AS SELECT a() + b() AS sum;`,
    })
    expect(files(await migrate(PG, env))).toEqual(['1_f.sql'])
    expect(await sql('SELECT sum FROM t')).toBe('3')
  })

  test('a dry run executes all and keeps nothing', async () => {
    write(THREE)
    const trial = await migrate({ ...PG, dry_run: true }, env)
    expect(trial).toMatchObject({ applied: [], failed: null, dry_run: true })
    expect(trial.pending).toHaveLength(3)
    expect(await sql('SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()')).toBe('0')
    write({ '0010_column.sql': 'ALTER TABLE orders\n  ADD COLUMN note text' })
    const failing = await migrate({ ...PG, dry_run: true }, env)
    expect(failing.failed).toMatchObject({ file: '0010_column.sql', line: 1, sqlstate: '42701' })
  })

  test('a lock that somebody else holds: not run, and told as such', async () => {
    write({ '1_a.sql': 'SELECT 1' })
    const words = [
      '-X',
      '-c',
      "SELECT pg_advisory_lock(hashtext('schema_migrations'))",
      '-c',
      'SELECT pg_sleep(60)',
    ]
    const holder = execa('psql', words, { env, reject: false })
    await expect
      .poll(() => sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"))
      .toBe('1')
    expect(await migrate(PG, env)).toMatchObject({
      applied: [],
      failed: { file: '1_a.sql', sqlstate: '55P03' },
    })
    holder.kill('SIGKILL')
    await holder
    await sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
    )
    expect(files(await migrate(PG, env))).toEqual(['1_a.sql'])
  })

  test('two runners at once do the work once', async () => {
    write({ ...THREE, '0003_slow.sql': 'SELECT pg_sleep(0.3)' })
    const both = await Promise.all([1, 2].map(() => migrate({ ...PG, lock_timeout_seconds: 30 }, env)))
    expect(both.flatMap(files).sort()).toEqual([
      '0001_orders.sql',
      '0002_fill.sql',
      '0003_slow.sql',
      '0010_column.sql',
    ])
    expect(both.map(({ failed }) => failed)).toEqual([null, null])
    expect(await sql('SELECT count(*) FROM orders')).toBe('2')
  })

  test('a connection that is lost is looked into: not recorded is not done', async () => {
    write({ '1_a.sql': 'SELECT pg_terminate_backend(pg_backend_pid());' })
    const lost = await migrate(PG, env)
    expect(lost).toMatchObject({ applied: [], failed: { sqlstate: '57P01' }, pending: ['1_a.sql'] })
    expect(lost.summary).toContain('outcome unknown')
  })

  test('what takes no transaction runs alone; the statement timeout binds', async () => {
    write({
      ...THREE,
      '0011_index.sql': '-- no-transaction\nCREATE INDEX CONCURRENTLY by_note ON orders (note);',
    })
    const trial = await migrate({ ...PG, dry_run: true }, env)
    expect(trial.summary).toContain('not tried, they take no transaction: 0011_index.sql')
    expect(files(await migrate(PG, env))).toHaveLength(4)
    write({ '0012_slow.sql': 'SELECT pg_sleep(30)' })
    const slow = await migrate({ ...PG, statement_timeout_seconds: 1 }, env)
    expect(slow.failed).toMatchObject({ file: '0012_slow.sql', sqlstate: '57014' })
  })

  test('a role without the right to it; a foreign table; a server that is gone', async () => {
    write(THREE)
    const reader = { ...env, PGUSER: 'reader', PGPASSWORD: 'r' }
    expect(await migrate(PG, reader)).toMatchObject({
      applied: [],
      failed: { file: '0001_orders.sql', sqlstate: '42501' },
    })
    await sql('CREATE TABLE other (version text)')
    const foreign = await payload({ ...PG, table: 'other' }, env)
    expect(foreign).toMatchObject({ exitCode: 1, stdout: '' })
    expect(foreign.stderr).toContain('this skill did not make it')
    const gone = await payload(PG, { ...env, PGPORT: '1' })
    expect(gone).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('what was applied cannot be read'),
    })
  })

  test('a table in a schema of its own', async () => {
    await sql('CREATE SCHEMA ops')
    write({ '1_a.sql': 'SELECT 1' })
    expect(files(await migrate({ ...PG, table: 'ops.applied' }, env))).toEqual(['1_a.sql'])
    expect(await sql('SELECT version FROM ops.applied')).toBe('1')
    expect((await migrate({ ...PG, table: 'ops.applied' }, env)).applied).toEqual([])
  })
})
