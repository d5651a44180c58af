/** Ctrl-C at any moment: the sandbox may be half made, and still nothing of the script goes on. */

import { project } from '@srecodex/testkit'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const RUNS = 150

test('a cancel while the sandbox is made leaves nobody behind', async () => {
  const { run, path, write } = project()
  write('slow.sh', `exec -a '${path('marker')}' sleep 60`)
  const survivors: number[] = []
  for (let at = 0; at < RUNS; at += 1) {
    // Each at another moment, from before the first import to well within the script.
    const cancel = new AbortController()
    const timer = setTimeout(() => cancel.abort(), 20 + (at * 400) / RUNS)
    const begun = performance.now()
    await run('run slow.sh --json', { signal: cancel.signal, killSignal: 'SIGINT' }).catch(() => null)
    clearTimeout(timer)
    if (performance.now() - begun > 5000 || processesNamed(path('marker')).length > 0) survivors.push(at)
  }
  expect(survivors).toEqual([])
})

function processesNamed(name: string): string[] {
  return readdirSync('/proc').filter(entry => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/cmdline`, 'utf8').startsWith(`${name}\0`)
    } catch {
      return false
    }
  })
}
