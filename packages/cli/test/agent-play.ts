/** A case played by a plain MCP client: what an agent does without its own habits. */

import { mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import type { Played, Scene } from './agent-cases.ts'
import { connect, type Result, type Revision } from './mcp-client.ts'

interface PlainOptions {
  readonly revision: Revision
  /** Which part of a result the model is shown: agents drop one of the two. */
  readonly reads: 'text' | 'fields'
}

/** The server answers before: by itself it waits no longer than four minutes for the end of a run. */
const LONG_MS = 300_000

export async function playPlainly(
  { place, env, moves }: Scene,
  { revision, reads }: PlainOptions,
): Promise<Played> {
  const temporary = join(dirname(place.workspace), 'tmp')
  mkdirSync(temporary)
  const { call, received, stderr } = await connect(place, { revision, env: { ...env, TMPDIR: temporary } })
  const told: string[] = []
  const playing = moves()
  let next = playing.next()
  while (next.done !== true) {
    const { tool, input } = next.value
    const result = await call(tool, input, { timeoutMs: LONG_MS })
    told.push(shown(result, reads))
    next = playing.next(told.at(-1)!)
  }
  expect({ stderr: stderr(), temporary: readdirSync(temporary) }).toEqual({ stderr: '', temporary: [] })
  return { answer: next.value, told, sent: [received()] }
}

function shown({ report, text }: Result, reads: PlainOptions['reads']): string {
  return reads === 'text' || report === undefined ? text : JSON.stringify(report)
}
