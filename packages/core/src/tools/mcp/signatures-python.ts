/** A Python stub: the overloads of `tool` and `atool`, and the shapes of their results. Pure. */

import { gist, shapeOf, type Shape } from './shapes.ts'
import type { SignedTool } from './tool.ts'

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
)

export function pythonSignatures(tools: readonly SignedTool[]): string {
  const classes: string[] = []
  const names = new Set<string>()
  const overloads = tools.flatMap(tool => {
    const base = pascal(tool.server) + pascal(tool.name)
    const name = (hint: string): string => {
      let free = hint
      for (let number = 2; names.has(free); number += 1) free = `${hint}${number}`
      names.add(free)
      return free
    }
    const write = writer(classes, name)
    const args = parameters(shapeOf(tool.inputSchema), base, write)
    const result = tool.outputSchema === null ? 'Any' : write(shapeOf(tool.outputSchema), `${base}Result`)
    const told = `${gist(tool)} (${tool.effect === 'read' ? 'reads' : 'changes something'})`
    const head = `_server: Literal[${text(tool.server)}], _name: Literal[${text(tool.name)}], /${args}`
    return [
      `@overload\ndef tool(${head}) -> ${result}:\n    ${text(told)}\n`,
      `@overload\nasync def atool(${head}) -> ${result}: ...\n`,
    ]
  })
  const parts = [
    '# MCP tools that a script can call: from srecodex import tool, atool\n' +
      'from typing import Any, Literal, NotRequired, TypedDict, overload\n',
    ...classes,
    ...overloads,
  ]
  return parts.join('\n')
}

type Write = (shape: Shape, hint: string) => string

/** Objects are written as classes of their own, before what refers to them. */
function writer(classes: string[], free: (hint: string) => string): Write {
  const write: Write = (shape, hint) => {
    switch (shape.kind) {
      case 'any':
        return 'Any'
      case 'string':
        return 'str'
      case 'number':
        return 'float'
      case 'integer':
        return 'int'
      case 'boolean':
        return 'bool'
      case 'null':
        return 'None'
      case 'literal':
        return literal(shape.value)
      case 'array':
        return `list[${write(shape.items, `${hint}Item`)}]`
      case 'union':
        return shape.of.map(one => write(one, hint)).join(' | ')
      case 'object':
        return shape.members.length === 0 ? 'dict[str, Any]' : typedDict(shape, hint)
    }
  }
  const typedDict = (shape: Extract<Shape, { kind: 'object' }>, hint: string): string => {
    const name = free(hint)
    const members = shape.members.map(member => {
      const type = write(member.shape, name + pascal(member.name))
      return `${text(member.name)}: ${member.required ? type : `NotRequired[${type}]`}`
    })
    classes.push(`${name} = TypedDict(${text(name)}, {${members.join(', ')}})\n`)
    return name
  }
  return write
}

/** Positional only, so a tool may have a `name` too; but one signature cannot hold a name twice. */
const TAKEN = new Set(['_server', '_name'])

/** Names that are no identifiers can only be given as `**{"from": …}`. */
function parameters(shape: Shape, base: string, write: Write): string {
  if (shape.kind !== 'object') return ', **args: Any'
  const isName = (name: string): boolean =>
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEYWORDS.has(name) && !TAKEN.has(name)
  const named = shape.members.filter(member => isName(member.name))
  const rest = shape.open && named.length === 0 ? ', **args: Any' : ''
  const others = named.length < shape.members.length ? ', **others: Any' : rest
  if (named.length === 0) return others
  const told = named.map(
    member =>
      `${member.name}: ${write(member.shape, base + pascal(member.name))}${member.required ? '' : ' = ...'}`,
  )
  return `, *, ${told.join(', ')}${others}`
}

/** JSON's strings and numbers are Python's too, once everything beyond ASCII is escaped. */
const text = (value: string): string =>
  JSON.stringify(value.toWellFormed()).replaceAll(
    /[\u007f-\uffff]/g,
    unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

function literal(value: string | number | boolean | null): string {
  if (value === null) return 'None'
  if (typeof value === 'string') return `Literal[${text(value)}]`
  if (typeof value === 'boolean') return `Literal[${value ? 'True' : 'False'}]`
  return Number.isSafeInteger(value) ? `Literal[${value}]` : 'float'
}

function pascal(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter(word => word !== '')
  const joined = words.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return /^[A-Za-z]/.test(joined) ? joined : `T${joined}`
}
