/**
 * The artifacts of a run, with links to those that a browser only shows. A script made them: a page of its own, opened
 * with a click, could tell a stranger what is in it, so whatever a browser may run is named and not linked.
 */

import { readdirSync, statSync } from 'node:fs'
import { dirname, extname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { plain } from '../render/plan.ts'
import type { PageArtifact } from './page-data.ts'

const MAX_ARTIFACTS = 500
/** Shown as text or as a picture, whatever they hold. */
const INERT = new Set(['.txt', '.csv', '.json', '.png', '.jpg', '.jpeg', '.gif', '.webp'])

/** @param page the file that will hold the links; null: nobody knows where it will lie. */
export function listArtifacts(
  folder: string,
  page: string | null,
): { readonly shown: readonly PageArtifact[]; readonly leftOut: number } {
  const root = join(folder, 'artifacts')
  const files = filesBelow(root)
  const shown = files.slice(0, MAX_ARTIFACTS).map(path => ({
    name: plain(relative(root, path)),
    bytes: sizeOf(path),
    path: plain(path),
    href: INERT.has(extname(path).toLowerCase()) ? hrefOf(path, folder, page) : null,
  }))
  return { shown, leftOut: files.length - shown.length }
}

/** Relative inside of the run's folder, so that the folder can be moved; else where it lies. */
function hrefOf(path: string, folder: string, page: string | null): string {
  if (page === null || dirname(page) !== folder) return pathToFileURL(path).href
  return relative(folder, path).split(sep).map(encodeURIComponent).join('/')
}

function filesBelow(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile()) // a link leads who knows where
      .map(entry => join(entry.parentPath, entry.name))
      .sort()
  } catch {
    return []
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
