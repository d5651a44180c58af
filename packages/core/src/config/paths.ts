/**
 * Where srecodex keeps what is its own: config, state and cache, computed from the environment alone.
 *
 * `SRECODEX_HOME` moves all three together; else each follows its XDG variable. A relative XDG path is ignored,
 * as its specification asks: it would mean another folder in every working directory.
 */

import os from 'node:os'
import path from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** The home folder that `~/` and the XDG defaults start from. */
export const userHome = (env: Environment): string => {
  const home = env['HOME']
  return home !== undefined && path.isAbsolute(home) ? path.normalize(home) : os.homedir()
}

const placeOf = (env: Environment, name: string, variable: string, fallback: string): string => {
  const own = env['SRECODEX_HOME']
  if (own !== undefined && own !== '') return path.resolve(own, name)
  const base = env[variable]
  return path.join(
    base !== undefined && path.isAbsolute(base) ? base : path.join(userHome(env), fallback),
    'srecodex',
  )
}

/** Holds `config.toml` and `trust.json`. */
export const configHome = (env: Environment): string => placeOf(env, 'config', 'XDG_CONFIG_HOME', '.config')

/** Holds `runs/`. */
export const stateHome = (env: Environment): string =>
  placeOf(env, 'state', 'XDG_STATE_HOME', path.join('.local', 'state'))

/** Holds what can be made again. */
export const cacheHome = (env: Environment): string => placeOf(env, 'cache', 'XDG_CACHE_HOME', '.cache')

/** Where srecodex keeps things, by the caller's environment. */
export interface Homes {
  readonly config: string
  readonly state: string
  readonly cache: string
}

export const homes = (env: Environment = process.env): Homes => ({
  config: configHome(env),
  state: stateHome(env),
  cache: cacheHome(env),
})
