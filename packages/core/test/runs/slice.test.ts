import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'

import { createRedactor } from '../../src/runs/redact.ts'
import { readSlice, type SliceOptions, type SliceResult } from '../../src/runs/slice.ts'

const redactor = createRedactor({ values: [{ name: 'API_TOKEN', value: 'opensesame' }] })
const MB = 1024 * 1024

async function file(content: string | Buffer): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'srecodex-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  await writeFile(join(dir, 'stdout'), content)
  return join(dir, 'stdout')
}

type Asked = Omit<SliceOptions, 'path' | 'maxChars' | 'redactor'> & { readonly maxChars?: number }

const slice = async (path: string, asked: Asked = {}): Promise<SliceResult | null> =>
  readSlice({ path, maxChars: 10_000, redactor, ...asked })

const NOTHING_CUT = { byLimit: false, byChars: false, insideLine: false }

/** `1:a 2:b`, then what `nextOffset` says. */
const brief = (result: SliceResult | null): string =>
  result === null
    ? 'absent'
    : [
        ...result.lines.map(({ number, text }) => `${number}:${text}`),
        `> ${result.nextOffset ?? 'end'}`,
      ].join(' ')

describe('which lines', () => {
  const CASES: readonly [asked: Asked, shown: string][] = [
    [{}, '1:a1 2:b 3:a2 4:c 5:a3 > end'],
    [{ limit: 2 }, '1:a1 2:b > 2'],
    [{ limit: 5 }, '1:a1 2:b 3:a2 4:c 5:a3 > end'],
    [{ offset: 2, limit: 2 }, '3:a2 4:c > 4'],
    [{ offset: 5 }, '> end'],
    [{ offset: 99 }, '> end'],
    [{ offset: -2 }, '4:c 5:a3 > end'],
    [{ offset: -99, limit: 1 }, '1:a1 > 1'],
    [{ grep: '^a' }, '1:a1 3:a2 5:a3 > end'],
    [{ grep: '^a', limit: 2 }, '1:a1 3:a2 > 4'],
    [{ grep: '^a', offset: 1 }, '3:a2 5:a3 > end'],
    [{ grep: 'a', offset: -3, limit: 1 }, '3:a2 > 4'],
    [{ grep: '(?i)^A3$' }, '5:a3 > end'],
    [{ grep: 'zzz' }, '> end'],
    [{ grep: '', limit: 1 }, '1:a1 > 1'],
    [{ maxChars: 5 }, '1:a1 2:b > 2'],
  ]
  test.each(CASES)('%j', async (asked, shown) => {
    expect(brief(await slice(await file('a1\nb\na2\nc\na3\n'), asked))).toBe(shown)
    expect(brief(await slice(await file('a1\nb\na2\nc\na3'), asked))).toBe(shown)
  })

  test('absent, empty, and the whole result', async () => {
    expect(await slice('/nonexistent/stdout')).toBeNull()
    const empty = { lines: [], totalLines: 0, matched: 0, truncated: NOTHING_CUT, nextOffset: null }
    expect(await slice(await file(''))).toEqual(empty)
    expect(await slice(await file('a\nb\nc\n'), { offset: 1, limit: 1 })).toEqual({
      lines: [{ number: 2, text: 'b' }],
      totalLines: null,
      matched: 2,
      truncated: { ...NOTHING_CUT, byLimit: true },
      nextOffset: 2,
    })
    expect(await slice(await file('a\n\n'), { offset: -1 })).toEqual({
      lines: [{ number: 2, text: '' }],
      totalLines: 2,
      matched: 1,
      truncated: NOTHING_CUT,
      nextOffset: null,
    })
  })

  test('over many pieces the numbers stay true and going on loses nothing', async () => {
    const count = 30_000
    const path = await file(
      Array.from({ length: count }, (_, index) => `${index + 1} ${'pad '.repeat(index % 20)}`).join('\n'),
    )
    const seen: number[] = []
    let offset: number | null = 0
    while (offset !== null) {
      const result: SliceResult | null = await slice(path, { offset, limit: 7000, maxChars: 5 * MB })
      for (const { number, text } of result!.lines) {
        expect(Number.parseInt(text, 10)).toBe(number)
        seen.push(number)
      }
      offset = result!.nextOffset
    }
    expect(seen.length).toBe(count)
    expect(brief(await slice(path, { grep: '^29999 ' }))).toContain('29999:29999')
  })
})

describe('what is shown is safe', () => {
  test('sanitised, redacted, and only the redacted text can be found', async () => {
    const path = await file('\x1b[31mred\x1b[0m opensesame\n')
    expect(brief(await slice(path, { grep: '^red' }))).toBe('1:red [redacted:API_TOKEN] > end')
    expect(brief(await slice(path, { grep: 'open' }))).toBe('> end')
  })

  test('a private key, asked for from its middle', async () => {
    const body = Array.from({ length: 50 }, () => 'MIIEabcdefghijklmnopqrstuv')
    const path = await file(
      ['x', '-----BEGIN PRIVATE KEY-----', ...body, '-----END PRIVATE KEY-----', 'y'].join('\n'),
    )
    expect(brief(await slice(path, { offset: 20, limit: 1 }))).toBe('21:[redacted:private-key] > 21')
    expect(brief(await slice(path, { grep: 'MIIE' }))).toBe('> end')
  })

  test('binary content', async () => {
    const result = await slice(
      await file(Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7) % 256))),
    )
    expect(result!.lines.every(({ text }) => text.isWellFormed())).toBe(true)
  })

  test('one line of a gigabyte, in flat memory', async () => {
    const path = await file('')
    const handle = await open(path, 'w')
    await handle.write('start', 0)
    await handle.write('\nlast\n', 1024 ** 3)
    await handle.close()
    const before = process.memoryUsage().rss
    const result = await slice(path, { maxChars: 100 })
    expect(result).toEqual({
      lines: [
        { number: 1, text: expect.stringMatching(/^ … 1,073,\d{3},\d{3} more characters$/) },
        { number: 2, text: 'last' },
      ],
      totalLines: 2,
      matched: 2,
      truncated: { ...NOTHING_CUT, insideLine: true },
      nextOffset: null,
    })
    expect(brief(await slice(path, { offset: -1 }))).toBe('2:last > end')
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * MB)
  })

  test('half a secret where a long line is no longer held', async () => {
    const path = await file(`${'x'.repeat(256 * 1024 - 4)}opensesame${'y'.repeat(MB)}\n`)
    const text = (await slice(path, { maxChars: 3 * MB }))!.lines[0]!.text
    expect(text).toMatch(/^x+ … [\d,]+ more characters$/)
  })

  test('a progress bar of megabytes shows its end', async () => {
    const path = await file(`${'working\r'.repeat(200_000)}done\nnext\n`)
    expect(brief(await slice(path))).toBe('1:done 2:next > end')
  })

  test('a long line shows where the expression met it', async () => {
    const path = await file(`${'x'.repeat(5000)}needle${'y'.repeat(5000)}\n`)
    const text = (await slice(path, { grep: 'needle', maxChars: 200 }))!.lines[0]!.text
    expect(text).toMatch(/^… x+needley+ … [\d,]+ more characters$/)
    expect(text.length).toBeLessThanOrEqual(200)
  })
})

describe('refused', () => {
  const CASES: readonly [asked: Asked, code: string][] = [
    [{ grep: '(' }, 'USAGE'],
    [{ grep: 'a'.repeat(1001) }, 'USAGE'],
    [{ offset: 0.5 }, 'USAGE'],
    [{ limit: 0 }, 'USAGE'],
    [{ grep: String.raw`(\w+\s?)+$x`, maxMatchMs: 100 }, 'LIMIT_EXCEEDED'],
    [{ grep: '(a+)+b', maxMatchMs: 100 }, 'LIMIT_EXCEEDED'],
    [{ grep: '(.*a){30}b', maxMatchMs: 100 }, 'LIMIT_EXCEEDED'],
  ]
  test.each(CASES)('%j', async (asked, code) => {
    await expect(slice(await file('a'.repeat(50_000)), asked)).rejects.toMatchObject({
      name: 'SrecodexError',
      code,
    })
  })
})
