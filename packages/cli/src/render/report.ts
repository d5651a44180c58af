/** One run, for a person: what it returned, what became of it, where the rest is. */

import type { RunReport } from '@srecodex/core'
import { paint } from '../terminal.ts'
import { renderNotice } from './error.ts'
import { bytes, count, duration, plural } from './units.ts'

/** What goes to stderr after the summary went to stdout. */
export function renderEnding(report: RunReport): string {
  const ok = report.status === 'succeeded'
  const mark = ok ? paint.err('green', '✔') : paint.err('red', '✘')
  const parts = [
    `${report.status} in ${duration(report.durationMs)}`,
    ...(report.exitCode === null || report.exitCode === 0 ? [] : [`exit ${report.exitCode}`]),
    ...(report.signal === null ? [] : [report.signal]),
    `${plural(report.output.stdout.lines, 'line')} (${bytes(report.output.stdout.bytes)}) kept`,
    `≈${count(report.context.rawTokens)} tokens raw, ≈${count(report.context.summaryTokens)} returned`,
  ]
  return [
    ...report.notices.map(renderNotice),
    ...(report.error === null
      ? []
      : [
          `${paint.err('red', `error[${report.error.code}]`)}: ${report.error.message}\n`,
          ...(report.error.hint === null ? [] : [`\n${paint.err('cyan', 'hint')}: ${report.error.hint}\n`]),
        ]),
    ...report.artifacts.map(({ name, bytes: size }) => `${paint.err('dim', 'artifact')} ${name} (${bytes(size)})\n`),
    `${mark} ${parts.join(' · ')}\n`,
    paint.err('dim', `  run ${report.run} · sandbox ${sandboxText(report.sandbox)}`) + '\n',
    ...(report.next === null ? [] : [`  next: ${report.next}\n`]),
  ].join('')
}

export function sandboxText(sandbox: RunReport['sandbox']): string {
  return `${sandbox.mode} (${sandbox.backend}), network ${sandbox.network}`
}
