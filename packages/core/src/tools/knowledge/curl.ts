/** What is known of curl: nothing can be asked of a server without asking it. */

import { readCurl } from '../effects/curl.ts'
import type { Call, Decision } from '../effects/decision.ts'
import { failureBy, NETWORK_FAILURES } from './failures.ts'
import type { FailureRule } from './failures.ts'
import { canonicalOptions } from './flags.ts'
import { unheard } from './generic.ts'
import type { Rehearsal, ToolKnowledge } from './knowledge.ts'

const FLAGS = {
  harmless: new Set(
    'silent show-error no-progress-meter max-time connect-timeout compressed no-buffer ipv4 ipv6 url request'.split(
      ' ',
    ),
  ),
  repeated: new Set(
    'header data data-ascii data-binary data-raw data-urlencode json form form-string url-query output write-out'.split(
      ' ',
    ),
  ),
  files: new Set(['upload-file']),
}

/** `@file` of these is a file; its place says nothing. */
const BODIES = new Set(['data', 'data-ascii', 'data-binary', 'json', 'header'])

const canonical = (call: Call, { target }: Decision): readonly string[] => {
  const read = readCurl(call.argv)
  if (read === null || target.kind !== 'web') return call.argv
  const options = read.options.map(({ name, value }) => ({
    name: name === 'data-ascii' ? 'data' : name,
    value: value !== null && BODIES.has(name) && value.startsWith('@') ? '@<file>' : value,
  }))
  return [target.method, ...canonicalOptions(options, FLAGS), '--', ...target.urls]
}

const rehearse = (call: Call, { target }: Decision): Rehearsal => {
  if (target.kind !== 'web') return unheard(call, 'what this call prints is known only once it ran')
  const { method, urls } = target
  return unheard(
    call,
    `what ${method} ${urls[0] ?? ''} answers is known only once it ran`,
    urls.map(url => `${method} ${url}`),
  )
}

const status = (codes: string): RegExp => new RegExp(`returned error: (?:${codes})\\b`)

/** With `--retry` the last answer need not be the only one, so none is definite. */
const RULES: readonly FailureRule[] = [
  { class: 'throttled', definite: false, throttled: true, when: status('429') },
  {
    class: 'expired login',
    definite: false,
    when: status('401'),
    hint: 'the operator gives the login: renew it',
  },
  { class: 'forbidden', definite: false, when: status('403') },
  { class: 'not found', definite: false, when: status('404|410') },
  { class: 'conflict', definite: false, when: status('409|412') },
  { class: 'invalid', definite: false, when: status('400|405|415|422') },
  { class: 'timed out', definite: false, when: status('408|504') },
  {
    class: 'unreachable',
    definite: false,
    when: /Could not resolve host|Failed to connect|Connection refused|SSL|Empty reply from server/,
  },
]

/** With `-s` there are no words, but there is a code. */
const CODES: Readonly<Record<number, string>> = {
  6: 'unreachable',
  7: 'unreachable',
  28: 'timed out',
  35: 'unreachable',
  52: 'unreachable',
  56: 'unreachable',
  60: 'unreachable',
}

export const CURL_KNOWLEDGE: ToolKnowledge = {
  canonical,
  rehearse: (call, decision) => Promise.resolve(rehearse(call, decision)),
  failure: (exitCode, stderr) => {
    const said = failureBy([...RULES, ...NETWORK_FAILURES], stderr)
    const byCode = exitCode === null ? undefined : CODES[exitCode]
    return byCode === undefined ? said : { ...said, class: byCode }
  },
}
