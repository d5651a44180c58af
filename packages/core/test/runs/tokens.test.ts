import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { estimateRawTokens, estimateTokens, readSample } from '../../src/runs/tokens.ts'

const LINE = 'INFO pod nginx-7d9f8b restarted in namespace default\n'

test('text', async () => {
  expect(await estimateTokens('')).toBe(0)
  expect(await estimateTokens('hello world')).toBe(2)
})

test('a sample stands for the stream', async () => {
  const sample = Buffer.from(LINE.repeat(100))
  const whole = await estimateTokens(LINE.repeat(100))
  expect(await estimateRawTokens({ sample, totalBytes: sample.length })).toBe(whole)
  expect(await estimateRawTokens({ sample, totalBytes: sample.length * 1000 })).toBe(whole * 1000)
  expect(await estimateRawTokens({ sample: Buffer.alloc(0), totalBytes: 0 })).toBe(0)
  expect(await estimateRawTokens({ sample: Buffer.alloc(0), totalBytes: 4000 })).toBe(1000)
})

test('reads the first and the last bytes; absent is null, empty is empty', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'srecodex-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const path = join(dir, 'stdout')
  expect(await readSample(path)).toBeNull()
  await writeFile(path, '')
  expect(await readSample(path)).toEqual({ sample: Buffer.alloc(0), totalBytes: 0 })
  await writeFile(path, 'abcdefghij')
  expect(await readSample(path, 4)).toEqual({ sample: Buffer.from('abij'), totalBytes: 10 })
  expect(await readSample(path)).toEqual({ sample: Buffer.from('abcdefghij'), totalBytes: 10 })
})
