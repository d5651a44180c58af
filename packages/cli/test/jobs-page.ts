/**
 * The page of jobs, as its tests read it: each section holds the words of whoever asks, one script, and blocks of
 * console whose lines after a `$` are what was printed.
 *
 * What differs from run to run is compared as `settled` leaves it, on both sides: so the page shows real output. With
 * SRECODEX_UPDATE_JOBS=1 a job of which anything differs is rewritten as a whole, from one session: an apply is never
 * older than its plan.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { stable } from '../../testkit/src/stable.ts'

export const PAGE = fileURLToPath(new URL('../../../dotcodex/docs/JOBS.md', import.meta.url))
export const UPDATES = process.env.SRECODEX_UPDATE_JOBS === '1'

export interface Step {
  /** Words after `$ srecodex`. */
  readonly words: readonly string[]
  readonly printed: string
}

export interface Job {
  readonly title: string
  /** Of the file that the first command runs. */
  readonly file: string
  readonly script: string
  readonly steps: readonly Step[]
}

const EXTENSIONS: Readonly<Record<string, string>> = { python: '.py', bash: '.sh', js: '.js' }
const FENCED = /^```(\w+)\n([\s\S]*?)^```$/gm

/** @throws {Error} A section is not a job. */
export function readJobs(page: string = readFileSync(PAGE, 'utf8')): Job[] {
  return page
    .split(/^## /m)
    .slice(1)
    .filter(section => section.includes('```console'))
    .map(jobOf)
}

export function readJob(file: string): Job {
  const found = readJobs().find(job => job.file === file)
  if (found === undefined) throw new Error(`no job on the page runs ${file}`)
  return found
}

function jobOf(section: string): Job {
  const title = section.slice(0, section.indexOf('\n'))
  const fences = [...section.matchAll(FENCED)].map(([, language = '', text = '']) => ({ language, text }))
  const steps = fences.filter(({ language }) => language === 'console').flatMap(({ text }) => stepsOf(text))
  const script = fences.find(({ language }) => language in EXTENSIONS)
  const file = steps[0]?.words[1] ?? ''
  if (script === undefined || !file.endsWith(EXTENSIONS[script.language]!))
    throw new Error(`"${title}" has no script for its first command, or one of another language`)
  if (!/^> \*\*.+\*\*/m.test(section)) throw new Error(`"${title}" does not say who asks for it, and how`)
  return { title, file, script: script.text, steps }
}

function stepsOf(block: string): Step[] {
  return block
    .split(/^\$ srecodex /m)
    .slice(1)
    .map(step => {
      const [command = '', ...printed] = step.split('\n')
      return { words: command.split(' '), printed: printed.join('\n').trimEnd() }
    })
}

/**
 * Ids of runs and silences, times and durations, sizes, estimates of tokens, the number of reads, suffixes of pods and
 * ports of the loopback are not what a job promises. Everything else is.
 */
export function settled(text: string): string {
  return stable(text, {})
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID')
    .replaceAll(/\b\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z?)?/g, 'DATE')
    .replaceAll(/(?:≈[\d,]+ of )?≈[\d,]+ tokens? returned/g, 'TOKENS')
    .replaceAll(/\b\d+ lines? of output \([^)]*\)/g, 'OUTPUT')
    .replaceAll(/\b\d+ calls?: \d+ reads?/g, 'CALLS: READS')
    .replaceAll(/\([\d.,]+ (?:[KMG]i)?B\)/g, '(SIZE)')
    .replaceAll(/\b\d+ (?:min|h)(?: TIME)?\b/g, 'TIME')
    .replaceAll(/-[0-9a-f]{6,10}-[a-z0-9]{5}\b/g, '-POD')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'LOOPBACK')
    .replaceAll(/[ \t]+$/gm, '')
    .trim()
}

const RUN_ID = /\b[0-9A-HJKMNP-TV-Z]{26}\b/g

/**
 * Whether runs are told as one session tells them: what is listed or looked at was told before, and whatever begins
 * begins after the last one. Ids begin with the time.
 */
export function isOneSession(
  steps: readonly { readonly command: string; readonly printed: string }[],
): boolean {
  let last = ''
  const told = new Set<string>()
  return steps.every(({ command, printed }) => {
    const begins = !/^srecodex (?:runs|output)\b/.test(command)
    const ids = [...new Set(printed.match(RUN_ID))].filter(id => !told.has(id))
    return ids.every(id => {
      const fits = begins && id > last
      told.add(id)
      last = id
      return fits
    })
  })
}

/** Puts what the commands of a job printed below them. */
export function rewrite(file: string, printed: readonly string[]): void {
  const page = readFileSync(PAGE, 'utf8')
  const { title, steps } = readJob(file)
  const start = page.indexOf(`## ${title}\n`)
  const end = page.indexOf('\n## ', start) + 1 || page.length
  let section = page.slice(start, end)
  let from = 0
  for (const [index, { words }] of steps.entries()) {
    const command = `$ srecodex ${words.join(' ')}\n`
    from = section.indexOf(command, from) + command.length
    const until = from + section.slice(from).search(/^(?:```$|\$ srecodex )/m)
    section = `${section.slice(0, from)}${printed[index]!.trim()}\n${section.slice(until)}`
  }
  writeFileSync(PAGE, page.slice(0, start) + section + page.slice(end))
}
