/** `srecodex config show` and `srecodex trust`. */

import {
  configRows,
  isTrusted,
  renderConfigToml,
  SrecodexError,
  trustFile,
  untrustFile,
  type LoadedConfig,
} from '@srecodex/core'
import { join } from 'node:path'
import { loadConfig } from '../config.ts'
import { renderNotices } from '../render/error.ts'
import { givenPath, shownPath } from '../render/path.ts'
import { renderTable } from '../render/table.ts'
import { paint, type Terminal } from '../terminal.ts'

interface ShowFlags {
  readonly origin?: boolean
  readonly workspace?: string
  readonly json?: boolean
}

export async function show(terminal: Terminal, flags: ShowFlags): Promise<number> {
  const loaded = await loadConfig({
    workspace: givenPath(flags.workspace ?? '.', terminal),
    env: terminal.env,
    places: flags.origin === true,
  })
  const rows = configRows(loaded)
  if (flags.json) {
    terminal.out(`${JSON.stringify({ values: rows, files: loaded.files, notices: loaded.notices })}\n`)
    return 0
  }
  if (flags.origin) {
    const dimDefault = (cell: string): string => (cell.trim() === 'default' ? paint.out('dim', cell) : cell)
    terminal.out(
      renderTable(
        [{ title: 'KEY' }, { title: 'VALUE', flexible: true }, { title: 'ORIGIN', paint: dimDefault }],
        rows.map(({ key, value, origin, place }) => [
          key,
          value,
          place === null ? origin : shownPath(place, terminal),
        ]),
        terminal.outColumns,
      ),
    )
  } else terminal.out(renderConfigToml(loaded))
  terminal.err(renderNotices(loaded.notices, terminal))
  return 0
}

interface TrustFlags {
  readonly revoke?: boolean
  readonly json?: boolean
}

export async function trust(terminal: Terminal, dir: string | undefined, flags: TrustFlags): Promise<number> {
  const workspace = givenPath(dir ?? '.', terminal)
  const load = (): Promise<LoadedConfig> => loadConfig({ workspace, env: terminal.env })
  if (flags.revoke) return revoke(terminal, workspace, load, flags)

  const before = await load()
  const file = before.files.find(({ kind }) => kind === 'project')
  if (file === undefined || file.state === 'absent') {
    throw new SrecodexError('USAGE', `there is no project config at ${file?.path ?? workspace}`, {
      hint: 'run it in a project that has a dotcodex/config.toml, or name the project: srecodex trust DIR',
    })
  }
  const { path, state, sha256 } = file
  if (state === 'read' || sha256 === undefined) {
    const trusted = await isTrusted(path, { env: terminal.env })
    if (flags.json) terminal.out(`${JSON.stringify({ path, trusted, changed: [] })}\n`)
    else {
      const why = trusted ? 'is already trusted' : 'loosens nothing: it counts without being trusted'
      terminal.err(`${shownPath(path, terminal)} ${why}\n`)
    }
    return 0
  }
  // The hash is that of the content whose effect is shown below: no other is trusted by accident.
  const trusted = await trustFile(path, { env: terminal.env, sha256 })
  const changed = changes(before, await load())
  if (flags.json) {
    terminal.out(`${JSON.stringify({ ...trusted, trusted: true, changed })}\n`)
    return 0
  }
  terminal.err(`${shownPath(path, terminal)} is trusted as it is now; a change of the file ends that\n`)
  for (const { key, value, was } of changed) {
    terminal.err(`  ${key} = ${value}${was === null ? '' : ` (was ${was})`}\n`)
  }
  return 0
}

async function revoke(
  terminal: Terminal,
  workspace: string,
  load: () => Promise<LoadedConfig>,
  flags: TrustFlags,
): Promise<number> {
  // A file that cannot be loaded can still be forgotten.
  const loaded = await load().catch(() => null)
  const path =
    loaded?.files.find(({ kind }) => kind === 'project')?.path ?? join(workspace, 'dotcodex', 'config.toml')
  const wasTrusted = await untrustFile(path, { env: terminal.env })
  if (flags.json) terminal.out(`${JSON.stringify({ path, trusted: false, wasTrusted })}\n`)
  else
    terminal.err(`${shownPath(path, terminal)} ${wasTrusted ? 'is no longer trusted' : 'was not trusted'}\n`)
  return 0
}

interface Change {
  readonly key: string
  readonly value: string
  /** Null where the key was not there before: a tool or a server that is new. */
  readonly was: string | null
}

function changes(before: LoadedConfig, after: LoadedConfig): Change[] {
  const old = new Map(configRows(before).map(({ key, value }) => [key, value]))
  return configRows(after)
    .filter(({ key, value, origin }) => origin === 'project' && old.get(key) !== value)
    .map(({ key, value }) => ({ key, value, was: old.get(key) ?? null }))
}
