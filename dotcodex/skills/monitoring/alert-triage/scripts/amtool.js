/** The calls of amtool: reads are repeated while it pays, and what was refused is told apart from what was lost. */

import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

const PAUSES_MS = [300, 1000, 3000]
const LAST_BYTES = 256 * 1024 * 1024

export class AmtoolError extends Error {
  /** `forbidden`, `refused`, `invalid`: it was not done; `unreachable`: perhaps it was. */
  constructor(kind, words) {
    super(words)
    this.kind = kind
  }
}

/** Something that changes: once. */
export async function amtool(...words) {
  try {
    const { stdout } = await run('amtool', words, { maxBuffer: LAST_BYTES })
    return stdout
  } catch (error) {
    if (error.code === 'ENOENT') throw new AmtoolError('refused', 'amtool is not installed')
    throw failure(String(error.stderr ?? error.message))
  }
}

/** Something that reads, as JSON. */
export async function ask(...words) {
  for (const ms of [...PAUSES_MS, null]) {
    try {
      return JSON.parse((await amtool(...words, '--output=json')) || 'null') ?? []
    } catch (error) {
      if (!(error instanceof AmtoolError) || error.kind !== 'unreachable' || ms === null) throw error
      await pause(ms)
    }
  }
}

const FORBIDDEN = /\b(?:status |\[)40[13]\b/
const INVALID =
  /\[400\]|matcher|comment required|not a valid duration|silence cannot|parsing time|unknown (?:long|short) flag/
const LOST =
  /EOF|connection re(?:fused|set)|timeout|timed out|deadline|no such host|(?:status |\[)(?:5\d\d|429)\b/

function failure(stderr) {
  const lines = stderr.split('\n').filter(line => line.trim() !== '' && !line.startsWith('Warning:'))
  const refused = lines.find(line => line.startsWith('error['))
  if (refused !== undefined) return new AmtoolError('refused', refused)
  const words = (lines.at(-1) ?? 'amtool failed').replace(/^amtool: error: /, '')
  if (FORBIDDEN.test(words)) return new AmtoolError('forbidden', `Alertmanager says no: ${words}`)
  if (INVALID.test(words)) return new AmtoolError('invalid', words)
  return new AmtoolError(LOST.test(words) ? 'unreachable' : 'failed', words)
}
