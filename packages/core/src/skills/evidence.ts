/**
 * What in a skill speaks for doing its job by one script, and what against. Pure.
 *
 * Each sign is a pattern, a weight and the places where it counts. A sign counts once per place, by the first
 * line that shows it: a text that repeats itself is no more convincing.
 */

import { outline } from './outline.ts'
import type { Skill } from './skill.ts'

export interface Evidence {
  /** `loop`, `bulk`, `plural-input`, `multi-step`, `data`, `large-n`, `single`, `diagnosis`, `singular-inputs`. */
  readonly sign: string
  /** Positive: for a script; negative: against it. */
  readonly weight: number
  /** The words that show it. */
  readonly words: string
  readonly at: { readonly file: string; readonly line: number }
}

/** A skill with what the audit reads beside it. */
export interface AuditedSource {
  readonly skill: Skill
  /** Line on which a part of the front matter stands. */
  readonly lineOf: (path: readonly (string | number)[]) => number
  /** Null: there is no payload, or it cannot be read. */
  readonly payload: { readonly file: string; readonly text: string } | null
}

interface Sign {
  readonly sign: string
  readonly pattern: RegExp
  /** By place; absent: it does not count there. */
  readonly weight: {
    readonly title?: number
    readonly intent?: number
    readonly body?: number
    readonly payload?: number
  }
}

const THINGS =
  'pods?|nodes?|deployments?|workloads?|services?|instances?|resources?|namespaces?|items?|alerts?|alarms?|migrations?|databases?|hosts?|servers?|files?|logs?|lines?|users?|accounts?|regions?|clusters?|teams?|expenses?|records?|rows?|queries|volumes?|buckets?|images?|jobs?|certificates?|secrets?|skills?'
const PLURAL_THINGS = THINGS.replaceAll('s?', 's')
const COUNT = '(?:1[1-9]|[2-9]\\d|\\d{3,}|\\d{1,3}(?:,\\d{3})+|hundreds? of|thousands? of|dozens? of)'

const SIGNS: readonly Sign[] = [
  {
    sign: 'bulk',
    pattern:
      /\b(bulk|batch(?:es)?|mass|sweep|clean-?ups?|clean up|prune|purge|inventory|fleet|backlogs?|en masse|in number)\b/i,
    weight: { title: 3, intent: 3, body: 1 },
  },
  {
    sign: 'bulk',
    pattern: new RegExp(
      `\\b(?:all|every|each|many|multiple|several|across(?: all)?|any number of)\\b(?:[ -]\\w+){0,3}?[ -](?:${THINGS})\\b`,
      'i',
    ),
    weight: { title: 2, intent: 3, body: 1 },
  },
  {
    sign: 'bulk',
    pattern: new RegExp(
      `\\b(?:restart|delete|remove|drain|cordon|scale|tag|patch|stop|start|list|scan|check|triage|rotate|export|migrate)(?:s|ed|ing)?\\b(?:[ -]\\w+){0,2}?[ -](?:${PLURAL_THINGS})\\b`,
      'i',
    ),
    weight: { title: 1, intent: 1 },
  },
  {
    sign: 'multi-step',
    pattern:
      /\b(?:deploy|apply|roll ?out|release|upgrade)\b.{0,120}\b(?:verif\w+|health|check\w*|watch\w*|wait\w*)\b.{0,160}\b(?:roll(?:s|ed|ing)? ?back|undo|revert\w*)\b/is,
    weight: { title: 3, intent: 3, body: 1 },
  },
  {
    sign: 'multi-step',
    pattern:
      /\b(?:multi-step|multiple skills|several skills|combin\w+ (?:multiple |several )?skills|workflows?|orchestrat\w+|pipelines?|in (?:order|sequence|waves))\b/i,
    weight: { title: 2, intent: 2, body: 1 },
  },
  {
    sign: 'data',
    pattern:
      /\b(?:logs?|log (?:files?|lines?|groups?)|stack traces?|csv|jsonl|exports?|dumps?|[KMGT]i?B|gigabytes?|(?:millions?|thousands?) of (?:lines|rows|events))\b/i,
    weight: { title: 2, intent: 1, body: 1 },
  },
  {
    sign: 'data',
    pattern:
      /\b(?:pars\w+|group(?:s|ed|ing)?|count(?:s|ed|ing)?|aggregat\w+|histograms?|percentiles?|reconcil\w+|compar\w+)\b/i,
    weight: { title: 1, intent: 1 },
  },
  {
    sign: 'large-n',
    pattern: new RegExp(`\\b${COUNT}\\s+(?:\\w+ ){0,2}?(?:${PLURAL_THINGS})\\b`, 'i'),
    weight: { title: 2, intent: 2, body: 1 },
  },
  {
    sign: 'loop',
    pattern:
      /^[ \t]*(?:async )?for\b.+\b(?:in|of)\b|\bwhile\s+(?:IFS=\S*\s+)?read\b|\bxargs\b|\beach\(|\.(?:map|forEach)\(|\bgather\(|\bThreadPoolExecutor\b/m,
    weight: { payload: 2 },
  },
  {
    sign: 'single',
    pattern: new RegExp(
      `\\b(?:single|exactly one|only one|just one|one (?:specific|known|particular)|one at a time)\\b|\\b(?:one|a) (?:${THINGS})\\b (?:by name|that is known|is enough)`,
      'i',
    ),
    weight: { title: -4, intent: -3, body: -1 },
  },
  {
    sign: 'single',
    pattern:
      /\b(?:connection test|ping|smoke test|can (?:we|I|it) (?:reach|connect)|is .{1,40} reachable|one (?:item|operation|query|command|call|connection))\b/i,
    weight: { title: -3, intent: -3, body: -1 },
  },
  {
    sign: 'diagnosis',
    pattern:
      /\b(?:step[- ]by[- ]step|interactive(?:ly)?|each answer|next question|root[- ]cause|diagnos\w+|investigat\w+|troubleshoot\w*|debug(?:s|ging)?|walk through)\b/i,
    weight: { title: -2, intent: -2, body: -1 },
  },
]

/** What a skill says about other jobs says nothing about its own. */
const ABOUT_OTHERS =
  /\bnot\b|n't\b|\bnever\b|\bno scripts?\b|\bwithout a script\b|\binstead\b|\brather than\b|\bfor (?:one|a single|several|many)\b[^.;]*\buse\b|\buse `?[a-z0-9-]+\/[a-z0-9-]+/i

const clauses = (text: string): { text: string; offset: number }[] => {
  const found: { text: string; offset: number }[] = []
  for (const match of text.matchAll(/[^.;\n]+(?:\.(?=\S)[^.;\n]+)*[.;]?/g)) {
    if (!ABOUT_OTHERS.test(match[0])) found.push({ text: match[0], offset: match.index })
  }
  return found
}

type Where = keyof Sign['weight']

interface Passage {
  readonly where: Where
  readonly text: string
  readonly at: { readonly file: string; readonly line: number }
}

const MAX_WORDS = 48

const shortened = (words: string): string => {
  const line = words.trim().replaceAll(/\s+/g, ' ')
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS - 1).replace(/\s+\S*$/, '')} …` : line
}

/** The name of another skill, `k8s/bulk-restart`, says nothing about this one; its place is kept. */
const withoutIds = (text: string): string =>
  text.replaceAll(/\b[a-z0-9-]+\/[a-z0-9-]+\b/g, id => ' '.repeat(id.length))

const evidenceIn = (passages: readonly Passage[], where: Where): Evidence[] =>
  SIGNS.flatMap(({ sign, pattern, weight }) => {
    const worth = weight[where]
    if (worth === undefined) return []
    for (const passage of passages) {
      if (passage.where !== where) continue
      for (const clause of where === 'payload'
        ? [{ text: passage.text, offset: 0 }]
        : clauses(passage.text)) {
        const match = pattern.exec(where === 'payload' ? clause.text : withoutIds(clause.text))
        if (match === null) continue
        const before = passage.text.slice(0, clause.offset + match.index)
        const line = passage.at.line + before.split('\n').length - 1
        const words = shortened(match[0])
        return [{ sign, weight: worth, words, at: { file: passage.at.file, line } }]
      }
    }
    return []
  })

/** The strongest of each sign in each place: two patterns of one sign are one observation. */
const strongest = (evidence: readonly Evidence[]): Evidence[] => {
  const best = new Map<string, Evidence>()
  for (const one of evidence) {
    const known = best.get(one.sign)
    if (known === undefined || Math.abs(one.weight) > Math.abs(known.weight)) best.set(one.sign, one)
  }
  return [...best.values()]
}

const JOB_SECTIONS = /^(purpose|usage|when to use|overview|description)\b/i

/** Prose of the sections that say what the job is, and the code of the examples. */
const bodyPassages = ({ skill }: AuditedSource): Passage[] => {
  const { lines, headings, isCode } = outline(skill.body)
  const at = (line: number) => ({ file: skill.file, line: skill.bodyLine + line - 1 })
  const job = headings.filter(heading => heading.level === 2 && JOB_SECTIONS.test(heading.text))
  return job.flatMap(({ line, endLine }) => {
    const text = lines.slice(line, endLine).map((one, index) => (isCode(line + index + 1) ? '' : one))
    return [{ where: 'body' as const, text: text.join('\n'), at: at(line + 1) }]
  })
}

const isArray = (schema: unknown): boolean =>
  typeof schema === 'object' &&
  schema !== null &&
  [(schema as { type?: unknown }).type].flat().includes('array')

/** Choices of how, not of what: they are lists in many skills that act on one thing. */
const HOW = /^(waves|exclude|kinds|states|methods|columns|fields|formats?|levels|args|options|flags)$/i

const inputEvidence = ({ skill, lineOf }: AuditedSource): Evidence[] => {
  const properties: unknown = skill.inputs?.['properties']
  if (typeof properties !== 'object' || properties === null) return []
  const inputs = Object.entries(properties)
  const at = (name: string) => ({ file: skill.file, line: lineOf(['inputs', 'properties', name]) })
  const plural = inputs.find(([name, schema]) => isArray(schema) && !HOW.test(name))
  if (plural !== undefined)
    return [{ sign: 'plural-input', weight: 2, words: `${plural[0]}: array`, at: at(plural[0]) }]
  const wide = inputs.find(([name]) =>
    /^(all|all_.+|selector|name_pattern|pattern|filters?|glob|since|limit|max_.+|at_once)$/.test(name),
  )
  if (wide !== undefined) return [{ sign: 'plural-input', weight: 1, words: wide[0], at: at(wide[0]) }]
  const [first] = inputs
  if (first === undefined) return []
  const words = shortened(inputs.map(([name]) => name).join(', '))
  return [{ sign: 'singular-inputs', weight: -1, words, at: at(first[0]) }]
}

/** All of it, what weighs most first. */
export const evidenceOf = (source: AuditedSource): readonly Evidence[] => {
  const { skill, payload, lineOf } = source
  const { file } = skill
  const passages: Passage[] = [
    { where: 'title', text: skill.id.replaceAll(/[-_/]/g, ' '), at: { file, line: 1 } },
    { where: 'title', text: skill.name, at: { file, line: lineOf(['name']) } },
    { where: 'intent', text: skill.intent, at: { file, line: lineOf(['intent']) } },
    { where: 'intent', text: skill.description, at: { file, line: lineOf(['description']) } },
    ...bodyPassages(source),
    ...(payload === null
      ? []
      : [{ where: 'payload' as const, text: payload.text, at: { file: payload.file, line: 1 } }]),
  ]
  const places: readonly Where[] = ['title', 'intent', 'body', 'payload']
  const found = places.flatMap(where => strongest(evidenceIn(passages, where)))
  return [...found, ...inputEvidence(source)].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
}
