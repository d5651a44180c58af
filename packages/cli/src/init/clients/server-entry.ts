/** What the entries of all clients have in common. Pure. */

import { isAbsolute } from 'node:path'
import { isTable, valueAt, type Path } from '../documents/document.ts'
import type { Change, Setup } from '../client.ts'

/** The command line of an entry, as `command` and `args`, or as one list; null: it has none. */
export function argvOf(entry: unknown): readonly string[] | null {
  const command = valueAt(entry, ['command'])
  const args = valueAt(entry, ['args']) ?? []
  const argv = [...(Array.isArray(command) ? command : [command]), ...(Array.isArray(args) ? args : [args])]
  return argv.every(word => typeof word === 'string') ? argv : null
}

/** It names something that can be started, and that serves. */
export function isServer(entry: unknown, setup: Setup): boolean {
  const argv = argvOf(entry)
  return argv !== null && argv.includes('mcp') && setup.starts(argv)
}

export function commandWhy(entry: unknown): string {
  const argv = argvOf(entry)
  // Of its arguments, only paths: others may be secrets.
  const shown = argv?.filter((word, index) => index === 0 || isAbsolute(word)).join(' ')
  return shown === undefined ? 'the entry has no command' : `its command cannot be started: ${shown}`
}

/** The entry as a whole where there is none, else what it lacks. */
export function entryNeeds(
  value: unknown,
  path: Path,
  whole: Readonly<Record<string, unknown>>,
  lacks: (entry: unknown) => readonly Change[],
): readonly Change[] {
  const entry = valueAt(value, path)
  if (entry === undefined || !isTable(entry)) {
    return [{ kind: 'set', path, value: whole, why: 'the server is not set up' }]
  }
  return lacks(entry)
}

/** `command` and `args`, which belong together. */
export function commandNeeds(entry: unknown, path: Path, setup: Setup): readonly Change[] {
  // A server at an address is somebody's own arrangement.
  if (isServer(entry, setup) || valueAt(entry, ['url']) !== undefined) return []
  const why = commandWhy(entry)
  const { command, args } = setup.launch
  return [
    { kind: 'set', path: [...path, 'command'], value: command, why },
    { kind: 'set', path: [...path, 'args'], value: args, why },
  ]
}

/** A limit that is too low; one that is not there is the client's own. */
export function timeoutNeeds(
  entry: unknown,
  path: Path,
  { key, needed, unit }: { key: string; needed: number; unit: 's' | 'ms' },
): readonly Change[] {
  const limit = valueAt(entry, [key])
  if (typeof limit === 'bigint' || (typeof limit === 'number' && limit >= needed)) return []
  const seconds = (count: number): string => `${unit === 'ms' ? count / 1000 : count} s`
  const why =
    typeof limit === 'number'
      ? `a call may take ${seconds(limit)}, and a script needs up to ${seconds(needed)}`
      : `no limit of ${seconds(needed)} for a call`
  return [{ kind: 'set', path: [...path, key], value: needed, why }]
}

/** A warning about tools that are approved in advance. */
export function withoutPerson(tools: readonly string[], how: string): string[] {
  if (tools.length === 0) return []
  return [`${tools.join(' and ')} ${tools.length === 1 ? 'is' : 'are'} approved without a person, ${how}`]
}
