/**
 * Filter patterns of CloudWatch Logs, the part of them that searches use: `word "a phrase" ?either ?or -not` and
 * `{ $.member = "value" }`. Case counts. Anything else is refused, never guessed at.
 */

import { AwsFailure } from './request-log.ts'

/** @throws {AwsFailure} */
export function parseFilterPattern(pattern: string): (message: string) => boolean {
  const text = pattern.trim()
  if (text === '') return () => true
  if (text.startsWith('{')) return member(text)
  if (/^[[%]/.test(text)) throw invalid()
  const terms = [...text.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))/g)].map(
    ([, sign = '', quoted, plain]) => ({ sign, word: quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? '' }),
  )
  const of = (sign: string): string[] => terms.filter(one => one.sign === sign).map(({ word }) => word)
  const [all, some, none] = [of(''), of('?'), of('-')]
  return message =>
    all.every(word => message.includes(word)) &&
    (some.length === 0 || some.some(word => message.includes(word))) &&
    !none.some(word => message.includes(word))
}

function member(text: string): (message: string) => boolean {
  const [, path = '', value = ''] = /^\{\s*\$\.([\w.]+)\s*=\s*"([^"]*)"\s*\}$/.exec(text) ?? []
  if (path === '') throw invalid()
  return message => {
    let found: unknown
    try {
      found = JSON.parse(message)
    } catch {
      return false
    }
    for (const name of path.split('.')) found = (found as Record<string, unknown> | null | undefined)?.[name]
    return found === value
  }
}

function invalid(): AwsFailure {
  return new AwsFailure('InvalidParameterException', 'Invalid filter pattern')
}
