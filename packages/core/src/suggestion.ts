/** The name that a person probably meant, among those that exist. */

/** Optimal string alignment: a swap of neighbours counts as one step, as it does for a hand. */
const editDistance = (a: string, b: string): number => {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      const steps = [(rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (rows[i - 1]?.[j - 1] ?? 0) + change]
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) steps.push((rows[i - 2]?.[j - 2] ?? 0) + 1)
      row.push(Math.min(...steps))
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? 0
}

/** Case and the kind of separator are no slip: `scriptFirst` and `script-first` both mean `script_first`. */
const folded = (word: string): string => word.toLowerCase().replaceAll(/[-_ ]/g, '').slice(0, 100)

/** The nearest candidate within two slips, else one that begins as the word does; `undefined` where none is. */
export const nearest = (word: string, candidates: readonly string[]): string | undefined => {
  const asked = folded(word)
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of candidates) {
    const known = folded(candidate)
    const isPrefix = asked.length > 2 && (known.startsWith(asked) || asked.startsWith(known))
    const slips = Math.abs(known.length - asked.length) > 2 ? Infinity : editDistance(asked, known)
    const distance = slips < Math.min(3, asked.length) ? slips : isPrefix ? 3 : Infinity
    if (distance < (best?.distance ?? Infinity)) best = { candidate, distance }
  }
  return best?.candidate
}

/** A hint, where a candidate is near. */
export const didYouMean = (word: string, candidates: readonly string[], prefix = ''): { hint?: string } => {
  const found = nearest(word, candidates)
  return found === undefined ? {} : { hint: `did you mean \`${prefix}${found}\`?` }
}
