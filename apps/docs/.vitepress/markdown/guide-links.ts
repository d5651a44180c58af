/**
 * Links inside a guide lead to files of `dotcodex`, where the guide is. Here each becomes a link to the page that is
 * that file, or that is made from it. One that no page stands for is left, and fails the build as a dead link.
 */

import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'
import { PAGES, SKILLS } from '../../generate/repository.ts'

export function guideLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('guide-links', state => {
    const { path } = state.env as { path?: string }
    if (path === undefined || !isLinked(path)) return
    for (const token of state.tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null
      if (href !== null && !/^([a-z]+:|#|\/)/i.test(href)) token.attrSet('href', pageLink(path, href))
    }
  })
}

/** Files that are pages by a link, and the pages they are. */
export function linkedPages(folder = join(PAGES, 'guides')): ReadonlyMap<string, string> {
  const pages = readdirSync(folder).map(name => join(folder, name))
  return new Map(pages.filter(isLinked).map(page => [realpathSync(page), page]))
}

const isLinked = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true

function pageLink(page: string, href: string): string {
  const [file = '', hash] = href.split('#')
  const target = resolve(dirname(realpathSync(page)), file)
  const to = linkedPages().get(target) ?? skillPage(target)
  if (to === null) return href
  return `${relative(dirname(page), to)}${hash === undefined ? '' : `#${hash}`}`.replace(/^(?!\.)/, './')
}

function skillPage(file: string): string | null {
  const [, id] = /^(.+?)(\/SKILL\.md)?$/.exec(relative(SKILLS, file)) ?? []
  if (id === undefined || id.startsWith('..')) return null
  return join(PAGES, 'skills', id === '' ? 'index.md' : `${id}.md`)
}
