/**
 * The artifacts of a run, with links to those that a browser only shows. A script made them: a page of its own, opened
 * with a click, could tell a stranger what is in it, so whatever a browser may run is named and not linked.
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
  const shown = found.slice(0, MAX_ARTIFACTS).map(({ name, bytes }) => {
    const path = join(folder, 'artifacts', name)
    return {
      ...{ name: plain(name), bytes, path: plain(path) },
      href: INERT.has(extname(path).toLowerCase()) ? hrefOf(path, folder, page) : null,
    }
  })
  return { shown, leftOut: found.length - shown.length }
}

/** Relative inside of the run's folder, so that the folder can be moved; else where it lies. */
function hrefOf(path: string, folder: string, page: string | null): string {
  if (page === null || dirname(page) !== folder) return pathToFileURL(path).href
  return relative(folder, path).split(sep).map(encodeURIComponent).join('/')
}
