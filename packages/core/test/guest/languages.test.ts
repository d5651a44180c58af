/** What holds in every language alike: one script each, the same calls, the same ears. */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listening, temporaryFolder, until } from '../tools/listening.ts'
import {
  GUEST,
  NODES,
  program,
  PYTHON,
  run,
  SILENT_SUCCESS,
  start,
  type Ran,
  type RunOptions,
} from './running.ts'

interface Language {
  readonly name: string
  /** Runs one statement: the summary is stdin, progress is 3 of 4 "half way", an artifact is named by ARG. */
  run(
    what: 'summary' | 'progress' | 'artifact',
    options?: RunOptions & { readonly arg?: string },
  ): Promise<Ran>
  /** Says `ready`, waits for a line, calls; prints `lost` and the error when that fails. */
  readonly callAfterWaiting: readonly string[]
}

const IMPORT_JS = `import { summary, progress, artifact } from '${GUEST}/javascript/index.cjs'`

const PYTHON_STATEMENTS = {
  summary: 'import sys, srecodex; srecodex.summary(sys.stdin.buffer.read().decode())',
  progress: 'import srecodex; srecodex.progress(3, 4, "half way")',
  artifact: 'import sys, srecodex; print(srecodex.artifact(sys.argv[1]))',
}
const BASH_STATEMENTS = {
  summary: 'summary',
  progress: 'progress 3 4 half way',
  artifact: 'artifact "$1"',
}
const JAVASCRIPT_STATEMENTS = {
  summary: `${IMPORT_JS}\nimport { readFileSync } from 'node:fs'\nawait summary(readFileSync(0, 'utf8'))`,
  progress: `${IMPORT_JS}\nprogress(3, 4, 'half way')`,
  artifact: `${IMPORT_JS}\nconsole.log(await artifact(process.argv[2]))`,
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'python',
    run: (what, { arg = '', ...options } = {}) => run([PYTHON, '-c', PYTHON_STATEMENTS[what], arg], options),
    callAfterWaiting: [
      PYTHON,
      '-c',
      `
import signal, sys, srecodex
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
srecodex.summary("before")
print("ready", flush=True)
sys.stdin.readline()
srecodex.progress(1)
try: srecodex.summary("after")
except srecodex.SrecodexError as error: print("lost", error.code, error)
`,
    ],
  },
  {
    name: 'bash',
    run: (what, { arg = '', ...options } = {}) =>
      run(['bash', '--norc', '-c', BASH_STATEMENTS[what], 'bash', arg], options),
    callAfterWaiting: [
      'bash',
      '--norc',
      '-c',
      'summary before; echo ready; read -r; progress 1 2>/dev/null; summary after 2>&1 || echo "lost DISCONNECTED"',
    ],
  },
  ...NODES.map((node, at) => ({
    name: at === 0 ? 'javascript' : `javascript on ${node}`,
    run: (
      what: keyof typeof JAVASCRIPT_STATEMENTS,
      { arg = '', ...options }: RunOptions & { arg?: string } = {},
    ) => run([node, program('script.mjs', JAVASCRIPT_STATEMENTS[what]), arg], options),
    callAfterWaiting: [
      node,
      '--input-type=module',
      '-e',
      `${IMPORT_JS}
await summary('before')
console.log('ready')
await new Promise(resolve => process.stdin.once('data', resolve))
process.stdin.destroy()
await progress(1)
await summary('after').catch(error => console.log('lost', error.code, error.message))`,
    ],
  })),
]

const TEXTS: readonly (readonly [string, string])[] = [
  ['words', '3 pods restarted'],
  ['nothing', ''],
  ['quotes', `she said "no" \\ 'yes' \`maybe\` $HOME %s {"a":[1]}`],
  ['lines', 'one\ntwo\r\n\tthree\n\n\nfour'],
  ['Unicode', 'Größe 日本語 😀 👩‍👩‍👧 \u2028\u2029 \u0301 \ufeff'],
  [
    'controls',
    Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)).join('') + '\x7f\x80 end',
  ],
  ['200 KB', `${'é"\\\n😀'.repeat(20_000)}.`],
  ['its bound', 'x'.repeat(256 * 1024)],
]

describe.each(LANGUAGES)('$name', language => {
  test.each(TEXTS)('summary carries %s', async (_name, text) => {
    const { socketPath, summaries } = await listening()
    expect(await language.run('summary', { socketPath, stdin: text })).toEqual(SILENT_SUCCESS)
    expect(summaries.map(summary => summary === text || summary)).toEqual([true])
  })

  test('summary past its bound is an error that says what to do', async () => {
    const { socketPath, summaries } = await listening()
    for (const bytes of [256 * 1024 + 1, 3_000_000]) {
      const { status, stdout, stderr } = await language.run('summary', {
        socketPath,
        stdin: 'x'.repeat(bytes),
      })
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toMatch(/TOO_LARGE/)
      expect(stderr).toMatch(/artifact/)
    }
    expect(summaries).toEqual([])
  })

  test('progress is delivered, though nobody waits', async () => {
    const { socketPath, progress } = await listening()
    expect(await language.run('progress', { socketPath })).toEqual(SILENT_SUCCESS)
    await until(() => progress.length > 0)
    expect(progress).toEqual([{ done: 3, total: 4, note: 'half way' }])
  })

  test('artifact gives a path in a folder that exists', async () => {
    const { socketPath, artifacts, artifactsPath } = await listening()
    for (const name of ['plain.txt', 'a/b c/"ü"\\.json', '日本/😀']) {
      const path = join(artifactsPath, name)
      expect(await language.run('artifact', { socketPath, arg: name })).toEqual({
        ...SILENT_SUCCESS,
        stdout: `${path}\n`,
      })
      expect(statSync(join(path, '..')).isDirectory()).toBe(true)
      expect(existsSync(path)).toBe(false)
    }
    expect(artifacts).toEqual(['plain.txt', 'a/b c/"ü"\\.json', '日本/😀'])
  })

  test.each(['../up', '/etc/passwd', 'a//b', '', 'line\nfeed'])('artifact refuses %j', async arg => {
    const { socketPath, artifacts, artifactsPath } = await listening()
    const { status, stdout, stderr } = await language.run('artifact', { socketPath, arg })
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/INVALID_PARAMS/)
    expect(artifacts).toEqual([])
    expect(readdirSync(artifactsPath)).toEqual([])
  })

  test('a host that went away is a clear error, and no matter for progress', async () => {
    const { socketPath, channel, summaries } = await listening()
    const script = start(language.callAfterWaiting, { socketPath })
    await script.says('ready')
    await channel.close()
    script.write('go\n')
    const { status, stdout, stderr } = await script.finished
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/lost DISCONNECTED/)
    expect(stdout).toMatch(/srecodex does not answer/)
    expect(summaries).toEqual(['before'])
  })

  test('a socket that is not there is a clear error', async () => {
    for (const socketPath of ['/nowhere/socket', `/nowhere/${'x'.repeat(200)}`]) {
      const { status, stdout, stderr } = await language.run('summary', { socketPath, stdin: 'x' })
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toMatch(/srecodex does not answer/)
    }
  })

  test('run by hand, it prints the summary and keeps artifacts here', async () => {
    const cwd = temporaryFolder()
    expect(await language.run('summary', { cwd, stdin: 'Größe' })).toEqual({
      ...SILENT_SUCCESS,
      stdout: 'Größe\n',
    })
    expect(await language.run('progress', { cwd })).toEqual(SILENT_SUCCESS)
    expect(await language.run('artifact', { cwd, arg: 'sub/x.json' })).toEqual({
      ...SILENT_SUCCESS,
      stdout: './sub/x.json\n',
    })
    expect(readdirSync(cwd, { recursive: true })).toEqual(['sub'])
    const refused = await language.run('artifact', { cwd, arg: '../x' })
    expect([refused.status, /INVALID_PARAMS/.test(refused.stderr)]).toEqual([1, true])
    // An empty variable is none.
    const empty = await language.run('summary', { cwd, stdin: 'x', socketPath: '' })
    expect(empty.stdout).toBe('x\n')
  })

  test('run by hand on a terminal, it shows progress', async () => {
    const cwd = temporaryFolder()
    const statement = { python: PYTHON_STATEMENTS, bash: BASH_STATEMENTS }[language.name]?.progress
    const path =
      statement === undefined
        ? program('script.mjs', JAVASCRIPT_STATEMENTS.progress)
        : program('script', statement)
    const interpreter = language.callAfterWaiting[0]
    const { stdout, status } = await run(['script', '-qec', `${interpreter} ${path}`, '/dev/null'], { cwd })
    expect([status, stdout.trim()]).toEqual([0, '3/4 half way'])
  })
})

test('the commands can be run as they are', () => {
  for (const name of ['summary', 'progress', 'artifact']) {
    expect(statSync(join(GUEST, 'bin', name)).mode & 0o111).toBe(0o111)
    expect(readFileSync(join(GUEST, 'bin', name), 'utf8')).toMatch(/^#!\/usr\/bin\/perl\n/)
  }
})
