/** The owner's cases by a plain client as the short run plays them, under the newer protocol, read by fields. */

import { expect, test } from 'vitest'
import { judge, type Case } from './agent-cases.ts'
import { BULK, COMPOSITION, DEPLOYMENT, RESUMED } from './agent-cluster-cases.ts'
import { BUDGET, largeData, TIMEOUT } from './agent-data-cases.ts'
import { playPlainly } from './agent-play.ts'

const CASES: readonly Case[] = [BULK, COMPOSITION, largeData(1e9), DEPLOYMENT, BUDGET, RESUMED, TIMEOUT]

test.for(CASES.map((one): [string, Case] => [one.name, one]))('%s', async ([, one]) => {
  const { sent } = await judge(one, scene => playPlainly(scene, { revision: '2026-07-28', reads: 'fields' }))
  expect(sent[0]!.length).toBeLessThan(12_000)
})
