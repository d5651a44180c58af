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

/** @throws {CallError} REFUSED */
export async function refuseRemoteKustomizations(files: readonly CapturedFile[]): Promise<void> {
  for (const { path, source } of files) {
    if (!NAMES.has(posix.basename(path))) continue
    const { parseAllDocuments } = await import('yaml')
    const documents = parseAllDocuments(await readFile(source, 'utf8'))
    for (const document of documents) {
      const content = document.errors.length > 0 ? UNREADABLE : contentOf(document)
      if (content === UNREADABLE) throw refused(path, 'cannot be read')
      const address = findAddress(content)
      if (address !== null) throw refused(path, `names \`${address.slice(0, 200)}\``)
    }
  }
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

function findAddress(value: unknown): string | null {
  if (typeof value === 'string') return ADDRESS.test(value) ? value : null
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value) && PLAIN_TEXTS.has(key)) continue
    const found = findAddress(inner)
    if (found !== null) return found
  }
  return null
}

function refused(path: string, why: string): CallError {
  return new CallError('REFUSED', `${path} ${why}: the tool would fetch it by itself`, {
    hint: 'fetch it in the script where the network is allowed, and name the files',
  })
}
