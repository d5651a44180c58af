/**
 * Whether a JSON Schema is one: its keywords have the types that they must have. Pure.
 *
 * Not a validator of values. It finds what an author gets wrong by hand: a type that does not exist, `required`
 * naming no property, `properties` as a list, a default that its own type refuses.
 */

export interface SchemaFault {
  readonly path: readonly (string | number)[]
  readonly message: string
}

type Json = Readonly<Record<string, unknown>>
type Path = readonly (string | number)[]
type Check = (value: unknown) => boolean

const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean', 'null']

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText: Check = value => typeof value === 'string'
const isCount: Check = value => typeof value === 'number' && Number.isInteger(value) && value >= 0
const isNumber: Check = value => typeof value === 'number'
const isFlag: Check = value => typeof value === 'boolean'
const isTexts: Check = value => Array.isArray(value) && value.every(isText)
const isType: Check = value => typeof value === 'string' && TYPES.includes(value)
const isTypes: Check = value =>
  isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType))

const isPattern: Check = value => {
  if (typeof value !== 'string') return false
  try {
    return new RegExp(value, 'u') instanceof RegExp
  } catch {
    return false
  }
}

const KEYWORDS: Readonly<Record<string, readonly [Check, string]>> = {
  type: [isTypes, `one of ${TYPES.join(', ')}, or a list of them`],
  required: [isTexts, 'a list of names'],
  enum: [value => Array.isArray(value) && value.length > 0, 'a list that is not empty'],
  title: [isText, 'text'],
  description: [isText, 'text'],
  format: [isText, 'text'],
  $ref: [isText, 'text'],
  pattern: [isPattern, 'a regular expression'],
  examples: [value => Array.isArray(value), 'a list'],
  minimum: [isNumber, 'a number'],
  maximum: [isNumber, 'a number'],
  exclusiveMinimum: [isNumber, 'a number'],
  exclusiveMaximum: [isNumber, 'a number'],
  multipleOf: [isNumber, 'a number'],
  minLength: [isCount, 'a whole number'],
  maxLength: [isCount, 'a whole number'],
  minItems: [isCount, 'a whole number'],
  maxItems: [isCount, 'a whole number'],
  minProperties: [isCount, 'a whole number'],
  maxProperties: [isCount, 'a whole number'],
  uniqueItems: [isFlag, 'true or false'],
  deprecated: [isFlag, 'true or false'],
}

const SUBSCHEMA = ['items', 'additionalProperties', 'propertyNames', 'contains', 'not', 'if', 'then', 'else']
const SUBSCHEMA_LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const SUBSCHEMA_MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']

const typeOf = (value: unknown): readonly string[] => {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number']
  return [typeof value]
}

const MAX_DEPTH = 32

const visit = (schema: unknown, path: Path, faults: SchemaFault[]): void => {
  const fault = (message: string, ...within: (string | number)[]): void =>
    void faults.push({ path: [...path, ...within], message })
  if (typeof schema === 'boolean') return
  if (!isObject(schema)) return fault('is not a schema: a map, true or false')
  if (path.length > MAX_DEPTH * 2) return fault('is nested too deep')

  for (const [keyword, [accept, wanted]] of Object.entries(KEYWORDS)) {
    if (Object.hasOwn(schema, keyword) && !accept(schema[keyword]))
      fault(`\`${keyword}\` is not ${wanted}`, keyword)
  }
  for (const keyword of SUBSCHEMA) {
    if (Object.hasOwn(schema, keyword)) visit(schema[keyword], [...path, keyword], faults)
  }
  for (const keyword of SUBSCHEMA_LISTS) {
    if (!Object.hasOwn(schema, keyword)) continue
    const list = schema[keyword]
    if (!Array.isArray(list) || list.length === 0) fault(`\`${keyword}\` is not a list of schemas`, keyword)
    else for (const [index, one] of list.entries()) visit(one, [...path, keyword, index], faults)
  }
  for (const keyword of SUBSCHEMA_MAPS) {
    if (!Object.hasOwn(schema, keyword)) continue
    const map = schema[keyword]
    if (!isObject(map)) fault(`\`${keyword}\` is not a map of schemas`, keyword)
    else for (const [key, one] of Object.entries(map)) visit(one, [...path, keyword, key], faults)
  }

  const { properties, required, additionalProperties } = schema
  if (isObject(properties) && Array.isArray(required)) {
    const isOpen = additionalProperties !== false && isObject(schema['patternProperties'])
    const missing = required.filter(name => isText(name) && !Object.hasOwn(properties, String(name)))
    if (missing.length > 0 && !isOpen) {
      fault(
        `\`required\` names ${missing.map(name => `\`${String(name)}\``).join(', ')}, no property of it`,
        'required',
      )
    }
  }
  const types: unknown[] = [schema['type']].flat()
  if (types.every(isType) && Object.hasOwn(schema, 'default')) {
    const given = typeOf(schema['default'])
    if (!given.some(type => types.includes(type)))
      fault(`\`default\` is not of type ${types.join(' or ')}`, 'default')
  }
}

/** What is wrong with a schema, in the order of its text. */
export const schemaFaults = (schema: unknown): readonly SchemaFault[] => {
  const faults: SchemaFault[] = []
  visit(schema, [], faults)
  return faults
}
