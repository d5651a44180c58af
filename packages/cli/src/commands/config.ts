/** `srecodex config show` and `srecodex trust`. */

import { configRows, loadConfig, renderConfigToml, SrecodexError, trustFile, untrustFile } from '@srecodex/core'
import { join, resolve } from 'node:path'
import { renderNotice, renderPlace } from '../render/error.ts'
import { renderTable } from '../render/table.ts'
import type { Terminal } from '../terminal.ts'

interface ShowFlags {
  readonly origin?: boolean
  readonly workspace?: string
  readonly json?: boolean
}

export async function show(terminal: Terminal, flags: ShowFlags): Promise<number> {
  const loaded = await loadConfig({
    workspace: flags.workspace ?? terminal.cwd,
    env: terminal.env,
    places: flags.origin === true,
  })
  const rows = configRows(loaded)
  if (flags.json) {
    terminal.out(`${JSON.stringify({ values: rows, files: loaded.files, notices: loaded.notices })}\n`)
    return 0
  }
  if (flags.origin) {
    terminal.out(
      renderTable(
        [{ title: 'KEY' }, { title: 'VALUE', flexible: true }, { title: 'ORIGIN' }, { title: 'PLACE' }],
        rows.map(row => [row.key, row.value, row.origin, row.place ?? '']),
        terminal.columns,
      ),
    )
  } else terminal.out(renderConfigToml(loaded))
  for (const file of loaded.files) {
    if (file.state === 'untrusted') {
      terminal.err(renderNotice(`${file.path} is not trusted: what it loosens does not count (srecodex trust)`))
    }
  }
  for (const notice of loaded.notices) {
    terminal.err(renderNotice(`${notice.message}${notice.at === undefined ? '' : ` (${renderPlace(notice.at)})`}`))
  }
  return 0
}

interface TrustFlags {
  readonly revoke?: boolean
  readonly json?: boolean
}

export async function trust(terminal: Terminal, dir: string | undefined, flags: TrustFlags): Promise<number> {
  const workspace = resolve(terminal.cwd, dir ?? '.')
  const loaded = await loadConfig({ workspace, env: terminal.env }).catch((error: unknown) => {
    // A file that cannot be loaded can still be forgotten.
    if (flags.revoke) return null
    throw error
  })
  const file = loaded?.files.find(({ kind }) => kind === 'project')
  const path = file?.path ?? join(workspace, 'dotcodex', 'config.toml')
  if (flags.revoke) {
    const wasTrusted = await untrustFile(path, { env: terminal.env })
    if (flags.json) terminal.out(`${JSON.stringify({ path, trusted: false, wasTrusted })}\n`)
    else terminal.err(`${path} ${wasTrusted ? 'is no longer trusted' : 'was not trusted'}\n`)
    return 0
  }
  if (file === undefined || file.state === 'absent') {
    throw new SrecodexError('USAGE', `there is no config to trust at ${path}`, {
      hint: 'run it in a project that has a dotcodex/config.toml, or name the project: srecodex trust DIR',
    })
  }
  const trusted = await trustFile(path, { env: terminal.env })
  if (flags.json) terminal.out(`${JSON.stringify({ ...trusted, trusted: true })}\n`)
  else {
    terminal.err(`${trusted.path} is trusted as it is now; a change takes the trust away\n`)
    for (const notice of loaded?.notices ?? []) terminal.err(`  now in force: ${notice.message}\n`)
  }
  return 0
}
