/**
 * What an entry of the server says besides, that would lead it to code or settings of somebody else.
 *
 * A project is a stranger's: it can bring an entry that only waits to be completed, or one that starts another program
 * under the server's name. Pure.
 */

import { basename, isAbsolute } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Setup } from './client.ts'
import { argvOf, isServer } from './clients/server-entry.ts'
import { isTable, valueAt } from './documents/document.ts'

/** Variables by which a program loads other code, or srecodex other settings. */
const LEADING = /^(?:NODE_.*|LD_.*|SRECODEX_.*|XDG_.*|NPM_CONFIG_.*|PYTHON.*|PERL.*|BASH_ENV|ENV|PATH|HOME)$/i
const STARTERS = new Set(['npx', 'pnpx', 'bunx', 'pnpm', 'yarn'])

/** Why init does not complete an entry; empty: nothing speaks against it. */
export function ledAstray(entry: unknown): readonly string[] {
  const variables = ['env', 'environment'].flatMap(key => {
    const table = valueAt(entry, [key])
    return isTable(table) ? Object.keys(table).filter(name => LEADING.test(name)) : []
  })
  const named = valueAt(entry, ['envFile']) === undefined ? [] : ['envFile']
  return [...variables, ...named].map(name => `it sets ${name} for the server`)
}

/** The same of an entry that is complete, and of a program that is not srecodex: a person's own doing, or not. */
export function leadsElsewhere(entry: unknown, setup: Setup): readonly string[] {
  const { launch } = setup
  const argv = argvOf(entry)
  const [program = '', ...args] = argv ?? []
  const isOurs =
    !isServer(entry, setup) || // what cannot be started is replaced
    isDeepStrictEqual(argv, [launch.command, ...launch.args]) ||
    (basename(program) === 'srecodex' && (program === 'srecodex' || isAbsolute(program))) ||
    (STARTERS.has(program) && args.includes('srecodex')) ||
    (/^node(?:js)?$/.test(basename(program)) && args[0]?.endsWith('/srecodex/dist/bin.js') === true)
  return [
    ...ledAstray(entry),
    ...(isOurs ? [] : [`the server is started by ${program}, which is not srecodex`]),
  ].map(what => `${what}: see that this is yours`)
}
