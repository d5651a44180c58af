/** Values as the XML of AWS's query protocols: lists are `<item>`s, what is undefined is left out. */

export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue }

export function xml(value: XmlValue): string {
  if (value === undefined) return ''
  if (Array.isArray(value))
    return (value as readonly XmlValue[]).map(one => `<item>${xml(one)}</item>`).join('')
  if (typeof value !== 'object') return escape(String(value))
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([name, one]) => `<${name}>${xml(one)}</${name}>`)
    .join('')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, one => ENTITIES[one] ?? one)
}
