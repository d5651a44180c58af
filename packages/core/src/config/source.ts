/**
 * One source of config (a file, the environment, the flags) becomes a layer of checked values.
 *
 * Reading goes on after a problem, so that all of them are reported together. A problem is kept as a finding
 * with the path of its key; line and column are looked up once, at the end, by a parser that is loaded only
 * then. A value that was refused is left out of the layer.
 */

import type { Problem, SourcePlace } from '../errors.ts'
import type { Reader } from './kinds.ts'
import { CODEX_ONLY, NAMED_SECTIONS, SECTIONS } from './schema.ts'
import type { Field, Fields } from './schema.ts'
import { didYouMean } from '../suggestion.ts'
import { dottedKey, isTable } from './toml-text.ts'

export type Origin = 'default' | 'user' | 'project' | 'environment' | 'flag'

export type KeyPath = readonly (string | number)[]

/** Where values come from. Only a file has places; `text` is what they are looked up in. */
export interface Source {
  readonly origin: Origin
  readonly file?: string
  readonly text?: string
}

/** A problem that knows its key but not yet its line. */
export interface Finding {
  readonly source: Source
  readonly path: KeyPath
  readonly part: 'key' | 'value'
  readonly message: string
  readonly hint?: string
  /** Known at once, where the file is not valid TOML. */
  readonly at?: SourcePlace
}

/** One value that a source sets: as written, and as read. */
export interface Entry {
  readonly key: string
  readonly path: readonly string[]
  readonly field: Field
  readonly raw: unknown
  readonly value: unknown
  readonly source: Source
}

/** What one source sets, or what several together do. `named` holds `tools.jq` also where it sets nothing. */
export interface Layer {
  readonly entries: ReadonlyMap<string, Entry>
  readonly named: ReadonlyMap<string, { readonly path: readonly string[]; readonly source: Source }>
}

/** Later layers win, key by key. */
export const mergeLayers = (...layers: readonly Layer[]): Layer => ({
  entries: new Map(layers.flatMap(layer => Array.from(layer.entries))),
  named: new Map(layers.flatMap(layer => Array.from(layer.named))),
})

type Report = (finding: Finding) => void

/** A table of a user's names is looked into only by its own keys: `constructor` is none of ours. */
const ownValue = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined

/** Codex keeps `sandbox_mode` at the top level, and others forget the section: say where the key belongs. */
const sectionOf = (key: string): string | undefined =>
  Object.entries(SECTIONS).find(([, section]) => Object.hasOwn(section.fields, key))?.[0]

/** Collects one source's entries and findings. */
class LayerReader {
  readonly entries = new Map<string, Entry>()
  readonly named = new Map<string, { readonly path: readonly string[]; readonly source: Source }>()
  readonly source: Source
  readonly home: string
  readonly report: Report

  constructor(source: Source, home: string, report: Report) {
    this.source = source
    this.home = home
    this.report = report
  }

  find(path: KeyPath, part: 'key' | 'value', message: string, extra: { hint?: string } = {}): void {
    this.report({ source: this.source, path, part, message, ...extra })
  }

  /** `label` names the value in a message: its key, or the variable that holds it. */
  set(path: readonly string[], field: Field, raw: unknown, label?: string): void {
    const reader: Reader = {
      home: this.home,
      refuse: (message, hint, within = []) => {
        const name = label ?? `\`${dottedKey([...path, ...within])}\``
        this.find([...path, ...within], 'value', `${name} ${message}`, hint === undefined ? {} : { hint })
      },
    }
    const value = field.kind.read(raw, reader)
    if (value === undefined) return
    const key = dottedKey(path)
    this.entries.set(key, { key, path, field, raw, value, source: this.source })
  }

  fields(path: readonly string[], fields: Fields, table: unknown, ignored?: ReadonlySet<string>): void {
    if (!isTable(table)) {
      this.find(path, 'key', `\`${dottedKey(path)}\` must be a table`, { hint: `write [${dottedKey(path)}]` })
      return
    }
    for (const [key, raw] of Object.entries(table)) {
      const field = ownValue(fields, key)
      if (field !== undefined) this.set([...path, key], field, raw)
      else if (ignored?.has(key) !== true) this.unknownKey([...path, key], Object.keys(fields))
    }
  }

  unknownKey(path: readonly string[], siblings: readonly string[]): void {
    const key = path.at(-1) ?? ''
    const section = sectionOf(key)
    const elsewhere =
      section === undefined || section === path[0] ? {} : { hint: `it belongs in [${section}]` }
    const table = dottedKey(path.slice(0, -1))
    const near = didYouMean(key, siblings, table === '' ? '' : `${table}.`)
    this.find(path, 'key', `unknown key \`${dottedKey(path)}\``, 'hint' in near ? near : elsewhere)
  }

  document(document: Readonly<Record<string, unknown>>): void {
    for (const [key, table] of Object.entries(document)) {
      const section = ownValue(SECTIONS, key)
      const namedSection = ownValue(NAMED_SECTIONS, key)
      if (section !== undefined) this.fields([key], section.fields, table)
      else if (namedSection === undefined) {
        this.unknownKey([key], [...Object.keys(SECTIONS), ...Object.keys(NAMED_SECTIONS)])
      } else if (isTable(table)) {
        for (const [name, one] of Object.entries(table)) {
          const path = [key, name]
          if (!namedSection.name.accept(name)) {
            const hint = namedSection.name.hint === undefined ? {} : { hint: namedSection.name.hint }
            this.find(path, 'key', `\`${dottedKey(path)}\` is not ${namedSection.name.type}`, hint)
            continue
          }
          this.named.set(dottedKey(path), { path, source: this.source })
          this.fields(path, namedSection.fields, one, key === 'mcp_servers' ? CODEX_ONLY : undefined)
        }
      } else this.fields([key], {}, table)
    }
  }
}

const NO_LAYER: Layer = { entries: new Map(), named: new Map() }

/** Reads the text of a file. Bad TOML is one finding; smol-toml stops at the first. */
export const readDocument = async (source: Source, home: string, report: Report): Promise<Layer> => {
  if (source.text === undefined || source.text.trim() === '') return NO_LAYER
  const { parse, TomlError } = await import('smol-toml')
  try {
    const layer = new LayerReader(source, home, report)
    layer.document(parse(source.text))
    return layer
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [first = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    const at = { file: source.file ?? '', line: error.line, column: error.column }
    report({ source, path: [], part: 'key', message: `not valid TOML: ${first}`, at })
    return NO_LAYER
  }
}

const VARIABLES: ReadonlyMap<string, { readonly path: readonly string[]; readonly field: Field }> = new Map(
  Object.entries(SECTIONS).flatMap(([section, { fields }]) =>
    Object.entries<Field>(fields).map(([key, field]) => [
      `SRECODEX_${section}_${key}`.toUpperCase(),
      { path: [section, key], field },
    ]),
  ),
)

const SECTION_PREFIXES = [...Object.keys(SECTIONS), ...Object.keys(NAMED_SECTIONS)].map(
  section => `SRECODEX_${section.toUpperCase()}_`,
)

/** Variables with a meaning outside config: the first is the operator's, the others a script sees. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  'SRECODEX_HOME',
  'SRECODEX_RUN',
  'SRECODEX_PHASE',
  'SRECODEX_WORKSPACE',
  'SRECODEX_ARTIFACTS',
  'SRECODEX_SOCKET',
])

/**
 * Reads `SRECODEX_<SECTION>_<KEY>`.
 *
 * A list is separated by commas, and empty text is the empty list; for any other kind it is a problem. A name
 * that no section starts is a problem only where it is close to one of ours: others may use the prefix.
 */
export const readEnvironment = (
  env: Readonly<Record<string, string | undefined>>,
  home: string,
  report: Report,
): Layer => {
  const layer = new LayerReader({ origin: 'environment' }, home, report)
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('SRECODEX_') || text === undefined || OTHER_VARIABLES.has(name)) continue
    const variable = VARIABLES.get(name)
    if (variable !== undefined) {
      layer.set(variable.path, variable.field, variable.field.kind.fromText(text), `\`${name}\``)
    } else if (/^SRECODEX_(TOOLS|MCP_SERVERS)_/.test(name)) {
      const hint = 'tools and MCP servers are set in a config file'
      layer.find([], 'key', `unknown environment variable \`${name}\``, { hint })
    } else {
      const near = didYouMean(name, [...VARIABLES.keys()])
      if ('hint' in near || SECTION_PREFIXES.some(prefix => name.startsWith(prefix))) {
        layer.find([], 'key', `unknown environment variable \`${name}\``, near)
      }
    }
  }
  return layer
}

/** Reads flags: text as typed, a list, or a value that the command line has parsed already. */
export const readFlags = (flags: Readonly<Record<string, unknown>>, home: string, report: Report): Layer => {
  const layer = new LayerReader({ origin: 'flag' }, home, report)
  for (const [key, given] of Object.entries(flags)) {
    if (given === undefined) continue
    const [section = '', name = ''] = key.split('.')
    const field = ownValue<Field>(ownValue<{ fields: Fields }>(SECTIONS, section)?.fields ?? {}, name)
    if (field === undefined) layer.find([], 'key', `unknown key \`${key}\` in a flag`)
    else {
      const raw = typeof given === 'string' ? field.kind.fromText(given) : given
      layer.set([section, name], field, raw, `\`${key}\`, given as a flag,`)
    }
  }
  return layer
}

type Locate = (path: KeyPath, part: 'key' | 'value') => SourcePlace

/** Places of keys and values. Text that the second parser does not accept has places without lines. */
const locatorOf = async (source: Source): Promise<Locate | undefined> => {
  const { file, text } = source
  if (file === undefined) return undefined
  const { placesOf } = await import('./places.ts')
  const places = placesOf(text ?? '')
  return (path, part) => {
    // A key inside an array or an inline table may have no place of its own: its parent's is near enough.
    for (let length = path.length; length > 0; length -= 1) {
      const found = places.get(JSON.stringify(path.slice(0, length)))
      if (found !== undefined) return { file, ...(length === path.length ? found[part] : found.value) }
    }
    return { file }
  }
}

/** Looks up the places of findings and entries, parsing each file at most once. */
export const makeLocator = (): ((
  source: Source,
  path: KeyPath,
  part: 'key' | 'value',
) => Promise<SourcePlace | undefined>) => {
  const locators = new Map<Source, Promise<Locate | undefined>>()
  return async (source, path, part) => {
    const locator = locators.get(source) ?? locatorOf(source)
    locators.set(source, locator)
    return (await locator)?.(path, part)
  }
}

/** A finding with its place. */
export const problemOf = async (
  finding: Finding,
  locate: ReturnType<typeof makeLocator>,
): Promise<Problem> => {
  const at = finding.at ?? (await locate(finding.source, finding.path, finding.part))
  return {
    message: finding.message,
    ...(at === undefined ? {} : { at }),
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
  }
}
