import { performance } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import {
  buildIndex,
  search,
  type SearchableSkill,
  type SearchHit,
} from '../../../src/skills/search/search.ts'

const skill = (
  id: string,
  name: string,
  description = '',
  more: Partial<SearchableSkill> = {},
): SearchableSkill => ({
  id,
  name,
  description,
  tags: [],
  intent: '',
  body: '',
  ...more,
})

const CATALOGUE = [
  skill('k8s/bulk-restart', 'Bulk Restart', 'Rolling restart of many Kubernetes deployments.'),
  skill(
    'k8s/crashloop-triage',
    'CrashLoop Triage',
    'Group pods in CrashLoopBackOff by cause, such as OOMKilled.',
  ),
  skill('logs/cloudwatch-search', 'CloudWatch Log Search', 'Search AWS CloudWatch Logs.'),
  skill('deploy/rollout', 'Rollout', 'Deploy an image, and undo it with a rollback.'),
  skill('finance/budget', 'Budget Compliance', 'Compare cost with the budget of each team.'),
  skill('monitoring/alert-triage', 'Alert Triage', 'Group and rank firing alerts.'),
]

/** Enough for the word to be a common one. */
const KUBERNETES = ['a', 'b', 'c', 'd'].map(id => skill(`k8s/${id}`, id, 'Kubernetes.'))

const ids = (hits: readonly SearchHit[]): string[] => hits.map(({ id }) => id)
const index = buildIndex(CATALOGUE)
const first = (query: string): string | undefined => search(index, query)[0]?.id

test('scores are BM25F, computed by hand', () => {
  // Every name has one word and every description two, so that each length norm is 1.
  const three = buildIndex([
    skill('x1', 'zebra', 'apple river'),
    skill('x2', 'tiger', 'zebra river'),
    skill('x3', 'camel', 'apple apple'),
  ])
  const scores = (query: string): unknown => search(three, query).map(({ id, score }) => [id, score])
  // Impact = tf·weight / (2.5 + tf·weight), in steps of 1/255: name 4/6.5 = 157/255, description 2/4.5 = 113/255.
  expect(scores('zebra')).toEqual([
    ['x1', 0.6157],
    ['x2', 0.4431],
  ])
  // Twice in a description: 4/6.5, as once in a name.
  expect(scores('apple')).toEqual([
    ['x3', 0.6157],
    ['x1', 0.4431],
  ])
  // Rarity of zebra: ln(1 + 1.5/2.5) = 0.4700; of camel: ln(1 + 2.5/1.5) = 0.9808.
  // x3: 157/255 × 0.9808/1.4508 × (0.9808/1.4508)^0.5; x1: 157/255 × 0.4700/1.4508 × (0.4700/1.4508)^0.5; x2 with 113/255.
  expect(scores('zebra camel')).toEqual([
    ['x3', 0.3422],
    ['x1', 0.1135],
    ['x2', 0.0817],
  ])
})

test('a word in a longer field counts less', () => {
  const two = buildIndex([skill('x1', 'tiger', 'zebra'), skill('x2', 'camel', 'zebra apple river')])
  // Average 2, share 0.5: norms 0.75 and 1.25; 2.667/5.167 = 132/255 and 1.6/4.1 = 100/255.
  expect(search(two, 'zebra').map(({ id, score }) => [id, score])).toEqual([
    ['x1', 0.5176],
    ['x2', 0.3922],
  ])
})

test('a skill that covers more of the query wins over one that repeats a part of it', () => {
  const two = buildIndex([
    skill('x1', 'zebra zebra', 'zebra zebra zebra'),
    skill('x2', 'tiger', 'zebra river'),
    skill('x3', 'camel', 'apple'),
  ])
  expect(ids(search(two, 'zebra river'))).toEqual(['x2', 'x1'])
})

test.each([
  ['kuberntes restart', 'k8s/bulk-restart'],
  ['crashlopbackoff', 'k8s/crashloop-triage'],
  ['cloudwacth', 'logs/cloudwatch-search'],
  ['alrets', 'monitoring/alert-triage'],
  ['budegt compliace', 'finance/budget'],
])('a typo is repaired: %s', (query, id) => {
  expect(first(query)).toBe(id)
})

test('a typo that a body quotes is still a typo', () => {
  const quoting = skill('core/librarian', 'Librarian', 'Find a skill.', { body: 'For example: kuberntes.' })
  const hits = search(buildIndex([...CATALOGUE, ...KUBERNETES, quoting]), 'kuberntes')
  expect(ids(hits)).not.toContain('core/librarian')
  expect(hits[0]?.why).toEqual(['kuberntes as kubernetes in description'])
})

test('ordinary words are not typos of what the catalogue has', () => {
  expect(
    ids(search(buildIndex([skill('x1', 'crane'), skill('x2', 'pod'), skill('x3', 'lag')]), 'brain god bag')),
  ).toEqual([])
})

test('a known word is not repaired', () => {
  expect(
    search(buildIndex([skill('x1', 'alert'), skill('x2', 'alter')]), 'alter').map(({ why }) => why),
  ).toEqual([['alter in name']])
})

test.each([
  ['pods keep dying', 'k8s/crashloop-triage'],
  ['pods keep on dying', 'k8s/crashloop-triage'],
  ['out of memory', 'k8s/crashloop-triage'],
  ['k8s', 'k8s/bulk-restart'],
  ['CW logs', 'logs/cloudwatch-search'],
  ['roll back', 'deploy/rollout'],
  ['revert', 'deploy/rollout'],
  ['spend', 'finance/budget'],
  ["who's paging me", 'monitoring/alert-triage'],
])('what people say finds what the trade calls it: %s', (query, id) => {
  expect(first(query)).toBe(id)
})

test('a symptom suggests its cause, and the cause not the symptom', () => {
  const symptoms = buildIndex([skill('x1', 'flaky'), skill('x2', 'fails randomly'), skill('x3', 'tiger')])
  expect(ids(search(symptoms, 'fails randomly'))).toEqual(['x2', 'x1'])
  expect(ids(search(symptoms, 'flaky'))).toEqual(['x1'])
})

test('a phrase of nothing but stop words is heard', () => {
  const skills = buildIndex([
    skill('core/librarian', 'Librarian', 'Find a skill.'),
    skill('x2', 'tiger'),
    skill('x3', 'camel'),
  ])
  expect(ids(search(skills, 'what can you do'))).toEqual(['core/librarian'])
})

test('a synonym finds, and the word itself stays ahead', () => {
  const synonyms = buildIndex([skill('x1', 'purge'), skill('x2', 'delete'), skill('x3', 'tiger')])
  expect(ids(search(synonyms, 'delete'))).toEqual(['x2', 'x1'])
  expect(ids(search(synonyms, 'purge'))).toEqual(['x1', 'x2'])
})

test('why says which words matched where', () => {
  expect(search(index, 'kuberntes restart please')[0]).toEqual({
    id: 'k8s/bulk-restart',
    name: 'Bulk Restart',
    score: expect.any(Number),
    why: ['kuberntes as kubernetes in description', 'restart in id, name, description'],
  })
  expect(search(index, 'CW logs')[0]?.why).toEqual([
    'cw as cloudwatch in id, name, description',
    'logs in id, name, description',
  ])
})

test('what a description says of other skills does not find it', () => {
  const two = buildIndex([
    skill(
      'k8s/many',
      'Many',
      'Restart in waves. For one single pod use k8s/one-pod. Do not use for kittens.',
    ),
    skill('k8s/one-pod', 'One', 'Restart a single pod.'),
    skill('k8s/other', 'Other', 'Zebra.'),
  ])
  expect(ids(search(two, 'single'))).toEqual(['k8s/one-pod'])
  expect(ids(search(two, 'kittens'))).toEqual([])
})

test.each([
  'book a flight to Lisbon',
  'recipe for sourdough bread',
  'xqzv blorf wug',
  'translate a poem about autumn leaves',
])('nothing fits: %s', query => {
  expect(search(index, query)).toEqual([])
})

test.each([
  ['empty', ''],
  ['blank', ' \n\t\0'],
  ['stop words', 'how do I please the of it'],
  ['emoji', '🔥💀🚒'],
  ['punctuation', '.*+?^${}()|[]\\ -- "" \'\' && || !'],
  ['lone surrogates', '\ud83d\udc00\ud83d'],
  ['no words of the catalogue', '__proto__ constructor hasOwnProperty'],
])('%s: nothing', (_, query) => {
  expect(search(index, query)).toEqual([])
})

test('words of every object can be searched like any other', () => {
  const odd = buildIndex([
    skill('__proto__', 'constructor', 'toString valueOf'),
    skill('x2', 'tiger'),
    skill('x3', 'camel'),
  ])
  for (const query of ['constructor', 'toString', '__proto__'])
    expect(ids(search(odd, query))).toEqual(['__proto__'])
  expect(search(odd, 'tiger')[0]?.id).toBe('x2')
})

test('punctuation in a query is not a pattern', () => {
  expect(first('(restart)+[a-z]*.* deployments|$')).toBe('k8s/bulk-restart')
})

test.each([
  ['words', 'restart pods '.repeat(80_000)],
  ['different words', Array.from({ length: 150_000 }, (_, at) => `w${at}x`).join(' ')],
  ['one word', 'a'.repeat(2 ** 20)],
  ['joints', 'a-'.repeat(2 ** 19)],
  ['capitals', 'aB'.repeat(2 ** 19)],
])('a query of 1 MB is answered at once: %s', (_, query) => {
  const start = performance.now()
  expect(Array.isArray(search(index, query))).toBe(true)
  expect(performance.now() - start).toBeLessThan(1000)
})

test('a hostile skill costs linear time, and leaves the others findable', () => {
  const text = ['a-'.repeat(2 ** 19), 'aB'.repeat(2 ** 19), '#'.repeat(2 ** 20), '. '.repeat(2 ** 19)].join(
    '\n',
  )
  const start = performance.now()
  const hostile = buildIndex([
    ...CATALOGUE,
    skill('x/hostile', text, text, { body: text, intent: text, tags: [text] }),
  ])
  expect(performance.now() - start).toBeLessThan(10_000)
  expect(ids(search(hostile, 'cloudwatch'))).toEqual(['logs/cloudwatch-search'])
})

test('ties go by id, whatever the order of the skills', () => {
  const same = ['c', 'a', 'B', 'b'].map(id => skill(`x/${id}`, 'zebra'))
  const expected = ['x/B', 'x/a', 'x/b', 'x/c']
  expect(ids(search(buildIndex(same), 'zebra'))).toEqual(expected)
  expect(ids(search(buildIndex(same.toReversed()), 'zebra'))).toEqual(expected)
})

test('an index is the same each time, and the same after JSON', () => {
  expect(buildIndex(CATALOGUE)).toEqual(index)
  const cached = JSON.parse(JSON.stringify(index)) as typeof index
  expect(cached).toEqual(index)
  expect(search(cached, 'pods keep dying')).toEqual(search(index, 'pods keep dying'))
})

test('no skills, and skills without text, find nothing', () => {
  expect(search(buildIndex([]), 'restart')).toEqual([])
  expect(search(buildIndex([skill('', '')]), 'restart')).toEqual([])
})

test('at most `limit` hits', () => {
  const many = buildIndex(
    Array.from({ length: 30 }, (_, at) => skill(`x/${at}`, at < 20 ? 'zebra' : 'tiger')),
  )
  expect(search(many, 'zebra')).toHaveLength(10)
  expect(search(many, 'zebra', { limit: 3 })).toHaveLength(3)
  expect(search(many, 'zebra', { limit: 0 })).toEqual([])
})
