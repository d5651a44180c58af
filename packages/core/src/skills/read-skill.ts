/**
 * Reads one SKILL.md: this project's schema, Agent Skills files, and the older form with `when_to_use`.
 *
 * Nothing in the file is run, whatever it is: it may be huge, binary, a pipe, or front matter in a language.
 * Each defect is a problem with file and line. A defect that leaves something readable is a warning, and the
 * skill is served with what is left.
 */

import { isUtf8 } from 'node:buffer'
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { FOREIGN_KEYS, OWN_KEYS, PROJECT_KEYS, SKILL_FIELDS } from './fields.ts'
import type { SkillField } from './fields.ts'
import { readFrontMatter } from './front-matter.ts'
import type { FrontMatter, Report } from './front-matter.ts'
import type { Skill, SkillFields, SkillPlace, SkillProblem } from './skill.ts'
import { nearest } from '../suggestion.ts'

/** A skill beside the front matter it came from, for those who check or rewrite it. */
export interface ParsedSkill {
  /** Null: an error among the problems keeps the file from being a skill. */
  readonly skill: Skill | null
  readonly problems: readonly SkillProblem[]
  readonly frontMatter: FrontMatter
  /** The whole text, line ends as `\n`, without a byte order mark. */
  readonly text: string
}

export const MAX_SKILL_BYTES = 2 ** 20

const EMPTY: FrontMatter = {
  form: 'none',
  fields: {},
  body: '',
  bodyLine: 1,
  lineOf: () => 1,
  sourceOf: () => null,
}

const paragraphOf = (body: string): string => {
  const prose: string[] = []
  let inCode = false
  for (const line of body.split('\n')) {
    if (/^ {0,3}(```|~~~)/.test(line)) inCode = !inCode
    const isProse = !inCode && !/^\s*$|^ {0,3}(#|```|~~~|<!--|---|===|\||!\[)/.test(line)
    if (isProse) prose.push(line.trim())
    else if (prose.length > 0) break
  }
  const text = prose.join(' ').replaceAll(/[*_`]/g, '').replaceAll(/\s+/g, ' ')
  return text.length > 300 ? `${text.slice(0, 299).trimEnd()}…` : text
}

const headingOf = (body: string): string =>
  (/^# +(.+)$/m.exec(body)?.[1] ?? '')
    .replace(/^Skill:\s*/i, '')
    .replaceAll(/[*_`#]/g, '')
    .trim()

const titleOf = (id: string): string => id.split('/').at(-1) ?? id

const readFields = (frontMatter: FrontMatter, report: Report): SkillFields => {
  const { fields } = frontMatter
  const readField = <T>(field: SkillField<T>): T => {
    if (!Object.hasOwn(fields, field.key) || fields[field.key] === undefined) return field.default
    return field.read(fields[field.key], {
      wrong: (message, hint, within = []) =>
        report(
          'warning',
          `field/${field.key}`,
          frontMatter.lineOf([field.key, ...within]),
          `\`${field.key}\` ${message}`,
          hint,
        ),
      source: () => frontMatter.sourceOf(field.key),
    })
  }
  return {
    name: readField(SKILL_FIELDS.name),
    description: readField(SKILL_FIELDS.description),
    tags: readField(SKILL_FIELDS.tags),
    intent: readField(SKILL_FIELDS.intent),
    alwaysLoad: readField(SKILL_FIELDS.alwaysLoad),
    scriptFirst: readField(SKILL_FIELDS.scriptFirst),
    scriptFirstReason: readField(SKILL_FIELDS.scriptFirstReason),
    version: readField(SKILL_FIELDS.version),
    riskLevel: readField(SKILL_FIELDS.riskLevel),
    requiresConfirmation: readField(SKILL_FIELDS.requiresConfirmation),
    timeoutSeconds: readField(SKILL_FIELDS.timeoutSeconds),
    commands: readField(SKILL_FIELDS.commands),
    entry: readField(SKILL_FIELDS.entry),
    inputs: readField(SKILL_FIELDS.inputs),
    outputs: readField(SKILL_FIELDS.outputs),
  }
}

/** The older form says `when_to_use` where this one says `intent`. */
const whenToUse = (frontMatter: FrontMatter, report: Report): string => {
  const value = frontMatter.fields['when_to_use']
  if (value === undefined || value === null) return ''
  const wrong = (message: string): void =>
    report('warning', 'field/when_to_use', frontMatter.lineOf(['when_to_use']), `\`when_to_use\` ${message}`)
  const lines: unknown = Array.isArray(value)
    ? value.filter(item => typeof item === 'string').join('; ')
    : value
  return SKILL_FIELDS.intent.read(lines, { wrong, source: () => frontMatter.sourceOf('when_to_use') })
}

const reportUnknownKeys = (frontMatter: FrontMatter, report: Report): void => {
  if (!OWN_KEYS.some(key => Object.hasOwn(frontMatter.fields, key))) return
  for (const key of Object.keys(frontMatter.fields)) {
    if (PROJECT_KEYS.includes(key) || FOREIGN_KEYS.includes(key)) continue
    const meant = nearest(key, PROJECT_KEYS)
    if (meant === undefined || Object.hasOwn(frontMatter.fields, meant)) continue
    const line = frontMatter.lineOf([key])
    report(
      'warning',
      'front-matter/unknown-key',
      line,
      `\`${key}\` is not a key of a skill`,
      `did you mean \`${meant}\`?`,
    )
  }
}

/** Text to skill: pure. `text` may have a byte order mark and any line ends. */
export const parseSkill = (text: string, place: SkillPlace): ParsedSkill => {
  const problems: SkillProblem[] = []
  const report: Report = (severity, rule, line, message, hint) =>
    void problems.push({
      severity,
      rule,
      message,
      at: { file: place.file, line },
      ...(hint === undefined ? {} : { hint }),
    })
  const failed = (): ParsedSkill => ({ skill: null, problems, frontMatter: EMPTY, text })

  const nul = text.indexOf('\0')
  if (nul !== -1) {
    const line = text.slice(0, nul).split(/\r\n?|\n/).length
    report('error', 'file/nul', line, 'the file holds a NUL byte: it is not text', 'save it as UTF-8 text')
    return failed()
  }
  const hasMark = text.startsWith('\uFEFF')
  const unmarked = hasMark ? text.slice(1) : text
  if (unmarked.trim() === '') {
    report('error', 'file/empty', 1, 'the file is empty')
    return failed()
  }
  if (hasMark) {
    const message = 'a byte order mark stands before the front matter: many agents do not load the skill'
    report('warning', 'file/byte-order-mark', 1, message, 'save the file as UTF-8 without a byte order mark')
  }
  const carriageReturn = unmarked.indexOf('\r')
  if (carriageReturn !== -1) {
    const line = unmarked.slice(0, carriageReturn).split('\n').length
    report(
      'warning',
      'file/line-ends',
      line,
      'lines end in a carriage return',
      'save the file with line ends as \\n',
    )
  }
  const normal = carriageReturn === -1 ? unmarked : unmarked.replaceAll(/\r\n?/g, '\n')

  const frontMatter = readFrontMatter(normal, report)
  const read = readFields(frontMatter, report)
  const older = whenToUse(frontMatter, report)
  if (frontMatter.form !== 'none') reportUnknownKeys(frontMatter, report)

  const { body, bodyLine } = frontMatter
  if (read.name === '' && frontMatter.form !== 'none') {
    report('warning', 'field/name', frontMatter.lineOf([]), 'the skill has no `name`', 'add a `name`')
  }
  const name = read.name || headingOf(body).slice(0, 64) || titleOf(place.id)
  const intent = read.intent || older
  const description = read.description || intent || paragraphOf(body)
  if (description === '') {
    const message = 'the skill says neither what it does nor when to use it'
    report('warning', 'field/description', frontMatter.lineOf([]), message, 'add a `description`')
  }
  const isServed = problems.every(problem => problem.severity !== 'error')
  const { id, folder, file } = place
  return {
    skill: isServed
      ? { ...read, name, description, intent, id, folder, file, body, bodyLine, problems }
      : null,
    problems,
    frontMatter,
    text: normal,
  }
}

const lineOfBadByte = (bytes: Buffer): number => {
  let line = 1
  for (let from = 0; from < bytes.length; line += 1) {
    const end = bytes.indexOf(10, from)
    const to = end === -1 ? bytes.length : end
    if (!isUtf8(bytes.subarray(from, to))) return line
    from = to + 1
  }
  return 1
}

const UTF16 = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])]

/** Bytes to skill: pure. */
export const parseSkillBytes = (bytes: Buffer, place: SkillPlace): ParsedSkill => {
  const refuse = (rule: string, message: string, hint: string): ParsedSkill => ({
    skill: null,
    problems: [{ severity: 'error', rule, message, hint, at: { file: place.file, line: 1 } }],
    frontMatter: EMPTY,
    text: '',
  })
  if (bytes.length > MAX_SKILL_BYTES) {
    return refuse(
      'file/too-large',
      'the file is larger than 1 MiB',
      'move what is not instruction into files beside it',
    )
  }
  if (UTF16.some(mark => bytes.subarray(0, 2).equals(mark))) {
    return refuse('file/encoding', 'the file is UTF-16, not UTF-8', 'save it as UTF-8')
  }
  const parsed = parseSkill(bytes.toString('utf8'), place)
  // Bytes that are no text at all need no second name.
  if (isUtf8(bytes) || parsed.problems.some(problem => problem.rule === 'file/nul')) return parsed
  const problem: SkillProblem = {
    severity: 'warning',
    rule: 'file/encoding',
    message: 'the file is not UTF-8: what cannot be read stands as \uFFFD',
    hint: 'save it as UTF-8',
    at: { file: place.file, line: lineOfBadByte(bytes) },
  }
  const problems = [problem, ...parsed.problems]
  return { ...parsed, problems, skill: parsed.skill && { ...parsed.skill, problems } }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'it does not exist',
  ELOOP: 'its symlinks go in a circle',
}

/** The bytes of a regular file of at most `maxBytes` and one, or a sentence saying why it cannot be read. */
export const readBounded = (file: string, maxBytes: number = MAX_SKILL_BYTES): Buffer | string => {
  let descriptor: number | undefined
  try {
    // Without O_NONBLOCK a named pipe in a skills folder would hang every command.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const status = fstatSync(descriptor)
    if (!status.isFile()) return 'it is not a regular file'
    // One byte more than it should hold: a file that grows, or that lies about its size, is never read on and on.
    const buffer = Buffer.allocUnsafe(Math.min(Math.max(status.size, 0), maxBytes) + 1)
    let length = 0
    for (let bytesRead = -1; bytesRead !== 0 && length < buffer.length; length += bytesRead) {
      bytesRead = readSync(descriptor, buffer, length, buffer.length - length, length)
    }
    if (length === buffer.length && status.size <= maxBytes) return 'it grew while it was read'
    return buffer.subarray(0, length)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return UNREADABLE[code] ?? (error instanceof Error ? error.message : String(error))
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** Reads and parses one SKILL.md. Synchronous: thousands of small files are read twice as fast that way. */
export const loadSkill = (place: SkillPlace): ParsedSkill => {
  const bytes = readBounded(place.file)
  if (typeof bytes !== 'string') return parseSkillBytes(bytes, place)
  const problem: SkillProblem = {
    severity: 'error',
    rule: 'file/unreadable',
    message: `the file cannot be read: ${bytes}`,
    at: { file: place.file, line: 1 },
  }
  return { skill: null, problems: [problem], frontMatter: EMPTY, text: '' }
}
