/** Logs as large as they come: the right counts, in flat memory, and not in minutes. */

import { execa } from 'execa'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeLog } from '../src/demo/log.ts'

const PAYLOAD = fileURLToPath(
  new URL('../../../dotcodex/skills/logs/error-groups/scripts/error_groups.py', import.meta.url),
)
const GUEST = fileURLToPath(new URL('../../core/src/guest/python', import.meta.url))

/** Runs the payload, and says on stderr how much memory its largest process had, in KiB. */
const MEASURED = `
import resource, subprocess, sys
code = subprocess.call([sys.executable, "-B", sys.argv[1]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'srecodex-errors-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  ['200 MB', 200_000_000, 20],
  ['1 GiB', 1024 ** 3, 60],
])('%s', async (_name, bytes, seconds) => {
  const truth = await writeLog({ path: join(folder, 'app.log'), bytes, seed: 11 })
  const began = performance.now()
  const { stdout, stderr } = await execa('python3', ['-c', MEASURED, PAYLOAD], {
    cwd: folder,
    input: '{"paths":["app.log"]}',
    env: { PATH: process.env.PATH, PYTHONPATH: GUEST },
    extendEnv: false,
  })
  const result = JSON.parse(stdout)
  const counts = result.groups.map(({ type, count }: { type: string; count: number }) => [type, count])
  expect(Object.fromEntries(counts)).toEqual(truth.errors)
  expect(result.lines).toBe(truth.lines)
  expect(Number(stderr.trim().split('\n').at(-1))).toBeLessThan(120 * 1024)
  // Two quiet cores need 3 s for the gigabyte.
  expect((performance.now() - began) / 1000).toBeLessThan(seconds)
})
