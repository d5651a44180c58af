/** What a command may know of the world around it, and where it may write. */

import { styleText } from 'node:util'

export interface Terminal {
  /** Data. */
  out(text: string): void
  /** Everything else. */
  err(text: string): void
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Whether progress can be drawn: stderr is a terminal that can rewrite a line. */
  readonly isInteractive: boolean
  /** Of what a person reads. As it is now: a window can be resized. */
  readonly columns: number
  /** Of stdout. Infinity where another program reads it, for which nothing is cut. */
  readonly outColumns: number
}

const DEFAULT_COLUMNS = 80
/** Narrower than this nothing can be laid out. */
const MIN_COLUMNS = 20

export function processTerminal(): Terminal {
  // A reader that went away (`| head`) is no fault, and no reason to leave a run unfinished: it goes on unheard.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
  return {
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    isInteractive: process.stderr.isTTY && process.env.TERM !== 'dumb',
    get columns() {
      return columnsOf(process.stdout.columns || process.stderr.columns || DEFAULT_COLUMNS)
    },
    get outColumns() {
      return columnsOf(process.stdout.columns || Infinity)
    },
  }
}

function columnsOf(known: number): number {
  return Math.max(MIN_COLUMNS, Math.floor(Number(process.env.COLUMNS)) || known)
}

type Style = Parameters<typeof styleText>[0]

/** Coloured where the stream is a terminal; NO_COLOR and FORCE_COLOR are honoured. */
export const paint = {
  out: (style: Style, text: string): string => styleText(style, text, { stream: process.stdout }),
  err: (style: Style, text: string): string => styleText(style, text, { stream: process.stderr }),
}
