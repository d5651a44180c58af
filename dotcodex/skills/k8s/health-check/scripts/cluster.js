/** kubectl as a function: words in, objects out, and an error that says what kind of no it was. Reads alone. */

import { execFile } from 'node:child_process'

const REQUEST_SECONDS = 60
const PAUSES_MS = [500, 2000]
const MAX_BYTES = 512 * 1024 * 1024
// Worth a second question.
const PASSING =
  /TooManyRequests|too many requests|timed? ?out|deadline exceeded|connection (?:refused|reset)|\bEOF\b|client connection lost|\((?:InternalError|ServiceUnavailable|ServerTimeout|Timeout)\)/i

export class KubectlError extends Error {
  constructor(stderr, code) {
    const lines = stderr.split('\n').filter(line => line.trim() !== '')
    // kubectl's last word, but the first line of what the broker refuses: the rest is its hint.
    super((lines[0]?.startsWith('error[') ? lines[0] : lines.at(-1)) ?? `exit ${code}`)
    this.forbidden = /\(Forbidden\)| is forbidden: /.test(stderr)
    this.passing = PASSING.test(stderr)
  }
}

function kubectl(...words) {
  return new Promise((resolve, reject) => {
    const done = (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new KubectlError(stderr === '' ? error.message : stderr, error.code))
    }
    execFile('kubectl', words, { maxBuffer: MAX_BYTES }, done).stdin?.end()
  })
}

/** Objects of a `get`, all pages of them; asked again where it may do better. */
export async function listed(...words) {
  for (const pause of [...PAUSES_MS, null]) {
    try {
      const text = await kubectl('get', ...words, '--output=json', `--request-timeout=${REQUEST_SECONDS}s`)
      if (text.trim() === '') return []
      const found = JSON.parse(text)
      return found.kind.endsWith('List') ? found.items : [found]
    } catch (error) {
      if (!error.passing || pause === null) throw error
      process.stderr.write(`kubectl get ${words[0]}: ${error.message}; again in ${pause} ms\n`)
      await new Promise(resolve => setTimeout(resolve, pause))
    }
  }
}

/** Works on all of them, so many at once; results in the order of the items. */
export async function atOnce(count, items, act) {
  const results = []
  let next = 0
  const turn = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await act(items[index])
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, turn))
  return results
}
