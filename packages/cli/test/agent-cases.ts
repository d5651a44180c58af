/**
 * The owner's cases, for any agent: what a person asks for, the world in which it is asked, what the model does, and who
 * judges it. The judges are the servers' own logs and the truth that the world was made with, never the agent's word.
 *
 * Of every case holds: one script, results within their bound, no raw data in what the model is sent, no file left.
 */

import type { Project } from '@srecodex/testkit'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import type { Moves } from './agent-moves.ts'

export interface Scene {
  readonly place: Project
  /** What the server needs of its caller's environment. */
  readonly env: Readonly<Record<string, string>>
  readonly moves: () => Moves
  /** Words that stand in the raw data and nowhere else. */
  readonly raw: readonly RegExp[]
  /** Some of that data, once the job is done: a word that is not in it would prove nothing. */
  readonly sample: () => string
  /** Folders that the script reads or writes, whose files are to be the same after it. @default the workspace */
  readonly kept?: readonly string[]
  readonly judge: (played: Played) => void | Promise<void>
}

export interface Case {
  readonly name: string
  readonly prompt: string
  /** How many calls of srecodex's tools it takes, each for a reason. */
  readonly calls: number
  /** What the operator lets the client do without asking a person. @default [] */
  readonly approved?: readonly string[]
  /** To be called inside a test, whose end removes it. */
  readonly set: () => Promise<Scene>
}

export interface Played {
  /** What the agent said to the person in the end. */
  readonly answer: string
  /** What each call returned, as the model read it. */
  readonly told: readonly string[]
  /** Everything that left the agent for its model; of a plain client: everything that it was sent. */
  readonly sent: readonly string[]
}

const MAX_RESULT_CHARS = 2500

/** Lets `play` play, and judges what came of it. */
export async function judge(one: Case, play: (scene: Scene) => Promise<Played>): Promise<Played> {
  const scene = await one.set()
  const before = filesOf(scene)
  const played = await play(scene)
  expect(played.told).toHaveLength(one.calls)
  for (const told of played.told) expect(told.length).toBeLessThanOrEqual(MAX_RESULT_CHARS)
  expect(scene.raw.filter(raw => !raw.test(scene.sample()))).toEqual([])
  for (const sent of played.sent) expect(leaksIn(sent, scene)).toEqual([])
  expect(reports(scene.place).filter(({ parent }) => parent === null)).toHaveLength(1)
  await scene.judge(played)
  expect(filesOf(scene)).toEqual(before)
  return played
}

interface KeptReport {
  readonly run: string
  readonly parent: string | null
  readonly status: string
}

/** Of every run there was, in order. */
export function reports({ srecodexHome }: Project): KeptReport[] {
  const runs = join(srecodexHome, 'state', 'runs')
  if (!existsSync(runs)) return []
  return readdirSync(runs)
    .sort()
    .map(id => JSON.parse(readFileSync(join(runs, id, 'run.json'), 'utf8')).report)
}

/** Raw words with a few around each. */
function leaksIn(sent: string, { raw }: Scene): string[] {
  // What is quoted twice has more backslashes, and nothing else.
  const words = sent.replaceAll('\\', '')
  return raw.flatMap(one => {
    const at = words.search(one)
    return at === -1 ? [] : [words.slice(Math.max(0, at - 100), at + 100)]
  })
}

/** What the script printed, as it is kept. */
export function printed(place: Project): string {
  const [first] = reports(place)
  return readFileSync(join(place.srecodexHome, 'state', 'runs', first!.run, 'stdout'), 'utf8')
}

/** Processes that have to do with a project, by their words or by what they were given. */
export function alive({ workspace, srecodexHome }: Project, words = /./): string[] {
  return readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false
    try {
      const [cmdline = '', environ] = ['cmdline', 'environ'].map(file =>
        readFileSync(`/proc/${pid}/${file}`, 'latin1'),
      )
      const told = `${cmdline}\0${environ}`
      return (told.includes(workspace) || told.includes(srecodexHome)) && words.test(cmdline)
    } catch {
      return false
    }
  })
}

function filesOf({ place, kept = [place.workspace] }: Scene): string[] {
  return kept.flatMap(folder => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
}

export function writeUserConfig({ srecodexHome }: Project, toml: string): void {
  const file = join(srecodexHome, 'config', 'config.toml')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, toml)
}
