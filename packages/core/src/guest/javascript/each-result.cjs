/** What an `each` came to: its items by state, in the order in which they were given. */
'use strict'

const { failureOf } = require('./outcome.cjs')

const STATES = ['ok', 'failed', 'unknown', 'skipped', 'pending']
const CLASSES_SHOWN = 3
const KEYS_SHOWN = 3
const KEY_CHARS_SHOWN = 80

class EachResult {
  /** @param entries Each with `key`, `item`, `state`, `value`, `error`. */
  constructor(entries) {
    for (const state of STATES) this[state] = []
    for (const { key, item, state, value, error } of entries) this[state].push({ key, item, value, error })
  }

  /** `50 ok, 2 failed (exit 1: shop/web, shop/api), 1 skipped` */
  summary() {
    const counts = STATES.filter(state => this[state].length > 0).map(state => {
      const why = state === 'failed' || state === 'unknown' ? ` (${classesOf(this[state])})` : ''
      return `${this[state].length} ${state}${why}`
    })
    return counts.length === 0 ? '0 ok' : counts.join(', ')
  }

  toString() {
    return this.summary()
  }
}

/** The commonest first; among equals the one that came first. */
function classesOf(entries) {
  const keys = new Map()
  for (const { key, error } of entries) {
    const kind = failureOf(error).class
    if (keys.has(kind)) keys.get(kind).push(key)
    else keys.set(kind, [key])
  }
  const classes = [...keys].sort(([, some], [, others]) => others.length - some.length)
  const shown = classes.slice(0, CLASSES_SHOWN).map(([kind, those]) => `${kind}: ${listed(those)}`)
  if (classes.length > CLASSES_SHOWN) shown.push(`${classes.length - CLASSES_SHOWN} more classes`)
  return shown.join('; ')
}

function listed(keys) {
  const shown = keys.slice(0, KEYS_SHOWN).map(key => {
    return key.length <= KEY_CHARS_SHOWN ? key : `${key.slice(0, KEY_CHARS_SHOWN - 1).toWellFormed()}…`
  })
  return [...shown, ...(keys.length > KEYS_SHOWN ? [`${keys.length - KEYS_SHOWN} more`] : [])].join(', ')
}

module.exports = { EachResult }
