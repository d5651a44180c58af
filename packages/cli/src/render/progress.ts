/** One line at the foot of the terminal while a script runs: a bar once it reports progress, a spinner before. */

import { paint, type Terminal } from '../terminal.ts'
import { duration } from './units.ts'

export interface ProgressLine {
  update(done: number, total: number | null, note: string): void
  /** Takes the line away. */
  stop(): void
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const INTERVAL_MS = 100
const BAR_WIDTH = 24
const COLOUR = new RegExp(`(${'\u001B'}\\[[\\d;]*m)`)

/** Draws nothing where nobody watches. */
export function startProgress(terminal: Terminal, name: string): ProgressLine {
  if (!terminal.isInteractive) return { update: () => {}, stop: () => {} }
  const begun = performance.now()
  let state: { done: number; total: number | null; note: string } | null = null
  let frame = 0
  const draw = (): void => {
    const elapsed = duration(performance.now() - begun)
    const text =
      state === null
        ? `${FRAMES[frame++ % FRAMES.length]} ${name}  ${elapsed}`
        : `${bar(state.done, state.total)}  ${elapsed}  ${state.note}`
    terminal.err(`\r\u001B[2K${clip(text, terminal.columns - 1)}`)
  }
  const timer = setInterval(draw, INTERVAL_MS)
  timer.unref()
  return {
    update: (done, total, note) => {
      state = { done, total, note: note.replaceAll(/[^\P{C}]/gu, ' ') }
    },
    stop: () => {
      clearInterval(timer)
      terminal.err('\r\u001B[2K')
    },
  }
}

function bar(done: number, total: number | null): string {
  if (total === null || total <= 0) return `${done}`
  const share = Math.min(1, Math.max(0, done / total))
  const filled = Math.round(share * BAR_WIDTH)
  const drawn = paint.err('green', '━'.repeat(filled)) + paint.err('dim', '━'.repeat(BAR_WIDTH - filled))
  return `${drawn} ${String(Math.round(share * 100)).padStart(3)}%  ${done}/${total}`
}

/** Cuts what is seen, not the colour codes around it. */
function clip(text: string, width: number): string {
  let seen = 0
  let result = ''
  for (const part of text.split(COLOUR)) {
    if (part.startsWith('\u001B')) {
      result += part
      continue
    }
    result += part.slice(0, Math.max(0, width - seen))
    seen += part.length
  }
  return result
}
