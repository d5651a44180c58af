/** The wording of every error that a person sees. */

import { SrecodexError, type Problem, type SourcePlace } from '@srecodex/core'
import { paint } from '../terminal.ts'

export function renderError(error: unknown): string {
  if (!(error instanceof SrecodexError)) return renderFault(error)
  const problems = (error.details.problems ?? []) as readonly Problem[]
  if (problems.length > 0) {
    return problems.map(problem => renderOne(error.code, problem.message, problem.at, problem.hint)).join('\n')
  }
  return renderOne(error.code, error.message, error.at ?? undefined, error.hint ?? undefined)
}

function renderOne(code: string, message: string, at: SourcePlace | undefined, hint: string | undefined): string {
  return [
    `${paint.err('red', `error[${code}]`)}: ${message}\n`,
    ...(at === undefined ? [] : [`  at ${renderPlace(at)}\n`]),
    ...(hint === undefined || hint === '' ? [] : [`\n${paint.err('cyan', 'hint')}: ${hint}\n`]),
  ].join('')
}

export function renderPlace(place: SourcePlace): string {
  return [place.file, place.line, place.column].filter(part => part !== undefined).join(':')
}

export function renderNotice(message: string): string {
  return `${paint.err('yellow', 'note')}: ${message}\n`
}

/** Not thrown on purpose: whoever meets it should be able to report it. */
function renderFault(error: unknown): string {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `${paint.err('red', 'error[INTERNAL]')}: a fault of srecodex\n${detail}\n`
}
