/**
 * The front matter of a SKILL.md, field by field: key, kind, default, whether lint demands it, and what it means.
 *
 * Reading never fails: a wrong value is reported, and stands as what was meant where that is plain, else as the
 * value that allows less. What lint demands beyond that is in lint.ts.
 */

import type { SkillFields } from './skill.ts'

export interface FieldReader {
  /** Reports a problem of this field; `within` leads to the part that is wrong. */
  wrong(message: string, hint?: string, within?: readonly (string | number)[]): void
  /** The text as the author wrote it. */
  source(): string | null
}

export interface SkillField<T> {
  readonly key: string
  readonly type: string
  /** Lint demands it; reading does without. */
  readonly required: boolean
  readonly default: T
  readonly description: string
  read(value: unknown, reader: FieldReader): T
}

type Table = { readonly [P in keyof SkillFields]: SkillField<SkillFields[P]> }

const isNumberLike = (value: unknown): value is number | boolean | bigint =>
  typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'

const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (Array.isArray(value)) return 'a list'
  if (value === null) return 'empty'
  return isNumberLike(value) ? String(value) : 'a map'
}

const CONTROL =
  // oxlint-disable-next-line no-control-regex -- what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** A name reaches terminals and models: no escape sequence gets through, and one line stays one line. */
const oneLine = (text: string, reader: FieldReader): string => {
  const clean = text.replaceAll(CONTROL, ' ')
  if (clean !== text) reader.wrong('holds control characters; each is read as a space', 'remove them')
  return clean.replaceAll(/\s+/g, ' ').trim()
}

const text =
  <T extends string | null>(fallback: T, maxChars: number) =>
  (value: unknown, reader: FieldReader): string | T => {
    if (value === null) return fallback
    if (isNumberLike(value)) {
      reader.wrong(`is ${String(value)}, not text`, `quote it: "${reader.source() ?? String(value)}"`)
      return reader.source() ?? String(value)
    }
    if (typeof value !== 'string') {
      reader.wrong(`is ${shown(value)}, not text`)
      return fallback
    }
    const read = oneLine(value, reader)
    if (read.length > maxChars)
      reader.wrong(`is ${read.length} characters long; at most ${maxChars} are read by agents`)
    return read === '' ? fallback : read
  }

const flag =
  (onWrong: boolean) =>
  (value: unknown, reader: FieldReader): boolean => {
    if (typeof value === 'boolean') return value
    const meant = typeof value === 'string' ? /^(true|yes|on)$|^(false|no|off)$/i.exec(value.trim()) : null
    reader.wrong(`is ${shown(value)}, not true or false`, meant === null ? undefined : 'write true or false')
    return meant === null ? onWrong : meant[1] !== undefined
  }

const words =
  (maxItems: number) =>
  (value: unknown, reader: FieldReader): readonly string[] => {
    if (value === null) return []
    const items: unknown[] =
      typeof value === 'string'
        ? value.replaceAll(/^\s*\[|\]\s*$/g, '').split(/[,\s]+/)
        : Array.isArray(value)
          ? value
          : []
    if (!Array.isArray(value)) {
      const hint =
        typeof value === 'string' ? `write [${items.map(item => shown(item)).join(', ')}]` : undefined
      reader.wrong(`is ${shown(value)}, not a list of words`, hint)
    }
    if (items.length > maxItems) reader.wrong(`has ${items.length} entries; the first ${maxItems} are read`)
    const read = items.slice(0, maxItems).map((item, index) => {
      if (typeof item === 'string') return oneLine(item, reader)
      if (!isNumberLike(item)) reader.wrong(`has ${shown(item)}, which is not a word`, undefined, [index])
      return isNumberLike(item) ? String(item) : ''
    })
    return [...new Set(read.filter(item => item !== ''))]
  }

const RISKS = ['low', 'medium', 'high'] as const

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const schema = (value: unknown, reader: FieldReader): Readonly<Record<string, unknown>> | null => {
  if (value === null) return null
  if (isMap(value)) return value
  reader.wrong(`is ${shown(value)}, not a JSON Schema`)
  return null
}

export const SKILL_FIELDS: Table = {
  name: {
    key: 'name',
    type: 'text of 1 to 64 characters',
    required: true,
    default: '',
    description: 'What people call the skill.',
    read: text('', 64),
  },
  description: {
    key: 'description',
    type: 'text of 1 to 1,024 characters',
    required: false,
    default: '',
    description: 'What agents index: what the skill does and when to use it. Absent: `intent` serves.',
    read: text('', 1024),
  },
  tags: {
    key: 'tags',
    type: 'a list of words',
    required: true,
    default: [],
    description: 'One or more words that the skill is found by.',
    read: words(64),
  },
  intent: {
    key: 'intent',
    type: 'text of 1 to 1,024 characters',
    required: true,
    default: '',
    description: 'When to use the skill: "Use this when …".',
    read: text('', 1024),
  },
  alwaysLoad: {
    key: 'always_load',
    type: 'true or false',
    required: false,
    default: false,
    description: 'Whether agents get the skill without asking.',
    read: flag(false),
  },
  scriptFirst: {
    key: 'script_first',
    type: 'true or false',
    required: false,
    default: false,
    description: 'Whether the job is done by one script. Then the body carries the directive section.',
    read: flag(false),
  },
  scriptFirstReason: {
    key: 'script_first_reason',
    type: 'text',
    required: false,
    default: null,
    description: "A person's verdict over the audit's, and why.",
    read: text(null, 1024),
  },
  version: {
    key: 'version',
    type: 'text such as "1.0.0"',
    required: false,
    default: null,
    description: 'Version of the skill.',
    read: text(null, 64),
  },
  riskLevel: {
    key: 'risk_level',
    type: 'low, medium or high',
    required: false,
    default: 'low',
    description: 'Shown wherever the skill is offered.',
    read: (value, reader) => {
      const found = RISKS.find(risk => typeof value === 'string' && risk === value.trim().toLowerCase())
      if (found !== value) reader.wrong(`is ${shown(value)}, not low, medium or high`)
      return found ?? 'high'
    },
  },
  requiresConfirmation: {
    key: 'requires_confirmation',
    type: 'true or false',
    required: false,
    default: false,
    description: 'Forces a plan, even where mutations are allowed.',
    read: flag(true),
  },
  timeoutSeconds: {
    key: 'timeout',
    type: 'a whole number of seconds',
    required: false,
    default: null,
    description: 'Where the job needs more time than the default.',
    read: (value, reader) => {
      if (value === null) return null
      const seconds = typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : value
      if (typeof value === 'string') reader.wrong(`is ${shown(value)}, not a whole number of seconds`)
      if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 1 && seconds <= 604_800)
        return seconds
      if (typeof value !== 'string') reader.wrong(`is ${shown(value)}, not a whole number from 1 to 604800`)
      return null
    },
  },
  commands: {
    key: 'commands',
    type: 'a list of names of programs',
    required: false,
    default: [],
    description: 'Host commands that the payload calls.',
    read: words(64),
  },
  entry: {
    key: 'entry',
    type: "a path below the skill's folder",
    required: false,
    default: null,
    description: 'Payload: a JSON object on stdin, a JSON object on stdout, its log on stderr.',
    read: (value, reader) => {
      if (typeof value !== 'string' || value.trim() === '') {
        if (value !== null) reader.wrong(`is ${shown(value)}, not a path`)
        return null
      }
      const parts = value.trim().split('/')
      const isBelow =
        !value.includes('\0') && !value.includes('\\') && parts[0] !== '' && !parts.includes('..')
      if (isBelow) return parts.filter(part => part !== '' && part !== '.').join('/')
      reader.wrong(`is ${shown(value)}, which does not lie below the skill's folder`)
      return null
    },
  },
  inputs: {
    key: 'inputs',
    type: 'a JSON Schema',
    required: false,
    default: null,
    description: 'What the payload takes on stdin.',
    read: schema,
  },
  outputs: {
    key: 'outputs',
    type: 'a JSON Schema',
    required: false,
    default: null,
    description: 'What the payload prints on stdout.',
    read: schema,
  },
}

/** What the Agent Skills specification and the clients of it define beyond this project's own. */
export const FOREIGN_KEYS: readonly string[] = [
  'license',
  'compatibility',
  'metadata',
  'allowed-tools',
  'when_to_use',
  // Claude Code
  'disable-model-invocation',
  'user-invocable',
  'argument-hint',
  'arguments',
  'model',
  'effort',
  'context',
  'agent',
  'hooks',
  'paths',
  'shell',
]

export const PROJECT_KEYS: readonly string[] = Object.values(SKILL_FIELDS).map(field => field.key)

/** A file with one of these was written for this project; in any other, a key that we do not know is not a slip. */
export const OWN_KEYS: readonly string[] = PROJECT_KEYS.filter(
  key => !['name', 'description', 'tags', 'version'].includes(key),
)
