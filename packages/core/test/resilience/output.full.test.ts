/** Gigabytes of output, and disks that are full: exact, bounded in memory, and never a hang. */

import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { createReadStream, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { RunReport } from '../../src/runs/report.ts'
import {
  cli,
  commandOf,
  descendantsOf,
  listedRuns,
  liveMarkers,
  place,
  recordOf,
  type Place,
} from './stage.ts'

const GIB = 1024 ** 3
const MAX_RESIDENT_BYTES = 120 * 1024 * 1024

/** Numbered lines of 64 bytes, in writes that end inside of a line: nothing may be lost, doubled or reordered. */
const PRINTER = `import os, sys
lines = int(sys.argv[1]) // 64
pending = b''
for first in range(0, lines, 16384):
    pending += b''.join(b'%063d\\n' % number for number in range(first, min(first + 16384, lines)))
    cut = len(pending) // 100003 * 100003
    part, pending = memoryview(pending)[:cut], pending[cut:]
    while part:
        part = part[os.write(1, part):]
while pending:
    pending = pending[os.write(1, pending):]
`

describe('gigabytes of stdout', () => {
  test('1 GiB is kept to the byte', async () => {
    const { at, report, residentBytes } = await print(GIB)
    expect(report).toMatchObject({
      status: 'succeeded',
      output: { stdout: { bytes: GIB, lines: GIB / 64 }, stderr: { bytes: 0, lines: 0 } },
      notices: [],
    })
    expect(await sha256Of(keptFile(at, report))).toBe(expectedSha256(GIB))
    expect(residentBytes.cli).toBeLessThan(MAX_RESIDENT_BYTES)
    expect(residentBytes.supervisor).toBeLessThan(MAX_RESIDENT_BYTES)
  })

  test('4 GiB are cut at 2 GiB to the byte, counted to the end, and the script goes on', async () => {
    const { at, report, residentBytes } = await print(4 * GIB)
    expect(report).toMatchObject({
      status: 'succeeded',
      exitCode: 0,
      output: { stdout: { bytes: 4 * GIB, lines: (4 * GIB) / 64 } },
      notices: [`stdout was cut at ${2 * GIB} of ${4 * GIB} bytes; the script went on (output in [limits])`],
    })
    const kept = keptFile(at, report)
    expect(statSync(kept).size).toBe(2 * GIB)
    expect(await sha256Of(kept)).toBe(expectedSha256(2 * GIB))
    expect(residentBytes.cli).toBeLessThan(MAX_RESIDENT_BYTES)
    expect(residentBytes.supervisor).toBeLessThan(MAX_RESIDENT_BYTES)
  })

  test('both streams at once, each counted for itself', async () => {
    const at = place()
    const text = `import os, threading
def write(descriptor, count):
    block = bytes([65 + descriptor]) * 65535 + b'\\n'
    for _ in range(count):
        view = memoryview(block)
        while view:
            view = view[os.write(descriptor, view):]
threads = [threading.Thread(target=write, args=job) for job in ((1, 2000), (2, 3000))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
`
    const { stdout } = await cli(at, ['run', '-', '--lang', 'py', '--json'], { stdin: text }).ended
    const report = JSON.parse(stdout) as RunReport
    expect(report.output).toEqual({
      stdout: { bytes: 2000 * 65_536, lines: 2000 },
      stderr: { bytes: 3000 * 65_536, lines: 3000 },
    })
    for (const [stream, letter, count] of [
      ['stdout', 'B', 2000],
      ['stderr', 'C', 3000],
    ] as const) {
      const block = `${letter.repeat(65_535)}\n`
      const hash = createHash('sha256')
      for (let turn = 0; turn < count; turn++) hash.update(block)
      expect(await sha256Of(join(at.state, 'runs', report.run, stream))).toBe(hash.digest('hex'))
    }
  })
})

// What the store does when its disk is full can only be seen on a disk that can be filled: `mount` needs root.
const SMALL_DISKS = process.getuid?.() === 0 ? ['tmpfs'] : []

describe.each(SMALL_DISKS)('the disk of the store, %s, is full', () => {
  test('nearly: the run is ended before it is', async () => {
    const at = placeOnSmallDisk()
    const { code, stdout } = await printTo(at, GIB)
    expect(code).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'failed',
      error: { code: 'LIMIT_EXCEEDED', message: expect.stringMatching(/^the script was ended: free space /) },
    })
    expect(await listedRuns(at)).toMatchObject([{ status: 'failed' }])
  })

  test('while the script prints: what fits is kept, the rest is counted, and the report says so', async () => {
    const at = placeOnSmallDisk({ watched: false })
    const { code, stdout, stderr } = await printTo(at, 64 * 1024 * 1024)
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const report = JSON.parse(stdout) as RunReport
    expect(report).toMatchObject({
      status: 'succeeded',
      output: { stdout: { bytes: 64 * 1024 * 1024, lines: 1024 * 1024 } },
    })
    const kept = statSync(keptFile(at, report)).size
    expect(kept).toBeGreaterThan(0)
    expect(kept).toBeLessThan(8 * 1024 * 1024)
    expect(report.notices).toEqual([
      `stdout was kept up to ${kept} of ${64 * 1024 * 1024} bytes: the disk is full`,
    ])
    // The record had its space set aside.
    expect(recordOf(at, report.run)?.report).toEqual(report)
    expect(await listedRuns(at)).toMatchObject([{ status: 'succeeded' }])
    expect(liveMarkers(at)).toEqual([])

    const next = await cli(at, ['run', '-', '--lang', 'sh'], { stdin: 'echo hi' }).ended
    expect(next).toMatchObject({ code: 1, stdout: '' })
    expect(next.stderr).toMatch(/^error\[DISK_FULL\]: no space left to keep the run in /)
    expect(next.stderr).toMatch(
      /\nhint: srecodex runs prune frees old runs; SRECODEX_HOME moves the store to another disk\n/,
    )
    expect(liveMarkers(at)).toEqual([])
    const pruned = await cli(at, ['runs', 'prune', '--keep-days', '0']).ended
    expect(pruned).toMatchObject({ code: 0 })
    expect(await cli(at, ['run', '-', '--lang', 'sh'], { stdin: 'echo hi' }).ended).toMatchObject({
      code: 0,
      stdout: 'hi\n',
    })
  })

  test('while artifacts are written: the script is told, and so is the reader', async () => {
    const at = placeOnSmallDisk({ watched: false })
    const text = 'head -c 64M /dev/zero > "$(artifact big)" || { echo no room >&2; exit 9; }'
    const { code, stdout } = await cli(at, ['run', '-', '--lang', 'sh', '--json'], { stdin: text }).ended
    expect(code).toBe(1)
    const report = JSON.parse(stdout) as RunReport
    expect(report).toMatchObject({ status: 'failed', exitCode: 9 })
    expect(report.artifacts[0]).toMatchObject({ name: 'big' })
    expect(recordOf(at, report.run)?.report.status).toBe('failed')
  })

  test('from the start: an error that names the place and the way out', async () => {
    const at = placeOnSmallDisk()
    try {
      execFileSync('sh', ['-c', 'cat /dev/zero > fill'], { cwd: at.home, stdio: 'ignore' })
    } catch {
      // full, as it should be
    }
    const { code, stdout, stderr } = await cli(at, ['run', '-', '--lang', 'sh'], { stdin: 'echo hi' }).ended
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error\[DISK_FULL\]: no space left to keep the run in /)
  })
})

async function print(bytes: number) {
  const at = place()
  const script = at.file('printer.py', PRINTER)
  const { child, ended } = cli(at, ['run', '--json', script, '--', String(bytes)])
  const residentBytes = { cli: 0, supervisor: 0 }
  const timer = setInterval(() => {
    residentBytes.cli = Math.max(residentBytes.cli, peakOf(child.pid!))
    const supervisor = descendantsOf(child.pid!).find(pid => /supervisor\.pl/.test(commandOf(pid)))
    if (supervisor !== undefined)
      residentBytes.supervisor = Math.max(residentBytes.supervisor, peakOf(supervisor))
  }, 50)
  const { stdout, stderr, ...end } = await ended.finally(() => clearInterval(timer))
  expect({ stderr, ...end }).toEqual({ stderr, code: 0, signal: null })
  expect(residentBytes.supervisor).toBeGreaterThan(0)
  return { at, report: JSON.parse(stdout) as RunReport, residentBytes }
}

function printTo(at: Place, bytes: number) {
  const script = at.file('printer.py', PRINTER)
  return cli(at, ['run', '--json', script, '--', String(bytes)]).ended
}

/**
 * The store on a disk of 8 MiB of its own.
 *
 * @param options.watched whether a run is ended when little space is left. @default true
 */
function placeOnSmallDisk({ watched = true } = {}): Place {
  const at = place()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'srecodex-test', at.home])
  onTestFinished(() => void execFileSync('umount', ['-l', at.home]))
  if (!watched) {
    mkdirSync(join(at.home, 'config'))
    writeFileSync(join(at.home, 'config', 'config.toml'), '[limits]\nmin_free_space = 0\n')
  }
  return at
}

/** Most memory that the process ever had resident. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

function keptFile(at: Place, report: RunReport): string {
  return join(at.state, 'runs', report.run, 'stdout')
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash)
  return hash.digest('hex')
}

function expectedSha256(bytes: number): string {
  const hash = createHash('sha256')
  for (let first = 0; first < bytes / 64; first += 16_384) {
    let block = ''
    for (let number = first; number < Math.min(first + 16_384, bytes / 64); number++)
      block += `${String(number).padStart(63, '0')}\n`
    hash.update(block)
  }
  return hash.digest('hex')
}
