/** In a console block what is typed stands out, and what was printed steps back: each line says which it is. */

interface Element {
  readonly children: readonly (Element | { readonly value?: string })[]
}

interface Context {
  readonly options: { readonly lang: string }
  addClassToHast(node: Element, name: string): unknown
}

export const typedLines = {
  name: 'srecodex:typed-lines',
  // oxlint-disable-next-line typescript/no-explicit-any -- the highlighter's own types are no dependency of the pages
  line(this: any, line: any): void {
    const context = this as Context
    if (context.options.lang !== 'console') return
    context.addClassToHast(line as Element, textOf(line as Element).startsWith('$ ') ? 'typed' : 'printed')
  },
}

function textOf(node: Element | { readonly value?: string }): string {
  return 'children' in node ? node.children.map(textOf).join('') : (node.value ?? '')
}
