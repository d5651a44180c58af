/** What the doctor says of each client that is set up here, or could be. Nothing is written. */

import { SrecodexError, type Check, type InstallResult, type LoadedConfig } from '@srecodex/core'
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { renderPlace } from '../render/error.ts'
import { plain } from '../render/plan.ts'
import { plural } from '../render/units.ts'
import type { Terminal } from '../terminal.ts'
import { CLIENT_NAMES, type Client, type ReadFile, type Setup } from './client.ts'
import { CLIENTS } from './clients.ts'
import { isTable } from './documents/document.ts'
import { placeInProject, readText } from './files.ts'
import { findOnPath, lasting } from './launch.ts'
import { leadsElsewhere } from './led-astray.ts'
import { chosenPlace, entryOf, planFiles, unmarked } from './plan.ts'
import { loadSetup } from './setup.ts'
import { loadSection } from './shipped-section.ts'
import { placeSkills, skillsFolder } from './skills.ts'

/** Empty in a folder that can be no project. */
export async function checkClients(loaded: LoadedConfig, terminal: Terminal): Promise<Check[]> {
  const setup = setupOrNull(loaded, terminal)
  if (setup === null) return []
  const project = realpathSync(terminal.cwd)
  const checks: Check[] = []
  const folders = new Map<string, Promise<InstallResult>>()
  // Reading all skills takes a while, and most clients look into one folder.
  const skillsOf = (client: Client): Promise<InstallResult> => {
    const folder = skillsFolder(client, terminal)
    const known = folders.get(folder) ?? placeSkills(client, terminal, { dryRun: true })
    folders.set(folder, known)
    return known
  }
  for (const name of CLIENT_NAMES) {
    const found = await checkClient(CLIENTS[name], { setup, project, skillsOf, terminal })
    if (found !== null) checks.push(found)
  }
  return checks
}

function setupOrNull(loaded: LoadedConfig, terminal: Terminal): Setup | null {
  try {
    return loadSetup(loaded, terminal)
  } catch (error) {
    if (error instanceof SrecodexError && error.code === 'WORKSPACE_INVALID') return null
    throw error
  }
}

interface Place {
  readonly setup: Setup
  readonly project: string
  readonly skillsOf: (client: Client) => Promise<InstallResult>
  readonly terminal: Terminal
}

/** Null: it is neither here nor set up. */
async function checkClient(client: Client, place: Place): Promise<Check | null> {
  const { project, setup, terminal } = place
  const base = { id: client.name, missingPackage: null }
  const path = lasting(terminal.env.PATH, project)
  const program = client.programs.map(one => findOnPath(one, path)).find(one => one !== null) ?? null
  try {
    if (!isTable(entryOf(client, project))) {
      if (program === null) return null
      const hint = `srecodex init --client ${client.name} sets it up`
      return { ...base, state: 'ok', found: 'not set up in this project', hint }
    }
    const lacks = await lacksOf(client, place)
    const warnings = [
      ...[...client.files, ...client.alsoRead].flatMap(file => warningsOf(file, project)),
      ...leadsElsewhere(entryOf(client, project), setup),
      ...((await client.check?.({ project, program, env: terminal.env })) ?? []),
    ]
    const found = [...lacks, ...warnings].map(plain).join('; ')
    if (found === '') return { ...base, state: 'ok', found: 'set up', hint: null }
    const hint = lacks.length === 0 ? null : `srecodex init --client ${client.name} mends it`
    return { ...base, state: 'warn', found, hint }
  } catch (error) {
    if (!(error instanceof SrecodexError)) throw error
    const at = error.at === null ? '' : ` (${renderPlace(error.at, terminal)})`
    return { ...base, state: 'warn', found: `${plain(error.message)}${at}`, hint: 'mend it by hand' }
  }
}

/** What init would write. */
async function lacksOf(client: Client, { setup, project, skillsOf }: Place): Promise<string[]> {
  const files = planFiles(client, setup, loadSection(), project)
  const { skills } = await skillsOf(client)
  const count = (action: string): number => skills.filter(one => one.action === action).length
  const [missing, outdated] = [count('created'), count('updated')]
  return [
    ...files.filter(({ lacks }) => lacks.length > 0).map(({ file, lacks }) => `${file}: ${lacks.join(', ')}`),
    ...(missing === 0 ? [] : [`${plural(missing, 'skill')} not installed`]),
    ...(outdated === 0 ? [] : [`${plural(outdated, 'skill')} not current`]),
  ]
}

function warningsOf(readFile: ReadFile, project: string): string[] {
  const file = chosenPlace(readFile, project)
  if (!existsSync(join(project, file))) return []
  const at = placeInProject(project, file)
  const { value } = readFile.parse(unmarked(readText(at) ?? '').text, at.path)
  return readFile.warnings(value).map(warning => `${file}: ${warning}`)
}
