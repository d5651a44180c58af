import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'

import { createRedactor } from '../../src/runs/redact.ts'
import { cutText, readTail, summarise, type SummaryOptions, type Tail } from '../../src/runs/summary.ts'

const redactor = createRedactor({ values: [{ name: 'API_TOKEN', value: 'opensesame' }] })

interface Given {
  readonly declared?: string
  readonly stdout?: string | Tail | null
  readonly lines?: number
  readonly bytes?: number
  readonly keptBytes?: number
  readonly maxChars?: number
}

function options({ declared, stdout = '', maxChars = 1200, ...counts }: Given): SummaryOptions {
  const tail = typeof stdout === 'string' ? { bytes: Buffer.from(stdout), startsInsideLine: false } : stdout
  const bytes = tail?.bytes.length ?? 0
  const lines = tail?.bytes.toString().replace(/\n$/, '').split('\n').length ?? 0
  return {
    declared: declared ?? null,
    stdout: { tail, lines, bytes, keptBytes: bytes, ...counts },
    run: 'RUN',
    maxChars,
    redactor,
  }
}

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`).join('\n')

describe('summarise', () => {
  const CASES: readonly [name: string, given: Given, text: string][] = [
    ['no summary and no stdout', {}, ''],
    ['no file', { stdout: null }, ''],
    ['blank stdout', { stdout: '\n \n\n' }, ''],
    ['an empty summary wins over stdout', { declared: '', stdout: 'out' }, ''],
    ['the summary wins over stdout', { declared: 'done\n', stdout: 'out' }, 'done'],
    ['sanitised, then redacted', { declared: '\x1b[1mopen\u200bsesame' }, '[redacted:API_TOKEN]'],
    ['few lines are shown whole', { stdout: 'a\n\nb\n' }, 'a\n\nb'],
    ['exactly as many characters as allowed', { stdout: 'x'.repeat(100), maxChars: 100 }, 'x'.repeat(100)],
    ['twenty lines', { stdout: `${numbered(1, 20)}\n` }, numbered(1, 20)],
    [
      'more than twenty',
      { stdout: `${numbered(1, 25)}\n\n`, lines: 12_366 },
      `… 12,345 lines before (srecodex output RUN)\n${numbered(6, 25)}`,
    ],
    [
      'as many lines as fit',
      { stdout: numbered(1, 9), maxChars: 60 },
      '… 6 lines before (srecodex output RUN)\nline 7\nline 8\nline 9',
    ],
    [
      'a long line is cut',
      { stdout: `${'x'.repeat(500)}\nend`, maxChars: 160 },
      `${'x'.repeat(95)} … 405 more characters\nend`,
    ],
    [
      'what limits.output left out is said',
      { stdout: 'a\nb\n', bytes: 2004, keptBytes: 4 },
      'a\nb\n… 2,000 bytes after this not kept (limits.output)',
    ],
    [
      'a line that the limit cut may hold half a secret',
      { stdout: 'a\nopenses', bytes: 2009, keptBytes: 9 },
      'a\n… 2,000 bytes after this not kept (limits.output)',
    ],
    [
      'a long summary is cut',
      { declared: 'x'.repeat(2000), maxChars: 100 },
      `${'x'.repeat(76)} … 1,924 more characters`,
    ],
    [
      'a secret at the cut goes whole',
      { declared: `${'x'.repeat(70)}opensesame${'y'.repeat(500)}`, maxChars: 100 },
      `${'x'.repeat(70)}[redacte … 512 more characters`,
    ],
  ]
  test.each(CASES)('%s', async (_, given, text) => {
    const result = await summarise(options(given))
    expect(result.text.length).toBeLessThanOrEqual(given.maxChars ?? 1200)
    expect(result.text).toBe(text)
  })

  test('a private key that begins before the lines shown', async () => {
    const body = Array.from({ length: 40 }, () => 'MIIEabcdefghijklmnopqrstuv').join('\n')
    const stdout = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\nend\n`
    const { text } = await summarise(options({ stdout }))
    expect(text).not.toContain('MIIE')
  })

  test('half a secret at the front of a line that is only partly there', async () => {
    const tail = { bytes: Buffer.from(`sesame${'x'.repeat(9000)}`), startsInsideLine: true }
    const { text } = await summarise(options({ stdout: tail, lines: 1, keptBytes: 1e9, bytes: 1e9 }))
    expect(text).toMatch(/^… x+$/)
  })

  test.each([0, 1, 10, 40, 41, 60, 100])('never more than %i characters', async maxChars => {
    for (const stdout of [
      numbered(1, 400),
      'x'.repeat(5000),
      '👩‍👩‍👧'.repeat(500),
      `${'x\n'.repeat(30)}${'y'.repeat(900)}`,
    ]) {
      for (const declared of [undefined, stdout]) {
        const given = { stdout, maxChars, bytes: 1e9, ...(declared === undefined ? {} : { declared }) }
        const { text } = await summarise(options(given))
        expect(text.length).toBeLessThanOrEqual(maxChars)
        expect(text.isWellFormed()).toBe(true)
      }
    }
  })

  test('a declared summary of many megabytes', async () => {
    const { text, isCut } = await summarise(options({ declared: 'z'.repeat(20_000_000), maxChars: 100 }))
    expect({ text, isCut }).toEqual({ text: `${'z'.repeat(71)} … 19,999,929 more characters`, isCut: true })
  })
})

test('a cut splits no grapheme', () => {
  expect(cutText('abc', 3)).toBe('abc')
  const family = '👩‍👩‍👧'
  for (let maxChars = 25; maxChars < 60; maxChars++) {
    const [shown] = cutText(family.repeat(50), maxChars).split(' …')
    expect(shown!.length % family.length).toBe(0)
  }
})

async function file(content: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'srecodex-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  await writeFile(join(dir, 'stdout'), content)
  return join(dir, 'stdout')
}

describe('readTail', () => {
  const CASES: readonly [content: string, lines: number, bytes: number, tail: string, inside: boolean][] = [
    ['', 2, 100, '', false],
    ['a', 2, 100, 'a', false],
    ['a\nb\nc\n', 2, 100, 'b\nc\n', false],
    ['a\nb\nc', 2, 100, 'b\nc', false],
    ['a\nb\n', 2, 100, 'a\nb\n', false],
    ['\n\n\n', 2, 100, '\n\n', false],
    ['aaaa\nbb\ncc\n', 9, 6, 'bb\ncc\n', false],
    ['aaaa\nbb\ncc\n', 9, 7, 'bb\ncc\n', false],
    ['aaaaaaaa\n', 9, 4, 'aaa\n', true],
    ['aaaaaaaa', 9, 4, 'aaaa', true],
  ]
  test.each(CASES)('%j: %i lines, %i bytes', async (content, lines, bytes, tail, inside) => {
    expect(await readTail(await file(content), lines, bytes)).toEqual({
      bytes: Buffer.from(tail),
      startsInsideLine: inside,
    })
  })

  test('absent is null', async () => {
    expect(await readTail('/nonexistent/stdout')).toBeNull()
  })

  test('of a file of 4 GiB only the end is read', async () => {
    const path = await file('')
    const handle = await open(path, 'w')
    await handle.write('\nlast\n', 4 * 1024 ** 3)
    await handle.close()
    expect(await readTail(path, 1)).toEqual({ bytes: Buffer.from('last\n'), startsInsideLine: false })
  })
})
