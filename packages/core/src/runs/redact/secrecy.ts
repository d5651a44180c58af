/**
 * Whether a name promises a secret, and whether a value can be one. Pure, and the same for the environment, for
 * JSON and for `name=value` in plain text.
 *
 * Promises: a name that only speaks about a secret (`TOKEN_FILE`, `AUTH_TYPE`) holds none; where a name leaves
 * doubt, the value decides by whether it looks random. Paths, switches and placeholders are no secrets.
 */

/** `certain`: whatever the value is. `likely`: if the value looks random. */
export type Secrecy = 'certain' | 'likely' | null

/** What is shorter is a word of the text more often than a secret. */
export const MIN_VALUE_CHARS = 6

/** `clientSecret`, `client-secret` and `CLIENT_SECRET` are one name; `KEYBOARD` and `AUTHOR` stay one word. */
export function secrecyOfName(name: string): Secrecy {
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

export function isSecretName(name: string): boolean {
  return secrecyOfName(name) !== null || /(?:^|_)TOKENS$/i.test(name)
}

/** The name as a placeholder shows it: `--apiKey` is `apikey`. */
export function labelOfName(name: string): string {
  return name.replace(/^[-.]+/, '').toLowerCase()
}

/** A path, a switch or a plain URL under a secret-sounding name: to remove it would only garble the text. */
export function isHarmlessValue(value: string): boolean {
  if (PATH_LIKE.test(value) && !value.includes('\n')) return true
  return SWITCH_WORD.test(value) || (/^https?:\/\/[^@?#\s]*$/.test(value) && value.length < 40)
}

export function isSecretValue(value: string, secrecy: Secrecy): boolean {
  if (secrecy === null || value === '' || PLACEHOLDER.test(value)) return false
  return secrecy === 'certain' || looksRandom(value)
}

export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value)
}

const CERTAIN_WORD =
  /^(?:PASSPHRASE|PASSCODE|AUTHORIZATION|DSN|CONNECTIONSTRING|SETCOOKIE)$|(?:PASSWORD|PASSWD|APIKEY|SECRETKEY|ACCESSKEY|PRIVATEKEY|AUTHTOKEN|ACCESSTOKEN|REFRESHTOKEN)$/
const LIKELY_WORD =
  /^(?:KEY|TOKEN|SECRET|PASS|PWD|CRED|CREDENTIAL|AUTH|PRIVATE|COOKIE|JWT|SIG|SIGNATURE|PAT)$|(?:TOKEN|SECRET|PWD)$/
const CERTAIN_PAIR =
  /(?:^|_)(?:(?:API|ACCESS|SECRET|PRIVATE|ENCRYPTION|SIGNING|MASTER|ACCOUNT|STORAGE|SHARED|HMAC)_KEY|CLIENT_SECRET|(?:ACCESS|REFRESH|ID|AUTH|SESSION|BEARER|API|SECURITY|BOT)_TOKEN|CONN(?:ECTION)?_STR(?:ING)?|SET_COOKIE)(?:_|$)/

/** The last word of a name that speaks about a secret and holds none. */
const ABOUT_SECRETS =
  /_(?:SOCK|SOCKET|FILE|PATH|DIR|HOME|HOST|PORT|TYPE|NAME|USER|USERNAME|EMAIL|METHOD|MODE|ENABLED|TTL|TIMEOUT|EXPIRY|EXPIRES|EXPIRATION|IN|AT|LIFETIME|COMMAND|HELPER|VERSION|REGION|COUNT|SIZE|LENGTH|LIMIT|ALGORITHM|FORMAT|PROVIDER|REF|POLICY|CLASS)$/

const PATH_LIKE =
  /^(?:~|\.{1,2})\/|^\/(?:etc|usr|var|home|root|tmp|opt|run|mnt|srv|dev|proc|private|Users|Library|nix)(?:\/|$)/
const SWITCH_WORD = /^(?:enabled|disabled|default|always|optional|required|prompt|unlimited)$/i

const PLACEHOLDER =
  /^(?:\$\{.*|\$\(.*|\$[A-Za-z_]\w*|\{\{.*|%\w+%|<[^<>]*>|\*+|x{3,}|\.{3}|null|nil|none|true|false|undefined|\[redacted.*)$/i

function looksRandom(value: string): boolean {
  return value
    .split(/[^A-Za-z0-9+/=_]/)
    .some(run => run.length >= 12 && /\d/.test(run) && /[A-Za-z]/.test(run))
}
