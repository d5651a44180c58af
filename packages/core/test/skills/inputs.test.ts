/** Inputs that do not fit, each place in words. */

import { expect, test } from 'vitest'
import { inputFaults } from '../../src/skills/inputs.ts'

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['cluster'],
  properties: {
    cluster: { type: 'string', pattern: '^[a-z]+$' },
    workloads: { type: 'array', items: { type: 'string', pattern: '^[^/]+/[^/]+$' } },
    kinds: { type: 'array', items: { enum: ['deployment', 'daemonset'] } },
    at_once: { type: 'integer', minimum: 1, maximum: 50 },
    namespace: { type: ['string', 'null'] },
  },
  anyOf: [{ required: ['workloads'] }, { required: ['namespace'] }],
}

test('inputs that fit have no faults', async () => {
  expect(await inputFaults(schema, { cluster: 'prod', namespace: null, at_once: 50 })).toEqual([])
})

test('all that does not fit is told at once, and nothing twice', async () => {
  const faults = await inputFaults(schema, {
    cluster: 'Prod',
    workloads: ['shop/web', 'api'],
    kinds: ['pod'],
    at_once: 99,
    namespace: 3,
    colour: 'red',
  })
  expect(faults).toEqual([
    { input: 'cluster', message: 'must match ^[a-z]+$' },
    { input: 'workloads', message: '1 must match ^[^/]+/[^/]+$' },
    { input: 'kinds', message: '0 must be one of deployment, daemonset' },
    { input: 'at_once', message: 'must be at most 50' },
    { input: 'namespace', message: 'must be of type string or null' },
    { input: '', message: 'there is no input `colour`' },
  ])
})

test('what is missing is named; of a choice, all of it', async () => {
  expect(await inputFaults(schema, {})).toEqual([
    { input: '', message: 'one of `workloads`, `namespace` is needed' },
    { input: '', message: '`cluster` is needed' },
  ])
})
