/** The database skills as scripts call them: planned, approved, applied, killed and resumed. */

import { project, startPostgres, type Postgres, type Project } from '@srecodex/testkit'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

const SKILLS = fileURLToPath(new URL('../../../dotcodex/skills', import.meta.url))
const LONG_MS = 180_000

let postgres: Postgres
let env: Record<string, string>
let number = 0

beforeAll(async () => {
  postgres = await startPostgres()
}, LONG_MS)
afterAll(() => postgres.stop())
beforeEach(async () => {
  const database = `app${(number += 1)}`
  await postgres.sql(`CREATE DATABASE ${database}`)
  env = { ...postgres.env, PGDATABASE: database }
})

const sql = (text: string): Promise<string> => postgres.sql(text, env.PGDATABASE)

async function told(
  place: Project,
  command: string,
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
): Promise<{ exitCode: number; report: any; stderr: string }> {
  const { exitCode, json, raw } = await place.run(`${command} --json`, { env })
  return { exitCode, report: json(), stderr: raw.stderr }
}

const migrate = (inputs: string): string =>
  `from srecodex import skill, summary\ndone = skill("db/migration-batch", folder="m", ${inputs})\nsummary(done["summary"])\n`

const FILES = {
  'm/0001_orders.sql': 'CREATE TABLE orders (id integer PRIMARY KEY);\n',
  'm/0002_fill.sql': 'INSERT INTO orders VALUES (1);\n',
  'm/0003_more.sql': 'INSERT INTO orders VALUES (2);\n',
}

test(
  'PostgreSQL: the plan executes no SQL and lists what is pending; the apply does that, once',
  { timeout: LONG_MS },
  async () => {
    const place = project({ files: { ...FILES, 'up.py': migrate('database="postgresql"') } })
    const planned = await told(place, `run up.py --skills-dir ${SKILLS}`)
    expect(planned).toMatchObject({
      exitCode: 3,
      report: { status: 'planned', plan: { mutations: expect.any(Number) }, items: { total: 3, pending: 3 } },
    })
    expect(planned.report.summary).toContain('3 of 3 pending migrations to apply')
    expect(planned.report.plan.preview.join()).toContain('/* 0001_orders.sql */')
    expect(await sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).toBe('0')
    const applied = await told(place, `apply ${planned.report.run} --yes`)
    expect(applied).toMatchObject({ exitCode: 0, report: { status: 'succeeded', items: { ok: 3 } } })
    expect(applied.report.summary).toBe(
      '3 of 3 pending migrations applied in postgresql, m: 0001_orders.sql, 0002_fill.sql, 0003_more.sql',
    )
    expect(await sql('SELECT string_agg(version::text, $$,$$ ORDER BY version) FROM schema_migrations')).toBe(
      '1,2,3',
    )

    place.write('m/0004_last.sql', 'INSERT INTO orders VALUES (3);\n')
    const next = await told(place, `run up.py --skills-dir ${SKILLS}`)
    expect(next.report).toMatchObject({ status: 'planned', items: { total: 1 } })
    place.write('m/0004_last.sql', 'DROP TABLE orders;\n')
    const changed = await told(place, `apply ${next.report.run} --yes`)
    expect(changed.exitCode).not.toBe(0)
    expect(await sql('SELECT count(*) FROM orders')).toBe('2')
  },
)

test(
  'PostgreSQL: killed while a migration runs, and resumed: each is applied once',
  { timeout: LONG_MS },
  async () => {
    const slow = { 'm/0002_fill.sql': 'INSERT INTO orders VALUES (1);\nSELECT pg_sleep(2);\n' }
    const script = migrate('database="postgresql", lock_timeout_seconds=60')
    const place = project({ files: { ...FILES, ...slow, 'up.py': script } })
    const planned = await told(place, `run up.py --skills-dir ${SKILLS}`)
    expect(planned.exitCode).toBe(3)
    const kill = new AbortController()
    const options = { env, signal: kill.signal, killSignal: 'SIGKILL' } as const
    const killed = place.run(`apply ${planned.report.run} --yes --json`, options).catch(() => null)
    const sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
    await expect.poll(() => sql(sleeping), { timeout: 60_000, interval: 50 }).toBe('1')
    kill.abort()
    expect(await killed).toBeNull()
    const resumed = await told(place, 'resume last --yes')
    expect(resumed).toMatchObject({
      exitCode: 0,
      report: { status: 'succeeded', items: { total: 3, ok: 3 } },
    })
    expect(await sql('SELECT string_agg(id::text, $$,$$ ORDER BY id) FROM orders')).toBe('1,2')
    expect(await sql('SELECT count(*) FROM schema_migrations')).toBe('3')
  },
)

test(
  'PostgreSQL: the first failure stops it, says where, and the run fails',
  { timeout: LONG_MS },
  async () => {
    const broken = { 'm/0002_fill.sql': 'SELECT 1;\nINSERT INTO nowhere VALUES (1);\n' }
    const place = project({ files: { ...FILES, ...broken, 'up.py': migrate('database="postgresql"') } })
    const planned = await told(place, `run up.py --skills-dir ${SKILLS}`)
    const applied = await told(place, `apply ${planned.report.run} --yes`)
    expect(applied).toMatchObject({ exitCode: 1, report: { items: { total: 3, ok: 1, pending: 1 } } })
    expect(applied.report.summary).toContain(
      'failed: 0002_fill.sql, line 2: relation "nowhere" does not exist (42P01) (rolled back); 1 after it not begun',
    )
    expect(await sql('SELECT count(*) FROM schema_migrations')).toBe('1')
    const again = await told(place, 'resume last --yes')
    expect(again.report.summary).toContain('failed: 0002_fill.sql, line 2')
    await sql('CREATE TABLE nowhere (i integer)')
    expect(await told(place, 'resume last --yes')).toMatchObject({
      exitCode: 0,
      report: { items: { ok: 3 } },
    })
    expect(await sql('SELECT count(*) FROM schema_migrations')).toBe('3')
  },
)

test(
  'a dry run first, and the real one only if it passes: one plan for both',
  { timeout: LONG_MS },
  async () => {
    const script = `
from srecodex import skill, summary
JOB = {"database": "postgresql", "folder": "m", "lock_timeout_seconds": 3}
trial = skill("db/migration-batch", **JOB, dry_run=True)
if trial["failed"]:
    bad = trial["failed"]
    summary(f"not applied: {bad['file']}, line {bad['line']} fails on trial: {bad['message']} ({bad['sqlstate']})")
else:
    summary(skill("db/migration-batch", **JOB)["summary"])
`
    const place = project({ files: { ...FILES, 'up.py': script } })
    const good = await told(place, `run up.py --skills-dir ${SKILLS}`)
    const applied = await told(place, `apply ${good.report.run} --yes`)
    expect(applied).toMatchObject({ exitCode: 0, report: { items: { ok: 4 } } })
    expect(await sql('SELECT count(*) FROM orders')).toBe('2')
    place.write('m/0004_bad.sql', 'SELECT 1;\nSELECT 1 / 0;\n')
    const bad = await told(place, `run up.py --skills-dir ${SKILLS}`)
    const refused = await told(place, `apply ${bad.report.run} --yes`)
    expect(refused.report.summary).toBe(
      'not applied: 0004_bad.sql, line 2 fails on trial: division by zero (22012)',
    )
    expect(await sql('SELECT count(*) FROM schema_migrations')).toBe('3')
  },
)

test(
  'SQLite in the workspace: done by the first run; by a person: skills run',
  { timeout: LONG_MS },
  async () => {
    const place = project({ files: { ...FILES, 'up.py': migrate('database="app.db"') } })
    const done = await told(place, `run up.py --skills-dir ${SKILLS}`)
    expect(done).toMatchObject({ exitCode: 0, report: { status: 'succeeded', plan: null, items: { ok: 3 } } })
    expect(done.report.summary).toContain('3 of 3 pending migrations applied in app.db, m')
    const again = await told(place, `run up.py --skills-dir ${SKILLS}`)
    expect(again.report.summary).toBe('nothing pending in app.db, m, 3 applied')
    const person = [
      'skills',
      'run',
      'db/migration-batch',
      '--skills-dir',
      SKILLS,
      '--database',
      'own.db',
      '--folder',
      'm',
    ]
    const { exitCode, stdout } = await place.run(person)
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout:
        '3 of 3 pending migrations applied in own.db, m: 0001_orders.sql, 0002_fill.sql, 0003_more.sql\n',
    })
  },
)

test(
  'db/connection-test: a read, so it runs at once; a failed connection is a result',
  { timeout: LONG_MS },
  async () => {
    const script =
      'from srecodex import skill, summary\nsummary(skill("db/connection-test", database="postgresql"))\n'
    const place = project({ files: { 'ask.py': script } })
    const asked = await told(place, `run ask.py --skills-dir ${SKILLS}`)
    expect(asked).toMatchObject({
      exitCode: 0,
      report: { status: 'succeeded', calls: { mutations: 0, reads: 1 } },
    })
    expect(JSON.parse(asked.report.summary)).toMatchObject({
      reachable: true,
      authenticated: true,
      version: 'PostgreSQL 15.18',
      encrypted: false,
      problem: null,
    })
    env = { ...env, PGPASSWORD: 'wrong' }
    const refused = await told(place, `run ask.py --skills-dir ${SKILLS}`)
    expect(refused.exitCode).toBe(0)
    const result = JSON.parse(refused.report.summary)
    expect(result).toMatchObject({ reachable: true, authenticated: false, problem: 'authentication' })
    expect(result.message).toBe('FATAL: password authentication failed for user "<…>"')
  },
)
