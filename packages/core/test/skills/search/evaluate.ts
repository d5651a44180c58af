/**
 * Measures search over the catalogue in `dotcodex/skills`, beside plain MiniSearch on `intent` only.
 *
 *     node packages/core/test/skills/search/evaluate.ts [--misses]
 */

import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import MiniSearch from 'minisearch'
import { parse } from 'yaml'
import { buildIndex, search, type SearchableSkill } from '../../../src/skills/search/search.ts'
import { FRESH, HELD_OUT, TUNE, type JudgedQuery } from './queries.ts'

export interface Figures {
  /** Queries that something answers. */
  readonly answerable: number
  readonly recallAt1: number
  readonly recallAt3: number
  /** Queries that nothing answers. */
  readonly unanswerable: number
  /** How often an answerable query's best score is above an unanswerable one's; ties count half. */
  readonly noFitAuc: number
  /** Share of the unanswerable that get a hit all the same. */
  readonly falseFits: number
  /** Share of the answerable that get none. */
  readonly falseNones: number
}

type Ranked = readonly { readonly id: string; readonly score: number }[]
export type Ranker = (query: string) => Ranked

export function evaluate(rank: Ranker, queries: readonly JudgedQuery[]): Figures {
  const asked = queries.map(query => ({ ...query, hits: rank(query.query) }))
  const answerable = asked.filter(({ fits }) => fits.length > 0)
  const unanswerable = asked.filter(({ fits }) => fits.length === 0)
  const within = (depth: number): number =>
    answerable.filter(({ fits, hits }) => hits.slice(0, depth).some(({ id }) => fits.includes(id))).length
  const best = ({ hits }: { readonly hits: Ranked }): number => hits[0]?.score ?? 0
  return {
    answerable: answerable.length,
    recallAt1: within(1) / answerable.length,
    recallAt3: within(3) / answerable.length,
    unanswerable: unanswerable.length,
    noFitAuc: auc(answerable.map(best), unanswerable.map(best)),
    falseFits: unanswerable.filter(({ hits }) => hits.length > 0).length / unanswerable.length,
    falseNones: answerable.filter(({ hits }) => hits.length === 0).length / answerable.length,
  }
}

function auc(above: readonly number[], below: readonly number[]): number {
  let wins = 0
  for (const a of above) for (const b of below) wins += a > b ? 1 : a === b ? 0.5 : 0
  return wins / (above.length * below.length)
}

/** The skills as they are in the repository; read by the front matter alone, without the registry. */
export function loadCatalogue(
  folder = join(import.meta.dirname, '../../../../../dotcodex/skills'),
): SearchableSkill[] {
  return globSync('**/SKILL.md', { cwd: folder })
    .sort()
    .map(file => {
      const text = readFileSync(join(folder, file), 'utf8')
      const [, head = '', body = ''] = /^---\n(.*?)\n---\n(.*)$/su.exec(text) ?? []
      const { name = '', description = '', tags = [], intent = '' } = parse(head) as Partial<SearchableSkill>
      return { id: relative('.', dirname(file)), name, description, tags, intent, body }
    })
}

export function ours(skills: readonly SearchableSkill[]): Ranker {
  const index = buildIndex(skills)
  return query => search(index, query)
}

/** What a registry gets without writing a ranker: the library's defaults over the one field that says when. */
export function miniSearchOnIntent(skills: readonly SearchableSkill[]): Ranker {
  const index = new MiniSearch<SearchableSkill>({ fields: ['intent'] })
  index.addAll(skills)
  return query => index.search(query).map(({ id, score }) => ({ id: String(id), score }))
}

function main(): void {
  const skills = loadCatalogue()
  const rankers = { srecodex: ours(skills), 'MiniSearch, intent only': miniSearchOnIntent(skills) }
  const sets = { tune: TUNE, 'held out': HELD_OUT, fresh: FRESH, all: [...TUNE, ...HELD_OUT, ...FRESH] }
  const rows: string[][] = [
    ['queries', 'ranker', 'fit', 'none', 'recall@1', 'recall@3', 'no-fit AUC', 'false fits', 'false nones'],
  ]
  for (const [set, queries] of Object.entries(sets)) {
    for (const [ranker, rank] of Object.entries(rankers))
      rows.push([set, ranker, ...columns(evaluate(rank, queries))])
  }
  for (const kind of new Set(sets.all.map(query => query.kind))) {
    if (kind === 'none') continue
    for (const [ranker, rank] of Object.entries(rankers)) {
      const of = sets.all.filter(query => query.kind === kind || query.kind === 'none')
      rows.push([kind, ranker, ...columns(evaluate(rank, of))])
    }
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
  if (process.argv.includes('--misses'))
    for (const line of misses(rankers.srecodex, sets.all)) console.log(line)
}

const columns = (of: Figures): string[] => [
  String(of.answerable),
  String(of.unanswerable),
  of.recallAt1.toFixed(3),
  of.recallAt3.toFixed(3),
  of.noFitAuc.toFixed(3),
  of.falseFits.toFixed(3),
  of.falseNones.toFixed(3),
]

const misses = (rank: Ranker, queries: readonly JudgedQuery[]): string[] =>
  queries.flatMap(({ query, fits }) => {
    const hits = rank(query)
    const right = fits.length === 0 ? hits.length === 0 : fits.includes(hits[0]?.id ?? '')
    if (right) return []
    const got = hits.slice(0, 3).map(({ id, score }) => `${id} ${score.toFixed(2)}`)
    return [`${query}\n    wanted ${fits.join(' or ') || 'nothing'}; got ${got.join(', ') || 'nothing'}`]
  })

if (import.meta.main) main()
