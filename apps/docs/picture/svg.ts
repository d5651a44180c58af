/** Lines of a terminal as an SVG that needs nothing else: no script, no font, no network. Pure. */

import type { Colour, Run } from './screen.ts'

const SIZE = 13
const ADVANCE = SIZE * 0.6
const LEADING = 19
const MARGIN = 22

const COLOURS: Readonly<Record<Colour, string>> = {
  plain: '#dedbd2',
  bold: '#ffffff',
  dim: '#98948a',
  red: '#f0887c',
  green: '#74d0b4',
  yellow: '#e3c078',
  blue: '#8fb8ea',
  cyan: '#8cc7d6',
}

export function terminalSvg(lines: readonly (readonly Run[])[], columns: number, title: string): string {
  const width = Math.round(columns * ADVANCE + 2 * MARGIN)
  const height = lines.length * LEADING + 2 * MARGIN
  const rows = lines
    .map((line, row) => rowOf(line, MARGIN + SIZE + row * LEADING))
    .filter(text => text !== '')
  const styles = Object.entries(COLOURS).map(([name, colour]) => `.${name}{fill:${colour}}`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>text{font:${SIZE}px "Source Code Pro",ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}.bold{font-weight:600}${styles.join('')}</style>`,
    `<rect width="${width}" height="${height}" rx="7" fill="#161714"/>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n')
}

/** Words keep their column whatever font the reader has: each group of them is placed by itself. */
function rowOf(line: readonly Run[], y: number): string {
  let column = 0
  const groups = line.flatMap(({ text, colour }) => {
    const start = column
    column += widthOf(text)
    return [...text.matchAll(/\S+(?: \S+)*/g)].map(({ 0: words, index }) => {
      const x = (MARGIN + (start + widthOf(text.slice(0, index))) * ADVANCE).toFixed(1)
      const length = (widthOf(words) * ADVANCE).toFixed(1)
      return `<tspan x="${x}" textLength="${length}" lengthAdjust="spacingAndGlyphs" class="${colour}">${escaped(words)}</tspan>`
    })
  })
  return groups.length === 0 ? '' : `<text y="${y}">${groups.join('')}</text>`
}

/** In columns: what the demo prints takes one a code point. */
const widthOf = (text: string): number => Array.from(text).length

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
