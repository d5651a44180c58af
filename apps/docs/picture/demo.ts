/** The demo, run in a terminal, and the part of its screen that is the picture. */

import { execa } from 'execa'
import { join } from 'node:path'
import { ROOT } from '../generate/repository.ts'
import { screenOf, textOf, type Run } from './screen.ts'
import { terminalSvg } from './svg.ts'

const COLUMNS = 92
const COMMAND = 'npx -y pnpm@12 demo'
const TITLE = 'The demo in a terminal: 200 MB of log go in, a table of 14 lines comes back.'

export interface Picture {
  readonly svg: string
  readonly text: string
}

/** In an environment of its own: CI, NO_COLOR and their like would take the colours away. */
export async function recordDemo(): Promise<Picture> {
  const request = {
    columns: COLUMNS,
    rows: 50,
    keys: {},
    command: [process.execPath, join(ROOT, 'packages/testkit/src/demo/main.ts')],
  }
  const { stdout } = await execa(
    'python3',
    [join(ROOT, 'packages/testkit/src/in_terminal.py'), JSON.stringify(request)],
    { env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color' }, extendEnv: false },
  )
  const lines = [typed(), ...result(screenOf(stdout))]
  return { svg: terminalSvg(lines, COLUMNS, TITLE), text: lines.map(textOf).join('\n') }
}

const typed = (): readonly Run[] => [
  { text: '$ ', colour: 'dim' },
  { text: COMMAND, colour: 'bold' },
]

/** From its head to the figures. What follows names a folder that is gone by then. */
function result(lines: readonly (readonly Run[])[]): readonly (readonly Run[])[] {
  const from = lines.findIndex(line => textOf(line).startsWith('What came back'))
  const until = lines.findIndex(line => textOf(line).startsWith('command '))
  if (from === -1 || until === -1) throw new Error(`the demo failed:\n${lines.map(textOf).join('\n')}`)
  return [[], ...lines.slice(from, until)]
}
