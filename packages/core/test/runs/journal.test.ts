import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createJournal, readJournal, type JournalEntry, type RecordedEntry } from '../../src/runs/journal.ts'
import { bytesOf, keepBytes, MAX_KEPT_BYTES } from '../../src/runs/journal/kept-bytes.ts'
import { WRITER } from './journal-killed.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'srecodex-journal-'))
  path = join(folder, 'journal.jsonl')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const end = (status: string): JournalEntry => ({ kind: 'end', status })
const may = (...argv: string[]): JournalEntry => ({ kind: 'may', argv })
const bare = ({ seq: _seq, at: _at, ...entry }: RecordedEntry): unknown => entry
const lines = (): string[] => readFileSync(path, 'utf8').split('\n')

test('entries come back in order, numbered from 1, each with its time; the file is private', async () => {
  const before = new Date().toISOString()
  const journal = createJournal(path)
  journal.append(may('kubectl', 'a\nb', '\u2028 ü 🦊'))
  await journal.commit({ kind: 'once', name: 'seq', value: { seq: 99, at: null, '"': [1.5, true] } })
  journal.append(end('succeeded'))
  await journal.close()

  const entries = await readJournal(path)
  expect(entries.map(bare)).toEqual([
    may('kubectl', 'a\nb', '\u2028 ü 🦊'),
    { kind: 'once', name: 'seq', value: { seq: 99, at: null, '"': [1.5, true] } },
    end('succeeded'),
  ])
  expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3])
  for (const { at } of entries) {
    expect(at >= before && at <= new Date().toISOString()).toBe(true)
  }
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('an entry is what it was when it was given', async () => {
  const journal = createJournal(path)
  const argv = ['kubectl', 'rollout', 'undo']
  journal.append({ kind: 'may', argv })
  argv.push('--all')
  await journal.close()
  expect((await readJournal(path)).map(bare)).toEqual([may('kubectl', 'rollout', 'undo')])
})

test('random appends and commits keep their order, and a commit covers all that came before it', async () => {
  for (let round = 0; round < 8; round += 1) {
    const file = join(folder, `random-${round}.jsonl`)
    const journal = createJournal(file)
    const commits: Promise<void>[] = []
    const tooEarly: number[] = []
    const count = 1 + Math.floor(Math.random() * 300)
    for (let n = 0; n < count; n += 1) {
      const entry = end(`${n} ${'x'.repeat(Math.random() < 0.02 ? 100_000 : 5)}`)
      if (Math.random() < 0.5) journal.append(entry)
      else {
        const check = async (): Promise<void> => {
          if ((await readJournal(file)).length <= n) tooEarly.push(n)
        }
        const isChecked = Math.random() < 0.02
        commits.push(isChecked ? journal.commit(entry).then(check) : journal.commit(entry))
      }
      if (Math.random() < 0.1) await new Promise(resolve => setImmediate(resolve))
    }
    await Promise.all(commits)
    await journal.close()
    expect(tooEarly).toEqual([])
    const found = await readJournal(file)
    expect(found.map(entry => (entry.kind === 'end' ? Number.parseInt(entry.status, 10) : -1))).toEqual(
      Array.from({ length: count }, (_, n) => n),
    )
    expect(found.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, n) => n + 1))
  }
})

test('what is committed in one moment shares one write and one sync', () => {
  const script = `
    const { createJournal } = await import(process.argv[1])
    const journal = createJournal(process.argv[2])
    await Promise.all(Array.from({ length: 500 }, (_, n) => journal.commit({ kind: 'end', status: String(n) })))
    await journal.close()
  `
  const trace = join(folder, 'trace')
  const module = new URL('../../src/runs/journal.ts', import.meta.url).href
  const argv = ['--input-type=module', '-e', COUNTING + script, module, path, trace]
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(JSON.parse(readFileSync(trace, 'utf8'))).toEqual({ write: 1, fdatasync: 1 })
  expect(lines()).toHaveLength(501)
})

/** Counts what Node asks of the disk, before the journal takes hold of it. */
const COUNTING = `
  import fs from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  const counts = { write: 0, fdatasync: 0 }
  for (const name of ['write', 'fdatasync']) {
    const real = fs[name]
    fs[name] = Object.defineProperty(
      (...args) => { counts[name] += 1; return real(...args) },
      Symbol.for('nodejs.util.promisify.custom'),
      { value: undefined },
    )
    const custom = Object.getOwnPropertySymbols(real).find(symbol => symbol.description === 'customPromisifyArgs')
    if (custom) fs[name][custom] = real[custom]
  }
  syncBuiltinESMExports()
  process.on('exit', () => fs.writeFileSync(process.argv[3], JSON.stringify(counts)))
`

test('a run has one journal: an existing file is not written', () => {
  writeFileSync(path, 'precious')
  expect(() => createJournal(path)).toThrow(
    expect.objectContaining({ code: 'STATE_UNWRITABLE', details: { path } }),
  )
  expect(readFileSync(path, 'utf8')).toBe('precious')
})

test('a place that cannot be written is told at once', () => {
  writeFileSync(join(folder, 'file'), '')
  expect(() => createJournal(join(folder, 'file', 'journal.jsonl'))).toThrow(
    expect.objectContaining({ code: 'STATE_UNWRITABLE' }),
  )
})

test('a closed journal takes nothing more', async () => {
  const journal = createJournal(path)
  await journal.commit(end('succeeded'))
  await Promise.all([journal.close(), journal.close()])
  await expect(journal.commit(end('failed'))).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(() => journal.append(end('failed'))).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  expect((await readJournal(path)).map(bare)).toEqual([end('succeeded')])
})

test('an entry that no reader would take is refused, and harms no other', async () => {
  const journal = createJournal(path)
  const first = journal.commit(end('a'))
  await expect(journal.commit(may('x'.repeat(16 * 1024 * 1024)))).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
  })
  await journal.commit(may('y'.repeat(15 * 1024 * 1024)))
  await first
  await journal.close()
  expect((await readJournal(path)).map(({ kind }) => kind)).toEqual(['end', 'may'])
})

async function written(count: number): Promise<void> {
  const journal = createJournal(path)
  for (let n = 0; n < count; n += 1) journal.append(end(`status ${n} ü`))
  await journal.close()
}

test('a last line that is cut anywhere is dropped, and nothing else', async () => {
  await written(3)
  const bytes = statSync(path).size
  const lastLine = Buffer.byteLength(lines()[2]!) + 1
  for (let cut = 1; cut <= lastLine; cut += 1) {
    truncateSync(path, bytes - cut)
    expect(await readJournal(path)).toHaveLength(2)
  }
})

test('zeros after the last line, as a loss of power leaves them, are dropped', async () => {
  await written(3)
  appendFileSync(path, Buffer.alloc(10_000))
  expect(await readJournal(path)).toHaveLength(3)
})

test('an empty journal has no entries; a missing one is an error', async () => {
  await createJournal(path).close()
  expect(await readJournal(path)).toEqual([])
  rmSync(path)
  await expect(readJournal(path)).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    at: { file: path },
    details: { path, line: null },
  })
})

test.each<[string, (line: string) => string, RegExp]>([
  ['half a line', line => line.slice(0, 30), /line 2 of it is not JSON/],
  ['zeros', line => '\0'.repeat(line.length), /line 2 of it is not JSON/],
  ['an empty line', () => '', /line 2 of it is not JSON/],
  ['bytes that are not UTF-8', line => line.replace('ü', '\xff'), /line 2 of it is not JSON/],
  ['a list', () => '[1]', /line 2 of it is not an entry/],
  ['null', () => 'null', /line 2 of it is not an entry/],
  ['an entry without a kind', () => '{"seq":2,"at":"x"}', /line 2 of it is not an entry/],
  [
    'a number that is not its place',
    line => line.replace('"seq":2', '"seq":3'),
    /line 2 of it has the number 3/,
  ],
  ['a line twice', line => `${line}\n${line}`, /line 3 of it has the number 2/],
])('in the middle, %s is an error that says where', async (_, damage, message) => {
  await written(4)
  const kept = lines()
  const damaged = [kept[0], damage(kept[1]!), ...kept.slice(2)].join('\n')
  // ÿ stands for the byte 0xFF, which no UTF-8 has.
  writeFileSync(
    path,
    Buffer.from(Buffer.from(damaged).toString('latin1').replace('\xc3\xbf', '\xff'), 'latin1'),
  )
  const error: unknown = await readJournal(path).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'STORE_CORRUPT', at: { file: path } })
  expect((error as Error).message).toMatch(message)
})

test('a removed line is seen', async () => {
  await written(4)
  writeFileSync(path, lines().toSpliced(1, 1).join('\n'))
  await expect(readJournal(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { path, line: 2 } })
})

test('a kind that a later version writes is left out, and counts for the order', async () => {
  const line = (seq: number, rest: object): string => `${JSON.stringify({ seq, at: 'x', ...rest })}\n`
  writeFileSync(path, line(1, end('a')) + line(2, { kind: 'telepathy', of: [1] }) + line(3, end('b')))
  expect((await readJournal(path)).map(bare)).toEqual([end('a'), end('b')])
})

test('a line without an end is not read into memory for ever', async () => {
  await written(1)
  for (let n = 0; n < 17; n += 1) appendFileSync(path, 'x'.repeat(1024 * 1024))
  await expect(readJournal(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { line: 2 } })
})

test('lines of every length are put together across the chunks of a read', async () => {
  const journal = createJournal(path)
  const lengths = [0, 1, 100, 262_143, 262_144, 262_145, 1_000_000, 3]
  for (const length of lengths) journal.append(end('ü'.repeat(length)))
  await journal.close()
  const found = await readJournal(path)
  expect(found.map(entry => (entry.kind === 'end' ? entry.status.length : -1))).toEqual(lengths)
})

interface Filled {
  readonly started: string[]
  readonly ended: string[]
  readonly refused: string
  readonly late: { readonly result: string; readonly once: string; readonly close: string }
  readonly failures: string[]
  readonly isReserveLeft: boolean
  readonly entries: RecordedEntry[]
  readonly inFlight: string
}

function filled(argv: readonly string[]): Filled {
  const [program = '', ...rest] = argv
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', maxBuffer: 1e8 })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout) as Filled
}

/** A disk of 256 KiB, gone with the process. */
function onSmallDisk(mode: 'full' | 'limit'): Filled {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  return filled([
    ...['bwrap', '--dev-bind', '/', '/', '--size', String(256 * 1024), '--tmpfs', disk],
    ...[process.execPath, WRITER, disk, mode],
  ])
}

const callsIn = (entries: readonly RecordedEntry[]): string[] =>
  entries.flatMap(entry => (entry.kind === 'call' ? entry.call : []))

test('on a full disk nothing new starts, and the reserve takes how things ended', () => {
  const { started, ended, refused, late, failures, isReserveLeft, entries } = onSmallDisk('full')
  expect(refused).toBe('DISK_FULL')
  expect(started.length).toBeGreaterThan(100)
  expect(callsIn(entries)).toEqual(started)
  expect(ended).toEqual(['c1'])
  expect(entries.at(-1)).toMatchObject({ kind: 'result', call: 'c1', stdout: 'restarted' })
  expect(late).toEqual({ result: '', once: 'DISK_FULL', close: 'DISK_FULL' })
  expect(failures).toEqual(['DISK_FULL'])
  expect(isReserveLeft).toBe(false)
})

test('on a full disk without a reserve the journal ends with its last whole line', () => {
  const { started, ended, refused, late, failures, entries } = onSmallDisk('limit')
  expect(refused).toBe('DISK_FULL')
  expect(callsIn(entries)).toEqual(started)
  expect(ended).toEqual(late.result === '' ? ['c1'] : [])
  expect(late.once).toBe('DISK_FULL')
  expect(failures).toEqual(['DISK_FULL'])
})

test('a disk without room for the reserve starts no mutation', () => {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  const argv = [
    '--dev-bind',
    '/',
    '/',
    '--size',
    '32768',
    '--tmpfs',
    disk,
    process.execPath,
    WRITER,
    disk,
    'full',
  ]
  const { started, inFlight, refused, ended } = filled(['bwrap', ...argv])
  expect({ started, inFlight, refused, ended }).toEqual({
    started: [],
    inFlight: 'c1',
    refused: 'DISK_FULL',
    ended: ['c1'],
  })
})

test('a file that may not grow is told as unwritable, and ends with its last whole line', () => {
  const { started, refused, late, entries } = filled([
    ...['bash', '-c', 'ulimit -f 100; exec "$@"', 'bash'],
    ...[process.execPath, WRITER, folder, 'limit'],
  ])
  expect(refused).toBe('STATE_UNWRITABLE')
  expect(started.length).toBeGreaterThan(50)
  expect(callsIn(entries)).toEqual(started)
  expect(late).toEqual({ result: 'STATE_UNWRITABLE', once: 'STATE_UNWRITABLE', close: 'STATE_UNWRITABLE' })
})

test('output is kept exactly: text as text, other bytes as base64, its beginning where it is long', () => {
  const texts = ['', 'deployment.apps/web restarted\n', '\0\u001b[0m ü 🦊']
  for (const text of texts) expect(keepBytes(Buffer.from(text))).toEqual({ kept: text, isCut: false })
  const binary = Buffer.from([0xff, 0x00, 0xc3])
  expect(keepBytes(binary)).toEqual({ kept: { base64: '/wDD' }, isCut: false })
  expect(bytesOf(keepBytes(binary).kept)).toEqual(binary)

  const exact = Buffer.alloc(MAX_KEPT_BYTES, 'a')
  expect(keepBytes(exact)).toEqual({ kept: exact.toString(), isCut: false })
  for (const shift of [0, 1, 2, 3]) {
    const long = Buffer.from('a'.repeat(shift) + '🦊'.repeat(20_000))
    const { kept, isCut } = keepBytes(long)
    expect(isCut).toBe(true)
    const whole = 'a'.repeat(shift) + '🦊'.repeat(Math.floor((MAX_KEPT_BYTES - shift) / 4))
    expect(kept).toBe(whole)
  }
  const noise = Buffer.alloc(MAX_KEPT_BYTES * 2, 0x80)
  const { kept, isCut } = keepBytes(noise)
  expect(isCut).toBe(true)
  expect(bytesOf(kept).length).toBeGreaterThan(MAX_KEPT_BYTES - 4)
})
