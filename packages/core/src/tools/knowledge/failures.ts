/**
 * Failed calls by what they said on stderr. Pure.
 *
 * A failure is definite only where whoever was asked said no before anything was done. What broke on the way is
 * never definite: the request may have arrived.
 */

import type { FailureKind } from './knowledge.ts'

export interface FailureRule {
  readonly class: string
  readonly when: RegExp
  readonly definite: boolean
  readonly throttled?: true
  readonly hint?: string | ((stderr: string) => string | null)
}

/** Networks break alike for every tool. */
export const NETWORK_FAILURES: readonly FailureRule[] = [
  {
    class: 'timed out',
    definite: false,
    when: /timed? ?out|deadline exceeded|Client\.Timeout|request canceled|may still be processing/i,
  },
  {
    class: 'unreachable',
    definite: false,
    when: /connection refused|was refused - did you specify|no such host|could not (?:connect|resolve|translate)|network is unreachable|no route to host|connection reset|unexpected EOF|\bEOF$|x509:|http2: client connection lost|Unable to connect to the server/im,
  },
]

/**
 * The first rule that fits names the class. One that is not definite and fits as well makes the whole not definite:
 * a call of many objects says many things.
 */
export const failureBy = (
  rules: readonly FailureRule[],
  stderr: string,
  { didSomething = false }: { readonly didSomething?: boolean } = {},
): FailureKind => {
  const fitting = rules.filter(({ when }) => when.test(stderr))
  const [rule] = fitting
  if (rule === undefined) return { class: 'failed', definite: false, throttled: false, hint: null }
  return {
    class: rule.class,
    definite: !didSomething && fitting.every(({ definite }) => definite),
    throttled: rule.throttled === true,
    hint: typeof rule.hint === 'function' ? rule.hint(stderr) : (rule.hint ?? null),
  }
}

/** Nothing is known but how networks break. */
export const plainFailure = (_exitCode: number | null, stderr: string): FailureKind =>
  failureBy(NETWORK_FAILURES, stderr)
