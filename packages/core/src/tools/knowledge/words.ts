/** Words of calls, for people. Pure. */

/** Enough of a call to tell what it is: the program and what stands before its first flag. */
export const firstWords = (words: readonly string[], most = 4): string => {
  const flag = words.findIndex(word => word.startsWith('-'))
  return words.slice(0, Math.min(most, flag < 0 ? words.length : Math.max(flag, 1))).join(' ')
}
