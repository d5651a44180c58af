/**
 * Which names get a shim. Apart from `programs.ts`, since every run asks this and few call anything: a name that is
 * found here and leads to no program that may be started is refused when it is called.
 */

import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { pathOutside } from '../../sandbox/interpreters.ts'
import { BUILT_IN_TOOLS } from '../effects/names.ts'

/** Scripts may use curl in their own sandbox, so a shim stands in its way only where the operator wants it to. */
const BY_ENTRY_ONLY: ReadonlySet<string> = new Set(['curl'])

export function candidateTools(configured: readonly string[]): string[] {
  const usual = BUILT_IN_TOOLS.filter(name => !BY_ENTRY_ONLY.has(name))
  return [...new Set<string>([...usual, ...configured])]
}

/** Those on the caller's PATH, outside of the workspace. */
export function shimNames(options: {
  readonly configured: readonly string[]
  /** Real path. */
  readonly workspace: string
  readonly path: string | undefined
}): string[] {
  const folders = pathOutside(options.workspace, options.path)
    .split(':')
    .filter(folder => folder !== '')
  return candidateTools(options.configured).filter(name =>
    folders.some(folder => isProgram(join(folder, name))),
  )
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
