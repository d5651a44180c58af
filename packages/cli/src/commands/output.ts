/** `srecodex output`: a bounded, redacted slice of what a run printed. */

import { homes, readOutput, showRun } from '@srecodex/core'
import { renderNotice } from '../render/error.ts'
import { plural } from '../render/units.ts'
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
  const state = homes(terminal.env).state
  const slice = await readOutput(state, run, {
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
    const same = `${stream === 'stdout' ? '' : ` --stream ${stream}`}${grep === undefined ? '' : ' --grep …'}`
    terminal.err(
      renderNotice(`there is more: srecodex output ${slice.run}${same} --offset ${slice.nextOffset}`),
    )
  } else if (slice.lines.length === 0) {
    const { report } = await showRun(state, slice.run)
    terminal.err(renderNotice(whyNothing(flags, report.output)))
  }
  return 0
}

/** An empty answer looks like a fault: say which of the harmless reasons it has. */
function whyNothing(
  { stream, grep }: OutputFlags,
  printed: { readonly stdout: { readonly lines: number }; readonly stderr: { readonly lines: number } },
): string {
  const other = stream === 'stdout' ? 'stderr' : 'stdout'
  const elsewhere =
    printed[other].lines === 0 ? '' : `; ${plural(printed[other].lines, 'line')} in --stream ${other}`
  if (printed[stream].lines === 0) return `nothing on ${stream}${elsewhere}`
  return grep === undefined
    ? `${stream} has only ${plural(printed[stream].lines, 'line')}`
    : `no line of ${stream} matches${elsewhere}`
}
