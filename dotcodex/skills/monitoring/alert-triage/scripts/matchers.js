/**
 * Matchers as Alertmanager writes them, and silences as what they match. Pure.
 *
 * A matcher is passed on in one form only, `name="value"`, quoted and escaped: whatever a label holds, it can become
 * neither a flag nor another matcher.
 */

const MATCHER = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*([^]*?)\s*$/

/** @throws {Error} It is none. */
export function parseMatcher(text) {
  const [, name, operator, raw] = MATCHER.exec(text) ?? []
  if (name === undefined)
    throw new Error(`${JSON.stringify(text)} is no matcher, such as team=payments or instance=~"node-.*"`)
  const isQuoted = raw.length > 1 && raw.startsWith('"') && raw.endsWith('"')
  const inner = isQuoted ? raw.slice(1, -1) : raw
  if (/(^|[^\\])(\\\\)*"/.test(inner))
    throw new Error(`${JSON.stringify(text)}: a quote inside of the value needs a backslash`)
  const value = inner.replaceAll(/\\([\\"n])/g, (_, letter) => (letter === 'n' ? '\n' : letter))
  return { name, isEqual: operator.startsWith('='), isRegex: operator.endsWith('~'), value }
}

export function textOf({ name, isEqual, isRegex, value }) {
  const operator = `${isEqual ? '=' : '!'}${isRegex ? '~' : isEqual ? '' : '='}`
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return `${name}${operator}"${escaped}"`
}

export const byText = (one, other) => (one < other ? -1 : one > other ? 1 : 0)

/** Equal for equal sets of matchers. */
export function keyOf(matchers) {
  return [...new Set(matchers.map(textOf))].toSorted(byText).join(' ')
}

const STRANGERS = ['a', 'zz-7f3a9c', 'Node 12.example:9100']

/** It matches nearly any alert that has the label, or nearly any that has not that value. */
export function isBroad({ isEqual, isRegex, value }) {
  if (!isEqual) return true
  if (!isRegex) return value === ''
  try {
    const pattern = new RegExp(`^(?:${value})$`, 's')
    return STRANGERS.every(one => pattern.test(one))
  } catch {
    // A pattern of Go's that this engine does not know.
    return false
  }
}
