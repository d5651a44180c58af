/** The skills that a client loads in a project: what would be installed, and installing it. */

import { installFolder, installSkills, uninstallSkills, type InstallResult } from '@srecodex/core'
import { homedir } from 'node:os'
import { relative } from 'node:path'
import { registryOf, writing } from '../commands/skills.ts'
import type { Terminal } from '../terminal.ts'
import type { Client } from './client.ts'

const target = (client: Client, terminal: Terminal) =>
  ({
    client: client.skills,
    scope: 'project',
    projectFolder: terminal.cwd,
    home: terminal.env.HOME || homedir(),
  }) as const

/** Below the project. Clients share all but one of these. */
export const skillsFolder = (client: Client, terminal: Terminal): string =>
  relative(terminal.cwd, installFolder(target(client, terminal)))

export async function placeSkills(
  client: Client,
  terminal: Terminal,
  { dryRun }: { readonly dryRun: boolean },
): Promise<InstallResult> {
  const { skills } = await registryOf(terminal, {})
  const options = { ...target(client, terminal), skills, mode: 'copy', dryRun } as const
  return writing(() => installSkills(options), terminal)
}

export function withdrawSkills(
  client: Client,
  terminal: Terminal,
  ids: readonly string[],
): Promise<InstallResult> {
  return writing(() => uninstallSkills(target(client, terminal), ids), terminal)
}
