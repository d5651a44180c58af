/**
 * The operator's patterns: words over an argv.
 *
 * - A word may hold `*`, which stands for any characters inside that one word.
 * - A word that is only `*` stands for one word that is no flag; as the last word, for all that follows.
 * - Without a last `*` the pattern is the whole call, and nothing may follow.
 */

/** Piece by piece: a word is a script's, and a regular expression of several stars takes for ever to say no to it. */
const wordMatches = (pattern: string, word: string): boolean => {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return word === first
  if (!word.startsWith(first)) return false
  let at = first.length
  for (const piece of rest) {
    const found = word.indexOf(piece, at)
    if (found === -1) return false
    at = found + piece.length
  }
  return word.length - last.length >= at && word.endsWith(last)
}

export const patternWords = (pattern: string): string[] => pattern.split(/\s+/).filter(word => word !== '')

export const matchesPattern = (pattern: string, argv: readonly string[]): boolean => {
  const words = patternWords(pattern)
  if (words.length === 0) return false
  for (const [index, word] of words.entries()) {
    const isLast = index === words.length - 1
    if (word === '*' && isLast) return true
    const given = argv[index]
    if (given === undefined) return false
    if (word === '*' ? given.startsWith('-') || given === '' : !wordMatches(word, given)) return false
  }
  return words.length === argv.length
}

/** A pattern that can let a credential out: every word of the call is spelt, none is only `*`. */
export const namesWholeCall = (pattern: string): boolean => !patternWords(pattern).includes('*')
