/** A call that srecodex did not take: `code` for programs, `message` and `hint` for people. */
export class SrecodexError extends Error {
  readonly name: 'SrecodexError'
  readonly code: string
  readonly hint: string | null
  constructor(code: string, message: string, hint?: string | null)
}

/**
 * Says what the run returns; the last call wins. At most 256 KiB of text.
 *
 * An object or array becomes JSON, bytes are read as UTF-8, anything else becomes `String(text)`. It is delivered
 * also without `await`, unless the script calls `process.exit` first.
 */
export function summary(text: unknown): Promise<void>

/**
 * Says how far the script is. It needs no `await`, never fails for want of a listener and keeps no process alive.
 *
 * @param total Null or absent where it is not known.
 */
export function progress(done: number, total?: number | null, note?: string): Promise<void>

/**
 * Gives the path to write a file to that is kept with the run; its folder exists.
 *
 * @param name Relative, such as `failed/pods.json`, without `..`, at most 200 bytes.
 */
export function artifact(name: string): Promise<string>

declare const srecodex: {
  readonly SrecodexError: typeof SrecodexError
  readonly summary: typeof summary
  readonly progress: typeof progress
  readonly artifact: typeof artifact
}
export default srecodex
