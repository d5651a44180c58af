/**
 * A JSON Schema as the types of a language can tell it. Pure, and bounded whatever the schema is.
 *
 * What no type can say (patterns, ranges, conditions) is left out; what is too deep, refers to itself or to
 * somewhere else is `any`. A shape never allows less than the schema does.
 */

import { cut, plain } from './words.ts'

export type Shape =
  | { readonly kind: 'any' | 'string' | 'number' | 'integer' | 'boolean' | 'null' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'array'; readonly items: Shape }
  | { readonly kind: 'union'; readonly of: readonly Shape[] }
  | { readonly kind: 'object'; readonly members: readonly Member[]; readonly open: boolean }

export interface Member {
  readonly name: string
  readonly shape: Shape
  readonly required: boolean
}

type Schema = Readonly<Record<string, unknown>>

const MAX_DEPTH = 8
const MAX_MEMBERS = 100
const MAX_LITERALS = 50
const ANY: Shape = { kind: 'any' }

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const shapeOf = (schema: unknown): Shape => shape(schema, schema, 0)

function shape(schema: unknown, root: unknown, depth: number): Shape {
  if (!isSchema(schema) || depth > MAX_DEPTH) return ANY
  const below = (one: unknown): Shape => shape(one, root, depth + 1)
  if (typeof schema.$ref === 'string') return below(referred(schema.$ref, root))
  if ('const' in schema) return literals([schema.const])
  if (Array.isArray(schema.enum)) return literals(schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (Array.isArray(choices)) return union(choices.map(below))
  if (Array.isArray(schema.allOf)) {
    const only: unknown = schema.allOf.length === 1 ? schema.allOf[0] : null
    return only === null || 'properties' in schema ? ANY : below(only)
  }
  const types: unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type ?? implied(schema)]
  const shapes = types.map(type => typed(type, schema, below))
  return union(schema.nullable === true ? [...shapes, { kind: 'null' }] : shapes)
}

function typed(type: unknown, schema: Schema, below: (schema: unknown) => Shape): Shape {
  switch (type) {
    case 'string':
    case 'number':
    case 'integer':
    case 'boolean':
    case 'null':
      return { kind: type }
    case 'array':
      return { kind: 'array', items: 'prefixItems' in schema ? ANY : below(schema.items) }
    case 'object':
      return objectShape(schema, below)
    default:
      return ANY
  }
}

function objectShape(schema: Schema, below: (schema: unknown) => Shape): Shape {
  const properties = isSchema(schema.properties) ? Object.entries(schema.properties) : []
  const required = new Set<unknown>(Array.isArray(schema.required) ? schema.required : [])
  const members = properties
    .slice(0, MAX_MEMBERS)
    .map(([name, one]) => ({ name, shape: below(one), required: required.has(name) }))
  const open = schema.additionalProperties !== false || members.length < properties.length
  return { kind: 'object', members, open }
}

const implied = (schema: Schema): string | undefined =>
  'properties' in schema ? 'object' : 'items' in schema ? 'array' : undefined

function literals(values: readonly unknown[]): Shape {
  const told = values.filter(
    value => value === null || ['string', 'number', 'boolean'].includes(typeof value),
  ) as (string | number | boolean | null)[]
  if (told.length === 0 || told.length < values.length || told.length > MAX_LITERALS) return ANY
  return union(told.map(value => ({ kind: 'literal', value })))
}

function union(shapes: readonly Shape[]): Shape {
  const flat = shapes.flatMap(one => (one.kind === 'union' ? one.of : [one]))
  const different = [...new Map(flat.map(one => [JSON.stringify(one), one])).values()]
  if (different.length === 0 || different.some(one => one.kind === 'any')) return ANY
  return different.length === 1 ? different[0]! : { kind: 'union', of: different }
}

/** `#/$defs/Team`; null where it leads nowhere. */
function referred(reference: string, root: unknown): unknown {
  if (!reference.startsWith('#/')) return null
  let at: unknown = root
  for (const step of reference.slice(2).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isSchema(at) || !Object.hasOwn(at, key)) return null
    at = at[key]
  }
  return at
}

/** What a tool is for, on one line. */
export function gist(tool: { readonly title: string; readonly description: string }): string {
  const sentence = plain(tool.description).trim().split('\n')[0] ?? ''
  return cut((sentence === '' ? plain(tool.title) : sentence).replaceAll(/\s+/g, ' ').trim(), 160)
}
