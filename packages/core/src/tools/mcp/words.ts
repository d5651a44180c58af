/**
 * Words of a server, as errors may repeat them.
 *
 * Promises: no control sequence, no value that the operator handed to the server, never more than was asked for.
 * In this order: a secret that is split by a control character, or cut in half, would not be found any more.
 */

/** Takes the secrets out of a text. */
export type Redact = (text: string) => string

const REDACTED = '[redacted]'
/** A shorter value is no secret, and would be found in every second word. */
const SHORTEST_SECRET = 6

/** Sequences with their introducer, then what is left of control, invisible and reordering characters. */
const SEQUENCES =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\u001b\u009b](?:\[[0-?]*[ -/]*[@-~]?|[\]PX^_][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])?/g
const INVISIBLE =
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  /[\0-\b\u000b-\u001f\u007f-\u009f\u2028\u2029\ufff9-\ufffb]|\p{Default_Ignorable_Code_Point}/gu

export const plain = (text: string): string =>
  text.toWellFormed().replaceAll('\r\n', '\n').replaceAll(SEQUENCES, '').replaceAll(INVISIBLE, '')

export const cut = (text: string, maxCharacters: number): string =>
  text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1).toWellFormed()}…`

/** As they are, as they stand in a URL, and as they stand in JSON. */
export function redactor(secrets: readonly string[]): Redact {
  const forms = secrets.flatMap(secret =>
    secret.length < SHORTEST_SECRET
      ? []
      : [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)],
  )
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return text => {
    let rest = text
    for (const form of longestFirst) rest = rest.replaceAll(form, REDACTED)
    return rest
  }
}

export const shown = (text: string, redact: Redact, maxCharacters: number): string =>
  cut(redact(plain(text)).trim(), maxCharacters)
