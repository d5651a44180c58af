/** What a run printed, as much as a page can carry: the beginning, and most of the end, where things go wrong. */

import { readOutput } from '@srecodex/core'
import type { OutputPart, PageStream } from './page-data.ts'

const FIRST = { limit: 500, maxChars: 48 * 1024 } as const
const LAST = { limit: 4000, maxChars: 208 * 1024 } as const

interface Source {
  readonly state: string
  readonly run: string
  readonly env: NodeJS.ProcessEnv
}

export async function readStream(
  source: Source,
  name: 'stdout' | 'stderr',
  counted: { readonly bytes: number; readonly lines: number },
): Promise<PageStream> {
  const { state, run, env } = source
  const read = (offset: number, bounds: { readonly limit: number; readonly maxChars: number }) =>
    readOutput(state, run, { stream: name, offset, ...bounds, callerEnvironment: env })
  const first = await read(0, FIRST)
  const parts: OutputPart[] = [partOf(first.lines)]
  let isWhole = first.nextOffset === null
  if (!isWhole) {
    // From the end backwards: fewer lines where long ones do not fit.
    for (let limit: number = LAST.limit; limit >= 1; limit = Math.floor(limit / 2)) {
      const from = Math.max(first.nextOffset!, (counted.lines || first.nextOffset! + limit) - limit)
      const last = await read(from, { ...LAST, limit })
      if (last.nextOffset !== null && limit > 1) continue
      if (last.lines.length > 0) parts.push(partOf(last.lines))
      isWhole = from === first.nextOffset && last.nextOffset === null
      break
    }
  }
  const cutLine = parts.some(({ lines }) => lines.some(line => line.length >= FIRST.maxChars - 2))
  const flag = name === 'stdout' ? '' : ` --stream ${name}`
  return {
    ...{ name, bytes: counted.bytes, totalLines: counted.lines, parts: isWhole ? [joined(parts)] : parts },
    rest: isWhole && !cutLine ? null : `srecodex output ${run}${flag} --offset ${first.nextOffset ?? 0}`,
  }
}

function partOf(lines: readonly { readonly number: number; readonly text: string }[]): OutputPart {
  return { firstNumber: lines[0]?.number ?? 1, lines: lines.map(({ text }) => text) }
}

function joined(parts: readonly OutputPart[]): OutputPart {
  return { firstNumber: 1, lines: parts.flatMap(({ lines }) => lines) }
}
