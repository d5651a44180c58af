/**
 * A project's config can be written by whoever writes the project: untrusted, it tightens and never loosens.
 *
 * This room decides, purely, key by key against what is in force without the file. What it takes out is a
 * notice with its place, so that nobody wonders why a line has no effect.
 */

import { resolvedDefault } from './schema.ts'
import type { Entry, Finding, Layer } from './source.ts'
import { dottedKey, tomlText } from './toml-text.ts'

/** A value as a notice shows it. Those of tools and MCP servers are left out: they can hold secrets. */
const shown = (entry: Entry, raw: unknown): string | null => {
  const text = entry.path.length === 2 ? tomlText(raw) : ''
  return text === '' || text.length > 80 ? null : text
}

const refusal = (entry: Entry, standingRaw: unknown): string => {
  const asked = shown(entry, entry.raw)
  const standing = shown(entry, standingRaw)
  const what = asked === null ? entry.key : `${entry.key} = ${asked}`
  const than = standing === null ? 'what is in force' : `\`${standing}\``
  return `\`${what}\` is not applied: it would loosen ${than}, and this file is not trusted`
}

/**
 * What is left of an untrusted layer, and a finding for each thing that was taken out.
 *
 * @param base What is in force without the layer: the defaults and the user's own file.
 * @param builtInTools Tools that exist without an entry: an entry for another one would add a tool.
 */
export const withoutLoosening = (
  base: Layer,
  layer: Layer,
  builtInTools: readonly string[],
): { readonly layer: Layer; readonly refused: readonly Finding[] } => {
  const refused: Finding[] = []
  const entries = new Map<string, Entry>()
  const named = new Map<string, { readonly path: readonly string[]; readonly source: Entry['source'] }>()
  for (const [key, one] of layer.named) {
    const [section = '', name = ''] = one.path
    if (base.named.has(key) || (section === 'tools' && builtInTools.includes(name))) named.set(key, one)
    else {
      const message = `\`${key}\` is not applied: only a trusted file may add to [${section}]`
      refused.push({ source: one.source, path: one.path, part: 'key', message })
    }
  }
  for (const [key, entry] of layer.entries) {
    const isNamed = entry.path.length > 2
    if (isNamed && !named.has(dottedKey(entry.path.slice(0, 2)))) continue
    const current = base.entries.get(key)
    const from = current === undefined ? resolvedDefault(entry.field) : current.value
    if (!entry.field.loosens.test(from, entry.value)) entries.set(key, entry)
    else {
      const message = refusal(entry, current?.raw ?? entry.field.default)
      refused.push({ source: entry.source, path: entry.path, part: 'value', message })
    }
  }
  return { layer: { entries, named }, refused }
}
