/**
 * kustomize fetches what a kustomization names by address, a repository or a file alike, and builds it into what is
 * applied: nobody would have seen it. So a kustomization that names any is refused, before the tool sees it.
 */

import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import type { Document } from 'yaml'
import { CallError } from '../protocol.ts'
import type { CapturedFile } from './operands.ts'

const NAMES: ReadonlySet<string> = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization'])

/** Under these stand words of the objects themselves, which nobody fetches. */
const PLAIN_TEXTS: ReadonlySet<string> = new Set([
  'annotations',
  'commonAnnotations',
  'commonLabels',
  'images',
  'labels',
  'literals',
  'metadata',
  'options',
  'patch',
])

/** As kustomize tells an address from a path: a scheme, a known host, `git@host:`, or a `ref`. */
const ADDRESS =
  /^[a-z][a-z0-9+.-]*:{1,2}|^(?:github|gitlab|bitbucket)\.|^gh:|^[^/]+@[^/]+:|\/\/|\?|\.git(?:\/|$)|_git\//i

/** What they list is built in but configured by files of any name, whose words kustomize may fetch as well. */
const CONFIGURED: readonly string[] = ['generators', 'transformers', 'validators']

/** Another parser would read another text: other line ends, another encoding. */
// oxlint-disable-next-line no-control-regex -- some of them are control characters
const DOUBTFUL = /\r(?!\n)|[\0\u0085\u2028\u2029\uFEFF\uFFFD]/

/** @throws {CallError} REFUSED */
export async function refuseRemoteKustomizations(files: readonly CapturedFile[]): Promise<void> {
  let isConfigured = false
  for (const file of files) {
    if (!NAMES.has(posix.basename(file.path))) continue
    for (const content of await contentsOf(file)) {
      const address = findAddress(content, PLAIN_TEXTS)
      if (address !== null) throw refused(file.path, `names \`${address.slice(0, 200)}\``)
      isConfigured ||= CONFIGURED.some(key => isRecord(content) && Object.hasOwn(content, key))
    }
  }
  if (!isConfigured) return
  for (const file of files) {
    for (const content of await contentsOf(file)) {
      const address = findAddress(content, NONE)
      if (address !== null) throw refused(file.path, `names \`${address.slice(0, 200)}\``)
    }
  }
}

const NONE: ReadonlySet<string> = new Set()

async function contentsOf({ path, source }: CapturedFile): Promise<unknown[]> {
  const { parseAllDocuments } = await import('yaml')
  const text = await readFile(source, 'utf8')
  if (DOUBTFUL.test(text)) throw refused(path, 'cannot be read without doubt')
  const documents = [...parseAllDocuments(text)]
  const contents = documents.map(document => (document.errors.length > 0 ? UNREADABLE : contentOf(document)))
  if (contents.includes(UNREADABLE)) throw refused(path, 'cannot be read')
  return contents
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const UNREADABLE = Symbol('unreadable')

/** An alias of nothing, or too many of them, is an error only here. */
function contentOf(document: Document): unknown {
  try {
    return document.toJS() as unknown
  } catch {
    return UNREADABLE
  }
}

/** @param passed keys below which nothing is fetched. */
function findAddress(value: unknown, passed: ReadonlySet<string>): string | null {
  // An inline configuration is YAML once more, where an escape hides an address.
  if (typeof value === 'string') return ADDRESS.test(value) || isEscaped(value) ? value : null
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value) && passed.has(key)) continue
    const found = findAddress(inner, passed)
    if (found !== null) return found
  }
  return null
}

function isEscaped(value: string): boolean {
  return value.includes('\n') && value.includes('\\')
}

function refused(path: string, why: string): CallError {
  return new CallError('REFUSED', `${path} ${why}: the tool would fetch it by itself`, {
    hint: 'fetch it in the script where the network is allowed, and name the files',
  })
}
