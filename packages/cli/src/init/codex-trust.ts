/** Whether Codex reads the config of a project: only where its user's own config says that the project is trusted. */

import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { valueAt } from './documents/document.ts'
import { parseToml } from './documents/toml-document.ts'

/** @returns Null where it cannot be told. */
export function isTrusted(project: string, env: NodeJS.ProcessEnv): boolean | null {
  const home = env.CODEX_HOME || join(env.HOME || homedir(), '.codex')
  const file = join(home, 'config.toml')
  if (!existsSync(home)) return null
  try {
    const { value } = parseToml(existsSync(file) ? readFileSync(file, 'utf8') : '', file)
    return folders(project).some(folder => valueAt(value, ['projects', folder, 'trust_level']) === 'trusted')
  } catch {
    return null
  }
}

/** The project, and what is above it up to the root of its repository. */
function folders(project: string): string[] {
  const found: string[] = []
  for (let at = project; ; at = dirname(at)) {
    found.push(at)
    if (existsSync(join(at, '.git'))) return found
    if (at === dirname(at)) return [project]
  }
}
