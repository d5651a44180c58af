/** `srecodex output`: a bounded, redacted slice of what a run printed. */

import { homes, readOutput } from '@srecodex/core'
import { renderNotice } from '../render/error.ts'
import type { Terminal } from '../terminal.ts'

interface OutputFlags {
  readonly stream: 'stdout' | 'stderr'
  readonly grep?: string
  readonly offset?: number
  readonly limit: number
  readonly json?: boolean
}

/** What a terminal, or an agent's shell, can take at once. */
const MAX_CHARS = 200_000

export async function output(terminal: Terminal, run: string, flags: OutputFlags): Promise<number> {
  const { stream, limit, grep, offset } = flags
  const slice = await readOutput(homes(terminal.env).state, run, {
    stream,
    limit,
    maxChars: MAX_CHARS,
    callerEnvironment: terminal.env,
    ...(grep === undefined ? {} : { grep }),
    ...(offset === undefined ? {} : { offset }),
  })
  if (flags.json) {
    terminal.out(`${JSON.stringify(slice)}\n`)
    return 0
  }
  for (const { text } of slice.lines) terminal.out(`${text}\n`)
  if (slice.nextOffset !== null) {
    terminal.err(renderNotice(`there is more: srecodex output ${slice.run} --offset ${slice.nextOffset}`))
  }
  return 0
}
