/** How a script calls a skill, on one line, from the skill's own schemas. Pure. */

import type { RegisteredSkill } from '@srecodex/core'

type Schema = Readonly<Record<string, unknown>>
type Signed = Pick<RegisteredSkill, 'id' | 'entry' | 'inputs' | 'outputs'>

const MAX_LITERALS = 6

/** `skill("k8s/bulk-restart", namespace: str, at_once: int = 8) -> {restarted: int, failed: int}` */
export function signature({ id, entry, inputs, outputs }: Signed): string {
  if (entry === null) return `no payload: read_skill {"id":"${id}"} tells what to write`
  const properties = propertiesOf(inputs)
  const required = namesOf(inputs?.required)
  const names = Object.keys(properties).sort((a, b) => Number(required.has(b)) - Number(required.has(a)))
  const parameters = names.map(name => {
    const schema = properties[name]!
    const fallback = 'default' in schema ? ` = ${literal(schema.default)}` : ' = None'
    return `${name}: ${typeOf(schema)}${required.has(name) ? '' : fallback}`
  })
  const choice = choiceOf(inputs)
  const results = Object.entries(propertiesOf(outputs)).map(([name, schema]) => `${name}: ${typeOf(schema)}`)
  const returned = results.length === 0 ? 'dict' : `{${results.join(', ')}}`
  const needed = choice.length === 0 ? '' : ` # needs ${choice.join(' or ')}`
  return `skill(${[JSON.stringify(id), ...parameters].join(', ')}) -> ${returned}${needed}`
}

function typeOf(schema: unknown): string {
  if (!isSchema(schema)) return 'Any'
  if (Array.isArray(schema.enum)) {
    const shown = schema.enum.slice(0, MAX_LITERALS).map(literal)
    return [...shown, ...(schema.enum.length > MAX_LITERALS ? ['…'] : [])].join(' | ')
  }
  const types = [schema.type].flat().map(type => named(type, schema))
  return types.join(' | ')
}

function named(type: unknown, schema: Schema): string {
  switch (type) {
    case 'string':
      return 'str'
    case 'integer':
      return 'int'
    case 'number':
      return 'float'
    case 'boolean':
      return 'bool'
    case 'null':
      return 'None'
    case 'array':
      return schema.items === undefined ? 'list' : `list[${typeOf(schema.items)}]`
    case 'object': {
      const names = Object.keys(propertiesOf(schema))
      return names.length === 0 ? 'dict' : `{${names.join(', ')}}`
    }
    default:
      return 'Any'
  }
}

/** As Python writes it. */
function literal(value: unknown): string {
  if (value === null) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  return Array.isArray(value) ? `[${value.map(literal).join(', ')}]` : JSON.stringify(value)
}

/** `anyOf: [{ required: [a] }, { required: [b] }]` */
function choiceOf(inputs: Schema | null): string[] {
  const branches = inputs?.anyOf ?? inputs?.oneOf
  return Array.isArray(branches) ? branches.flatMap(branch => [...namesOf((branch as Schema).required)]) : []
}

function propertiesOf(schema: Schema | null): Readonly<Record<string, Schema>> {
  return isSchema(schema?.properties) ? (schema.properties as Record<string, Schema>) : {}
}

function namesOf(value: unknown): Set<string> {
  return new Set(Array.isArray(value) ? value.map(String) : [])
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
