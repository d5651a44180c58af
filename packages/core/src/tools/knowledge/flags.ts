/** Flags in one spelling and one order. Pure. */

import type { GivenOption } from '../effects/options.ts'

export interface FlagRules {
  /** They change what is shown or how long is waited, not what is done. */
  readonly harmless: ReadonlySet<string>
  /** They add up; of any other the last one counts. */
  readonly repeated: ReadonlySet<string>
  /** Their values name files, which are compared by content. */
  readonly files?: ReadonlySet<string>
}

export const canonicalOptions = (options: readonly GivenOption[], rules: FlagRules): readonly string[] => {
  const byName = new Map<string, string[]>()
  for (const { name, value } of options) {
    if (rules.harmless.has(name)) continue
    const shown = value === null ? '' : `=${rules.files?.has(name) === true ? '<file>' : value}`
    if (rules.repeated.has(name)) byName.set(name, [...(byName.get(name) ?? []), shown])
    else byName.set(name, [shown])
  }
  return [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, values]) => values.map(value => `--${name}${value}`))
}
