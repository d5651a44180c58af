/** A block of code that is a file says its name: ```` ```python [restart.py] ````. */

import type { MarkdownRenderer } from 'vitepress'

export function fileNames(md: MarkdownRenderer): void {
  const fence = md.renderer.rules.fence
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index]
    if (token === undefined || fence === undefined) return ''
    const name = token.info.startsWith('mermaid') ? undefined : /\[([^\]]+)\]/.exec(token.info)?.[1]
    const block = fence(tokens, index, options, env, self)
    if (name === undefined) return block
    return `<div class="file"><p class="file-name">${md.utils.escapeHtml(name)}</p>${block}</div>\n`
  }
}
