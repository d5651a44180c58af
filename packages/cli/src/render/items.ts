/** Counts of items and calls, in words. */

import type { RunReport } from '@srecodex/core'
import { paint } from '../terminal.ts'
import { clip } from './layout.ts'
import { plain } from './plan.ts'
import { count, plural } from './units.ts'

type Items = NonNullable<RunReport['items']>

const STATES = ['ok', 'failed', 'unknown', 'skipped', 'pending'] as const
const SHOWN_KEYS = 5

/** `20 items: 18 ok, 2 failed` */
export function itemsText(items: Items): string {
  const states = STATES.filter(state => items[state] > 0).map(state => `${count(items[state])} ${state}`)
  return `${plural(items.total, 'item')}: ${states.join(', ')}`
}

/** `21 calls: 11 reads, 10 changes, 1 failed` */
export function callsText({ calls, status }: Pick<RunReport, 'calls' | 'status'>): string {
  const { total, reads, mutations, failed, refused } = calls
  const foreseen = status === 'planned' ? ' foreseen' : ''
  const parts = [
    ...(reads > 0 ? [plural(reads, 'read')] : []),
    ...(mutations > 0 ? [`${plural(mutations, 'change')}${foreseen}`] : []),
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
    ...(refused > 0 ? [`${count(refused)} refused`] : []),
  ]
  return parts.length === 0 ? plural(total, 'call') : `${plural(total, 'call')}: ${parts.join(', ')}`
}

/** One line for each class of failure, the keys as far as there is room. */
export function failureLines(failures: Items['failures'], columns: number): string[] {
  return failures.map(({ class: name, count: number, keys }) => {
    const text = `  ${plain(name)} (${count(number)})${keys.length === 0 ? '' : `: ${keys.map(plain).join(', ')}`}`
    return `${paint.err('red', clip(text, columns))}\n`
  })
}

/** The last key of a list that was cut says how many more; it stays. */
export function firstKeys(keys: readonly string[]): string {
  const hidden = keys.length - SHOWN_KEYS
  const shown = hidden <= 1 ? keys : [...keys.slice(0, SHOWN_KEYS), `… ${count(hidden)} more`]
  return shown.map(plain).join(', ')
}
