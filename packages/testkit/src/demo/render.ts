/** The text that the demo ends with. Pure: `style` decides about colour. */
import type { WriteLogResult } from './log.ts'
import type { Verdict } from './verdict.ts'

/** What the demo reads of the report that `srecodex run --json` prints. */
export interface DemoReport {
  readonly run: string
  readonly status: string
  readonly summary: string
  readonly durationMs: number
  readonly context: { readonly summaryTokens: number }
  readonly sandbox: { readonly mode: string; readonly backend: string; readonly network: string }
  readonly notices?: readonly string[]
  readonly error: { readonly message: string; readonly hint: string | null } | null
}

export interface DemoResult {
  readonly commandLine: string
  readonly kept: boolean
  readonly log: WriteLogResult
  readonly logTokens: number
  readonly makeMs: number
  readonly runMs: number
  readonly report: DemoReport
  readonly verdict: Verdict
}

export type Style = (format: 'bold' | 'dim' | 'green' | 'red' | 'cyan', text: string) => string

export function renderDemo(result: DemoResult, style: Style): string {
  const { log, report, verdict } = result
  const errors = Object.values(log.errors).reduce((sum, count) => sum + count, 0)
  const { summaryTokens } = report.context
  const ratio = `1 in ${number(roundTo(result.logTokens / Math.max(1, summaryTokens), 2))}`
  const times = [`log made in ${seconds(result.makeMs)}`, `run in ${seconds(result.runMs)}`]
  const facts: [name: string, lines: string[]][] = [
    ['truth', renderVerdict(verdict, style)],
    ['grep', [`\`grep -ci error\` would say ${number(log.mentions)}; ${number(errors)} errors were written`]],
    ['time', [`${times.join(', ')} (the script ${seconds(report.durationMs)})`]],
    ['sandbox', renderSandbox(report)],
    [
      'context',
      [
        `log ≈ ${number(roundTo(result.logTokens, 3))} tokens, ` +
          `summary ≈ ${number(summaryTokens)}: ${style('bold', ratio)}`,
      ],
    ],
    ['command', [result.commandLine]],
  ]
  if (!result.kept)
    facts.push(['', [style('dim', 'the folder is removed now; --keep leaves it to repeat this')]])
  const summary = report.summary.trimEnd().replace(/^(?=.)/gm, '  ')
  const lines = facts.flatMap(([name, texts]) =>
    texts.map((text, index) => `${style('cyan', (index === 0 ? name : '').padEnd(9))}${text}`),
  )
  return `${style('bold', 'What came back')}\n\n${summary}\n\n${lines.join('\n')}\n`
}

export function number(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

function renderVerdict(verdict: Verdict, style: Style): string[] {
  if (verdict.differences.length === 0) {
    const of = `${verdict.matched} of ${verdict.types} types`
    return [style('green', `counts match the generator's truth: ${of}, and all lines`)]
  }
  const head = `counts differ from the generator's truth: ${verdict.matched} of ${verdict.types} types match`
  return [head, ...verdict.differences].map(line => style('red', line))
}

function renderSandbox({ sandbox, notices = [] }: DemoReport): string[] {
  return [
    `${sandbox.mode} by ${sandbox.backend}, network: ${sandbox.network}`,
    ...(ALLOWED[sandbox.mode] ?? []),
    ...notices.map(notice => `notice: ${notice}`),
  ]
}

/** What a mode means, in the words of the guide. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'read-only': [
    'readable: interpreters, system libraries and the workspace; no home, no other folder',
    'writable: a private /tmp and the folder of its artifacts',
  ],
  'workspace-write': [
    'readable: interpreters, system libraries and the workspace; no home, no other folder',
    'writable: the workspace, a private /tmp and the folder of its artifacts',
  ],
  'danger-full-access': ['readable and writable: whatever the user may; there was no sandbox'],
}

function roundTo(value: number, digits: number): number {
  return Number(value.toPrecision(digits))
}
