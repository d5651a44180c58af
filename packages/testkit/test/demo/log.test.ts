import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeLog } from '../../src/demo/log.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'srecodex-log-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

async function makeLog(bytes: number, seed = 7) {
  const path = join(folder, `${bytes}-${seed}.log`)
  const result = await writeLog({ path, bytes, seed })
  return { result, text: readFileSync(path, 'latin1') }
}

const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex')

describe('the same seed and size give the same bytes', () => {
  test('on every machine', async () => {
    const { text } = await makeLog(1_000_000)
    expect(sha256(text)).toMatchInlineSnapshot(
      `"3f26a8659b59a652c366a3bf0f17f347b54fad3ce7962d0d0cc02d067404692a"`,
    )
  })

  test('across more than one buffer', async () => {
    const first = await makeLog(9_000_000)
    const again = await makeLog(9_000_000)
    expect(again.result).toEqual(first.result)
    expect(sha256(again.text)).toBe(sha256(first.text))
  })

  test('and another seed gives others', async () => {
    const [one, other] = [await makeLog(100_000, 1), await makeLog(100_000, 2)]
    expect(sha256(one.text)).not.toBe(sha256(other.text))
  })
})

test.each([65_536, 65_537, 100_001, 1_000_003, 4_194_304])(
  'a log of %i bytes is exactly that long',
  async bytes => {
    const { result, text } = await makeLog(bytes)
    expect(result.bytes).toBe(bytes)
    expect(text.length).toBe(bytes)
    const lastLine = text.slice(text.lastIndexOf('\n', bytes - 2) + 1)
    expect(lastLine).toMatch(/^2026-11-21T23:59:59\.999Z INFO {2}\[log-shipper\] .*\n$/)
    expect(lastLine.length).toBeLessThan(600)
  },
)

test.each([3_000_000, 20_000_000])('the truth of %i bytes is what a slow reader counts', async bytes => {
  const { result, text } = await makeLog(bytes)
  const lines = text.slice(0, -1).split('\n')
  expect(result.lines).toBe(lines.length)
  expect(result.mentions).toBe(lines.filter(line => line.toLowerCase().includes('error')).length)
  expect(result.errors).toEqual(countErrors(lines, Object.keys(result.errors)))
})

test('one to two percent of the lines are errors, of 14 types, the first far ahead of the last', async () => {
  const { result } = await makeLog(20_000_000)
  const counts = Object.values(result.errors)
  const share = counts.reduce((sum, count) => sum + count, 0) / result.lines
  expect(share).toBeGreaterThan(0.01)
  expect(share).toBeLessThan(0.02)
  expect(counts.length).toBe(14)
  expect(counts[0]! / counts[13]!).toBeGreaterThan(8)
})

test('time runs from the first minute of the day to the last, and never back', async () => {
  const { text } = await makeLog(2_000_000)
  const times = text
    .split('\n')
    .flatMap(line => /^(?:ts=|\{"ts":")?(2026-11-21T[\d:.]{12}Z)/.exec(line)?.[1] ?? [])
  expect(times).toEqual([...times].sort())
  expect(times[0]!.slice(11, 16)).toBe('00:00')
  expect(times.at(-1)!.slice(11, 16)).toBe('23:59')
})

test('progress ends at the size', async () => {
  const steps: number[] = []
  const path = join(folder, 'app.log')
  await writeLog({ path, bytes: 10_000_000, seed: 7, onProgress: done => steps.push(done) })
  expect(steps.length).toBe(3)
  expect(steps.at(-1)).toBe(10_000_000)
})

test('an abort ends it', async () => {
  const stop = new AbortController()
  const path = join(folder, 'app.log')
  const writing = writeLog({ path, bytes: 1e9, seed: 7, signal: stop.signal, onProgress: () => stop.abort() })
  await expect(writing).rejects.toThrow('aborted')
})

test.each([
  [1000, 7, 'a log has at least 65536 bytes, not 1000'],
  [65_536.5, 7, 'a log has at least 65536 bytes, not 65536.5'],
  [65_536, 0.5, 'a seed is an integer, not 0.5'],
])('size %d with seed %d is refused', async (bytes, seed, message) => {
  await expect(makeLog(bytes, seed)).rejects.toThrow(message)
})

/** Line by line, with a parser where the script has byte searches: slow, plain, and no code shared with either. */
function countErrors(lines: readonly string[], types: readonly string[]): Record<string, number> {
  const records: string[][] = []
  for (const line of lines) {
    if (/^(2026-|ts=|\{)/.test(line)) records.push([line])
    else records.at(-1)!.push(line)
  }
  const counts: Record<string, number> = {}
  for (const record of records.filter(([head]) => isError(head!))) {
    const named = types.filter(type => record.join('\n').includes(type))
    expect(named).toHaveLength(1)
    counts[named[0]!] = (counts[named[0]!] ?? 0) + 1
  }
  return counts
}

function isError(head: string): boolean {
  if (head.startsWith('{')) {
    const record: { level: string } = JSON.parse(head)
    return record.level === 'error'
  }
  return head.split(' ')[1] === (head.startsWith('ts=') ? 'level=error' : 'ERROR')
}
