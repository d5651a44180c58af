/** The inputs of one skill as flags, with what its schema says of them. */

import type { RegisteredSkill } from '@srecodex/core'
import { inputFlags, placeholder, type InputFlag } from '../skill-inputs.ts'
import { paint, type Terminal } from '../terminal.ts'
import { widthOf, wrap } from './layout.ts'
import { plain } from './plan.ts'

const INDENT = 6

/** The words are the skill's: they do not steer the terminal. */
export function renderSkillHelp(skill: RegisteredSkill, terminal: Terminal): string {
  const flags = inputFlags(skill.inputs)
  const facts = [
    `risk ${skill.riskLevel}`,
    ...(skill.requiresConfirmation ? ['always asks before it changes something'] : []),
    ...(skill.timeoutSeconds === null ? [] : [`up to ${skill.timeoutSeconds} seconds`]),
  ]
  const lines = [
    `Usage: srecodex skills run ${skill.id}${flags.length === 0 ? '' : ' [--input value...]'} [--yes] [--json]`,
    '',
    ...wrap(plain(skill.description), terminal.columns),
    '',
    facts.join(' · '),
    '',
    ...(flags.length === 0
      ? ['It takes no inputs.']
      : ['Inputs:', ...flags.flatMap(flag => flagLines(flag, terminal.columns))]),
  ]
  return `${lines.join('\n')}\n`
}

function flagLines(input: InputFlag, columns: number): string[] {
  const { flag, kind, schema, required } = input
  const head = kind === 'boolean' ? `${flag}, --no-${flag.slice(2)}` : `${flag} ${plain(placeholder(input))}`
  const description = typeof schema.description === 'string' ? plain(schema.description) : ''
  const notes = [
    ...(required ? ['needed'] : []),
    ...(schema.minimum === undefined ? [] : [`at least ${JSON.stringify(schema.minimum)}`]),
    ...(schema.maximum === undefined ? [] : [`at most ${JSON.stringify(schema.maximum)}`]),
    ...(schema.default === undefined ? [] : [`default ${plain(defaultText(schema.default))}`]),
  ]
  const words = [description, notes.length === 0 ? '' : `(${notes.join(', ')})`].filter(word => word !== '')
  const below = words.length === 0 ? [] : wrap(words.join(' '), columns - INDENT)
  const coloured = head.replace(flag, paint.out('bold', flag))
  return [
    `  ${widthOf(head) > columns - 2 ? head : coloured}`,
    ...below.map(line => `${' '.repeat(INDENT)}${line}`),
  ]
}

/** As it would be typed. */
function defaultText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(String).join(' ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
