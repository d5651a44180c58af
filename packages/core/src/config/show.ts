/**
 * The effective config as rows and as TOML, for a person to read. Pure.
 *
 * What looks like a secret is masked, and the doubt goes to masking: a value of an environment variable or a
 * header is shown only if it is plainly harmless.
 */

import type { SourcePlace } from '../errors.ts'
import type { ConfigOrigin, LoadedConfig } from './load.ts'
import { dottedKey, isTable, tomlText } from './toml-text.ts'

/** One line of `config show`. */
export interface ConfigRow {
  readonly key: string
  /** TOML text; empty where a key is absent on purpose. */
  readonly value: string
  readonly origin: ConfigOrigin['origin']
  /** `FILE:LINE:COLUMN`, as far as it is known. */
  readonly place: string | null
  readonly description: string
}

const MASK = '***'

const SECRET_NAME = /token|secret|passw|passphrase|credential|auth|cookie|session|signature|key|pat$|dsn/i

const HARMLESS_VALUE = /^(true|false|\d{1,6}|[a-z]{1,12}|[~.]?\/[\w./-]{0,40})$/

const maskText = (name: string, value: string): string =>
  !SECRET_NAME.test(name) && HARMLESS_VALUE.test(value) ? value : MASK

/** A password or a token can stand in an address before the host or after the question mark. */
const maskAddress = (value: string): string => {
  if (!URL.canParse(value)) return value
  const url = new URL(value)
  if (url.username === '' && url.password === '' && url.search === '') return value
  const userInfo = url.username === '' && url.password === '' ? '' : `${MASK}@`
  return `${url.protocol}//${userInfo}${url.host}${url.pathname}${url.search === '' ? '' : `?${MASK}`}`
}

/** Masks `--token=…` and what follows a bare `--token`. */
const maskArgs = (args: readonly unknown[]): unknown[] =>
  args.map((one, index) => {
    if (typeof one !== 'string') return one
    const before = args[index - 1]
    if (typeof before === 'string' && /^-[^=]*$/.test(before) && SECRET_NAME.test(before)) return MASK
    const [name = '', ...rest] = one.split('=')
    if (rest.length > 0 && SECRET_NAME.test(name)) return `${name}=${MASK}`
    return maskAddress(one)
  })

const MASKED_TABLES: ReadonlySet<string> = new Set(['env', 'http_headers'])

const maskValue = ({ path, value }: ConfigOrigin): unknown => {
  const key = path[2]
  if (key === undefined) return value
  if (key === 'url' && typeof value === 'string') return maskAddress(value)
  if (key === 'args' && Array.isArray(value)) return maskArgs(value)
  if (!MASKED_TABLES.has(key) || !isTable(value)) return value
  const masked: Record<string, unknown> = Object.create(null)
  for (const [name, one] of Object.entries(value)) masked[name] = maskText(name, String(one))
  return masked
}

const placeText = (place: SourcePlace | undefined): string | null =>
  place === undefined
    ? null
    : [place.file, place.line, place.column].filter(part => part !== undefined).join(':')

/** One row for each value in force. */
export const configRows = (loaded: Pick<LoadedConfig, 'origins'>): ConfigRow[] =>
  loaded.origins.map(one => ({
    key: one.key,
    value: one.value === null ? '' : tomlText(maskValue(one)),
    origin: one.origin,
    place: placeText(one.place),
    description: one.description,
  }))

/** The whole effective config as a file that would load, but for what is masked. */
export const renderConfigToml = (loaded: Pick<LoadedConfig, 'origins' | 'config'>): string => {
  const tables = new Map<string, string[]>()
  const tableOf = (path: readonly string[]): string[] => {
    const name = dottedKey(path)
    const lines = tables.get(name) ?? []
    tables.set(name, lines)
    return lines
  }
  for (const one of loaded.origins) {
    if (one.value === null) continue
    tableOf(one.path.slice(0, -1)).push(`${dottedKey(one.path.slice(-1))} = ${tomlText(maskValue(one))}`)
  }
  // An entry that sets nothing still makes a tool callable.
  for (const name of Object.keys(loaded.config.tools)) tableOf(['tools', name])
  for (const name of Object.keys(loaded.config.mcpServers)) tableOf(['mcp_servers', name])
  return [...tables].map(([name, lines]) => `${[`[${name}]`, ...lines].join('\n')}\n`).join('\n')
}
