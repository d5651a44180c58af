/** Text within the width of a terminal. What is measured is what is seen: no colour codes, wide letters as two. */

const ESC = '\u001B'
const COLOUR = new RegExp(`(${ESC}\\[[\\d;]*m)`)
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u
const UNSEEN = /[\p{M}\p{Cf}]/u

export function widthOf(text: string): number {
  let width = 0
  for (const part of text.split(COLOUR)) {
    if (!part.startsWith(ESC)) for (const letter of part) width += letterWidth(letter)
  }
  return width
}

/** Cuts the end, with a mark; colours around it stay closed. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let room = width - 1
  let result = ''
  for (const part of text.split(COLOUR)) {
    if (part.startsWith(ESC)) {
      result += part
      continue
    }
    for (const letter of part) {
      const needed = letterWidth(letter)
      if (needed > room) {
        if (room >= 0) result += '…'
        room = -1
        break
      }
      result += letter
      room -= needed
    }
  }
  return result
}

/** Words broken into lines; a word that is longer than a line stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  return flow(text.split(' '), ' ', width)
}

/** Parts joined while they fit, each of them whole. */
export function flow(parts: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const last = lines.at(-1)
    if (last !== undefined && widthOf(last) + separator.length + widthOf(part) <= width) {
      lines[lines.length - 1] = `${last}${separator}${part}`
    } else lines.push(part)
  }
  return lines
}

function letterWidth(letter: string): number {
  if (letter < '\u0300') return 1
  return UNSEEN.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1
}
