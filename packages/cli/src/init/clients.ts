/** The clients by their names, and which of them are used here. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CLIENT_NAMES, type Client, type ClientName } from './client.ts'
import { claude } from './clients/claude.ts'
import { codex } from './clients/codex.ts'
import { cursor } from './clients/cursor.ts'
import { opencode } from './clients/opencode.ts'
import { vscode } from './clients/vscode.ts'
import { findOnPath } from './launch.ts'

export const CLIENTS: Readonly<Record<ClientName, Client>> = { codex, claude, opencode, cursor, vscode }

export interface Present {
  readonly client: Client
  /** Where it was seen: a file of the project, or a program. */
  readonly because: string
}

export function presentClients(project: string, path: string | undefined): Present[] {
  return CLIENT_NAMES.flatMap((name): Present[] => {
    const client = CLIENTS[name]
    const trace = client.traces.find(one => existsSync(join(project, one)))
    const program = client.programs.find(one => findOnPath(one, path) !== null)
    const because = trace ?? (program === undefined ? undefined : `${program} on PATH`)
    return because === undefined ? [] : [{ client, because }]
  })
}
