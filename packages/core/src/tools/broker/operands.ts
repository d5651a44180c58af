/**
 * The files and the stdin of a call, as the script's side hands them over.
 *
 * What was captured is what is judged, digested, planned and given to the tool: nothing is opened twice, so a file
 * that changes, or a link that turns, in between changes nothing. It is read with the script's own rights.
 */

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import type { CapturedInput, CommandPeer, ShownFile } from '../calls.ts'
import type { Call, Decision, FileOperand } from '../effects/decision.ts'
import type { ToolKnowledge } from '../knowledge/knowledge.ts'
import { CallError } from '../protocol.ts'
import { refuseRemoteKustomizations } from './kustomization.ts'

export interface CapturedFile extends ShownFile {
  readonly bytes: number
  readonly sha256: string
}

export interface Operands {
  readonly stdin: { readonly source: string; readonly bytes: number; readonly sha256: string } | null
  readonly files: readonly CapturedFile[]
}

const MAX_FILES = 1000
const MAX_DEPTH = 16
/** Beyond this a body is compared by its bytes. */
const MAX_PARSED_BYTES = 4 * 1024 * 1024

/** @throws {CallError} TOO_LARGE | REFUSED */
export async function captureOperands(
  decision: Decision,
  hasStdin: boolean,
  peer: CommandPeer,
): Promise<Operands> {
  const files = new Map<string, CapturedFile>()
  for (const operand of decision.files) {
    if (operand.access === 'write') continue
    await captureFile(operand, files, peer)
  }
  if (decision.files.some(({ form }) => form === 'kustomization')) {
    await refuseRemoteKustomizations([...files.values()])
  }
  const stdin = decision.readsStdin && hasStdin ? await peer.read('-') : null
  return {
    stdin: stdin?.kind === 'file' ? { ...stdin, source: stdin.spool } : null,
    files: [...files.values()],
  }
}

async function captureFile(
  { path, form }: FileOperand,
  into: Map<string, CapturedFile>,
  peer: CommandPeer,
): Promise<void> {
  if (form !== 'glob') {
    await captureTree(path, into, peer, 0)
    return
  }
  const folder = posix.dirname(path)
  const matches = globMatcher(posix.basename(path))
  const listed = await peer.read(folder)
  if (listed.kind !== 'folder') return
  for (const name of listed.entries) {
    if (matches(name)) await captureTree(posix.join(folder, name), into, peer, 0)
  }
}

/** What cannot be read is left out: the tool says so itself, in words that people know. */
async function captureTree(
  path: string,
  into: Map<string, CapturedFile>,
  peer: CommandPeer,
  depth: number,
): Promise<void> {
  if (into.has(path)) return
  const captured: CapturedInput = await peer.read(path)
  if (captured.kind === 'file') {
    if (into.size >= MAX_FILES) throw tooMany(`more than ${MAX_FILES} files`)
    into.set(path, { path, source: captured.spool, bytes: captured.bytes, sha256: captured.sha256 })
  }
  if (captured.kind !== 'folder') return
  if (depth >= MAX_DEPTH) throw tooMany(`folders more than ${MAX_DEPTH} deep`)
  for (const entry of captured.entries) await captureTree(posix.join(path, entry), into, peer, depth + 1)
}

function tooMany(what: string): CallError {
  return new CallError('TOO_LARGE', `the call names ${what}`, { hint: 'name fewer files in one call' })
}

/**
 * Go's filepath.Match without escapes: `*`, `?`, `[…]`. Step by step: pattern and names are a script's, and a regular
 * expression of many stars takes for ever to say no.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  const parts = pattern.match(/\*+|\[\^?\]?[^\]]*\]|[^]/gu) ?? []
  const tests = parts.map(part => (part.startsWith('*') ? null : characterTest(part)))
  const shortest = tests.filter(test => test !== null).length
  return name => {
    const characters = Array.from(name)
    if (characters.length < shortest) return false
    let [at, part] = [0, 0]
    // Where to go on when what follows the last star does not fit: the star takes one more.
    let [starPart, starAt] = [-1, 0]
    while (at < characters.length) {
      const test = tests[part]
      if (test === null) {
        ;[starPart, starAt] = [part, at]
        part += 1
      } else if (test?.(characters[at]!) === true) {
        at += 1
        part += 1
      } else if (starPart >= 0) {
        starAt += 1
        ;[at, part] = [starAt, starPart + 1]
      } else return false
    }
    return tests.slice(part).every(test => test === null)
  }
}

function characterTest(part: string): (character: string) => boolean {
  if (part === '?') return () => true
  if (!part.startsWith('[') || part.length < 3) return character => character === part
  const isNot = part.startsWith('[^')
  const ranges = [...part.slice(isNot ? 2 : 1, -1).matchAll(/([^])-([^])|[^]/gu)]
  return character =>
    isNot !==
    ranges.some(([one, from, to]) =>
      from === undefined || to === undefined ? one === character : from <= character && character <= to,
    )
}

/** Texts that a decision asks for, by path; `-` is stdin. */
export async function readTexts(
  needs: readonly string[],
  operands: Operands,
): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const need of needs) {
    const below =
      need === '-' ? [] : operands.files.filter(({ path }) => path === need || path.startsWith(`${need}/`))
    const sources = need === '-' ? (operands.stdin === null ? [] : [operands.stdin]) : below
    const parts = await Promise.all(sources.map(one => textOf(one)))
    texts[need] = parts.join('\n')
  }
  return texts
}

/** What is too large to look at is told as what no table can clear: a text with a NUL. */
async function textOf({
  source,
  bytes,
}: {
  readonly source: string
  readonly bytes: number
}): Promise<string> {
  return bytes > MAX_PARSED_BYTES ? '\0' : readFile(source, 'utf8')
}

/** Digests by name, in order: equal where the contents mean the same. */
export async function digestBodies(
  operands: Operands,
  knowledge: ToolKnowledge,
  call: Call,
): Promise<(readonly [string, string])[]> {
  const all = [
    ...(operands.stdin === null ? [] : [{ ...operands.stdin, path: '-' }]),
    ...operands.files,
  ].sort((a, b) => (a.path < b.path ? -1 : 1))
  return Promise.all(
    all.map(async ({ path, source, bytes, sha256 }) => {
      if (knowledge.canonicalBody === undefined || bytes > MAX_PARSED_BYTES) return [path, sha256] as const
      const body = await readFile(source)
      const text = body.toString('utf8')
      const canonical = knowledge.canonicalBody(text, call)
      // What is no UTF-8 falls together when it is read as text: it is compared as it stands.
      if (canonical === text || !Buffer.from(text).equals(body)) return [path, sha256] as const
      return [path, createHash('sha256').update(canonical).digest('hex')] as const
    }),
  )
}
