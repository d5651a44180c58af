/**
 * Stretches of a text that go, and the text without them.
 *
 * Promises: stretches that overlap go as one, so that no end of the longer one stays; in their place stands a
 * name, or as many names as they had lines where the lines must remain as many.
 */

export interface Span {
  readonly start: number
  readonly end: number
  readonly label: string
}

/** @param keepLines One name for each line that goes, instead of one for all of them. */
export function replaceSpans(text: string, spans: readonly Span[], keepLines: boolean): string {
  if (spans.length === 0) return text
  const parts: string[] = []
  let from = 0
  for (const span of merged(spans)) {
    const removed = text.slice(span.start, span.end)
    const label = placeholder(span.label)
    const lines = keepLines ? removed.split('\n').length : 1
    parts.push(text.slice(from, span.start), Array.from({ length: lines }, () => label).join('\n'))
    from = span.end
  }
  parts.push(text.slice(from))
  return parts.join('')
}

/** Spans that overlap go as one, so that no end of the longer one stays. The longest names it. */
function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = []
  let longest = 0
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = result[result.length - 1]
    if (last === undefined || span.start >= last.end) {
      result.push(span)
      longest = span.end - span.start
      continue
    }
    const label = span.end - span.start > longest ? span.label : last.label
    longest = Math.max(longest, span.end - span.start)
    result[result.length - 1] = { start: last.start, end: Math.max(last.end, span.end), label }
  }
  return result
}

/** The name of a variable is the operator's; only what cannot be mistaken for anything else is shown. */
function placeholder(label: string): string {
  return /^[\w.-]{1,64}$/.test(label) ? `[redacted:${label}]` : '[redacted]'
}
