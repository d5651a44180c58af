/** The exit codes of the contract, and what each stands for: help, pages and README tell them from here. */

import { SrecodexError, type ErrorCode, type RunReport } from '@srecodex/core'

const EXIT = {
  ok: { code: 0, meaning: 'succeeded' },
  failed: { code: 1, meaning: 'failed' },
  usage: { code: 2, meaning: 'wrong usage or config' },
  planned: { code: 3, meaning: 'planned, needs approval' },
  refused: { code: 4, meaning: 'refused, or no sandbox' },
  drifted: { code: 5, meaning: 'stale plan, or a change that it does not list' },
  fault: { code: 70, meaning: 'a fault of srecodex' },
  timedOut: { code: 124, meaning: 'timed out' },
  cancelled: { code: 130, meaning: 'cancelled' },
} as const

/** From the lowest. */
export const EXIT_CODES: readonly { readonly code: number; readonly meaning: string }[] = Object.values(EXIT)

export function exitCodeOfReport(report: RunReport): number {
  if (report.error?.code === 'LIMIT_EXCEEDED') return EXIT.refused.code
  switch (report.status) {
    case 'succeeded':
      return EXIT.ok.code
    case 'planned':
      return EXIT.planned.code
    case 'refused':
      return EXIT.refused.code
    case 'drifted':
      return EXIT.drifted.code
    case 'timed-out':
      return EXIT.timedOut.code
    case 'cancelled':
      return EXIT.cancelled.code
    case 'running':
    case 'waiting':
    case 'interrupted':
    case 'failed':
      return EXIT.failed.code
  }
}

/** Whatever was not thrown on purpose is a fault of srecodex. */
export function exitCodeOf(error: unknown): number {
  return error instanceof SrecodexError ? exitCodeOfError(error.code) : EXIT.fault.code
}

function exitCodeOfError(code: ErrorCode): number {
  switch (code) {
    case 'USAGE':
    case 'CONFIG_INVALID':
    case 'WORKSPACE_INVALID':
    case 'SCRIPT_NOT_FOUND':
    case 'SCRIPT_UNREADABLE':
    case 'SCRIPT_EMPTY':
    case 'SCRIPT_TOO_LARGE':
    case 'INTERPRETER_NOT_FOUND':
    case 'RUN_NOT_FOUND':
    case 'RUN_AMBIGUOUS':
    case 'PLAN_NOT_FOUND':
    case 'RUN_NOT_RESUMABLE':
    case 'SKILL_NOT_FOUND':
      return EXIT.usage.code
    case 'EXTENSION_REFUSED':
    case 'SANDBOX_UNAVAILABLE':
    case 'LIMIT_EXCEEDED':
    case 'REFUSED':
      return EXIT.refused.code
    case 'PLAN_STALE':
      return EXIT.drifted.code
    case 'STATE_UNWRITABLE':
    case 'STORE_CORRUPT':
    case 'DISK_FULL':
      return EXIT.failed.code
    case 'INTERNAL':
      return EXIT.fault.code
  }
}
