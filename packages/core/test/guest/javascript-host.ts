/**
 * A script in JavaScript at a real channel, whose host keeps the ledger that PROTOCOL.md describes, in memory, and
 * writes down what it was asked.
 */

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CallHandler } from '../../src/tools/channel.ts'
import { CallError } from '../../src/tools/protocol.ts'
import { listening, temporaryFolder, type Listening } from '../tools/listening.ts'
import { GUEST, NODES, run, start, type Ran, type Running, type RunOptions } from './running.ts'

export interface Attempt {
  readonly outcome: string
  readonly class?: string
  readonly message?: string
  readonly value?: unknown
  readonly retries: number
}

export interface HostOptions {
  /** What an earlier run left, by key. @default nothing */
  readonly earlier?: Readonly<Record<string, { readonly state: string; readonly value?: unknown }>>
  /** Answers the start of an item that is to be done. @default go */
  readonly onStart?: (key: string) => unknown
  /** Answers the end of an attempt. @default the outcome, no retry */
  readonly onEnd?: (key: string, attempt: Attempt) => { state: string; retryAfterMs: number | null } | null
  readonly handlers?: Readonly<Record<string, CallHandler>>
}

export interface Host extends Listening {
  /** `open …`, `add N`, `start KEY`, `end KEY OUTCOME`, in order. */
  readonly events: string[]
  /** By key, in order. */
  readonly attempts: Map<string, Attempt[]>
  /** By key: what a start said of `verified`. */
  readonly verified: Map<string, unknown>
  /** Most items that were started and not ended at one time. */
  most(): number
}

/** A token that no key can be mistaken for. */
export const tokenOf = (key: string): string => `t~${key}`

export async function host(options: HostOptions = {}): Promise<Host> {
  const events: string[] = []
  const attempts = new Map<string, Attempt[]>()
  const verified = new Map<string, unknown>()
  const underWay = new Set<string>()
  const added = new Set<string>()
  const once = new Map<string, unknown>()
  let opened = 0
  let most = 0
  const handlers: Record<string, CallHandler> = {
    'each.open': ({ item, prefix }) => {
      opened += 1
      events.push(`open ${JSON.stringify(item)} ${JSON.stringify(prefix)}`)
      return { each: opened }
    },
    'each.add': ({ each, keys }) => {
      const all = keys as string[]
      events.push(`add ${all.length}`)
      const items = all.map(key => {
        const full = `${String(each)}/${key}`
        if (added.has(full)) throw new CallError('INVALID_PARAMS', `${key} is there already`)
        added.add(full)
        const { state, value = null } = options.earlier?.[key] ?? { state: 'todo' }
        return { token: tokenOf(key), state, value }
      })
      return { items }
    },
    'item.start': params => {
      const key = keyOf(params['token'])
      events.push(`start ${key}`)
      if ('verified' in params) {
        verified.set(key, params['verified'])
        if (params['verified'] === true) return { go: false, state: 'ok', why: 'verified' }
        if (params['verified'] === null) return { go: false, state: 'unknown', why: 'nobody can say' }
      }
      const answer = options.onStart?.(key) ?? { go: true }
      underWay.add(key)
      most = Math.max(most, underWay.size)
      return answer
    },
    'item.end': params => {
      const { token, ...attempt } = params as unknown as Attempt & { readonly token: string }
      const key = keyOf(token)
      events.push(`end ${key} ${attempt.outcome}`)
      underWay.delete(key)
      attempts.set(key, [...(attempts.get(key) ?? []), attempt])
      return options.onEnd?.(key, attempt) ?? { state: attempt.outcome, retryAfterMs: null }
    },
    once: ({ name }) => {
      const known = once.has(String(name))
      return known ? { known, value: once.get(String(name)) } : { known }
    },
    'once.set': ({ name, value }) => {
      if (!once.has(String(name))) once.set(String(name), value)
      return { value: once.get(String(name)) }
    },
    ...options.handlers,
  }
  const opening = await listening({ handlers })
  return { ...opening, events, attempts, verified, most: () => most }
}

function keyOf(token: unknown): string {
  if (typeof token !== 'string' || !token.startsWith('t~'))
    throw new CallError('INVALID_PARAMS', 'no such item')
  return token.slice(2)
}

/** What a script that prints JSON as its last line says there. */
export function lastLine(ran: Ran): unknown {
  if (ran.status !== 0 || ran.stderr !== '') throw new Error(`${ran.status}: ${ran.stderr}${ran.stdout}`)
  return JSON.parse(ran.stdout.trimEnd().split('\n').at(-1) ?? '')
}

/** A folder with the package as the sandbox arranges it. */
export function beside(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(GUEST, 'javascript'), join(folder, 'node_modules/srecodex'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const NAMES = 'each, once, may, skill, tool, askill, atool, summary, progress, artifact'
const ERRORS = 'SrecodexError, ToolError, SkillError, Skipped'

/** The same statements as an ES module, or as a CommonJS script. */
export type Kind = 'esm' | 'commonjs'

export function script(node: string, kind: Kind, text: string, options: RunOptions = {}): Promise<Ran> {
  const { argv, cwd } = placed(node, kind, text)
  return run(argv, { cwd, ...options })
}

export function startScript(node: string, kind: Kind, text: string, options: RunOptions = {}): Running {
  const { argv, cwd } = placed(node, kind, text)
  return start(argv, { cwd, ...options })
}

function placed(node: string, kind: Kind, text: string): { argv: string[]; cwd: string } {
  const name = kind === 'esm' ? 'script.mjs' : 'script.cjs'
  const whole =
    kind === 'esm'
      ? `import { ${NAMES}, ${ERRORS} } from 'srecodex'\n${text}`
      : `const { ${NAMES}, ${ERRORS} } = require('srecodex')\nmodule.exports = (async () => {\n${text}\n})()`
  return { argv: [node, name], cwd: beside({ [name]: whole }) }
}

/** Prints a result as JSON: keys by state, and what else is asked for. */
export const TELL = `const keysOf = done => Object.fromEntries(
    ['ok', 'failed', 'unknown', 'skipped', 'pending'].map(state => [state, done[state].map(({ key }) => key).join()])
      .filter(([, keys]) => keys !== ''))
  const tell = (done, ...more) => console.log(JSON.stringify([keysOf(done), done.summary(), ...more]))
  const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))\n`

/** Runs statements that end in `tell`, as an ES module. */
export async function told(options: HostOptions, text: string, env: Record<string, string> = {}) {
  const opened = await host(options)
  const ran = await script(NODES[0]!, 'esm', TELL + text, { socketPath: opened.socketPath, env })
  return { ...opened, said: lastLine(ran) as unknown[] }
}
