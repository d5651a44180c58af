/** `read_output`: a few lines of what a run printed, redacted, as many as a result can hold. */

import { homes, readOutput } from '@srecodex/core'
import type { Call, Outcome } from './client.ts'
import { fits, result } from './results.ts'
import type { Input, Session } from './session.ts'
import { MAX_RESULT_CHARS } from './limits.ts'

interface OutputInput {
  readonly run: string
  readonly stream?: 'stdout' | 'stderr'
  readonly grep?: string
  readonly offset?: number
  readonly limit?: number
}

const DEFAULT_LINES = 50

export async function readOutputTool({ terminal }: Session, _call: Call, input: Input): Promise<Outcome> {
  const { run, stream = 'stdout', grep, offset, limit = DEFAULT_LINES } = input as unknown as OutputInput
  // Told twice, and escaped: what fits is known only once it is written.
  for (let maxChars = MAX_RESULT_CHARS / 2; ; maxChars = Math.floor(maxChars * 0.8)) {
    const slice = await readOutput(homes(terminal.env).state, run, {
      stream,
      limit,
      maxChars,
      callerEnvironment: terminal.env,
      ...(grep === undefined ? {} : { grep }),
      ...(offset === undefined ? {} : { offset }),
    })
    const { nextOffset, totalLines } = slice
    const numbered = slice.lines.map(({ number, text }) => `${number}: ${text}`).join('\n')
    const text = numbered === '' ? `no line of ${stream}${grep === undefined ? '' : ' matches'}` : numbered
    const more = nextOffset === null ? '' : `\n\nthere is more: offset ${nextOffset}`
    const told = result(text + more, { run: slice.run, stream, text: numbered, totalLines, nextOffset })
    if (fits(told) || maxChars < 16) return told
  }
}
