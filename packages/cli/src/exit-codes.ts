/** The exit codes of the contract, and what each stands for. */

import { SrecodexError, type ErrorCode, type RunReport } from '@srecodex/core'

const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  planned: 3,
  refused: 4,
  drifted: 5,
  fault: 70,
  timedOut: 124,
  cancelled: 130,
} as const

export function exitCodeOfReport(report: RunReport): number {
  if (report.error?.code === 'LIMIT_EXCEEDED') return EXIT.refused
  switch (report.status) {
    case 'succeeded':
      return EXIT.ok
    case 'planned':
      return EXIT.planned
    case 'refused':
      return EXIT.refused
    case 'drifted':
      return EXIT.drifted
    case 'timed-out':
      return EXIT.timedOut
    case 'cancelled':
      return EXIT.cancelled
    case 'running':
    case 'waiting':
    case 'interrupted':
    case 'failed':
      return EXIT.failed
  }
}

/** Whatever was not thrown on purpose is a fault of srecodex. */
export function exitCodeOf(error: unknown): number {
  return error instanceof SrecodexError ? exitCodeOfError(error.code) : EXIT.fault
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
      return EXIT.usage
    case 'EXTENSION_REFUSED':
    case 'SANDBOX_UNAVAILABLE':
    case 'LIMIT_EXCEEDED':
    case 'REFUSED':
      return EXIT.refused
    case 'PLAN_STALE':
      return EXIT.drifted
    case 'STATE_UNWRITABLE':
    case 'STORE_CORRUPT':
    case 'DISK_FULL':
      return EXIT.failed
    case 'INTERNAL':
      return EXIT.fault
  }
}
