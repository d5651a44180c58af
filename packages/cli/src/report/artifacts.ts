/**
 * The artifacts of a run, with links to those that a browser only shows. A script made them: a page of its own, opened
 * with a click, could tell a stranger what is in it, so whatever a browser may run is named and not linked. Nor is a
 * file with a secret in its name: the link would say it.
 */

import type { Artifact } from '@srecodex/core'
import { dirname, extname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { plain } from '../render/plan.ts'
import type { PageArtifact } from './page-data.ts'

const MAX_ARTIFACTS = 500
/** Shown as text or as a picture, whatever they hold. */
const INERT = new Set(['.txt', '.csv', '.json', '.png', '.jpg', '.jpeg', '.gif', '.webp'])

/**
 * @param folder of the run.
 * @param page the file that will hold the links; null: nobody knows where it will lie.
 */
export function shownArtifacts(
  found: readonly Artifact[],
  folder: string,
  page: string | null,
): { readonly shown: readonly PageArtifact[]; readonly leftOut: number } {
  const listed = found.slice(0, MAX_ARTIFACTS).map(({ name, shown, bytes }) => {
    const path = join(folder, 'artifacts', shown)
    const isLinked = shown === name && INERT.has(extname(name).toLowerCase())
    return {
      ...{ name: plain(shown), bytes, path: plain(path) },
      href: isLinked ? hrefOf(path, folder, page) : null,
    }
  })
  return { shown: listed, leftOut: found.length - listed.length }
}

/** Relative inside of the run's folder, so that the folder can be moved; else where it lies. */
function hrefOf(path: string, folder: string, page: string | null): string {
  if (page === null || dirname(page) !== folder) return pathToFileURL(path).href
  return relative(folder, path).split(sep).map(encodeURIComponent).join('/')
}
