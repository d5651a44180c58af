/** `srecodex tools list|show`: how the calls of a host command are classified. */

import { builtInTools, describeTable, SrecodexError } from '@srecodex/core'
import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { renderTable } from '../render/table.ts'
import { paint, type Terminal } from '../terminal.ts'

interface JsonFlag {
  readonly json?: boolean
}

export async function list(terminal: Terminal, flags: JsonFlag): Promise<number> {
  const tools = builtInTools().map(name => ({ name, path: findOnPath(name, terminal.env.PATH ?? '') }))
  if (flags.json) terminal.out(`${JSON.stringify(tools)}\n`)
  else {
    terminal.out(
      renderTable(
        [{ title: 'TOOL' }, { title: 'FOUND AT', flexible: true }],
        tools.map(({ name, path }) => [name, path ?? 'not on PATH']),
        terminal.outColumns,
      ),
    )
  }
  return 0
}

const COLOURS: Readonly<Record<string, 'green' | 'yellow' | 'red'>> = {
  read: 'green',
  mutate: 'yellow',
  reveal: 'red',
  refuse: 'red',
}

export async function show(terminal: Terminal, tool: string, flags: JsonFlag): Promise<number> {
  if (!builtInTools().includes(tool)) {
    throw new SrecodexError('USAGE', `there is no built-in table for \`${tool}\``, {
      hint: `there is one for ${builtInTools().join(', ')}; other tools are classified by patterns in [tools.${tool}]`,
    })
  }
  const rows = describeTable(tool)
  if (flags.json) terminal.out(`${JSON.stringify(rows)}\n`)
  else {
    terminal.out(
      renderTable(
        [
          { title: 'CALL' },
          { title: 'EFFECT', paint: cell => paint.out(COLOURS[cell.trim()] ?? 'dim', cell) },
          { title: 'NOTE', flexible: true },
        ],
        rows.map(({ verb, effect, note }) => [verb, effect, note]),
        terminal.outColumns,
      ),
    )
  }
  return 0
}

function findOnPath(name: string, path: string): string | null {
  for (const folder of path.split(delimiter)) {
    if (!isAbsolute(folder)) continue
    const candidate = join(folder, name)
    try {
      accessSync(candidate, constants.X_OK)
      return candidate
    } catch {
      // not here
    }
  }
  return null
}
