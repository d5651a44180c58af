/** The structure of a Markdown text: headings, what is code, and links. Pure. Lines count from 1. */

export interface Heading {
  readonly level: number
  readonly text: string
  readonly line: number
  /** Last line of its section: up to the next heading of the same or a higher level. */
  readonly endLine: number
}

export interface Link {
  readonly target: string
  readonly line: number
}

export interface Outline {
  readonly lines: readonly string[]
  readonly headings: readonly Heading[]
  readonly links: readonly Link[]
  /** First lines of fenced code blocks. */
  readonly codeBlocks: readonly number[]
  /** Whether a line is code, the fence with it, or lies in a comment. */
  readonly isCode: (line: number) => boolean
}

const FENCE = /^[ \t]*(?:>[ \t]*|[-*+][ \t]+|\d+[.)][ \t]+)*(`{3,}|~{3,})(.*)$/

/** A line of a stranger may be a megabyte of spaces, on which an expression would take for ever. */
const MAX_LINE = 1000

const scanCode = (lines: readonly string[]): { code: boolean[]; blocks: number[] } => {
  const code: boolean[] = []
  const blocks: number[] = []
  let fence = ''
  let inComment = false
  for (const [index, line] of lines.entries()) {
    const mayFence = !inComment && (line.includes('```') || line.includes('~~~'))
    const [, marks = '', info = ''] = mayFence ? (FENCE.exec(line.slice(0, MAX_LINE)) ?? []) : []
    if (fence !== '') {
      code.push(true)
      if (marks[0] === fence[0] && marks.length >= fence.length && info.trim() === '') fence = ''
    } else if (marks !== '' && !(marks.startsWith('`') && info.includes('`'))) {
      fence = marks
      blocks.push(index + 1)
      code.push(true)
    } else {
      const begins = !inComment && line.trimStart().startsWith('<!--')
      code.push(inComment || begins)
      if (inComment || begins) inComment = !line.includes('-->')
    }
  }
  return { code, blocks }
}

const INLINE_LINK =
  /\]\(\s*(?:<([^>\n]*)>|([^()\s]*(?:\([^()\s]*\)[^()\s]*)*))(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*\)/g
const REFERENCE = /^ {0,3}\[[^\]]+\]:\s*(?:<([^>\n]*)>|(\S+))/

const linksOf = (line: string): string[] => {
  const text = line.length > 5 * MAX_LINE ? '' : line.replaceAll(/(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)/g, '')
  const reference = REFERENCE.exec(text)
  const inline = [...text.matchAll(INLINE_LINK)].map(match => match[1] ?? match[2] ?? '')
  return reference === null ? inline : [...inline, reference[1] ?? reference[2] ?? '']
}

/** Without HTML comments; one that is not closed goes to the end. */
export const withoutComments = (text: string): string => {
  let rest = ''
  let from = 0
  for (let open = text.indexOf('<!--'); open !== -1; open = text.indexOf('<!--', from)) {
    rest += text.slice(from, open)
    const close = text.indexOf('-->', open + 4)
    if (close === -1) return rest
    from = close + 3
  }
  return rest + text.slice(from)
}

const headingsOf = (lines: readonly string[], code: readonly boolean[]): Heading[] => {
  const headings: (Heading & { endLine: number })[] = []
  /** Those whose section goes on. */
  const open: { level: number; endLine: number }[] = []
  for (const [index, line] of lines.entries()) {
    if (code[index] === true || line.length > MAX_LINE || !line.trimStart().startsWith('#')) continue
    const match = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/.exec(line)
    if (match === null) continue
    const heading = {
      level: match[1]?.length ?? 1,
      text: match[2] ?? '',
      line: index + 1,
      endLine: lines.length,
    }
    for (let last = open.at(-1); last !== undefined && last.level >= heading.level; last = open.at(-1)) {
      last.endLine = index
      open.pop()
    }
    open.push(heading)
    headings.push(heading)
  }
  return headings
}

export const outline = (text: string): Outline => {
  const lines = text.split('\n')
  const { code, blocks } = scanCode(lines)
  const headings = headingsOf(lines, code)
  const links = lines.flatMap((line, index) =>
    code[index] === true || !/\]\(|\]:/.test(line)
      ? []
      : linksOf(line).map(target => ({ target, line: index + 1 })),
  )
  return { lines, headings, links, codeBlocks: blocks, isCode: line => code[line - 1] === true }
}
