/** The name that a person probably meant. */

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

const nearest = (word: string, candidates: readonly string[]): string | undefined => {
  const asked = word.toLowerCase().slice(0, 100)
  const scored = candidates
    .map(candidate => {
      const known = candidate.toLowerCase()
      const isPrefix = asked.length > 2 && (known.startsWith(asked) || asked.startsWith(known))
      const distance = editDistance(asked, known)
      return {
        candidate,
        distance: distance < Math.min(3, asked.length) ? distance : isPrefix ? 3 : Infinity,
      }
    })
    .filter(one => one.distance < Infinity)
  return scored.sort((a, b) => a.distance - b.distance)[0]?.candidate
}

/** A hint, where one of the candidates is within two slips of the word or begins as it does. */
export const didYouMean = (word: string, candidates: readonly string[], prefix = ''): { hint?: string } => {
  const found = nearest(word, candidates)
  return found === undefined ? {} : { hint: `did you mean \`${prefix}${found}\`?` }
}
