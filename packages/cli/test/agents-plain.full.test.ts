/** The owner's cases by a plain MCP client: the same script, once, and its summary. Agents play them in the long run. */

import { expect, test } from 'vitest'
import { judge, type Case } from './agent-cases.ts'
import { BULK, COMPOSITION, DEPLOYMENT, RESUMED } from './agent-cluster-cases.ts'
import { BUDGET, largeData, TIMEOUT } from './agent-data-cases.ts'
import { playPlainly } from './agent-play.ts'

const CASES: readonly Case[] = [BULK, COMPOSITION, largeData(200e6), DEPLOYMENT, BUDGET, RESUMED, TIMEOUT]

test.for(CASES.map((one): [string, Case] => [one.name, one]))('%s', { timeout: 60_000 }, async ([, one]) => {
  const { sent } = await judge(one, scene => playPlainly(scene, { revision: '2025-11-25', reads: 'text' }))
  expect(sent[0]!.length).toBeLessThan(12_000)
})
