/** Flags made of a JSON Schema: what a person types, and what a skill gets. */

import { describe, expect, test } from 'vitest'
import { inputFlags, parseInputs, placeholder } from '../src/skill-inputs.ts'

const schema = {
  type: 'object',
  required: ['namespace'],
  properties: {
    namespace: { type: 'string' },
    all_namespaces: { type: 'boolean', default: false },
    at_once: { type: 'integer' },
    share: { type: 'number' },
    level: { enum: ['low', 'high', 3] },
    kinds: { type: 'array', items: { enum: ['deployment', 'daemonset'] } },
    waves: { type: 'array', items: { type: ['integer', 'string'] } },
    exclude: { type: 'array', items: { type: 'string' } },
    ports: { type: 'array', items: { type: 'integer' } },
    filter: { type: 'object' },
    note: { type: ['string', 'null'] },
  },
}

const parse = (...words: string[]) => parseInputs(words, inputFlags(schema))
const inputs = (...words: string[]): unknown => {
  const parsed = parse(...words)
  expect(parsed.problems).toEqual([])
  return parsed.inputs
}

describe('what is typed becomes what the schema says', () => {
  test.each<[string[], unknown]>([
    [[], {}],
    [['--namespace', 'shop'], { namespace: 'shop' }],
    [['--namespace=a=b'], { namespace: 'a=b' }],
    [['--namespace', '7'], { namespace: '7' }],
    [['--namespace='], { namespace: '' }],
    [['--all-namespaces'], { all_namespaces: true }],
    [['--all_namespaces'], { all_namespaces: true }],
    [['--no-all-namespaces'], { all_namespaces: false }],
    [['--all-namespaces=false'], { all_namespaces: false }],
    [['--at-once', '-5'], { at_once: -5 }],
    [['--share', '0.5'], { share: 0.5 }],
    [['--level', '3'], { level: 3 }],
    [['--kinds', 'deployment', 'daemonset'], { kinds: ['deployment', 'daemonset'] }],
    [['--kinds', 'deployment', '--kinds=daemonset'], { kinds: ['deployment', 'daemonset'] }],
    [['--waves', '1', '5', '100%'], { waves: [1, 5, '100%'] }],
    [['--waves', '[1,"50%"]'], { waves: [1, '50%'] }],
    [['--exclude', '[]'], { exclude: [] }],
    [['--exclude', 'a,b', '[ab]*'], { exclude: ['a,b', '[ab]*'] }],
    [['--ports', '80', '--at-once', '2'], { ports: [80], at_once: 2 }],
    [['--filter', '{"a": [1]}'], { filter: { a: [1] } }],
    [['--note=--as-it-is'], { note: '--as-it-is' }],
  ])('%j', (words, expected) => {
    expect(inputs(...words)).toEqual(expected)
  })
})

test('everything that is wrong is told at once', () => {
  const { problems, inputs: read } = parse(
    ...['stray', '--namespce', 'shop', 'more', '--at-once', '1.5', '--share', 'half', '--level', 'mid'],
    ...['--kinds', 'pod', '--ports', 'x', '--filter', '{', '--all-namespaces=maybe', '--note', '--namespace'],
    ...['--colour', '--at-once', '2'],
  )
  expect(problems).toEqual([
    { message: '`stray` belongs to no flag' },
    { message: 'there is no input `--namespce`', hint: 'did you mean --namespace?' },
    { message: '`--at-once` is "1.5"; it must be a whole number' },
    { message: '`--share` is "half"; it must be a number' },
    { message: '`--level` is "mid"; it must be one of low, high, 3' },
    { message: '`--kinds` is "pod"; it must be a list of which each is one of deployment, daemonset' },
    { message: '`--ports` is "x"; it must be a list of which each is a whole number' },
    { message: '`--filter` is "{"; it must be JSON' },
    { message: '`--all-namespaces` is "maybe"; it must be true or false' },
    { message: '`--note` needs a value: --note <text>' },
    { message: '`--namespace` needs a value: --namespace <text>' },
    { message: 'there is no input `--colour`' },
    { message: '`--at-once` is given more than once' },
  ])
  expect(read).toEqual({ at_once: 2 })
})

test('a value is shown by what it may be', () => {
  expect(Object.fromEntries(inputFlags(schema).map(flag => [flag.flag, placeholder(flag)]))).toEqual({
    '--namespace': '<text>',
    '--all-namespaces': '<boolean>',
    '--at-once': '<integer>',
    '--share': '<number>',
    '--level': '<low|high|3>',
    '--kinds': '<deployment|daemonset>...',
    '--waves': '<integer|string>...',
    '--exclude': '<string>...',
    '--ports': '<integer>...',
    '--filter': '<json>',
    '--note': '<text>',
  })
})

test('a skill without a schema takes nothing', () => {
  expect(inputFlags(null)).toEqual([])
  expect(parseInputs(['--x'], []).problems).toEqual([{ message: 'there is no input `--x`' }])
})
