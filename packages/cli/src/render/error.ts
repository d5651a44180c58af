/** The wording of every error and notice that a person sees, and the document that stands for an error under --json. */

import { SrecodexError, type Problem, type SourcePlace } from '@srecodex/core'
import { paint, type Terminal } from '../terminal.ts'
import { shownPath } from './path.ts'
import { plain } from './plan.ts'

type Place = Pick<Terminal, 'cwd' | 'env'>

export function renderError(error: unknown, terminal: Place): string {
  if (!(error instanceof SrecodexError)) return renderFault(error)
  return problemsOf(error)
    .map(problem => renderOne(`error[${error.code}]`, 'red', problem, terminal))
    .join('\n')
}

/** `{ "error": … }`, as in a report: a program finds the code in one place, whether a run began or not. */
export function errorDocument(error: unknown): Record<string, unknown> {
  if (!(error instanceof SrecodexError)) {
    const message = error instanceof Error ? error.message : String(error)
    return { error: { code: 'INTERNAL', message, hint: null } }
  }
  const { code, message, hint, at, details } = error
  const problems = details.problems === undefined ? {} : { problems: problemsOf(error) }
  return { error: { code, message, hint, ...(at === null ? {} : { at }), ...problems } }
}

/** What the operator should know though nothing failed. A hint that several share is said once. */
export function renderNotices(notices: readonly Problem[], terminal: Place): string {
  return notices
    .map((notice, index) => {
      const isShared = notices[index + 1]?.hint === notice.hint
      const { hint, ...rest } = notice
      return renderOne('note', 'yellow', isShared || hint === undefined ? rest : { ...rest, hint }, terminal)
    })
    .join('')
}

export function renderNotice(message: string): string {
  return `${paint.err('yellow', 'note')}: ${plainLines(message)}\n`
}

export function renderHint(hint: string): string {
  return `${paint.err('cyan', 'hint')}: ${plainLines(hint)}\n`
}

export function renderPlace(place: SourcePlace, terminal: Place): string {
  return [shownPath(place.file, terminal), place.line, place.column]
    .filter(part => part !== undefined)
    .join(':')
}

function problemsOf(error: SrecodexError): readonly Problem[] {
  const problems = (error.details.problems ?? []) as readonly Problem[]
  if (problems.length > 0) return problems
  const { message, at, hint } = error
  return [{ message, ...(at === null ? {} : { at }), ...(hint === null ? {} : { hint }) }]
}

function renderOne(label: string, colour: 'red' | 'yellow', problem: Problem, terminal: Place): string {
  const { message, at, hint = '' } = problem
  return [
    `${paint.err(colour, label)}: ${plainLines(message)}\n`,
    ...(at === undefined ? [] : [`  at ${plain(renderPlace(at, terminal))}\n`]),
    ...(hint === '' ? [] : [`\n${renderHint(hint)}`]),
  ].join('')
}

/** Not thrown on purpose: whoever meets it should be able to report it. */
function renderFault(error: unknown): string {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `${paint.err('red', 'error[INTERNAL]')}: a fault of srecodex\n${plainLines(detail)}\n`
}

/** Names of files and words of files stand in messages: they must not draw on the terminal. */
function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n')
}
