import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const TESTKIT = fileURLToPath(new URL('../..', import.meta.url))
const GUEST = fileURLToPath(new URL('../../../core/src/guest/python', import.meta.url))
const STAND_IN = fileURLToPath(new URL('../fixtures/stand-in-cli.js', import.meta.url))

/** A checkout of the demo whose CLI is a stand-in, and a temporary folder to watch. */
let root: string
let temporary: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'srecodex-demo-test-'))
  temporary = join(root, 'tmp')
  mkdirSync(temporary)
  const testkit = join(root, 'packages/testkit')
  cpSync(join(TESTKIT, 'src/demo'), join(testkit, 'src/demo'), { recursive: true })
  symlinkSync(join(TESTKIT, 'node_modules'), join(testkit, 'node_modules'))
  writeFileSync(join(testkit, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(root, 'packages/cli/dist'), { recursive: true })
  writeFileSync(join(root, 'packages/cli/package.json'), '{ "type": "module" }')
  cpSync(STAND_IN, join(root, 'packages/cli/dist/bin.js'))
})
afterEach(() => {
  rmSync(root, { recursive: true })
})

function demo(argv: readonly string[], standIn = 'works') {
  const env = { TMPDIR: temporary, PYTHONPATH: GUEST, PYTHONDONTWRITEBYTECODE: '1', STAND_IN: standIn }
  const main = join(root, 'packages/testkit/src/demo/main.ts')
  return execa(process.execPath, [main, ...argv], { env, reject: false })
}

test('prints the summary, the verdict and what it cost, and leaves nothing behind', async () => {
  const { stdout, stderr, exitCode } = await demo(['--size', '3MB'])
  expect({ exitCode, stderr: stderr.replace(/[\d.]+ s$/gm, 'T') }).toEqual({
    exitCode: 0,
    stderr: [
      'making a log of 3.0 MB, seed 7',
      'made 23,567 lines in T',
      'running group_errors.py in the sandbox',
    ].join('\n'),
  })
  const folder = /srecodex-demo-\w{6}/
  const filtered = stdout
    .replaceAll(root, 'ROOT')
    .replace(folder, 'FOLDER')
    .replace(/\d\.\d\d s/g, 'T')
  expect(filtered).toMatchInlineSnapshot(`
    "What came back

      app.log: 23,567 lines, 292 errors of 14 types (samples of each: samples.jsonl)

      count  type                     first  last   message
         93  connection refused       00:21  23:50  redis get cart:<n>: dial tcp…
         48  i/o timeout              00:16  23:34  reserve failed: Post "http://…
         33  HTTP 503                 02:31  19:51  upstream tax-api:<n> answered…
         24  NullPointerException     00:14  23:18  order <n> not placed
         19  SocketTimeoutException   00:24  23:42  quote failed for parcel <n> a…
         14  certificate has expired  09:45  23:17  secret lookup: handshake with…
         11  no such host             01:09  23:39  receipt for order <n>: dial t…
         10  DeadlockDetected         00:05  23:43  task post_entries[<uuid>] fai…
          9  HTTP 502                 07:17  08:07  upstream inventory-api:<n> an…
          8  KeyError                 01:17  18:57  scoring failed for user-<n> i…
          7  too many open files      17:28  18:12  listener <n>: accept tcp <ip>…
          6  JSONDecodeError          03:31  23:15  refresh of model <n> failed f…
          5  OutOfMemoryError         05:35  20:46  export <n> stopped at row <n>
          5  no space left on device  13:20  14:15  flush of segment <n> failed:…

    truth    counts match the generator's truth: 14 of 14 types, and all lines
    grep     \`grep -ci error\` would say 2,026; 292 errors were written
    time     log made in T, run in T (the script T)
    sandbox  workspace-write by bubblewrap, network: none
             readable: interpreters, system libraries and the workspace; no home, no other folder
             writable: the workspace, a private /tmp and the folder of its artifacts
    context  log ≈ 972,000 tokens, summary ≈ 480: 1 in 2,000
    command  cd ROOT/tmp/FOLDER && node ROOT/packages/cli/dist/bin.js run group_errors.py --json -- app.log
             the folder is removed now; --keep leaves it to repeat this"
  `)
  expect(readdirSync(temporary)).toEqual([])
})

test('--keep leaves the log and the script, and says where', async () => {
  const { stderr } = await demo(['--size', '100KB', '--keep'])
  const [folder] = readdirSync(temporary)
  expect(stderr).toContain(`kept: ${join(temporary, folder!)}`)
  expect(readdirSync(join(temporary, folder!)).sort()).toEqual([
    'app.log',
    'group_errors.py',
    'samples.jsonl',
  ])
})

test('a summary that differs from the truth is a failure', async () => {
  const { stdout, exitCode } = await demo(['--size', '100KB'], 'miscounts')
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/truth {4}counts differ from the generator's truth: 1 of \d+ types match/)
  expect(stdout).toContain('lines: the summary says 3, the generator wrote ')
})

test('a run that does not succeed is told with its hint', async () => {
  const { stdout, stderr, exitCode } = await demo(['--size', '100KB'], 'fails')
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
  expect(stderr).toContain('error: the run ended timed-out: it took too long\n\nhint: be quick')
})

test('a CLI that prints no report is told with its exit code', async () => {
  const { stderr, exitCode } = await demo(['--size', '100KB'], 'breaks')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('error: srecodex ended with exit code 4 and nothing on stdout, not a report')
})

test('without a build it says what to run', async () => {
  rmSync(join(root, 'packages/cli/dist'), { recursive: true })
  const { stderr, exitCode } = await demo([])
  expect(exitCode).toBe(1)
  expect(stderr).toContain('hint: run `npx -y pnpm@12 run setup`')
})

test('a wrong flag is a usage error', async () => {
  const { stdout, stderr, exitCode } = await demo(['--sise', '1GB'])
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 })
  expect(stderr).toContain("error: Unknown option '--sise'")
  expect(stderr).toContain('Usage: node packages/testkit/src/demo/main.ts')
})

describe('an interrupt removes the folder', () => {
  test.each([
    ['while the log is made', '2GB', 'making a log'],
    ['while the script runs', '100KB', 'running group_errors.py'],
  ])('%s', async (_, size, moment) => {
    const running = demo(['--size', size], 'hangs')
    await new Promise<void>(resolve => {
      let said = ''
      running.stderr.on('data', (text: Buffer) => {
        said += text.toString()
        if (said.includes(moment)) resolve()
      })
    })
    while (readdirSync(temporary).length === 0) await setTimeout(5)
    running.kill('SIGINT')
    const { exitCode } = await running
    expect(exitCode).toBe(130)
    expect(readdirSync(temporary)).toEqual([])
  })
})
