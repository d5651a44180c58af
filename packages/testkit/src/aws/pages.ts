/** A list in pages, as AWS gives them: a page may be empty and still have a token. Tokens are opaque. */

import { AwsFailure } from './request-log.ts'

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly token: string | undefined
}

export interface PageOptions {
  readonly token: string | undefined
  readonly size: number
  /** After each page with something on it comes one without. */
  readonly withEmptyPages: boolean
  /** Of the error that a strange token gives. */
  readonly tokenError: string
}

export function pageOf<Item>(items: readonly Item[], options: PageOptions): Page<Item> {
  const { token, size, withEmptyPages, tokenError } = options
  const { start, isEmpty } = token === undefined ? { start: 0, isEmpty: false } : read(token, tokenError)
  if (isEmpty) return { items: [], token: write(start, false) }
  const end = start + size
  return {
    items: items.slice(start, end),
    token: end < items.length ? write(end, withEmptyPages) : undefined,
  }
}

function write(start: number, isEmpty: boolean): string {
  return Buffer.from(JSON.stringify({ start, isEmpty })).toString('base64url')
}

function read(token: string, tokenError: string): { start: number; isEmpty: boolean } {
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString()) as { start: number; isEmpty: boolean }
  } catch {
    throw new AwsFailure(tokenError, 'The specified nextToken is invalid.')
  }
}
