/** The rules of lint, each a small named check over one skill. Pure. */

import type { SourcePlace } from '../errors.ts'
import { MAX_DESCRIPTION_CHARS, MAX_SLUG_CHARS, slugOf } from './agent-skills.ts'
import { directiveState, insertDirective, removeDirective } from './directive.ts'
import { SKILL_FIELDS } from './fields.ts'
import { schemaFaults } from './json-schema-shape.ts'
import { withoutComments } from './outline.ts'
import type { Heading, Outline } from './outline.ts'
import type { Skill, SkillFields, SkillProblem } from './skill.ts'

/** About the files beside the SKILL.md. */
export interface SkillFacts {
  /** Null: the skill names no payload. */
  readonly entry: {
    readonly isFile: boolean
    readonly isExecutable: boolean
    readonly firstLine: string
  } | null
  /** Link targets, as written, that lead to no file. */
  readonly missingLinks: ReadonlySet<string>
}

export interface LintFinding extends SkillProblem {
  readonly isFixable: boolean
}

export interface LintContext {
  readonly skill: Skill
  readonly facts: SkillFacts
  /** The front matter as it stands. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly outline: Outline
  readonly bodyAt: (line: number) => SourcePlace
  readonly keyAt: (path: readonly (string | number)[]) => SourcePlace
}

export interface LintRule {
  readonly name: string
  readonly check: (context: LintContext) => readonly SkillProblem[]
  /** A safe change of the body that satisfies the rule. */
  readonly fixBody?: (body: string) => string
  /** Satisfied by the executable bit of the payload. */
  readonly isChmod?: boolean
}

type Found = Omit<SkillProblem, 'rule'>

const rule = (
  name: string,
  check: (context: LintContext) => readonly Found[],
  fix: Pick<LintRule, 'fixBody' | 'isChmod'> = {},
): LintRule => ({ name, check: context => check(context).map(found => ({ ...found, rule: name })), ...fix })

const error = (at: SourcePlace, message: string, hint?: string): Found => ({
  severity: 'error',
  message,
  at,
  ...(hint === undefined ? {} : { hint }),
})

const warning = (at: SourcePlace, message: string, hint?: string): Found => ({
  ...error(at, message, hint),
  severity: 'warning',
})

const isAbsent = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)

const FIELD_NAMES = Object.keys(SKILL_FIELDS) as (keyof SkillFields)[]

const requiredFields = rule('schema/required', ({ fields, keyAt, skill }) =>
  FIELD_NAMES.flatMap(name => {
    const { key, required, description } = SKILL_FIELDS[name]
    if (!required || !isAbsent(fields[key])) return []
    return [error(keyAt([]), `skill \`${skill.id}\` has no \`${key}\``, `add \`${key}\`: ${description}`)]
  }),
)

const hasDescription = rule('schema/description', ({ fields, keyAt, skill }) =>
  isAbsent(fields['description'])
    ? [
        warning(
          keyAt([]),
          `skill \`${skill.id}\` has no \`description\`; \`intent\` serves in its place`,
          'add a `description` that says what the skill does and when to use it',
        ),
      ]
    : [],
)

const olderForm = rule('schema/when-to-use', ({ fields, keyAt }) =>
  isAbsent(fields['when_to_use'])
    ? []
    : [warning(keyAt(['when_to_use']), '`when_to_use` is the older form', 'write `intent`')],
)

const slug = rule('id/slug', ({ skill, keyAt }) => {
  const isSlug = skill.id.split('/').every(part => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))
  if (!isSlug) {
    return [
      error(
        keyAt([]),
        `the folder of \`${skill.id}\` is not in lower-case letters, digits and hyphens`,
        'rename it',
      ),
    ]
  }
  const whole = skill.id.replaceAll('/', '-')
  if (whole.length <= MAX_SLUG_CHARS && slugOf(skill.id) === whole) return []
  return [
    error(
      keyAt([]),
      `the installed name \`${whole}\` is longer than ${MAX_SLUG_CHARS} characters`,
      'shorten it',
    ),
  ]
})

const descriptionLength = rule('description/length', ({ skill, keyAt }) =>
  skill.description.length <= MAX_DESCRIPTION_CHARS
    ? []
    : [
        error(
          keyAt(['description']),
          `the description is longer than the ${MAX_DESCRIPTION_CHARS} characters agents take`,
        ),
      ],
)

const SAYS_WHEN = /\b(use|when|whenever|where|before|after|if|for|to)\b/i
const SEEN_AT_FIRST = 250

const descriptionSaysWhen = rule('description/when', ({ skill, keyAt }) => {
  const start = skill.description.slice(0, SEEN_AT_FIRST)
  if (skill.description === '' || SAYS_WHEN.test(start)) return []
  const message = `the first ${SEEN_AT_FIRST} characters of the description do not say when to use the skill`
  return [
    warning(
      keyAt(['description']),
      message,
      'agents that cut a description show these: say "Use when …" there',
    ),
  ]
})

const descriptionTags = rule('description/markup', ({ skill, keyAt }) => {
  const tag = /<\/?[A-Za-z][^<>]*>/.exec(skill.description)?.[0]
  if (tag === undefined) return []
  return [
    warning(
      keyAt(['description']),
      `the description holds \`${tag}\`: agents put it into XML`,
      'write it without < and >',
    ),
  ]
})

const tagForm = rule('tags/form', ({ skill, keyAt }) =>
  skill.tags.flatMap((tag, index) =>
    /^[a-z0-9][a-z0-9.+/-]*$/.test(tag) && tag.length <= 64
      ? []
      : [
          warning(
            keyAt(['tags', index]),
            `the tag \`${tag}\` is not in lower-case letters, digits and hyphens`,
          ),
        ],
  ),
)

const version = rule('version/form', ({ skill, keyAt }) =>
  skill.version === null || /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(skill.version)
    ? []
    : [warning(keyAt(['version']), `\`version\` is "${skill.version}", not of the form 1.2.3`)],
)

const section = (context: LintContext, name: RegExp): Heading | undefined =>
  context.outline.headings.find(heading => heading.level === 2 && name.test(heading.text))

const USAGE = /^(usage|purpose|when to use)\b/i
const EXAMPLES = /^examples?\b/i
const IMPLEMENTATION = /^implementation\b/i
const DIRECTIVE = /^script-first directive\b/i

const wantsSection = (
  name: string,
  pattern: RegExp,
  title: string,
  isWanted: (skill: Skill) => boolean,
): LintRule =>
  rule(name, context => {
    const { skill, bodyAt } = context
    if (!isWanted(skill) || section(context, pattern) !== undefined) return []
    return [error(bodyAt(1), `there is no section \`${title}\``, `add \`${title}\``)]
  })

const usage = wantsSection('sections/usage', USAGE, '## Usage', () => true)
const examples = wantsSection('sections/examples', EXAMPLES, '## Examples', () => true)
const implementation = wantsSection(
  'sections/implementation',
  IMPLEMENTATION,
  '## Implementation',
  skill => skill.entry !== null,
)

const isFilled = ({ outline: { lines } }: LintContext, heading: Heading): boolean =>
  withoutComments(lines.slice(heading.line, heading.endLine).join('\n')).trim() !== ''

const emptySections = rule('sections/empty', context =>
  context.outline.headings
    .filter(heading => heading.level === 2 && !isFilled(context, heading))
    .map(heading => warning(context.bodyAt(heading.line), `the section \`## ${heading.text}\` is empty`)),
)

const ORDER = [USAGE, DIRECTIVE, EXAMPLES, IMPLEMENTATION]

const sectionOrder = rule('sections/order', context => {
  const places = ORDER.map(name => section(context, name)).filter(heading => heading !== undefined)
  const late = places.find((heading, index) => heading.line < (places[index - 1]?.line ?? 0))
  if (late === undefined) return []
  const message = `\`## ${late.text}\` stands before what the template has above it`
  return [
    warning(
      context.bodyAt(late.line),
      message,
      'the order is Usage, Script-First Directive, Examples, Implementation',
    ),
  ]
})

/** An example is a heading, a request of a user, or a block of code, whichever there are most of. */
const countExamples = (context: LintContext, heading: Heading): number => {
  const { lines, headings, codeBlocks, isCode } = context.outline
  const isWithin = (line: number): boolean => line > heading.line && line <= heading.endLine
  const texts = lines.filter((_, index) => isWithin(index + 1) && !isCode(index + 1))
  const users = texts.filter(line => /^[\s>*-]*\*\*(User|Request|Task|Example)\b/i.test(line)).length
  const items = texts.filter(line => /^([-*+]|\d+[.)]) +\S/.test(line)).length
  const titles = headings.filter(one => isWithin(one.line)).length
  return Math.max(titles, users, items, codeBlocks.filter(isWithin).length)
}

const MIN_EXAMPLES = 2

const enoughExamples = rule('sections/few-examples', context => {
  const heading = section(context, EXAMPLES)
  const count = heading === undefined ? MIN_EXAMPLES : countExamples(context, heading)
  if (heading === undefined || count >= MIN_EXAMPLES) return []
  const message = `\`## ${heading.text}\` has ${count === 0 ? 'no example' : 'one example'}; at least two are wanted`
  return [error(context.bodyAt(heading.line), message, 'begin each with **User**: "…"')]
})

const MAX_BODY_LINES = 500
const MAX_BODY_CHARS = 20_000

const bodySize = rule('body/size', ({ outline: { lines }, skill, bodyAt }) => {
  if (lines.length <= MAX_BODY_LINES && skill.body.length <= MAX_BODY_CHARS) return []
  const message = `the body has ${lines.length} lines and ≈${Math.round(skill.body.length / 4)} tokens; agents expect at most ${MAX_BODY_LINES} and 5000`
  return [warning(bodyAt(1), message, 'move details into files beside it and link to them')]
})

const links = rule('links/resolve', ({ outline: { links: all }, facts, bodyAt }) =>
  all
    .filter(link => facts.missingLinks.has(link.target))
    .map(link => error(bodyAt(link.line), `the link \`${link.target}\` leads to no file`)),
)

const linksInside = rule('links/inside', ({ outline: { links: all }, facts, bodyAt }) =>
  all
    .filter(link => /^(\.\.\/|\/(?!\/))/.test(link.target) && !facts.missingLinks.has(link.target))
    .map(link =>
      warning(
        bodyAt(link.line),
        `the link \`${link.target}\` leads out of the skill's folder: it breaks once installed`,
      ),
    ),
)

const entryExists = rule('entry/missing', ({ skill, facts, keyAt }) =>
  skill.entry === null || facts.entry?.isFile === true
    ? []
    : [error(keyAt(['entry']), `the payload \`${skill.entry}\` is not there`)],
)

const SHEBANGS: Readonly<Record<string, RegExp>> = { py: /python/, sh: /\b(ba)?sh\b/, js: /\bnode\b/ }

const extensionOf = (entry: string): string => /\.([^./]+)$/.exec(entry)?.[1] ?? ''

const entryLanguage = rule('entry/language', ({ skill, keyAt }) =>
  skill.entry === null || SHEBANGS[extensionOf(skill.entry)] !== undefined
    ? []
    : [error(keyAt(['entry']), `the payload \`${skill.entry}\` is not a .py, .sh or .js file`)],
)

const entryExecutable = rule(
  'entry/executable',
  ({ skill, facts, keyAt }) =>
    facts.entry?.isFile === true && !facts.entry.isExecutable
      ? [error(keyAt(['entry']), `the payload \`${skill.entry}\` is not executable`, 'run chmod +x on it')]
      : [],
  { isChmod: true },
)

const entryShebang = rule('entry/shebang', ({ skill, facts, keyAt }) => {
  const wanted = SHEBANGS[extensionOf(skill.entry ?? '')]
  if (facts.entry?.isFile !== true || wanted === undefined) return []
  const { firstLine } = facts.entry
  if (firstLine.endsWith('\r'))
    return [error(keyAt(['entry']), `the first line of \`${skill.entry}\` ends in a carriage return`)]
  if (firstLine.startsWith('#!') && wanted.test(firstLine)) return []
  return [
    warning(keyAt(['entry']), `the payload \`${skill.entry}\` does not begin with a #! line of its language`),
  ]
})

const entrySchemas = rule('entry/schemas', ({ skill, keyAt }) =>
  skill.entry === null
    ? []
    : (['inputs', 'outputs'] as const)
        .filter(key => skill[key] === null)
        .map(key =>
          warning(keyAt(['entry']), `the payload has no \`${key}\`: callers cannot know its shape`),
        ),
)

const schemaShape = rule('schema/json-schema', ({ skill, keyAt }) =>
  (['inputs', 'outputs'] as const).flatMap(key => {
    const schema = skill[key]
    if (schema === null) return []
    const faults = schemaFaults(schema).map(fault =>
      error(keyAt([key, ...fault.path]), `\`${[key, ...fault.path].join('.')}\`: ${fault.message}`),
    )
    const isObject = schema['type'] === 'object'
    return isObject
      ? faults
      : [
          ...faults,
          error(
            keyAt([key]),
            `\`${key}\` is not of \`type: object\``,
            'a payload takes and gives a JSON object',
          ),
        ]
  }),
)

const directiveMissing = rule(
  'directive/missing',
  ({ skill, bodyAt }) =>
    skill.scriptFirst && directiveState(skill.body).state === 'absent'
      ? [
          error(
            bodyAt(1),
            'script_first is true and the directive is not there',
            'run `srecodex skills lint --fix`',
          ),
        ]
      : [],
  { fixBody: insertDirective },
)

const directiveAltered = rule(
  'directive/altered',
  ({ skill, bodyAt }) => {
    const { state, line } = directiveState(skill.body)
    if (!skill.scriptFirst || state !== 'altered') return []
    return [
      error(bodyAt(line ?? 1), 'the directive is not the standard text', 'run `srecodex skills lint --fix`'),
    ]
  },
  { fixBody: insertDirective },
)

const directiveUnwanted = rule(
  'directive/unwanted',
  ({ skill, bodyAt }) => {
    const { state, line } = directiveState(skill.body)
    if (skill.scriptFirst || state === 'absent') return []
    return [
      error(
        bodyAt(line ?? 1),
        'the directive is there and script_first is not true',
        'run `srecodex skills lint --fix`, or set script_first',
      ),
    ]
  },
  // Words of the author's own are not thrown away.
  { fixBody: body => (directiveState(body).state === 'standard' ? removeDirective(body) : body) },
)

const riskConfirmed = rule('risk/confirmation', ({ skill, keyAt }) => {
  if (skill.riskLevel === 'high' && !skill.requiresConfirmation) {
    return [
      error(
        keyAt(['risk_level']),
        '`risk_level` is high and nothing asks',
        'set `requires_confirmation: true`',
      ),
    ]
  }
  if (skill.riskLevel === 'low' && skill.requiresConfirmation) {
    return [
      warning(
        keyAt(['requires_confirmation']),
        'a skill that must be confirmed is hardly of low risk',
        'set `risk_level`',
      ),
    ]
  }
  return []
})

export const lintRules: readonly LintRule[] = [
  requiredFields,
  hasDescription,
  olderForm,
  slug,
  descriptionLength,
  descriptionSaysWhen,
  descriptionTags,
  tagForm,
  version,
  usage,
  examples,
  implementation,
  emptySections,
  sectionOrder,
  enoughExamples,
  bodySize,
  links,
  linksInside,
  entryExists,
  entryLanguage,
  entryExecutable,
  entryShebang,
  entrySchemas,
  schemaShape,
  directiveMissing,
  directiveAltered,
  directiveUnwanted,
  riskConfirmed,
]
