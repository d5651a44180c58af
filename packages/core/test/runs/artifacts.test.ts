/** The names of artifacts: raw to read them by, and fit to be shown. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { listArtifacts } from '../../src/runs/artifacts.ts'
import { readArtifact } from '../../src/runs/read-artifact.ts'

const RUN = '01M81V5K17GJJFFMNSJVXCZ45B'
const TOKEN = 'tok-7Hq2mZ9xP4vL8sWd'
const OTHER = 'tok-8Jr3nY0wQ5uK9tXe'

function store(names: readonly string[], given: Readonly<Record<string, string>> = {}): string {
  const state = mkdtempSync(join(tmpdir(), 'srecodex-artifacts-'))
  onTestFinished(() => rmSync(state, { recursive: true, force: true }))
  const folder = join(state, 'runs', RUN)
  for (const name of names) {
    const path = join(folder, 'artifacts', name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `in ${name}`)
  }
  writeFileSync(join(folder, 'environment.json'), JSON.stringify(given))
  return state
}

test('a name with a secret is shown without it, and read by what it is', async () => {
  const state = store([`host-${TOKEN}.txt`, `${OTHER}/rows.txt`], { DEPLOY_TOKEN: OTHER })
  const found = await listArtifacts(state, RUN, { BILLING_TOKEN: TOKEN })
  expect(found.map(({ shown }) => shown)).toEqual([
    'host-[redacted:BILLING_TOKEN].txt',
    '[redacted:DEPLOY_TOKEN]/rows.txt',
  ])
  const read = await readArtifact(state, RUN, found[0]!.name, { maxBytes: 100, callerEnvironment: {} })
  expect(read).toMatchObject({ content: { text: expect.stringMatching(/^in host-/) } })
  // Without the secrets of whoever asks, what is theirs is a word like any other.
  const [plain] = await listArtifacts(state, RUN, {})
  expect(plain!.shown).toBe(`host-${TOKEN}.txt`)
})

test('names are one line each, and no two are shown alike', async () => {
  const state = store([
    `a-${TOKEN}`,
    `a-${OTHER}`,
    'a-[redacted:ONE_TOKEN] (2)',
    'b\nc',
    'b\rc',
    'd\u001B[2Je',
  ])
  const found = await listArtifacts(state, RUN, { ONE_TOKEN: TOKEN })
  const [same] = await listArtifacts(store([`a-${TOKEN}`]), RUN, { ONE_TOKEN: TOKEN })
  expect(same!.shown).toBe('a-[redacted:ONE_TOKEN]')
  expect(found.map(({ name, shown }) => [name, shown])).toEqual([
    ['a-[redacted:ONE_TOKEN] (2)', 'a-[redacted:ONE_TOKEN] (2)'],
    [`a-${TOKEN}`, 'a-[redacted:ONE_TOKEN]'],
    [`a-${OTHER}`, `a-${OTHER}`],
    ['b\nc', 'b c'],
    ['b\rc', 'b c (2)'],
    ['d\u001B[2Je', 'de'],
  ])
})

test('of the same words, the later has a number that nothing else has', async () => {
  const state = store(['b\nc', 'b\rc', 'b\tc', 'b c (2)'])
  expect((await listArtifacts(state, RUN, {})).map(({ shown }) => shown)).toEqual([
    ...['b c', 'b c (2)', 'b c (3)', 'b c (2) (2)'],
  ])
})
