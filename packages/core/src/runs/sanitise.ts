/**
 * Turns what an untrusted script printed into text that is safe to show to a person or a model.
 *
 * Promises: valid Unicode; no control sequence and no control character but `\n` and `\t`; nothing invisible
 * and nothing that reorders what is seen; as many lines as came in, so that line numbers stay true. Running it
 * twice changes nothing. Time and memory are linear in the input, whatever the input is.
 *
 * Refuses nothing: what cannot be shown is dropped, what is broken becomes U+FFFD.
 */

const ESC = 0x1b
const NEWLINE = 0x0a

/** A cheap test that lets clean text, which nearly all text is, go by untouched. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const SUSPECT = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\p{Default_Ignorable_Code_Point}]/u

/** More marks on one letter than any script needs: they would be drawn over the lines above. */
const STACKED_MARKS = /(\p{M}{8})\p{M}+/gu

/** Invisible or reordering characters: zero-width, bidi, tags, fillers. Emoji joins are looked at apart. */
const INVISIBLE = /[\ufff9-\ufffb]|(?!\u200d|\ufe0f)\p{Default_Ignorable_Code_Point}/gu

/** A joiner or an emoji selector stays only where it makes an emoji; elsewhere it can carry hidden bits. */
const STRAY_EMOJI_JOIN =
  /\ufe0f(?<!\p{Emoji}\ufe0f)|\u200d(?!\p{Extended_Pictographic})|\u200d(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?\u200d)/gu

/**
 * Makes text from a script safe to show.
 *
 * - Bytes that were cut in the middle of a character lose the partial character at either end.
 * - ANSI, OSC, DCS, APC, PM and SOS sequences go whole, with 7-bit and 8-bit introducers. A string sequence
 *   that is not terminated ends with its line: otherwise one `ESC ]` would hide every line after it.
 * - `\r\n` is a line end. A lone `\r` begins the line anew, as a progress bar does: what follows the last one
 *   stays, unless that is blank, since a line is never hidden.
 * - U+2028 and U+2029 become a space.
 */
export function sanitise(input: string | Uint8Array): string {
  const text = typeof input === 'string' ? input.toWellFormed() : decodeCut(input)
  if (!SUSPECT.test(text)) return text.replace(STACKED_MARKS, '$1')
  const visible = withoutControls(text).replace(INVISIBLE, '').replace(STRAY_EMOJI_JOIN, '')
  return overwriteLines(visible).replace(STACKED_MARKS, '$1')
}

/** Decodes UTF-8 that may begin or end inside a character. */
function decodeCut(bytes: Uint8Array): string {
  let start = 0
  while (start < 3 && start < bytes.length && isContinuation(bytes[start])) start++
  let lead = bytes.length - 1
  while (lead > bytes.length - 4 && lead > start && isContinuation(bytes[lead])) lead--
  const wanted = sequenceLength(bytes[lead])
  const end = lead >= start && wanted > bytes.length - lead ? lead : bytes.length
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

/** How many bytes the character with this first byte has; 1 for what is no first byte. */
function sequenceLength(byte: number | undefined): number {
  if (byte === undefined || byte < 0xc2 || byte > 0xf4) return 1
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}

/** One pass that drops sequences and controls; leaves `\r` for `overwriteLines`. */
function withoutControls(text: string): string {
  const kept: string[] = []
  let from = 0
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (!isDropped(code)) {
      at++
      continue
    }
    if (at > from) kept.push(text.slice(from, at))
    if (code === 0x2028 || code === 0x2029) kept.push(' ')
    at = controlEnd(text, at, code)
    from = at
  }
  if (from === 0) return text
  kept.push(text.slice(from))
  return kept.join('')
}

function isDropped(code: number): boolean {
  if (code < 0x20) return code !== 0x09 && code !== NEWLINE && code !== 0x0d
  return (code >= 0x7f && code <= 0x9f) || code === 0x2028 || code === 0x2029
}

/** Where the control that begins at `at` ends. */
function controlEnd(text: string, at: number, code: number): number {
  if (code === 0x9b) return csiEnd(text, at + 1)
  if (isStringIntroducer(code - 0x40)) return stringEnd(text, at + 1)
  if (code !== ESC) return at + 1
  const next = text.charCodeAt(at + 1)
  if (next === 0x5b) return csiEnd(text, at + 2)
  if (isStringIntroducer(next)) return stringEnd(text, at + 2)
  const final = skipRange(text, at + 1, 0x20, 0x2f)
  return inRange(text.charCodeAt(final), 0x30, 0x7e) ? final + 1 : final
}

/** The 7-bit second byte of DCS, SOS, OSC, PM and APC; the 8-bit form lies 0x40 above. */
function isStringIntroducer(code: number): boolean {
  return code === 0x50 || code === 0x58 || code === 0x5d || code === 0x5e || code === 0x5f
}

function csiEnd(text: string, at: number): number {
  const final = skipRange(text, skipRange(text, at, 0x30, 0x3f), 0x20, 0x2f)
  return inRange(text.charCodeAt(final), 0x40, 0x7e) ? final + 1 : final
}

/**
 * A string sequence ends at ST or BEL; CAN, SUB and any other ESC break it off, as terminals do. Stopping at
 * every ESC also keeps hostile input linear.
 */
function stringEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === NEWLINE) return at
    if (code === 0x07 || code === 0x18 || code === 0x1a || code === 0x9c) return at + 1
    if (code === ESC) return text.charCodeAt(at + 1) === 0x5c ? at + 2 : at
  }
  return text.length
}

function skipRange(text: string, from: number, low: number, high: number): number {
  let at = from
  while (inRange(text.charCodeAt(at), low, high)) at++
  return at
}

function inRange(code: number, low: number, high: number): boolean {
  return code >= low && code <= high
}

function overwriteLines(text: string): string {
  if (!text.includes('\r')) return text
  return text
    .split('\n')
    .map(line => (line.includes('\r') ? lastWritten(line) : line))
    .join('\n')
}

function lastWritten(line: string): string {
  const writes = line.split('\r')
  return writes.findLast(write => write.trim() !== '') ?? ''
}
