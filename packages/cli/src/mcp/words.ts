/** Texts cut to size, and the commands of a person in the words of a client. Pure. */

export function cut(text: string, chars: number): string {
  if (text.length <= chars) return text
  // Half of a pair is no character.
  const end = /[\uD800-\uDBFF]/.test(text[chars - 2] ?? '') ? chars - 2 : chars - 1
  return `${text.slice(0, Math.max(0, end))}…`
}

/** The longest beginning of a text with which `fits` holds; it holds for less wherever it holds for more. */
export function longest(text: string, fits: (part: string) => boolean): string {
  if (fits(text)) return text
  let [low, high] = [0, text.length]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(cut(text, middle))) low = middle
    else high = middle - 1
  }
  return low === 0 ? '' : cut(text, low)
}

/** A list that is cut ends in how many more, also one that was cut before. */
export function cutList(list: readonly string[], most: number, chars: number): string[] {
  const more = /^… (\d+) more$/.exec(list.at(-1) ?? '')
  const own = more === null ? list : list.slice(0, -1)
  const hidden = own.length - Math.min(own.length, most) + Number(more?.[1] ?? 0)
  const shown = own.slice(0, most).map(text => cut(text, chars))
  return hidden === 0 ? shown : [...shown, `… ${hidden} more`]
}

const TOOL_CALLS: readonly (readonly [RegExp, (run: string) => string])[] = [
  [/^srecodex apply (\w+)$/, run => `apply_plan {"plan":"${run}"}, or a person runs: srecodex apply ${run}`],
  [/^srecodex resume (\w+)$/, run => `resume_run {"run":"${run}"}`],
  [/^srecodex output (\w+)$/, run => `read_output {"run":"${run}"}`],
  [/^srecodex output (\w+) --stream stderr$/, run => `read_output {"run":"${run}","stream":"stderr"}`],
  [/^srecodex runs watch (\w+)$/, run => `run_status {"run":"${run}","waitSeconds":240}`],
  [/^srecodex runs show (\w+)$/, run => `run_status {"run":"${run}"}`],
]

/** What a person would type, as the call that a model would make; flags as inputs. */
export function inToolWords(command: string): string {
  for (const [pattern, call] of TOOL_CALLS) {
    const run = pattern.exec(command)?.[1]
    if (run !== undefined) return call(run)
  }
  return command.replaceAll('--workspace', '`workspace`').replaceAll('--timeout', '`timeoutSeconds`')
}
