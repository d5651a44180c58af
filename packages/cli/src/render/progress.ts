/** One line at the foot of the terminal while a script runs: a bar once it reports progress, a spinner before. */

import { paint, type Terminal } from '../terminal.ts'
import { clip } from './layout.ts'
import { plain } from './plan.ts'
import { count, duration } from './units.ts'

export interface ProgressLine {
  update(done: number, total: number | null, note: string): void
  /** What is going on now, in place of what went on before. */
  say(what: string): void
  /** Takes the line away. */
  readonly stop: () => void
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const INTERVAL_MS = 100
const MAX_BAR_COLUMNS = 24
const ERASE_LINE = '\r\u001B[2K'

/** Draws nothing where nobody watches. */
export function startProgress(terminal: Terminal, name: string): ProgressLine {
  if (!terminal.isInteractive) return { update: () => {}, say: () => {}, stop: () => {} }
  const begun = performance.now()
  let what = name
  let state: { done: number; total: number | null; note: string } | null = null
  let frame = 0
  let stopped = false
  const draw = (): void => {
    if (stopped) return
    const elapsed = duration(performance.now() - begun)
    const barColumns = Math.min(MAX_BAR_COLUMNS, Math.floor(terminal.columns / 4))
    const spinner = paint.err('cyan', FRAMES[frame++ % FRAMES.length]!)
    const text =
      state === null
        ? `${spinner} ${what}  ${paint.err('dim', elapsed)}`
        : `${spinner} ${bar(state.done, state.total, barColumns)}  ${paint.err('dim', elapsed)}  ${state.note}`
    terminal.err(`${ERASE_LINE}${clip(text, terminal.columns - 1)}`)
  }
  const timer = setInterval(draw, INTERVAL_MS)
  timer.unref()
  return {
    update: (done, total, note) => {
      state = { done, total, note: plain(note) }
    },
    say: text => {
      what = text
      state = null
      draw()
    },
    stop: () => {
      clearInterval(timer)
      if (frame > 0 && !stopped) terminal.err(ERASE_LINE)
      stopped = true
    },
  }
}

function bar(done: number, total: number | null, columns: number): string {
  if (total === null || total <= 0) return count(done)
  const share = Math.min(1, Math.max(0, done / total))
  const filled = Math.round(share * columns)
  const drawn = paint.err('green', '━'.repeat(filled)) + paint.err('dim', '━'.repeat(columns - filled))
  return `${drawn} ${String(Math.floor(share * 100)).padStart(3)}%  ${count(done)}/${count(total)}`
}
