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

export interface NamedValue {
  readonly name: string
  readonly value: string
}

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

export function createRedactor(options: RedactorOptions): Redactor {
  const known = indexForms(secretsOf(options.values))
  const redact = async (text: string, keepLines: boolean): Promise<string> => {
    const leaves: Leaf[] = []
    const root = scan(text, known, leaves, 0)
    const doubtful = leaves.filter(leaf => RULES_MAY_MATCH.test(renderLeaf(leaf, false)))
    for (const leaf of doubtful) leaf.spans.push(...(await spansOfRules(leaf.text)))
    return render(root, keepLines)
  }
  return {
    redact: text => redact(text, false),
    redactLines: async lines =>
      lines.length === 0 ? [] : (await redact(lines.join('\n'), true)).split('\n'),
    redactKnown: text => render(scan(text, known, [], 0), false),
    edgeChars: Math.max(MIN_EDGE_CHARS, known.longestChars),
  }
}

/**
 * The parts of an environment that are secret: whole values by name, and parts of any value by what they look
 * like (the password in a URL, a token). A value of several lines counts line by line too, for it may be
 * printed or searched so.
 */
export function secretsOf(values: Iterable<NamedValue>): NamedValue[] {
  const secrets = new Map<string, string>()
  const add = (value: string, name: string): void => {
    if (value.trim().length >= MIN_VALUE_CHARS && !secrets.has(value)) secrets.set(value, name)
  }
  for (const { name, value } of values) {
    if (isSecretName(name) && !isHarmlessValue(value)) {
      add(value, name)
      add(value.trim(), name)
      const lines = value.split('\n').map(line => line.trim())
      if (lines.length > 1) for (const line of lines) if (isTellingLine(line)) add(line, name)
    }
    for (const part of secretParts(value)) {
      add(part, name)
      add(decodedUrlPart(part), name)
    }
  }
  return [...secrets].map(([value, name]) => ({ name, value }))
}

// ------------------------------------------------------------------------------------------------- limits

const MIN_VALUE_CHARS = 6
const MIN_HEX_VALUE_CHARS = 8
const MIN_BASE64_CHARS = 7
const MIN_EDGE_CHARS = 4096
const MAX_QUOTED_CHARS = 4096
/** JSON in a string of JSON in a string …: each level escapes the last, so honest text stays shallow. */
const MAX_JSON_DEPTH = 4

// ------------------------------------------------------------------------------------------ names of secrets

/** `certain`: whatever the value is. `likely`: if the value looks random. */
type Secrecy = 'certain' | 'likely' | null

const CERTAIN_WORD =
  /^(?:PASSPHRASE|PASSCODE|AUTHORIZATION|DSN|CONNECTIONSTRING|SETCOOKIE)$|(?:PASSWORD|PASSWD|APIKEY|SECRETKEY|ACCESSKEY|PRIVATEKEY|AUTHTOKEN|ACCESSTOKEN|REFRESHTOKEN)$/
const LIKELY_WORD =
  /^(?:KEY|TOKEN|SECRET|PASS|PWD|CRED|CREDENTIAL|AUTH|PRIVATE|COOKIE|JWT|SIG|SIGNATURE|PAT)$|(?:TOKEN|SECRET|PWD)$/
const CERTAIN_PAIR =
  /(?:^|_)(?:(?:API|ACCESS|SECRET|PRIVATE|ENCRYPTION|SIGNING|MASTER|ACCOUNT|STORAGE|SHARED|HMAC)_KEY|CLIENT_SECRET|(?:ACCESS|REFRESH|ID|AUTH|SESSION|BEARER|API|SECURITY|BOT)_TOKEN|CONN(?:ECTION)?_STR(?:ING)?|SET_COOKIE)(?:_|$)/

/** The last word of a name that speaks about a secret and holds none. */
const ABOUT_SECRETS =
  /_(?:SOCK|SOCKET|FILE|PATH|DIR|HOME|HOST|PORT|TYPE|NAME|USER|USERNAME|EMAIL|METHOD|MODE|ENABLED|TTL|TIMEOUT|EXPIRY|EXPIRES|EXPIRATION|IN|AT|LIFETIME|COMMAND|HELPER|VERSION|REGION|COUNT|SIZE|LENGTH|LIMIT|ALGORITHM|FORMAT|PROVIDER|REF|POLICY|CLASS)$/

/** `clientSecret`, `client-secret` and `CLIENT_SECRET` are one name; `KEYBOARD` and `AUTHOR` stay one word. */
function secrecyOfName(name: string): Secrecy {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z\d]+/)
    .filter(word => word !== '')
  const joined = words
    .map(word => word.replace(/(?<=KEY|SECRET|PASSWORD|CRED|CREDENTIAL|COOKIE)S$/, ''))
    .join('_')
  if (ABOUT_SECRETS.test(`_${joined}`) || joined === 'PWD' || joined === 'OLDPWD') return null
  const parts = joined.split('_')
  if (CERTAIN_PAIR.test(joined) || parts.some(word => CERTAIN_WORD.test(word))) return 'certain'
  return parts.some(word => LIKELY_WORD.test(word)) ? 'likely' : null
}

function isSecretName(name: string): boolean {
  return secrecyOfName(name) !== null || /(?:^|_)TOKENS$/i.test(name)
}

const PATH_LIKE =
  /^(?:~|\.{1,2})\/|^\/(?:etc|usr|var|home|root|tmp|opt|run|mnt|srv|dev|proc|private|Users|Library|nix)(?:\/|$)/
const SWITCH_WORD = /^(?:enabled|disabled|default|always|optional|required|prompt|unlimited)$/i

/** A path, a switch or a plain URL under a secret-sounding name: to remove it would only garble the text. */
function isHarmlessValue(value: string): boolean {
  if (PATH_LIKE.test(value) && !value.includes('\n')) return true
  return SWITCH_WORD.test(value) || (/^https?:\/\/[^@?#\s]*$/.test(value) && value.length < 40)
}

function isTellingLine(line: string): boolean {
  return line.length >= 20 && !line.startsWith('-----')
}

/** What own patterns find in a value, and the secret leaves of a value that is JSON. */
function secretParts(value: string): string[] {
  const leaves: Leaf[] = []
  scan(value, NO_FORMS, leaves, 0)
  return leaves.flatMap(leaf => leaf.spans.map(span => leaf.text.slice(span.start, span.end)))
}

function decodedUrlPart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function looksRandom(value: string): boolean {
  return value
    .split(/[^A-Za-z0-9+/=_]/)
    .some(run => run.length >= 12 && /\d/.test(run) && /[A-Za-z]/.test(run))
}

const PLACEHOLDER =
  /^(?:\$\{.*|\$\(.*|\$[A-Za-z_]\w*|\{\{.*|%\w+%|<[^<>]*>|\*+|x{3,}|\.{3}|null|nil|none|true|false|undefined|\[redacted.*)$/i

function isSecretValue(value: string, secrecy: Secrecy): boolean {
  if (secrecy === null || value === '' || PLACEHOLDER.test(value)) return false
  return secrecy === 'certain' || looksRandom(value)
}

// ------------------------------------------------------------------------------------- known values, as forms

interface Form {
  readonly text: string
  readonly name: string
  /** In base64 the characters beside it hold bits of the value: they go with it. */
  readonly isBase64: boolean
}

interface FormIndex {
  /** By a hash of the first four characters: one look-up for each character of the text, however many forms. */
  readonly buckets: ReadonlyMap<number, readonly Form[]>
  readonly mayStart: Uint8Array
  readonly longestChars: number
}

const PREFIX_CHARS = 4

function indexForms(secrets: readonly NamedValue[]): FormIndex {
  const buckets = new Map<number, Form[]>()
  const mayStart = new Uint8Array(65_536)
  const seen = new Set<string>()
  let longestChars = 0
  for (const form of secrets.flatMap(formsOf)) {
    if (seen.has(form.text)) continue
    seen.add(form.text)
    longestChars = Math.max(longestChars, form.text.length)
    const hash = prefixHash(form.text)
    mayStart[hash] = 1
    const bucket = buckets.get(hash)
    if (bucket === undefined) buckets.set(hash, [form])
    else bucket.push(form)
  }
  for (const bucket of buckets.values()) bucket.sort((a, b) => b.text.length - a.text.length)
  return { buckets, mayStart, longestChars }
}

const NO_FORMS: FormIndex = indexForms([])

function prefixHash(text: string): number {
  let hash = 0
  for (let at = 0; at < PREFIX_CHARS; at++) hash = nextHash(hash, text.charCodeAt(at))
  return hash
}

/** Of 16 bits, each character shifts 4 out: the hash is always that of the last four characters. */
function nextHash(hash: number, code: number): number {
  return ((hash << 4) ^ code) & 0xffff
}

function formsOf({ name, value }: NamedValue): Form[] {
  const bytes = Buffer.from(value)
  const json = JSON.stringify(value).slice(1, -1)
  const url = encodeURIComponent(value)
  const strictUrl = url.replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const urls = [url, strictUrl, strictUrl.replaceAll('%2F', '/'), strictUrl.replaceAll('%20', '+')]
  const plain = [
    value,
    json,
    JSON.stringify(json).slice(1, -1),
    json.replaceAll('/', '\\/'),
    asciiJson(json),
    asciiJson(json).replace(/[<>&]/g, char => `\\u00${char.charCodeAt(0).toString(16)}`),
    ...urls,
    ...urls.map(form => form.replace(/%[0-9A-F]{2}/g, escape => escape.toLowerCase())),
    value.replaceAll("'", "'\\''"),
    value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  ]
  const hex = bytes.toString('hex')
  if (bytes.length >= MIN_HEX_VALUE_CHARS) plain.push(hex, hex.toUpperCase())
  const base64 = [0, 1, 2]
    .map(shift => base64Core(bytes, shift))
    .filter(form => form.length >= MIN_BASE64_CHARS)
  return [
    ...plain.map(text => ({ text, name, isBase64: false })),
    ...base64.map(text => ({ text, name, isBase64: true })),
    ...base64.map(text => ({ text: text.replaceAll('+', '-').replaceAll('/', '_'), name, isBase64: true })),
  ]
}

/** The way Python and PHP write JSON: every other character than ASCII as `\uXXXX`. */
function asciiJson(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The characters of base64 that the value alone decides, `shift` bytes after a multiple of three. */
function base64Core(bytes: Buffer, shift: number): string {
  const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
  return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6))
}

function spansOfForms(text: string, known: FormIndex): Span[] {
  const spans: Span[] = []
  if (known.longestChars === 0) return spans
  const { buckets, mayStart } = known
  let hash = 0
  for (let next = 0; next < text.length; next++) {
    hash = nextHash(hash, text.charCodeAt(next))
    if (mayStart[hash] === 0 || next < PREFIX_CHARS - 1) continue
    const at = next - PREFIX_CHARS + 1
    const form = buckets.get(hash)?.find(candidate => text.startsWith(candidate.text, at))
    if (form === undefined) continue
    const formEnd = at + form.text.length
    const start = form.isBase64 && isBase64Char(text, at - 1) ? at - 1 : at
    const end = form.isBase64 ? base64End(text, formEnd) : formEnd
    const last = spans[spans.length - 1]
    // `aaaaaa` in a long run of `a`: one span, not one for each position.
    if (last !== undefined && last.label === form.name && start < last.end) {
      spans[spans.length - 1] = { ...last, end: Math.max(last.end, end) }
    } else {
      spans.push({ start, end, label: form.name })
    }
  }
  return spans
}

function isBase64Char(text: string, at: number): boolean {
  return /[A-Za-z0-9+/_-]/.test(text.charAt(at))
}

function base64End(text: string, at: number): number {
  let end = isBase64Char(text, at) ? at + 1 : at
  while (end < at + 3 && text[end] === '=') end++
  return end
}

// --------------------------------------------------------------------------------------------- own patterns

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

/** Two looks say that no pattern can match, which is so for nearly every line. Apart they run far faster. */
const PATTERN_WORDS = /bearer|auth|cookie|pass|secret|token|key|pwd|cred|dsn|conn|jwt|sig/i
const PATTERN_PREFIXES =
  /AKIA|ASIA|AIza|eyJ|gh[pousr]_|github_pat_|gl[a-z]{2,5}-|npm_|xox[abeoprs]-|xapp-|hooks\.slack|[sr]k_(?:live|test)_|whsec_|ya29|hv[sbr]\.|:\/\/|[?&][Xx]-/

function spansOfPatterns(text: string): Span[] {
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

/** A whole run of token characters at a time: to start again inside one would cost its length squared. */
const DOTTED_RUN = /(?<![\w-])[\w-]{8,}={0,2}(?:\.[\w-]*)+/g

/** JWT, JWE and what Kubernetes mounts for a service account: JSON in base64, then a dot. */
function spansOfJwts(text: string): Span[] {
  return [...text.matchAll(DOTTED_RUN)]
    .filter(([run]) => /^[^.]*eyJ[\w-]{8}/.test(run))
    .map(match => ({ start: match.index, end: match.index + match[0].length, label: 'jwt' }))
}

const KEY_EDGE = /-----(?<side>BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g
const KEY_CLOSE = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y
/** Lines of base64, also with `\n` written out inside a string: what a key without an end goes on with. */
const KEY_BODY =
  /(?:\s|\\[rn])*(?:[A-Za-z-]{1,32}: [^\n\\]{0,200}(?:\s|\\[rn])+)*(?:[A-Za-z0-9+/=]{16,}(?:(?:\s|\\[rn])+|$))*(?:[A-Za-z0-9+/=]{1,15}$)?/y
const MAX_KEY_CHARS = 32_768
const MIN_KEY_LINE_CHARS = 16

/** A private key, also one of which only the beginning or only the end is there. */
function spansOfPrivateKeys(text: string): Span[] {
  const spans: Span[] = []
  let covered = 0
  for (const match of text.matchAll(KEY_EDGE)) {
    if (match.index < covered) continue
    const isEnd = match.groups?.['side'] === 'END'
    const after = match.index + match[0].length
    const start = isEnd ? keyStart(text, covered, match.index) : match.index
    const end = isEnd ? after : keyEnd(text, after)
    spans.push({ start, end, label: 'private-key' })
    covered = end
  }
  return spans
}

function keyEnd(text: string, from: number): number {
  const dashes = text.indexOf('-----', from)
  KEY_CLOSE.lastIndex = Math.max(dashes, 0)
  if (dashes !== -1 && KEY_CLOSE.test(text)) return KEY_CLOSE.lastIndex
  KEY_BODY.lastIndex = 0
  const body = KEY_BODY.exec(text.slice(from, from + MAX_KEY_CHARS))?.[0] ?? ''
  return from + body.trimEnd().length
}

/** Back over the base64 before an END line; at the beginning of the text a piece of a line counts too. */
function keyStart(text: string, floor: number, end: number): number {
  const windowStart = Math.max(floor, end - MAX_KEY_CHARS)
  let start = end
  for (const match of [...text.slice(windowStart, end).matchAll(/[A-Za-z0-9+/=]+/g)].toReversed()) {
    const from = windowStart + match.index
    const gap = text.slice(from + match[0].length, start)
    const isShort = match[0].length < MIN_KEY_LINE_CHARS && start !== end && from !== 0
    if (isShort || !/^[\s\\]*$/.test(gap)) break
    start = from
  }
  return start
}

const ASSIGNMENT =
  /(?:pass|pwd|secret|token|key|cred|auth|dsn|conn|jwt|sig)[\w-]{0,40}(?:\\{0,3}["'])?\]?[ \t]{0,3}(?:=>|:=|=|:)[ \t]{0,3}/gi
const MAX_NAME_CHARS = 64
/** Enough of an unquoted value to judge it; what is judged secret goes to its end. */
const MAX_BARE_CHARS = 256

/** `password=…`, `--token=…`, `api_key: …`, `"clientSecret": "…"` in text that is not JSON. */
function spansOfAssignments(text: string): Span[] {
  const spans: Span[] = []
  let covered = 0
  for (const match of text.matchAll(ASSIGNMENT)) {
    if (match.index < covered) continue
    const name = nameAround(text, match.index, match[0])
    const secrecy = secrecyOfName(name)
    if (secrecy === null) continue
    const from = match.index + match[0].length
    const value = valueAt(text, from, isQuery(text, match.index - 1))
    if (value === null) continue
    const raw = text.slice(value.start, Math.min(value.end, value.start + MAX_BARE_CHARS))
    const isAssigned = /[^:\s]=$/.test(match[0]) && raw.length >= MIN_VALUE_CHARS && !/key$/i.test(name)
    const isStated =
      value.quoted || match[0].trimEnd().endsWith('=') || endsLine(text, value.end) || /\d/.test(raw)
    const isCertain = isAssigned || (secrecy === 'certain' && isStated)
    if (!isSecretValue(raw, isCertain ? 'certain' : 'likely')) continue
    const end = value.quoted ? value.end : bareEnd(text, value.end)
    spans.push({ start: value.start, end, label: labelOfName(name) })
    covered = end
  }
  return spans
}

function nameAround(text: string, at: number, match: string): string {
  let start = at
  while (start > at - MAX_NAME_CHARS && /[\w.-]/.test(text.charAt(start - 1))) start--
  return text.slice(start, at) + (/^[\w-]+/.exec(match)?.[0] ?? '')
}

/** In a URL's query the value ends at the next `&`. */
function isQuery(text: string, at: number): boolean {
  let start = at
  while (start > at - MAX_NAME_CHARS && /[\w.-]/.test(text.charAt(start))) start--
  return text[start] === '?' || text[start] === '&'
}

interface ValueRange {
  readonly start: number
  readonly end: number
  readonly quoted: boolean
}

const QUOTE = /\\{0,3}["'`]/y
const BARE = /[^\s"'`<>\\]{1,256}/y
const QUERY = /[^\s"'`<>\\&#]{1,256}/y

function valueAt(text: string, from: number, query: boolean): ValueRange | null {
  QUOTE.lastIndex = from
  const quote = QUOTE.exec(text)?.[0]
  if (quote !== undefined) {
    const start = from + quote.length
    const end = quotedEnd(text, start, quote)
    return end === start ? null : { start, end, quoted: true }
  }
  const bare = query ? QUERY : BARE
  bare.lastIndex = from
  const raw = bare.exec(text)?.[0].replace(/[,;)\]}]{1,4}$/, '') ?? ''
  return raw === '' ? null : { start: from, end: from + raw.length, quoted: false }
}

/** The rest of a value that is longer than what was looked at. */
function bareEnd(text: string, from: number): number {
  let end = from
  while (end < text.length && /[\w+/=.~-]/.test(text.charAt(end))) end++
  return end
}

/** Where the closing quote stands; else where the line ends. A `\"` inside a plain `"…"` closes nothing. */
function quotedEnd(text: string, start: number, quote: string): number {
  const limit = Math.min(text.length, start + MAX_QUOTED_CHARS)
  const mark = quote.charAt(quote.length - 1)
  const escapes = quote.length - 1
  let backslashes = 0
  for (let at = start; at < limit; at++) {
    const char = text.charAt(at)
    if (char === '\n') return at
    if (char === mark && (escapes === 0 ? backslashes % 2 === 0 : backslashes <= escapes))
      return at - (escapes === 0 ? 0 : backslashes)
    backslashes = char === '\\' ? backslashes + 1 : 0
  }
  return limit
}

function endsLine(text: string, at: number): boolean {
  return /^[,;)\]}]{0,4}[ \t]{0,8}(?:#|$|\n)/.test(text.slice(at, at + 16))
}

/** The environment of a container, as YAML writes it: a name on one line, its value on the next. */
const NAMED_VALUE =
  /\bname:[ \t]{0,3}["']?(?<name>[\w.-]{1,64})["']?[ \t]{0,8}\r?\n[ \t]{0,40}value:[ \t]{0,3}["']?(?<secret>[^\s"']+)/dg

function spansOfNamedValues(text: string): Span[] {
  const spans: Span[] = []
  for (const match of text.matchAll(NAMED_VALUE)) {
    const name = match.groups?.['name'] ?? ''
    const range = match.indices?.groups?.['secret']
    if (range === undefined || !isSecretName(name)) continue
    const value = text.slice(...range)
    if (PLACEHOLDER.test(value) || isHarmlessValue(value)) continue
    spans.push({ start: range[0], end: range[1], label: labelOfName(name) })
  }
  return spans
}

function labelOfName(name: string): string {
  return name.replace(/^[-.]+/, '').toLowerCase()
}

// ------------------------------------------------------------------------------------------ secretlint's rules

/**
 * Whether a rule of secretlint's preset that own patterns do not cover could match. Loading the rules costs
 * tens of milliseconds, so this is near to the rules, and a superset of them.
 */
const RULES_MAY_MATCH =
  /A3T[A-Z0-9]{17}|A(?:GPA|IDA|ROA|IPA|NPA|NVA)[A-Z0-9]{16}|(?:SECRET|[Ss]ecret)_?(?:ACCESS|[Aa]ccess)_?(?:KEY|[Kk]ey)["']?\s{0,9}(?:=>|=|:)\s{0,9}["']?[A-Za-z0-9/+]{40}|(?:ACCOUNT|[Aa]ccount)_?(?:ID|[Ii]d)?["']?\s{0,9}(?:=>|=|:)\s{0,9}["']?\d{4}|BEGIN[A-Z ]{0,20}PRIVATE KEY|x-oauth-basic|_authToken=[^$[]|(?:xox[abopr]|xapp)-|hooks\.slack\.com\/services\/T|:\/\/[^\s/:@]{1,256}:(?!\[redacted)[^\s@]{1,256}@|sk-(?:proj|svcacct|admin|ant)-|T3BlbkFJ|gsk_[A-Za-z0-9]{52}|hf_[A-Za-z]{34}|lin_api_|ntn_\d{11}|SG\.\w|shp(?:pa|ca|at|ss)_|ghs_\d|gl(?:c|sa)_[A-Za-z0-9+/]{32}|ops_ey|dapi[A-Fa-f0-9]{32}|dckr_pat_|figd_|cf(?:k|ut|at)_[A-Za-z0-9]{40}|vc[piark]_[A-Za-z0-9]{20}|tskey-[a-z]/

/** secretlint's time grows with the square of its findings; windows that overlap keep it linear. */
const WINDOW_CHARS = 32_768
const WINDOW_OVERLAP_CHARS = 4096

async function spansOfRules(text: string): Promise<Span[]> {
  const spans: Span[] = []
  for (let at = 0; at < text.length; at += WINDOW_CHARS - WINDOW_OVERLAP_CHARS) {
    const window = text.slice(at, at + WINDOW_CHARS)
    if (!RULES_MAY_MATCH.test(window)) continue
    for (const { start, end, label } of await lintWindow(window)) {
      spans.push({ start: at + start, end: at + end, label })
    }
  }
  return spans
}

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

// ----------------------------------------------------------------------------------- pieces of text, and JSON

interface Span {
  readonly start: number
  readonly end: number
  readonly label: string
}

/** Text that is looked at as a whole: a plain stretch, or what one JSON string or number says. */
interface Leaf {
  readonly kind: 'leaf'
  readonly text: string
  readonly spans: Span[]
}

/** JSON text: what stays as it is written, and the tokens that may change. */
interface Json {
  readonly kind: 'json'
  readonly parts: readonly (string | JsonToken)[]
}

interface JsonToken {
  readonly kind: 'token'
  /** As written, kept when nothing in it is secret. */
  readonly source: string
  readonly content: Piece
  /** The names already used in this object: two that are redacted alike would become one. */
  readonly siblings: Set<string> | null
}

interface Sequence {
  readonly kind: 'sequence'
  readonly pieces: readonly Piece[]
}

type Piece = Leaf | Json | Sequence

function scan(text: string, known: FormIndex, leaves: Leaf[], depth: number): Piece {
  if (depth < MAX_JSON_DEPTH && isJson(text)) return scanJson(text, known, leaves, depth)
  if (depth >= MAX_JSON_DEPTH || !/^[ \t]*[[{]/m.test(text)) return scanPlain(text, known, leaves)
  const pieces: Piece[] = []
  let plainFrom = 0
  let at = 0
  while (at < text.length) {
    const newline = text.indexOf('\n', at)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(at, end)
    if (isJson(line)) {
      if (at > plainFrom) pieces.push(scanPlain(text.slice(plainFrom, at), known, leaves))
      pieces.push(scanJson(line, known, leaves, depth))
      plainFrom = end
    }
    at = end + 1
  }
  if (plainFrom < text.length) pieces.push(scanPlain(text.slice(plainFrom), known, leaves))
  return { kind: 'sequence', pieces }
}

function isJson(text: string): boolean {
  if (!/^\s*[[{"]/.test(text) || !/[\]}"]\s*$/.test(text.slice(-64))) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function scanPlain(text: string, known: FormIndex, leaves: Leaf[]): Leaf {
  const leaf: Leaf = { kind: 'leaf', text, spans: [...spansOfForms(text, known), ...spansOfPatterns(text)] }
  leaves.push(leaf)
  return leaf
}

interface Frame {
  readonly names: Set<string> | null
  /** What the name of the current value, or of the array around it, says of it. */
  secrecy: Secrecy
  name: string
  /** The value of a sibling `name`: `{"name": "DB_PASSWORD", "value": "…"}`. */
  statedName: string
}

/** `text` parses, so the tokens need no checking. */
function scanJson(text: string, known: FormIndex, leaves: Leaf[], depth: number): Json {
  const parts: (string | JsonToken)[] = []
  const frames: Frame[] = [{ names: null, secrecy: null, name: '', statedName: '' }]
  let kept = 0
  let at = 0
  let expectsName = false
  while (at < text.length) {
    const char = text.charAt(at)
    const frame = frames[frames.length - 1]
    if (frame === undefined) break
    if (char === '{') {
      frames.push({ names: new Set(), secrecy: null, name: '', statedName: '' })
      expectsName = true
    } else if (char === '[') {
      frames.push({ names: null, secrecy: frame.secrecy, name: frame.name, statedName: '' })
    } else if (char === '}' || char === ']') {
      frames.pop()
      expectsName = false
    } else if (char === ',') {
      expectsName = frame.names !== null
    } else if (char === '"') {
      const end = stringEnd(text, at)
      const source = text.slice(at, end)
      const said = String(JSON.parse(source))
      parts.push(text.slice(kept, at))
      if (expectsName) {
        parts.push({ kind: 'token', source, content: scanPlain(said, known, leaves), siblings: frame.names })
        enterName(frame, said)
        expectsName = false
      } else {
        if (/^(?:name|key)$/i.test(frame.name)) frame.statedName = said
        parts.push({
          kind: 'token',
          source,
          content: scanValue(said, frame, known, leaves, depth),
          siblings: null,
        })
      }
      kept = end
      at = end
      continue
    } else if (char === '-' || (char >= '0' && char <= '9')) {
      const end = numberEnd(text, at)
      const source = text.slice(at, end)
      const spans = spansOfNumber(source, frame, known)
      if (spans.length > 0) {
        const content: Leaf = { kind: 'leaf', text: source, spans }
        parts.push(text.slice(kept, at), { kind: 'token', source, content, siblings: null })
        kept = end
      }
      at = end
      continue
    }
    at++
  }
  parts.push(text.slice(kept))
  return { kind: 'json', parts }
}

function enterName(frame: Frame, name: string): void {
  frame.name = name
  frame.secrecy = secrecyOfName(name)
  if (/^value$/i.test(name) && isSecretName(frame.statedName)) frame.secrecy = 'certain'
}

function scanValue(said: string, frame: Frame, known: FormIndex, leaves: Leaf[], depth: number): Piece {
  if (!isSecretValue(said, frame.secrecy) || isHarmlessValue(said))
    return scan(said, known, leaves, depth + 1)
  const label = labelOfName(/^value$/i.test(frame.name) ? frame.statedName : frame.name)
  const leaf: Leaf = { kind: 'leaf', text: said, spans: [{ start: 0, end: said.length, label }] }
  leaves.push(leaf)
  return leaf
}

function spansOfNumber(source: string, frame: Frame, known: FormIndex): Span[] {
  const all = { start: 0, end: source.length }
  const found = spansOfForms(source, known)[0]
  if (found !== undefined) return [{ ...all, label: found.label }]
  return frame.secrecy === 'certain' && !/id$/i.test(frame.name)
    ? [{ ...all, label: labelOfName(frame.name) }]
    : []
}

function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return at + 1
}

function numberEnd(text: string, start: number): number {
  let at = start + 1
  while (/[\d.eE+-]/.test(text.charAt(at))) at++
  return at
}

// -------------------------------------------------------------------------------------------------- rendering

function render(piece: Piece, keepLines: boolean): string {
  if (piece.kind === 'leaf') return renderLeaf(piece, keepLines)
  if (piece.kind === 'sequence') return piece.pieces.map(part => render(part, keepLines)).join('')
  return piece.parts.map(part => (typeof part === 'string' ? part : renderToken(part))).join('')
}

function renderToken(token: JsonToken): string {
  const { content, source, siblings } = token
  const unchanged = content.kind === 'leaf' && content.spans.length === 0
  const text = unchanged ? source : changed(render(content, false), source)
  if (siblings === null) return text
  const name = text === source ? text : unusedName(text, siblings)
  siblings.add(name)
  return name
}

function unusedName(name: string, used: ReadonlySet<string>): string {
  let unused = name
  for (let count = 2; used.has(unused); count++) unused = `${name.slice(0, -1)} ${count}"`
  return unused
}

/** Keeps the way a string was escaped when nothing in it was replaced. */
function changed(text: string, source: string): string {
  return source.startsWith('"') && JSON.parse(source) === text ? source : JSON.stringify(text)
}

function renderLeaf({ text, spans }: Leaf, keepLines: boolean): string {
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
