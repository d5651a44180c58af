import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listening, until, type Listening } from '../tools/listening.ts'
import { COMMANDS, run, SILENT_SUCCESS, type Ran, type RunOptions } from './running.ts'

function bash(text: string, { socketPath }: Partial<Listening> = {}, options: RunOptions = {}): Promise<Ran> {
  return run(['bash', '--norc', '-c', text], { socketPath, ...options })
}

test.each(['summary', 'progress', 'artifact', 'srecodex-call.pl'])(
  '%s is clean under strict and warnings, which it does without for speed',
  async name => {
    const { status, stderr } = await run(['perl', '-Mstrict', '-Mwarnings', '-c', join(COMMANDS, name)])
    expect([status, stderr]).toEqual([0, `${join(COMMANDS, name)} syntax OK\n`])
  },
)

test('no module is loaded', async () => {
  const { socketPath } = await listening()
  for (const argv of [
    ['summary', 'ü'],
    ['progress', '1', '2', 'ü'],
    ['artifact', 'x/y'],
  ]) {
    const [name = '', ...args] = argv
    const code = `$0 = shift; do $0; die $@ if $@; print STDERR join ",", sort keys %INC`
    const { stderr } = await run(['perl', '-e', code, join(COMMANDS, name), ...args], { socketPath })
    expect(
      stderr
        .split(',')
        .map(path => path.replace(/.*\//, ''))
        .sort(),
    ).toEqual([name, 'srecodex-call.pl'].sort())
  }
})

describe('summary', () => {
  test.each([
    [`summary 'one text'`, 'one text'],
    ['summary several words', 'several words'],
    [`summary ''`, ''],
    ['summary -- -', '-'],
    ['summary -5 pods', '-5 pods'],
    ['echo piped | summary', 'piped'],
    ['echo piped | summary -', 'piped'],
    [`printf 'a\\n\\nb\\n\\n\\n' | summary`, 'a\n\nb'],
    ['summary < /dev/null', ''],
    [`summary $'a\\tb\\nc\\x01'`, 'a\tb\nc\x01'],
    [
      `summary $'ok \\xff\\xc3\\x28 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xe2\\x82'`,
      'ok \uFFFD\uFFFD( \uFFFD\uFFFD\uFFFD \uFFFD\uFFFD\uFFFD\uFFFD \uFFFD\uFFFD',
    ],
    [`printf 'nul\\0nul' | summary`, 'nul\0nul'],
    [`printf '\\xff%.0s' {1..70000} | summary`, '\uFFFD'.repeat(70_000)],
  ])('%s', async (text, summary) => {
    const host = await listening()
    expect(await bash(text, host)).toEqual(SILENT_SUCCESS)
    expect(host.summaries.map(each => each === summary || each)).toEqual([true])
  })

  test('leaves stdin alone when it has words', async () => {
    const host = await listening()
    const text = `while read -r x; do summary "$x"; progress 1; artifact "$x" >/dev/null; done`
    expect(await bash(text, host, { stdin: 'a\nb\nc\n' })).toEqual(SILENT_SUCCESS)
    expect(host.summaries).toEqual(['a', 'b', 'c'])
  })

  test('tells an endless writer to stop', async () => {
    const host = await listening()
    const { status, stderr } = await bash('set -o pipefail; yes | summary', host)
    expect([status, stderr.split('\n')[0]]).toEqual([
      1,
      'error[TOO_LARGE]: the summary has more than 262144 bytes',
    ])
    expect(host.summaries).toEqual([])
  })
})

test.each([
  ['progress 1', { done: 1, total: null, note: '' }],
  ['progress 1 2', { done: 1, total: 2, note: '' }],
  ['progress 007 010', { done: 7, total: 10, note: '' }],
  ['progress 0.5 1.25 half "of it"', { done: 0.5, total: 1.25, note: 'half of it' }],
  ['progress 3 - unknown', { done: 3, total: null, note: 'unknown' }],
  ['progress 999999999999999', { done: 999_999_999_999_999, total: null, note: '' }],
  [`progress 1 2 $'"q" \\\\ \\xff ü\\n'`, { done: 1, total: 2, note: '"q" \\ \uFFFD ü\n' }],
])('%s', async (text, step) => {
  const host = await listening()
  expect(await bash(text, host)).toEqual(SILENT_SUCCESS)
  await until(() => host.progress.length > 0)
  expect(host.progress).toEqual([step])
})

test('exit codes: 2 for usage, 0 for help, 1 for what was refused', async () => {
  const host = await listening()
  for (const wrong of [
    'progress',
    'progress x',
    'progress -1',
    'progress 1 x',
    'progress 1e3',
    'artifact',
    'artifact a b',
  ]) {
    const { status, stdout, stderr } = await bash(wrong, host)
    expect([wrong, status, stdout, stderr.split(' ')[0]]).toEqual([wrong, 2, '', 'Usage:'])
  }
  for (const name of ['summary', 'progress', 'artifact']) {
    const { status, stdout, stderr } = await bash(`${name} --help`, host)
    expect([status, stdout.split(' ')[0], stderr]).toEqual([0, 'Usage:', ''])
  }
  expect(await bash('artifact ../x', host)).toEqual({
    status: 1,
    signal: null,
    stdout: '',
    stderr:
      'error[INVALID_PARAMS]: the name of an artifact has no empty, "." or ".." parts\n\nhint: such as failed/pods.json\n',
  })
  expect([host.summaries, host.progress, host.artifacts]).toEqual([[], [], []])
  const onTerminal = await run(['script', '-qec', join(COMMANDS, 'summary'), '/dev/null'])
  expect([onTerminal.status, onTerminal.stdout.split(' ')[0]]).toEqual([2, 'Usage:'])
})

test('closed descriptors do no harm', async () => {
  const host = await listening()
  expect(await bash('summary a <&- >&- 2>&-; progress 1 <&- >&-', host)).toEqual(SILENT_SUCCESS)
  expect(host.summaries).toEqual(['a'])
  const { status, stderr } = await bash('artifact x >&-', host)
  expect([status, stderr]).toEqual([1, 'error[OUTPUT]: cannot write to stdout: Bad file descriptor\n'])
  const full = await bash('artifact x > /dev/full', host)
  expect([full.status, full.stderr]).toEqual([
    1,
    'error[OUTPUT]: cannot write to stdout: No space left on device\n',
  ])
})

test('works under the names and settings that a script may choose', async () => {
  const host = await listening()
  const env = { PERL_UNICODE: 'SDAL', LC_ALL: 'C' }
  expect(await bash(`summary 'ü 😀'; echo ö | summary; artifact ä/é`, host, { env })).toEqual({
    ...SILENT_SUCCESS,
    stdout: `${host.artifactsPath}/ä/é\n`,
  })
  expect(await bash('./summary near', host, { cwd: COMMANDS })).toEqual(SILENT_SUCCESS)
  expect(await bash('bin/summary relative', host, { cwd: join(COMMANDS, '..') })).toEqual(SILENT_SUCCESS)
  expect(await bash('perl summary plain', host, { cwd: COMMANDS })).toEqual(SILENT_SUCCESS)
  expect(host.summaries).toEqual(['ü 😀', 'ö', 'near', 'relative', 'plain'])
})

test('50 at once', async () => {
  const host = await listening()
  const text = `for i in {1..50}; do { [[ $(artifact "d/$i") == */d/$i ]] && summary "$i" && progress "$i"; } & done; wait`
  expect(await bash(text, host)).toEqual(SILENT_SUCCESS)
  expect(host.summaries.map(Number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 50 }, (_, at) => at + 1),
  )
  expect(host.artifacts.length).toBe(50)
})
