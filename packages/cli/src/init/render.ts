/** What init shows: the diff that a person approves, and what was done, in five lines. */

import { createRedactor } from '@srecodex/core'
import { structuredPatch } from 'diff'
import { basename, isAbsolute } from 'node:path'
import { wrap } from '../render/layout.ts'
import { plural } from '../render/units.ts'
import { paint, type Terminal } from '../terminal.ts'
import type { Client, Setup } from './client.ts'

export interface ShownChange {
  /** As a person knows it. */
  readonly file: string
  readonly before: string | null
  readonly after: string | null
  /** It is a text of srecodex's own: its beginning is enough to know it by. */
  readonly isOurs: boolean
}

export type Stream = keyof typeof paint

/** Lines of a text of ours that are shown before the rest is only counted. */
const SHOWN_LINES = 6

/**
 * @param whole every line of texts of ours, too.
 * @param env its secrets are taken out, as are those that look like one: other servers stand in the same file.
 */
export function renderDiff(
  changes: readonly ShownChange[],
  stream: Stream,
  whole: boolean,
  env: NodeJS.ProcessEnv,
): string {
  const values = Object.entries(env).map(([name, value]) => ({ name, value: value ?? '' }))
  const redactor = createRedactor({ values })
  const shown = (line: string): string => redactor.redactKnown(withoutControls(line))
  return changes.map(change => renderFile(change, stream, whole, shown)).join('\n')
}

function renderFile(
  { file, before, after, isOurs }: ShownChange,
  stream: Stream,
  whole: boolean,
  shown: (line: string) => string,
): string {
  const painted = paint[stream]
  const { hunks } = structuredPatch(file, file, before ?? '', after ?? '')
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: own }) => [
    painted('cyan', `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`),
    ...(isOurs && !whole ? cut(own) : own).map(line => {
      const text = shown(line)
      return text.startsWith('+')
        ? painted('green', text)
        : text.startsWith('-')
          ? painted('red', text)
          : text
    }),
  ])
  const names = [before === null ? '/dev/null' : file, after === null ? '/dev/null' : file]
  return [...[`--- ${names[0]}`, `+++ ${names[1]}`].map(line => painted('bold', line)), ...lines, ''].join(
    '\n',
  )
}

/** A hunk without lines of a file stands behind the line before it: so `patch` reads it. */
function range(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`
}

/** The first that differ, with what is above them; all where something goes. */
function cut(lines: readonly string[]): readonly string[] {
  const end = lines.findIndex(line => !line.startsWith(' ')) + SHOWN_LINES
  const rest = lines.length - end
  const loses = lines.slice(end).some(line => line.startsWith('-'))
  return rest < 2 || loses ? lines : [...lines.slice(0, end), `… ${rest} more lines, which --dry-run shows`]
}

/** A project's file is a stranger's text: it does not steer the terminal of who reads the diff. */
function withoutControls(text: string): string {
  return text.replaceAll(/[^\P{Cc}\t]|[\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD').replace(/\uFFFD$/, '')
}

export interface DoneWords {
  readonly setup: Setup
  readonly client: Client
  /** Where its server is named. */
  readonly entryFile: string
  /** The command line that stands there. */
  readonly argv: readonly string[]
  readonly instructions: string
  readonly skills: { readonly folder: string; readonly count: number }
  readonly next: string
}

const LABEL_COLUMNS = 10

export function renderDone(words: DoneWords, terminal: Terminal): string {
  const { client, setup, entryFile, argv, instructions, skills, next } = words
  const limit = client.limitsCalls ? `; a call may take ${setup.timeoutSeconds} s` : ''
  const lines: [string, string][] = [
    ['server', `${commandWords(argv)}, in ${entryFile}${limit}`],
    ['approval', client.approval],
    ['skills', `${plural(skills.count, 'skill')} in ${skills.folder}`],
    ['agents', `${instructions} says when to write a script, and how`],
    ['next', next],
  ]
  return lines.map(([label, text]) => labelled(label, text, terminal)).join('')
}

/** Paths by their last names: they are there to be known again, and not to be copied. */
function commandWords(argv: readonly string[]): string {
  const words = argv.map(word => (isAbsolute(word) ? basename(word) : word)).join(' ')
  const isLocal = argv.some(word => isAbsolute(word))
  return withoutControls(isLocal ? `${words}, by paths of this machine` : words)
}

export function labelled(label: string, text: string, terminal: Terminal): string {
  return wrap(text, terminal.outColumns - LABEL_COLUMNS)
    .map((line, index) => `${paint.out('bold', (index === 0 ? label : '').padEnd(LABEL_COLUMNS))}${line}\n`)
    .join('')
}
