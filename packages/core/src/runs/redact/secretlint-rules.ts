/**
 * Finds what the recommended rules of secretlint find.
 *
 * Promises: the rules are loaded only for text that one of them could match, and their time is linear. Refuses
 * to pass on what could not be checked: when a rule fails, the whole text it failed on counts as secret.
 */

import type { Span } from './spans.ts'

/** secretlint's time grows with the square of its findings; windows that overlap keep it linear. */
const WINDOW_CHARS = 32_768
const WINDOW_OVERLAP_CHARS = 4096

/**
 * Whether a rule of secretlint's preset that own patterns do not cover could match. Loading the rules costs
 * tens of milliseconds, so this is near to the rules, and a superset of them.
 */
export function rulesMayMatch(text: string): boolean {
  return RULES_MAY_MATCH.test(text)
}

export async function spansOfRules(text: string): Promise<Span[]> {
  const spans: Span[] = []
  for (let at = 0; at < text.length; at += WINDOW_CHARS - WINDOW_OVERLAP_CHARS) {
    const window = text.slice(at, at + WINDOW_CHARS)
    if (!rulesMayMatch(window)) continue
    for (const { start, end, label } of await lintWindow(window)) {
      spans.push({ start: at + start, end: at + end, label })
    }
  }
  return spans
}

const RULES_MAY_MATCH =
  /A3T[A-Z0-9]{17}|A(?:GPA|IDA|ROA|IPA|NPA|NVA)[A-Z0-9]{16}|(?:SECRET|[Ss]ecret)_?(?:ACCESS|[Aa]ccess)_?(?:KEY|[Kk]ey)["']?\s{0,9}(?:=>|=|:)\s{0,9}["']?[A-Za-z0-9/+]{40}|(?:ACCOUNT|[Aa]ccount)_?(?:ID|[Ii]d)?["']?\s{0,9}(?:=>|=|:)\s{0,9}["']?\d{4}|BEGIN[A-Z ]{0,20}PRIVATE KEY|x-oauth-basic|_authToken=[^$[]|(?:xox[abopr]|xapp)-|hooks\.slack\.com\/services\/T|:\/\/[^\s/:@]{1,256}:(?!\[redacted)[^\s@]{1,256}@|sk-(?:proj|svcacct|admin|ant)-|T3BlbkFJ|gsk_[A-Za-z0-9]{52}|hf_[A-Za-z]{34}|lin_api_|ntn_\d{11}|SG\.\w|shp(?:pa|ca|at|ss)_|ghs_\d|gl(?:c|sa)_[A-Za-z0-9+/]{32}|ops_ey|dapi[A-Fa-f0-9]{32}|dckr_pat_|figd_|cf(?:k|ut|at)_[A-Za-z0-9]{40}|vc[piark]_[A-Za-z0-9]{20}|tskey-[a-z]/

/**
 * What secretlint finds. The rule for comments is left out: with it a script that prints
 * `secretlint-disable` would switch every other rule off.
 */
async function lintWindow(text: string): Promise<Span[]> {
  try {
    const [{ lintSource }, { rules }] = await Promise.all([
      import('@secretlint/core'),
      import('@secretlint/secretlint-rule-preset-recommend'),
    ])
    const result = await lintSource({
      source: { filePath: 'output.txt', ext: '.txt', contentType: 'text', content: text },
      options: {
        config: {
          rules: rules
            .filter(rule => rule.meta.id !== '@secretlint/secretlint-rule-filter-comments')
            .map(rule => ({ id: rule.meta.id, rule, options: {} })),
        },
        noPhysicFilePath: true,
      },
    })
    return result.messages.map(({ range, ruleId }) => ({
      start: range[0],
      end: range[1],
      label: ruleId.replace('@secretlint/secretlint-rule-', ''),
    }))
  } catch {
    return [{ start: 0, end: text.length, label: 'unchecked' }]
  }
}
