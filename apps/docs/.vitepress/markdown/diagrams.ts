/**
 * Diagrams become SVG while the site is built: no script draws them, and their colours are the theme's variables, so
 * one picture serves light and dark.
 */

import { renderMermaidSVG } from 'beautiful-mermaid'
import type { MarkdownRenderer } from 'vitepress'

const COLOURS = {
  bg: 'var(--vp-c-bg)',
  fg: 'var(--vp-c-text-1)',
  line: 'var(--vp-c-text-3)',
  accent: 'var(--vp-c-brand-1)',
  muted: 'var(--vp-c-text-2)',
  surface: 'var(--vp-c-bg-soft)',
  border: 'var(--vp-c-border)',
  font: 'Source Sans 3 Variable',
  transparent: true,
  padding: 8,
  nodeSpacing: 28,
  layerSpacing: 44,
}

export function diagrams(md: MarkdownRenderer): void {
  const fence = md.renderer.rules.fence
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]
    if (token === undefined || fence === undefined) return ''
    if (!token.info.startsWith('mermaid')) return fence(tokens, index, options, env, self)
    const title = /\[(.+)\]/.exec(token.info)?.[1] ?? 'Diagram'
    return figure(drawn(token.content), title)
  }
}

export function drawn(source: string): string {
  return renderMermaidSVG(source, COLOURS)
    .replaceAll(/@import url\([^)]*\);?/g, '')
    .replace('<svg ', '<svg role="img" ')
}

/** As a string that Vue puts in place: in a template it would drop the style of the drawing. */
function figure(svg: string, title: string): string {
  const labelled = svg.replace('role="img"', `role="img" aria-label=${JSON.stringify(title)}`)
  const literal = JSON.stringify(labelled)
    .replaceAll('&', '&amp;')
    .replaceAll('"', '&quot;')
    .replaceAll('<', '&lt;')
  return `<figure class="diagram" tabindex="0" aria-label="${title}" v-html="${literal}"></figure>\n`
}
