/** A call of a tool by srecodex itself: a dry run, a lookup. Nothing of it reaches a script, and it sees no workspace. */

import type { AskTool, ProgramCall, Programs, ShownFile } from './calls.ts'
import { CallError } from './protocol.ts'

const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/**
 * @param files shown unless a question names its own. @default none
 * @throws {CallError} TOO_LARGE, and what `run` throws.
 */
export function asking(
  programs: Pick<Programs, 'run'>,
  call: Pick<ProgramCall, 'tool' | 'cwd' | 'signal'>,
  files: readonly ShownFile[] = [],
): AskTool {
  return async (argv, options = {}) => {
    const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
    const tooMuch = new AbortController()
    let bytes = 0
    const { exitCode } = await programs.run({
      tool: call.tool,
      argv,
      cwd: call.cwd,
      stdin: options.stdin ?? null,
      files: options.files ?? files,
      workspace: 'hidden',
      signal: AbortSignal.any([call.signal, tooMuch.signal]),
      onOutput: (stream, chunk) => {
        bytes += chunk.byteLength
        if (bytes > MAX_ANSWER_BYTES) tooMuch.abort()
        else chunks[stream].push(Uint8Array.from(chunk))
      },
    })
    if (bytes > MAX_ANSWER_BYTES) {
      throw new CallError(
        'TOO_LARGE',
        `${call.tool} answered more than ${MAX_ANSWER_BYTES} bytes to a question`,
        {
          hint: 'let the call name fewer objects',
        },
      )
    }
    const text = (stream: 'stdout' | 'stderr'): string => Buffer.concat(chunks[stream]).toString('utf8')
    return { exitCode: exitCode ?? 128, stdout: text('stdout'), stderr: text('stderr') }
  }
}
