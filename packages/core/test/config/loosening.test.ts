import { expect, test } from 'vitest'
import { NAMED_SECTIONS, SECTIONS, configKeys } from '../../src/config/schema.ts'
import type { Field } from '../../src/config/schema.ts'

const ALL_SECTIONS: Readonly<Record<string, { readonly fields: Readonly<Record<string, Field>> }>> = {
  ...SECTIONS,
  ...NAMED_SECTIONS,
}

const fieldOf = (key: string): Field => {
  const parts = key.split('.')
  return ALL_SECTIONS[parts[0]!]!.fields[parts.at(-1)!]!
}

const read = (field: Field, value: unknown): unknown => {
  const reader = {
    home: '/home/ada',
    refuse: (message: string) => {
      throw new Error(message)
    },
  }
  return value === null ? null : field.kind.read(value, reader)
}

/** [key, in force, what loosens it, what tightens it or leaves it] */
const RULES: readonly [string, unknown, unknown[], unknown[]][] = [
  ['execution_environment.sandbox_mode', 'workspace-write', ['danger-full-access'], ['read-only']],
  ['execution_environment.network', 'none', ['host', ['a.com'], ['0.0.0.0/0']], [[]]],
  ['execution_environment.network', 'host', [], ['none', ['a.com']]],
  [
    'execution_environment.network',
    ['a.com', 'b.com'],
    ['host', ['c.com'], ['a.com', 'c.com'], ['x.a.com'], ['*.a.com']],
    ['none', ['A.com'], ['b.com', 'a.com'], []],
  ],
  ['execution_environment.network', ['10.0.0.0/8'], [['10.1.0.0/16'], ['11.0.0.0/8']], [['10.0.0.0/8']]],
  [
    'execution_environment.readable',
    ['/var/log'],
    [['/var'], ['/var/log/link'], ['/var/log', '/etc']],
    [[], ['/var/log/'], ['/var/lib/../log']],
  ],
  ['scripts.allowed_extensions', ['.py', '.sh'], [['.js'], ['.py', '.js']], [['.sh'], [], ['.sh', '.py']]],
  ['scripts.execution_timeout', 300, [301, '6m'], [300, '5m', 1]],
  ['scripts.max_timeout', 3600, ['2h'], ['1h', 60]],
  ['scripts.cleanup_after_run', true, [], [false, true]],
  ['limits.memory', '2GiB', ['1TiB', 2 ** 31 + 1], ['2048MiB', '1GiB']],
  ['limits.processes', 256, [257], [8]],
  ['limits.file_size', '2GiB', ['3GiB'], [1]],
  ['limits.output', '2GiB', ['3GiB'], [1]],
  ['limits.open_files', 1024, [1025], [64]],
  ['limits.cpus', 0, [], [0, 1, 64]],
  ['limits.cpus', 2, [0, 3], [2, 0.5]],
  ['limits.min_free_space', '256MiB', [0, '255MiB'], ['1GiB']],
  ['limits.max_calls', 10_000, [10_001], [0]],
  ['limits.max_mutations', 500, [501], [0]],
  ['summary.max_chars', 1200, [1201], [80]],
  ['mutations.default', 'plan', ['allow'], ['deny']],
  ['mutations.clients_may_allow', false, [true], []],
  ['mutations.clients_may_allow', true, [], [false]],
  ['mutations.plan_life', '15m', ['16m'], ['1m']],
  ['runs.keep_days', 30, [29], [365]],
  ['runs.max_bytes', '10GiB', ['1MiB'], ['20GiB']],
  ['tools.NAME.credentials', null, [['/a'], []], []],
  ['tools.NAME.helpers', ['aws'], [['sh'], ['aws', 'sh'], []], []],
  ['tools.NAME.cache', null, [['/a']], []],
  ['tools.NAME.env', ['A'], [['B'], []], []],
  ['tools.NAME.args', ['--context=prod'], [[], ['--context=dev']], []],
  ['tools.NAME.concurrency', 10, [11], [1]],
  ['tools.NAME.rate', '20/s', ['21/s', '1201/m'], ['20/m', '1200/m']],
  ['tools.NAME.reads', [], [['delete *']], []],
  ['tools.NAME.mutates', ['x'], [['y']], []],
  ['tools.NAME.reveals', ['x'], [[]], []],
  ['mcp_servers.NAME.command', 'npx', ['sh'], []],
  ['mcp_servers.NAME.args', [], [['-c']], []],
  ['mcp_servers.NAME.env', {}, [{ LD_PRELOAD: '/x' }], []],
  ['mcp_servers.NAME.env_vars', [], [['AWS_SECRET_ACCESS_KEY']], []],
  ['mcp_servers.NAME.cwd', null, ['/'], []],
  ['mcp_servers.NAME.url', 'https://a.com', ['https://b.com'], []],
  ['mcp_servers.NAME.bearer_token_env_var', null, ['A'], []],
  ['mcp_servers.NAME.http_headers', {}, [{ Host: 'x' }], []],
  ['mcp_servers.NAME.env_http_headers', {}, [{ X: 'TOKEN' }], []],
  ['mcp_servers.NAME.startup_timeout_sec', 30, [31], [1]],
  ['mcp_servers.NAME.tool_timeout_sec', 300, [301], [1]],
  ['mcp_servers.NAME.enabled', false, [true], []],
  ['mcp_servers.NAME.enabled', true, [], [false]],
  ['mcp_servers.NAME.enabled_tools', null, [], [['a'], []]],
  ['mcp_servers.NAME.enabled_tools', ['a'], [['b'], ['a', 'b']], [[]]],
  ['mcp_servers.NAME.disabled_tools', ['a', 'b'], [[], ['a']], [['a', 'b', 'c']]],
]

test.each(RULES)('%s, from %j: what loosens is told from what does not', (key, from, loosening, other) => {
  const field = fieldOf(key)
  const standing = read(field, from)
  const judged = (values: readonly unknown[]): unknown[] =>
    values.map(value => [value, field.loosens.test(standing, read(field, value))])
  expect(judged(loosening)).toEqual(loosening.map(value => [value, true]))
  expect(judged(other)).toEqual(other.map(value => [value, false]))
})

test('every key of the schema has a rule here', () => {
  const ruled = new Set(RULES.map(([key]) => key))
  expect(configKeys().filter(({ key }) => !ruled.has(key))).toEqual([])
})

test('no value loosens itself', () => {
  const values = RULES.flatMap(([key, from, a, b]) => [from, ...a, ...b].map(value => [key, value] as const))
  const loosening = values.filter(([key, value]) => {
    const field = fieldOf(key)
    return value !== null && field.loosens.test(read(field, value), read(field, value))
  })
  expect(loosening).toEqual([])
})

test('two steps that do not loosen do not loosen together', () => {
  for (const [key, from, a, b] of RULES) {
    const field = fieldOf(key)
    const loosens = (x: unknown, y: unknown): boolean => field.loosens.test(read(field, x), read(field, y))
    const values = [...a, ...b]
    for (const middle of values.filter(value => !loosens(from, value))) {
      for (const end of values.filter(value => !loosens(middle, value))) {
        expect([key, from, middle, end, loosens(from, end)]).toEqual([key, from, middle, end, false])
      }
    }
  }
})
