/**
 * The demo: makes a log whose errors are known, lets the real CLI run one script over it, shows the outcome.
 *
 * stdout carries the result, stderr the progress. Its folder is removed at the end, also on Ctrl-C.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, open, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { writeLog } from './log.ts'
import type { WriteLogResult } from './log.ts'
import { parseDemoCommand, USAGE } from './options.ts'
import { megabytes, number, renderDemo, seconds } from './render.ts'
import type { DemoReport } from './render.ts'
import { judge, parseSummary } from './verdict.ts'

const BIN = fileURLToPath(new URL('../../../cli/dist/bin.js', import.meta.url))
const SCRIPT = fileURLToPath(new URL('group_errors.py', import.meta.url))
const LOG_NAME = 'app.log'

/** Something that the person at the keyboard can mend; anything else is a fault and keeps its stack. */
class DemoError extends Error {
  readonly hint: string | null

  constructor(message: string, hint: string | null = null) {
    super(message)
    this.hint = hint
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const command = parseDemoCommand(argv)
  if (command.kind === 'help') {
    process.stdout.write(USAGE)
    return 0
  }
  if (command.kind === 'wrong') {
    process.stderr.write(`error: ${command.message}\n\n${USAGE}`)
    return 2
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
  let folder: string | undefined
  try {
    if (!existsSync(BIN))
      throw new DemoError(`there is no ${relative('.', BIN)}`, 'run `npx -y pnpm@12 run setup`')
    await checkSpace(command.bytes)
    folder = await mkdtemp(join(tmpdir(), 'srecodex-demo-'))
    return await runDemo(folder, command, stop.signal)
  } catch (error) {
    if (stop.signal.aborted) return 130
    if (!(error instanceof DemoError)) throw error
    process.stderr.write(`error: ${error.message}\n${error.hint === null ? '' : `\nhint: ${error.hint}\n`}`)
    return 1
  } finally {
    if (folder !== undefined && command.keep) process.stderr.write(`kept: ${folder}\n`)
    else if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}

async function runDemo(
  folder: string,
  options: { readonly bytes: number; readonly seed: number; readonly keep: boolean },
  signal: AbortSignal,
): Promise<number> {
  const logPath = join(folder, LOG_NAME)
  const makeStart = performance.now()
  const log = await makeLog(logPath, options, signal)
  const makeMs = performance.now() - makeStart
  await copyFile(SCRIPT, join(folder, 'group_errors.py'))

  const args = ['run', 'group_errors.py', '--json', '--', LOG_NAME]
  process.stderr.write(`running group_errors.py in the sandbox\n`)
  const runStart = performance.now()
  const report = await runCli(args, folder, signal)
  const runMs = performance.now() - runStart

  if (report.status !== 'succeeded') {
    const cause = report.error?.message ?? report.summary
    throw new DemoError(`the run ended ${report.status}: ${cause}`, report.error?.hint ?? null)
  }
  const verdict = judge(parseSummary(report.summary), log)
  const logTokens = await estimateLogTokens(logPath, log.bytes)
  const commandLine = `cd ${folder} && node ${BIN} ${args.join(' ')}`
  const result = { commandLine, kept: options.keep, log, logTokens, makeMs, runMs, report, verdict }
  process.stdout.write(
    renderDemo(result, (format, text) => styleText(format, text, { stream: process.stdout })),
  )
  return verdict.differences.length === 0 ? 0 : 1
}

async function makeLog(
  path: string,
  options: { readonly bytes: number; readonly seed: number },
  signal: AbortSignal,
): Promise<WriteLogResult> {
  const { bytes, seed } = options
  const live = process.stderr.isTTY
  const start = performance.now()
  if (!live) process.stderr.write(`making a log of ${megabytes(bytes)}, seed ${seed}\n`)
  const log = await writeLog({
    path,
    bytes,
    seed,
    signal,
    onProgress: done => {
      if (live) process.stderr.write(`\r\u001B[Kmaking a log: ${megabytes(done)} of ${megabytes(bytes)}`)
    },
  }).finally(() => {
    if (live) process.stderr.write('\r\u001B[K')
  })
  process.stderr.write(`made ${number(log.lines)} lines in ${seconds(performance.now() - start)}\n`)
  return log
}

/** Runs the CLI as a user would. Its stderr is ours, so that its progress bar shows on a terminal. */
async function runCli(args: readonly string[], cwd: string, signal: AbortSignal): Promise<DemoReport> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  // TERM, since Ctrl-C on a terminal reached the CLI already and a second INT may mean something else to it.
  const end = () => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 5000).unref()
  }
  signal.addEventListener('abort', end, { once: true })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  signal.throwIfAborted()
  try {
    const report: DemoReport = JSON.parse(stdout)
    return report
  } catch {
    const said = stdout.trim() === '' ? 'nothing' : `"${stdout.trim().slice(0, 200)}"`
    throw new DemoError(`srecodex ended with exit code ${exitCode} and ${said} on stdout, not a report`)
  }
}

async function checkSpace(bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(tmpdir())
  const free = bavail * bsize
  if (free > bytes * 1.05) return
  throw new DemoError(
    `${tmpdir()} has ${megabytes(free)} free, the log needs ${megabytes(bytes)}`,
    'choose a smaller --size, or another folder by TMPDIR',
  )
}

/** By four samples of 64 KiB, spread over the log. */
async function estimateLogTokens(path: string, bytes: number): Promise<number> {
  const { estimateTokenCount } = await import('tokenx')
  const sampleBytes = Math.min(64 * 1024, Math.floor(bytes / 4))
  const file = await open(path)
  try {
    let tokens = 0
    for (let sample = 0; sample < 4; sample += 1) {
      const position = Math.floor(((bytes - sampleBytes) * sample) / 3)
      const { buffer } = await file.read({ buffer: Buffer.alloc(sampleBytes), position })
      tokens += estimateTokenCount(buffer.toString('latin1'))
    }
    return (tokens / (4 * sampleBytes)) * bytes
  } finally {
    await file.close()
  }
}

process.exitCode = await main(process.argv.slice(2))
