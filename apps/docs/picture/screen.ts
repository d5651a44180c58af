/** What stands on a terminal after all that it was sent: lines of text in colours. Pure. */

export type Colour = 'plain' | 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan'

export interface Run {
  readonly text: string
  readonly colour: Colour
}

const ESC = '\u001B'
const SEQUENCE = new RegExp(`${ESC}\\[([\\d;]*)([A-Za-z])`, 'g')
const COLOURS: Readonly<Record<string, Colour>> = {
  '1': 'bold',
  '2': 'dim',
  '31': 'red',
  '32': 'green',
  '33': 'yellow',
  '34': 'blue',
  '36': 'cyan',
  '90': 'dim',
}

/** Carriage returns and erased lines are done; of sequences only colours count. */
export function screenOf(sent: string): readonly (readonly Run[])[] {
  return sent
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map(line => lastState(line))
    .map(runsOf)
}

/** What is written after a return to the left, or after the line was erased, is what stays. */
function lastState(line: string): string {
  const returned = line.split('\r').findLast(part => part !== '') ?? ''
  return returned.split(new RegExp(`${ESC}\\[2?K`)).at(-1) ?? ''
}

function runsOf(line: string): readonly Run[] {
  const runs: Run[] = []
  let colour: Colour = 'plain'
  let from = 0
  const push = (text: string): void => {
    if (text !== '') runs.push({ text, colour })
  }
  for (const match of line.matchAll(SEQUENCE)) {
    push(line.slice(from, match.index))
    from = match.index + match[0].length
    if (match[2] === 'm') colour = COLOURS[match[1]!.split(';').at(-1)!] ?? 'plain'
  }
  push(line.slice(from))
  return runs
}

export const textOf = (line: readonly Run[]): string => line.map(({ text }) => text).join('')
