import { expect, test } from 'vitest'
import { jsonPatch, mergePatch, strategicMergePatch } from '../src/kubernetes/patch.ts'
import { manage } from '../src/kubernetes/managed-fields.ts'
import type { KubeObject } from '../src/kubernetes/object.ts'
import { parseFieldSelector, parseLabelSelector } from '../src/kubernetes/selectors.ts'
import { age } from '../src/kubernetes/table.ts'

const pod = {
  containers: [
    { name: 'main', image: 'a:1', env: [{ name: 'A', value: '1' }] },
    { name: 'side', image: 's:1' },
  ],
}

test.each([
  [
    'an item is merged by its name',
    { containers: [{ name: 'main', image: 'a:2' }] },
    {
      containers: [
        { name: 'main', image: 'a:2', env: [{ name: 'A', value: '1' }] },
        { name: 'side', image: 's:1' },
      ],
    },
  ],
  [
    'an item is added',
    { containers: [{ name: 'new', image: 'n:1' }] },
    {
      containers: [...pod.containers, { name: 'new', image: 'n:1' }],
    },
  ],
  [
    'an item is deleted',
    { containers: [{ name: 'side', $patch: 'delete' }] },
    { containers: [pod.containers[0]] },
  ],
  [
    'order is set',
    { '$setElementOrder/containers': [{ name: 'side' }, { name: 'main' }], containers: [] },
    {
      containers: [pod.containers[1], pod.containers[0]],
    },
  ],
  ['null removes', { containers: null }, {}],
  ['a list without a key is replaced', { args: ['x'] }, { ...pod, args: ['x'] }],
  [
    'a map is replaced where it says so',
    { containers: [{ name: 'main', $patch: 'replace', image: 'r:1' }] },
    {
      containers: [{ name: 'main', image: 'r:1' }, pod.containers[1]],
    },
  ],
])('strategic merge: %s', (_, patch, expected) => {
  const before = structuredClone(pod)
  expect(strategicMergePatch(pod, patch)).toEqual(expected)
  expect(pod).toEqual(before)
})

test('a merge patch replaces lists whole', () => {
  expect(mergePatch({ a: [1, 2], b: { c: 1, d: 2 } }, { a: [3], b: { d: null } })).toEqual({
    a: [3],
    b: { c: 1 },
  })
})

test('a JSON patch: what is tested, added, removed, moved', () => {
  const before = { a: { 'x/y': 1 }, list: [1, 2] }
  const after = jsonPatch(before, [
    { op: 'test', path: '/a/x~1y', value: 1 },
    { op: 'replace', path: '/a/x~1y', value: 2 },
    { op: 'add', path: '/list/-', value: 3 },
    { op: 'remove', path: '/list/0' },
    { op: 'move', from: '/list', path: '/moved' },
  ])
  expect(after).toEqual({ a: { 'x/y': 2 }, moved: [2, 3] })
  expect(() => jsonPatch(before, [{ op: 'test', path: '/a/x~1y', value: 9 }])).toThrow('rejected our request')
  expect(() => jsonPatch(before, [{ op: 'remove', path: '/nothing' }])).toThrow('rejected our request')
})

test.each([
  ['team=red', true],
  ['team==red,tier', true],
  ['team!=red', false],
  ['!tier', false],
  ['other!=x', true],
  ['team in (blue, red),tier notin (db)', true],
  ['team in (blue)', false],
])('label selector %s: %s', (text, expected) => {
  expect(parseLabelSelector(text)({ team: 'red', tier: 'web' })).toBe(expected)
})

test('a selector that cannot be read is refused', () => {
  expect(() => parseLabelSelector('a=b=c')).toThrow("found '=', expected: ',' or 'end of string'")
  expect(() => parseLabelSelector('=b')).toThrow('unable to parse')
  expect(() => parseFieldSelector('spec.replicas=1', 'Deployment')).toThrow('not supported')
})

test('managed fields: a field belongs to whoever set it last', () => {
  const object = (labels: Record<string, string>, image: string): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', uid: 'u', resourceVersion: '1', creationTimestamp: '', labels },
    spec: { containers: [{ name: 'main', image }] },
  })
  const first = object({ a: '1' }, 'a:1')
  first.metadata.managedFields = manage(null, first, { manager: 'one', subresource: null })
  const second = object({ a: '1', b: '2' }, 'a:2')
  const entries = manage(first, second, { manager: 'two', subresource: null })
  const path = { 'f:containers': { 'k:{"name":"main"}': { 'f:image': {} } } }
  expect(entries.map(({ manager, fieldsV1 }) => [manager, fieldsV1])).toEqual([
    [
      'one',
      {
        'f:metadata': { 'f:labels': { 'f:a': {} } },
        'f:spec': { 'f:containers': { 'k:{"name":"main"}': { 'f:name': {} } } },
      },
    ],
    ['two', { 'f:metadata': { 'f:labels': { 'f:b': {} } }, 'f:spec': path }],
  ])
})

test.each([
  [59, '59s'],
  [119, '119s'],
  [125, '2m5s'],
  [3600, '60m'],
  [3 * 3600 + 300, '3h5m'],
  [26 * 3600, '26h'],
  [3 * 86_400 + 3600, '3d1h'],
  [30 * 86_400, '30d'],
])('%i seconds are shown as %s', (seconds, expected) => {
  expect(age(new Date(0).toISOString(), seconds * 1000)).toBe(expected)
})
