/**
 * Takes secrets out of text: values that the operator's environment holds, and what looks like a credential.
 *
 * Promises: a value is found as it is and as JSON, URL, HTML, base64 and hex write it; what overlaps is removed
 * whole, never by half; text that is JSON, or has lines of JSON, stays JSON of the same shape. Time is linear.
 *
 * Refuses to pass on what it could not check: when a rule fails, the text it failed on is withheld.
 *
 * It protects from accidents. A script that means to hide a value (reversed, in pieces, base64 broken over
 * lines) can; what keeps secrets from scripts is the sandbox.
 *
 * Text is sanitised before it comes here (a zero-width space would split a token) and cut afterwards.
 */

import { secretsOf } from './redact/environment-secrets.ts'
import { indexForms, type NamedValue } from './redact/known-values.ts'
import { render, renderLeaf } from './redact/pieces.ts'
import { scan } from './redact/scan.ts'
import { rulesMayMatch, spansOfRules } from './redact/secretlint-rules.ts'

export { secretsOf, type NamedValue }

export interface RedactorOptions {
  /** The environment, whole: which of it is secret is decided here. Empty means that only patterns count. */
  readonly values: Iterable<NamedValue>
}

export interface Redactor {
  /** Known values, own patterns and, where the text could hold one, the rules of secretlint. */
  redact(text: string): Promise<string>
  /** The same for lines that are shown one by one: as many come back, also where a key spans several. */
  redactLines(lines: readonly string[]): Promise<string[]>
  /** Known values and own patterns only, without loading anything. */
  redactKnown(text: string): string
  /**
   * Text that was cut before it came here can hold half a secret at the cut end, and no half is recognised:
   * leave out this many characters there.
   */
  readonly edgeChars: number
}

const MIN_EDGE_CHARS = 4096

export function createRedactor(options: RedactorOptions): Redactor {
  const known = indexForms(secretsOf(options.values))
  const redact = async (text: string, keepLines: boolean): Promise<string> => {
    const { root, leaves } = scan(text, known)
    const doubtful = leaves.filter(leaf => rulesMayMatch(renderLeaf(leaf, false)))
    for (const leaf of doubtful) leaf.spans.push(...(await spansOfRules(leaf.text)))
    return render(root, keepLines)
  }
  return {
    redact: text => redact(text, false),
    redactLines: async lines =>
      lines.length === 0 ? [] : (await redact(lines.join('\n'), true)).split('\n'),
    redactKnown: text => render(scan(text, known).root, false),
    edgeChars: Math.max(MIN_EDGE_CHARS, known.longestChars),
  }
}
