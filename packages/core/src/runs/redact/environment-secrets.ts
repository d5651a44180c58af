/**
 * Which parts of an environment are secret.
 *
 * Promises: a value of several lines counts line by line too, and what a URL or JSON in a value holds counts by
 * itself. Leaves out what is so short, or so plain (a path, a switch), that to remove it would garble the text.
 */

import { NO_FORMS, type NamedValue } from './known-values.ts'
import { scan } from './scan.ts'
import { isHarmlessValue, isSecretName, MIN_VALUE_CHARS } from './secrecy.ts'

/**
 * The parts of an environment that are secret: whole values by name, and parts of any value by what they look
 * like (the password in a URL, a token). A value of several lines counts line by line too, for it may be
 * printed or searched so.
 */
export function secretsOf(values: Iterable<NamedValue>): NamedValue[] {
  const secrets = new Map<string, string>()
  const add = (value: string, name: string): void => {
    if (value.trim().length >= MIN_VALUE_CHARS && !secrets.has(value)) secrets.set(value, name)
  }
  for (const { name, value } of values) {
    if (isSecretName(name) && !isHarmlessValue(value)) {
      add(value, name)
      add(value.trim(), name)
      const lines = value.split('\n').map(line => line.trim())
      if (lines.length > 1) for (const line of lines) if (isTellingLine(line)) add(line, name)
    }
    for (const part of secretParts(value)) {
      add(part, name)
      add(decodedUrlPart(part), name)
    }
  }
  return [...secrets].map(([value, name]) => ({ name, value }))
}

function isTellingLine(line: string): boolean {
  return line.length >= 20 && !line.startsWith('-----')
}

/** What own patterns find in a value, and the secret leaves of a value that is JSON. */
function secretParts(value: string): string[] {
  return scan(value, NO_FORMS).leaves.flatMap(leaf =>
    leaf.spans.map(span => leaf.text.slice(span.start, span.end)),
  )
}

function decodedUrlPart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
