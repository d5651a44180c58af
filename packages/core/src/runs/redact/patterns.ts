/**
 * Finds what looks like a credential by its form alone: tokens with a known prefix, headers, JWTs, and with
 * their own files private keys and assignments.
 *
 * Promises: time is linear, and next to nothing where no word or prefix of a secret occurs.
 */

import { spansOfAssignments, spansOfNamedValues } from './assignments.ts'
import { spansOfPrivateKeys } from './private-keys.ts'
import type { Span } from './spans.ts'

export function spansOfPatterns(text: string): Span[] {
  const spans: Span[] = []
  if (!PATTERN_PREFIXES.test(text) && !PATTERN_WORDS.test(text)) return spans
  for (const { label, expression } of PATTERNS) {
    for (const match of text.matchAll(expression)) {
      const [start, end] = match.indices?.groups?.['secret'] ?? [match.index, match.index + match[0].length]
      spans.push({ start, end, label })
    }
  }
  if (text.includes('eyJ')) spans.push(...spansOfJwts(text))
  if (text.includes('PRIVATE KEY')) spans.push(...spansOfPrivateKeys(text))
  spans.push(...spansOfAssignments(text), ...spansOfNamedValues(text))
  return spans
}

/** Two looks say that no pattern can match, which is so for nearly every line. Apart they run far faster. */
const PATTERN_WORDS = /bearer|auth|cookie|pass|secret|token|key|pwd|cred|dsn|conn|jwt|sig/i
const PATTERN_PREFIXES =
  /AKIA|ASIA|AIza|eyJ|gh[pousr]_|github_pat_|gl[a-z]{2,5}-|npm_|xox[abeoprs]-|xapp-|hooks\.slack|[sr]k_(?:live|test)_|whsec_|ya29|hv[sbr]\.|:\/\/|[?&][Xx]-/

interface Pattern {
  readonly label: string
  /** Global; the group `secret`, if it has one, is what goes. */
  readonly expression: RegExp
}

/**
 * What secretlint misses (a bare access key id, JWT, headers) and what is common enough not to load it for.
 * No expression has two unbounded repeats that can match the same characters.
 */
const PATTERNS: readonly Pattern[] = [
  { label: 'aws-access-key-id', expression: /(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/g },
  { label: 'github-token', expression: /gh[pousr]_\w{30,}[\w.-]*|github_pat_\w{50,}/g },
  { label: 'gitlab-token', expression: /gl(?:pat|ptt|dt|rt|cbt|soat|ft|agent)-[\w.-]{20,}/g },
  { label: 'npm-token', expression: /npm_[A-Za-z0-9]{30,}/g },
  { label: 'slack-token', expression: /xox[abeoprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}/g },
  {
    label: 'slack-webhook',
    expression: /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<secret>[\w/-]{10,})/dg,
  },
  { label: 'stripe-key', expression: /(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,}/g },
  { label: 'google-api-key', expression: /AIza[\w-]{35}/g },
  { label: 'google-oauth-token', expression: /ya29\.[\w.-]{20,}/g },
  { label: 'vault-token', expression: /hv[sbr]\.[\w-]{20,}/g },
  {
    label: 'authorization',
    expression:
      /authorization\\?["']?\s{0,3}[:=]\s{0,3}\\?["']?(?!(?:\w{1,16}\s{1,3})?\[redacted)(?:(?:bearer|basic|token|digest|negotiate|apikey)\s{1,3})?(?<secret>[^\s"'\\]{6,})/dgi,
  },
  {
    label: 'bearer-token',
    expression: /\bbearer\s{1,3}(?<secret>(?=[\w.~+/-]{0,64}\d)[\w.~+/-]{16,}={0,2})/dgi,
  },
  {
    label: 'cookie',
    expression: /\bcookie\\?["']?:[ \t]{0,3}\\?["']?(?<secret>(?!\[redacted)[\w.%-]{1,64}=[^\r\n"'\\]+)/dgi,
  },
  {
    label: 'signature',
    expression:
      /[?&](?:sig|x-(?:amz|goog)-(?:signature|credential|security-token))=(?<secret>[^&\s"'\\<>]{8,})/dgi,
  },
  {
    label: 'url-password',
    expression: /:\/\/[^\s/:@"'`<>\\]{0,256}:(?<secret>(?!\[redacted)[^\s/?#"'`<>\\]{1,256})@/dg,
  },
]

/** A whole run of token characters at a time: to start again inside one would cost its length squared. */
const DOTTED_RUN = /(?<![\w-])[\w-]{8,}={0,2}(?:\.[\w-]*)+/g

/** JWT, JWE and what Kubernetes mounts for a service account: JSON in base64, then a dot. */
function spansOfJwts(text: string): Span[] {
  return [...text.matchAll(DOTTED_RUN)]
    .filter(([run]) => /^[^.]*eyJ[\w-]{8}/.test(run))
    .map(match => ({ start: match.index, end: match.index + match[0].length, label: 'jwt' }))
}
