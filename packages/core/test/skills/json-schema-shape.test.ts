import { expect, test } from 'vitest'
import { schemaFaults } from '../../src/skills/json-schema-shape.ts'

const faults = (schema: unknown): string[] =>
  schemaFaults(schema).map(({ path, message }) => `${path.join('.')}: ${message}`)

test.each<[string, unknown]>([
  [
    'a plain object',
    { type: 'object', properties: { a: { type: 'string', default: 'x' } }, required: ['a'] },
  ],
  ['true', true],
  ['types in a list', { type: ['string', 'null'], default: null }],
  ['a whole number for a number', { type: 'number', default: 1 }],
  ['anyOf of required', { anyOf: [{ required: ['a'] }, { required: ['b'] }] }],
  ['nested items', { type: 'array', items: { type: 'object', additionalProperties: { type: 'integer' } } }],
])('%s is a schema', (_name, schema) => {
  expect(faults(schema)).toEqual([])
})

test.each<[string, unknown, string[]]>([
  ['text', 'object', [': is not a schema: a map, true or false']],
  [
    'a type that does not exist',
    { type: 'strnig' },
    ['type: `type` is not one of object, array, string, integer, number, boolean, null, or a list of them'],
  ],
  ['properties as a list', { properties: ['a'] }, ['properties: `properties` is not a map of schemas']],
  [
    'a property that is text',
    { properties: { a: 'string' } },
    ['properties.a: is not a schema: a map, true or false'],
  ],
  [
    'required that names nothing',
    { properties: { a: {} }, required: ['a', 'b'] },
    ['required: `required` names `b`, no property of it'],
  ],
  [
    'required as true',
    { properties: { a: { required: true } } },
    ['properties.a.required: `required` is not a list of names'],
  ],
  [
    'a default of another type',
    { properties: { n: { type: 'integer', default: '3' } } },
    ['properties.n.default: `default` is not of type integer'],
  ],
  ['a pattern that is none', { pattern: '(' }, ['pattern: `pattern` is not a regular expression']],
  ['an empty enum', { enum: [] }, ['enum: `enum` is not a list that is not empty']],
  ['a bound in words', { minimum: 'one' }, ['minimum: `minimum` is not a number']],
  ['anyOf as a map', { anyOf: {} }, ['anyOf: `anyOf` is not a list of schemas']],
])('%s is not one', (_name, schema, expected) => {
  expect(faults(schema)).toEqual(expected)
})
