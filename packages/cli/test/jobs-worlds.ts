/** The world of each job of the page, by the file that it runs, and what the servers must say afterwards. */

import type { Kubernetes, SeedAlert } from '@srecodex/testkit'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { violations, TEAMS } from '../../testkit/src/mcp/ledger.ts'
import { writeLog } from '../../testkit/src/demo/log.ts'
import { changes, mutating } from './cluster.ts'
import { world, type World, type WorldOptions } from './jobs-world.ts'

export interface JobWorld {
  readonly options: WorldOptions
  readonly fill?: (at: World) => Promise<void>
  /** After all commands of the job. */
  readonly judge: (at: World, printed: readonly string[]) => Promise<void> | void
}

export async function worldOf(file: string, script: string): Promise<World> {
  const { options, fill } = WORLDS[file] ?? {}
  if (options === undefined) throw new Error(`no world is known for ${file}`)
  const at = await world({ ...options, files: { ...options.files, [file]: script } })
  await fill?.(at)
  if (options.kubernetes !== undefined) await at.kubernetes.settled()
  return at
}

const NAMESPACES = ['auth', 'pay', 'search', 'shop'] as const
const numbered = (name: string, index: number): string => `${name}-${String(index).padStart(2, '0')}`

function addDeployments(kubernetes: Kubernetes, count: number, name: string, labels: Record<string, string>) {
  return Array.from({ length: count }, (_, index) => {
    const one = { namespace: NAMESPACES[index % NAMESPACES.length]!, name: numbered(name, index) }
    kubernetes.addWorkload({ ...one, replicas: 1, labels })
    return `${one.namespace}/${one.name}`
  })
}

const patchedOnce = (keys: readonly string[]): Record<string, number> =>
  Object.fromEntries(keys.map(key => [`patch ${key}`, 1]))

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()

/** What crashes in an incident, and why: `null` is a reason that has nothing to do with the database. */
export const CRASHING: Readonly<Record<string, string | null>> = {
  'auth/login': 'ERROR dial tcp 10.0.3.7:5432: connect: connection refused',
  'auth/tokens': 'ERROR dial tcp 10.0.3.7:5432: connect: connection refused',
  'pay/ledger': 'ERROR could not connect to server: connection refused (attempt 12)',
  'pay/refunds': 'ERROR could not connect to server: connection refused (attempt 31)',
  'pay/reports': null,
  'shop/cart': 'ERROR dial tcp 10.0.3.7:5432: connect: connection refused',
  'shop/web': 'ERROR dial tcp 10.0.3.7:5432: connect: connection refused',
  'shop/wishlist': null,
}

export const REFUSED = Object.keys(CRASHING).filter(key => CRASHING[key] !== null)

async function incident({ kubernetes, aws, alertmanager }: World): Promise<void> {
  const now = Date.now()
  for (const [key, line] of Object.entries(CRASHING)) {
    const [namespace = '', name = ''] = key.split('/')
    kubernetes.addWorkload({
      namespace,
      name,
      replicas: 2,
      image: `registry.test/${name}:3.1-${line === null ? 'oom' : 'crashloop'}`,
      // The database is back: whoever starts anew finds it.
      ...(line === null ? {} : { podAnnotations: { 'sim/mended-by': 'restart' } }),
    })
    aws.addLogGroup(
      'eu-west-1',
      `/eks/${key}`,
      Array.from({ length: 9 }, (_, index) => ({
        timestamp: now - 60_000 * (index + 5),
        message: index % 3 === 0 && line !== null ? line : 'INFO starting',
      })),
    )
  }
  for (const name of ['gateway', 'static']) kubernetes.addWorkload({ namespace: 'shop', name, replicas: 1 })
  await alertmanager.add(
    Object.keys(CRASHING).map(key => {
      const [namespace = '', deployment = ''] = key.split('/')
      const labels = { alertname: 'KubePodCrashLooping', severity: 'warning', namespace, deployment }
      return { labels, startsAt: minutesAgo(12) }
    }),
  )
}

const NOISY: readonly SeedAlert[] = [
  ...Array.from({ length: 14 }, (_, index) => ({
    labels: { alertname: 'CPUThrottlingHigh', severity: 'info', pod: numbered('worker', index) },
    startsAt: minutesAgo(60 * 24 * 20),
  })),
  ...Array.from({ length: 9 }, (_, index) => ({
    labels: { alertname: 'NodeClockSkew', severity: 'info', instance: numbered('node', index) },
    startsAt: minutesAgo(60 * 24 * 9),
  })),
  {
    labels: { alertname: 'DatabaseDown', severity: 'critical', instance: 'db-1' },
    annotations: { runbook_url: 'https://runbooks.example.com/db' },
    startsAt: minutesAgo(4),
  },
  {
    labels: { alertname: 'DiskFillsUp', severity: 'warning', instance: 'node-03' },
    annotations: { runbook_url: 'https://runbooks.example.com/disk' },
    startsAt: minutesAgo(25),
  },
]

const DEAD = { evicted: 9, failed: 5 } as const
const OWNER = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'web-1',
  uid: 'uid-of-web-1',
  controller: true,
}

const MIGRATIONS = {
  'migrations/0001_orders.sql': 'CREATE TABLE orders (id integer PRIMARY KEY, total numeric NOT NULL);\n',
  'migrations/0002_index.sql': 'CREATE INDEX orders_total ON orders (total);\n',
  'migrations/0003_currency.sql': "ALTER TABLE orders ADD COLUMN currency text NOT NULL DEFAULT 'EUR';\n",
  'migrations/0004_seed.sql': 'INSERT INTO orders (id, total) VALUES (1, 9.90);\n',
}

export const WORLDS: Readonly<Record<string, JobWorld>> = {
  'restart_ca.py': {
    options: { kubernetes: {} },
    async fill({ kubernetes }) {
      addDeployments(kubernetes, 50, 'app', { ca: 'corp' })
      addDeployments(kubernetes, 8, 'other', {})
    },
    judge({ kubernetes }) {
      const all = Array.from(
        { length: 50 },
        (_, i) => `${NAMESPACES[i % NAMESPACES.length]}/${numbered('app', i)}`,
      )
      expect(changes(kubernetes)).toEqual(patchedOnce(all))
      expect(mutating(kubernetes)).toHaveLength(50)
    },
  },
  'crashes.js': {
    options: { kubernetes: { mixedCrashStates: true } },
    async fill({ kubernetes }) {
      addDeployments(kubernetes, 12, 'fine', {})
      for (const index of Array.from({ length: 7 }, (_, i) => i)) {
        const namespace = NAMESPACES[index % NAMESPACES.length]!
        kubernetes.addWorkload({
          namespace,
          name: `api-${index}`,
          replicas: 2,
          image: 'registry.test/api:5-crashloop',
        })
      }
      for (const name of ['cache', 'thumbs'])
        kubernetes.addWorkload({
          namespace: 'search',
          name,
          replicas: 3,
          image: `registry.test/${name}:1-oom`,
        })
    },
    judge({ kubernetes }, [printed = '']) {
      expect(mutating(kubernetes)).toEqual([])
      expect(printed).toContain('20 pods in crash loops, 2 causes')
    },
  },
  'errors.sh': {
    options: {},
    async fill({ path }) {
      mkdirSync(path('logs'))
      await writeLog({ path: path('logs/app.log'), bytes: 3_000_000, seed: 7 })
      await writeLog({ path: path('logs/old'), bytes: 1_000_000, seed: 8 })
      writeFileSync(path('logs/app.log.1.gz'), gzipSync(readFileSync(path('logs/old'))))
    },
    async judge({ path }, [printed = '']) {
      const truth = await Promise.all([
        writeLog({ path: path('a'), bytes: 3_000_000, seed: 7 }),
        writeLog({ path: path('b'), bytes: 1_000_000, seed: 8 }),
      ])
      const total = truth
        .flatMap(({ errors }) => Object.values(errors))
        .reduce((sum, count) => sum + count, 0)
      expect(printed.replaceAll(',', '')).toContain(`${total} errors`)
    },
  },
  'ship.py': {
    options: { kubernetes: { unpullable: ['registry.example.com/web:2.4.1'] } },
    async fill({ kubernetes }) {
      for (const namespace of ['staging', 'production'])
        kubernetes.addWorkload({
          ...{ namespace, name: 'web', replicas: 2, image: 'registry.example.com/web:2.4.0' },
          progressDeadlineSeconds: 2,
        })
    },
    judge({ kubernetes }) {
      expect(changes(kubernetes)).toEqual({ 'patch staging/web': 2 })
      for (const namespace of ['staging', 'production'])
        expect(kubernetes.get('deployments', namespace, 'web')).toMatchObject({
          spec: { template: { spec: { containers: [{ image: 'registry.example.com/web:2.4.0' }] } } },
        })
    },
  },
  'owners.py': {
    options: { aws: { regions: ['eu-west-1', 'eu-west-3', 'us-east-1'], pageSize: 5, emptyPages: true } },
    async fill({ aws }) {
      aws.addInstances(
        ['eu-west-1', 'eu-west-3', 'us-east-1'].flatMap((region, place) =>
          Array.from({ length: 12 }, (_, index) => ({
            id: `i-${place}${String(index).padStart(4, '0')}`,
            region,
            type: index % 4 === 0 ? 'm4.large' : 't3.micro',
            state: index % 3 === 0 ? 'stopped' : 'running',
            launched: index % 6 === 0 ? '2026-02-03T08:00:00Z' : new Date(Date.now() - 864e5).toISOString(),
            tags: index % 5 === 0 ? { Name: `box-${index}` } : { owner: 'platform' },
          })),
        ),
      )
    },
    judge({ aws }, [printed = '']) {
      expect(printed).toContain('9 instances without an owner, 3 of them')
      expect(new Set(aws.requests.map(({ operation }) => operation))).toEqual(
        new Set(['GetCallerIdentity', 'DescribeRegions', 'DescribeInstances']),
      )
    },
  },
  'checkout.js': {
    options: { aws: { pageSize: 20, emptyPages: true } },
    async fill({ aws }) {
      const now = Date.now()
      const said: Readonly<Record<string, readonly string[]>> = {
        cart: ['ERROR DynamoDB throttled table carts-7', 'INFO ok'],
        payment: ['ERROR gateway answered 502 after 3001 ms', 'INFO ok', 'INFO retrying'],
        receipt: ['3f0c8a52-61b7-4f0e-9b2e-0d6c3a5e7f11 Task timed out after 30.03 seconds', 'INFO ok'],
      }
      for (const [name, lines] of Object.entries(said))
        aws.addLogGroup(
          'eu-west-1',
          `/aws/lambda/checkout-${name}`,
          Array.from({ length: 60 }, (_, index) => ({
            timestamp: now - 30_000 * (index + 1),
            message: lines[index % lines.length]!,
          })),
        )
      aws.addLogGroup('eu-west-1', '/aws/lambda/search', [
        { timestamp: now - 60_000, message: 'ERROR other' },
      ])
    },
    judge({ aws }) {
      expect(aws.requests.filter(({ params }) => params.logGroupName === '/aws/lambda/search')).toEqual([])
      expect(aws.requests.filter(({ operation }) => operation === 'FilterLogEvents').length).toBeGreaterThan(
        6,
      )
    },
  },
  'migrate.py': {
    options: { postgres: true, files: MIGRATIONS },
    async judge({ postgres }) {
      const count = await postgres.sql('SELECT count(*) FROM schema_migrations')
      expect([count, await postgres.sql('SELECT currency FROM orders')]).toEqual(['4', 'EUR'])
    },
  },
  'mute.js': {
    options: { alerts: NOISY },
    async judge({ alertmanager }) {
      const set = await alertmanager.silences()
      const names = set.map(({ matchers }) => matchers.find(({ name }) => name === 'alertname')?.value)
      expect(new Set(names)).toEqual(new Set(['CPUThrottlingHigh', 'NodeClockSkew']))
      expect(alertmanager.requests.filter(({ method }) => method === 'POST')).toHaveLength(2)
    },
  },
  'budgets.py': {
    options: { finance: true },
    judge(_, [printed = '']) {
      expect(violations()).toHaveLength(4)
      for (const { team, over } of violations()) expect(printed).toContain(`${team}: ${over} over`)
      expect(printed).toContain(`of ${TEAMS.length} teams`)
    },
  },
  'clean.sh': {
    options: { kubernetes: {} },
    async fill({ kubernetes }) {
      for (const [mode, count] of Object.entries(DEAD))
        for (let index = 0; index < count; index += 1)
          kubernetes.create('pods', {
            metadata: {
              namespace: NAMESPACES[index % NAMESPACES.length]!,
              name: numbered(mode, index),
              annotations: { 'sim/mode': mode },
              // The first of each is bare: nobody would make it again.
              ...(index === 0 ? {} : { ownerReferences: [OWNER] }),
            },
            spec: { containers: [{ name: 'main', image: 'registry.test/main' }] },
          })
      addDeployments(kubernetes, 4, 'fine', {})
    },
    judge({ kubernetes }) {
      const dead = Object.entries(DEAD).flatMap(([mode, count]) =>
        Array.from({ length: count - 1 }, (_, i) => [
          `delete ${NAMESPACES[(i + 1) % NAMESPACES.length]}/${numbered(mode, i + 1)}`,
          1,
        ]),
      )
      expect(changes(kubernetes)).toEqual(Object.fromEntries(dead))
    },
  },
  'night.py': {
    options: { kubernetes: {} },
    async fill({ kubernetes }) {
      const labels = { night: 'off' }
      for (const [name, replicas] of Object.entries({ api: 3, batch: 1, docs: 1, web: 2, worker: 4 }))
        kubernetes.addWorkload({
          ...{ namespace: 'dev', name, replicas, labels },
          ...(name === 'docs' ? { podAnnotations: { 'sim/stuck': 'true' } } : {}),
        })
      kubernetes.addWorkload({ namespace: 'dev', name: 'vpn', replicas: 1 })
    },
    judge({ kubernetes }) {
      const replicas = (name: string): unknown =>
        (kubernetes.get('deployments', 'dev', name) as { spec?: { replicas?: number } }).spec?.replicas
      expect(['api', 'batch', 'docs', 'vpn', 'web', 'worker'].map(replicas)).toEqual([0, 0, 1, 1, 0, 0])
    },
  },
  'incident.py': {
    options: { kubernetes: {}, aws: {}, alerts: [] },
    fill: incident,
    judge: judgeIncident,
  },
}

/** By what the servers logged: each restart and the silence once, nothing else, and nothing lost. */
export async function judgeIncident({ kubernetes, alertmanager, aws }: World): Promise<void> {
  expect(changes(kubernetes)).toEqual(patchedOnce(REFUSED))
  expect(mutating(kubernetes).filter(({ status }) => status === 200)).toHaveLength(REFUSED.length)
  const [silence, ...more] = await alertmanager.silences()
  expect(more).toEqual([])
  expect(silence).toMatchObject({ createdBy: 'ana', comment: 'INC-77: restarting after the outage' })
  const posted = alertmanager.requests.filter(({ method, status }) => method === 'POST' && status === 200)
  expect(posted).toHaveLength(1)
  const asked = new Set(aws.requests.map(({ operation }) => operation))
  expect([...asked].sort()).toEqual(['FilterLogEvents', 'GetCallerIdentity'])
}
