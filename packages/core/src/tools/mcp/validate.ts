/**
 * Whether arguments fit a tool's schema, before anything is sent.
 *
 * Promises: an end. The schema is the server's and the arguments are a hostile script's, who may pick them so
 * that a pattern backtracks for hours; a check is broken off after half a second, also in the middle of
 * a regular expression.
 *
 * A schema that cannot be used (an unknown reference, a broken pattern) is left to the server, which checks too.
 */

import type { OutputUnit, SchemaDraft } from '@cfworker/json-schema'
import { createContext, Script } from 'node:vm'
import { notSent } from './failure.ts'
import { cut, plain } from './words.ts'

const TIMEOUT_MS = 500
const SHOWN_PROBLEMS = 5
const MAX_WORDS = 1000

/** Keywords whose check can take longer than what is checked is long: expressions, comparisons, alternatives. */
const COSTLY =
  /"(?:pattern|patternProperties|propertyNames|format|uniqueItems|contains|\$ref|\$dynamicRef|\$recursiveRef|anyOf|oneOf|allOf|not|if|dependentSchemas|dependencies)"/

/** Beyond it an expression is not looked at. */
const MAX_PATTERN = 500
const NO_CHOICE = /^[^()|\\^*+?{]*$/
const ONE_CHOICE = /^\^[^()|\\^*+?{]*(?:(?:[*+?]|\{\d+,\d*\})[^()|\\^*+?{]*)?$/

/**
 * Whether the time that an expression takes grows as what it is tried on: it has no group, alternative or reference,
 * and at most one quantifier that leaves a choice. One with any quantifier begins with `^`: it is tried at one place.
 */
function isLinear(pattern: string): boolean {
  if (pattern.length > MAX_PATTERN) return false
  const atoms = pattern.replaceAll(/\\[^1-9kpPux]|\[(?:[^\]\\]|\\.)*\]/g, 'x') // escapes and classes
  return NO_CHOICE.test(atoms) || ONE_CHOICE.test(atoms.replaceAll(/\{\d+\}/g, ''))
}

function isCostly(schema: Readonly<Record<string, unknown>>): boolean {
  const withoutLinear = (key: string, value: unknown): unknown =>
    key === 'pattern' && typeof value === 'string' && isLinear(value) ? undefined : value
  return COSTLY.test(JSON.stringify(schema, withoutLinear))
}

/** @throws {CallError} INVALID_PARAMS: it names each place and what was expected there. */
export type CheckArguments = (args: Readonly<Record<string, unknown>>) => void

const RUN = new Script('check()')

export async function argumentsCheck(
  server: string,
  tool: string,
  schema: Readonly<Record<string, unknown>>,
): Promise<CheckArguments> {
  const { Validator } = await import('@cfworker/json-schema')
  const what = `\`${tool}\` of MCP server \`${server}\``
  const draft = draftOf(schema.$schema)
  // Without any of these a check takes as long as the arguments are large: no need of a guard, which costs 0.3 ms.
  const simple = isCostly(schema) ? null : new Validator(schema, draft, false)
  const inside: { check: () => void } = { check: () => {} }
  const context = createContext(inside)
  return args => {
    let problems: OutputUnit[] = []
    inside.check = () => {
      // One for each call: what is broken off leaves its state in the middle.
      problems = new Validator(schema, draft, false).validate(args).errors
    }
    try {
      if (simple !== null) problems = simple.validate(args).errors
      else RUN.runInContext(context, { timeout: TIMEOUT_MS })
    } catch (error) {
      if (error instanceof RangeError) {
        throw notSent('INVALID_PARAMS', `the arguments of ${what} are nested too deep`)
      }
      if (isTimeout(error)) {
        throw notSent('INVALID_PARAMS', `the arguments of ${what} take too long to be checked`)
      }
      return
    }
    if (problems.length === 0) return
    const told = placesOf(problems)
    const more = told.length > SHOWN_PROBLEMS ? `; and ${told.length - SHOWN_PROBLEMS} more` : ''
    throw notSent(
      'INVALID_PARAMS',
      cut(
        `the arguments of ${what} do not fit: ${told.slice(0, SHOWN_PROBLEMS).join('; ')}${more}`,
        MAX_WORDS,
      ),
      `\`srecodex tools show mcp:${server}/${tool}\` prints what it takes`,
    )
  }
}

/** Made in the context that it broke off: no `Error` of this one. */
const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'

function draftOf(dialect: unknown): SchemaDraft {
  if (typeof dialect !== 'string') return '2020-12'
  if (dialect.includes('2019-09')) return '2019-09'
  if (dialect.includes('draft-07') || dialect.includes('draft-06')) return '7'
  return dialect.includes('draft-04') ? '4' : '2020-12'
}

/** Keywords that only say that something below them failed. */
const WRAPPERS = new Set([
  'properties',
  'items',
  'prefixItems',
  'allOf',
  '$ref',
  'additionalItems',
  'then',
  'else',
])

function placesOf(problems: readonly OutputUnit[]): string[] {
  const leaves = problems.filter(problem => !WRAPPERS.has(problem.keyword) && problem.keyword !== 'false')
  const told = (leaves.length > 0 ? leaves : problems).map(
    problem => `${placeOf(problem.instanceLocation)}: ${cut(plain(problem.error), 200)}`,
  )
  return [...new Set(told)]
}

/** `#/filter/teams/0` → `filter.teams[0]` */
function placeOf(location: string): string {
  const steps = location.split('/').slice(1).map(readStep)
  const path = steps.map(step => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`)).join('')
  return path === '' ? 'the whole' : cut(plain(path.replace(/^\./, '')), 200)
}

function readStep(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return step
  }
}
