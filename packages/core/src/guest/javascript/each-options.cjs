/** What an `each` is told: its options checked, its items with their keys, its waves. Nothing has started yet. */
'use strict'

const { SrecodexError } = require('./errors.cjs')

const MAX_KEY_CHARS = 200
const MAX_AT_ONCE = 256
const MAX_RETRIES = 1000
const CONTROL = /\p{Cc}/u
const NAMES = ['key', 'atOnce', 'waves', 'maxFailures', 'retries', 'verify']

/** @throws {SrecodexError} INVALID_PARAMS */
function resolveOptions(fn, options) {
  if (typeof fn !== 'function') throw invalid('each takes items and a function that works on one of them')
  if (typeof options !== 'object' || options === null) throw invalid('the options of each are an object')
  // A limit that is misspelt must not be a limit that is missing.
  const unknown = Object.keys(options).find(name => !NAMES.includes(name))
  if (unknown !== undefined) {
    throw invalid(`each has no option ${JSON.stringify(unknown)}`, `options: ${NAMES.join(', ')}`)
  }
  const { key = String, atOnce = 8, retries = 0 } = options
  const [waves, maxFailures, verify] = [options.waves, options.maxFailures, options.verify].map(
    value => value ?? undefined,
  )
  if (typeof key !== 'function') throw invalid('key is a function that gives the key of an item')
  if (verify !== undefined && typeof verify !== 'function') throw invalid('verify is a function of an item')
  requireWhole('atOnce', atOnce, 1, MAX_AT_ONCE)
  requireWhole('retries', retries, 0, MAX_RETRIES)
  if (waves !== undefined && (!Array.isArray(waves) || waves.length === 0 || !waves.every(isWave))) {
    throw invalid(`waves are counts of items or shares of all`, `such as [1, 5, '100%']`)
  }
  if (maxFailures !== undefined && !isCount(maxFailures) && percentOf(maxFailures) === null) {
    throw invalid(`maxFailures is a count of items or a share of all`, `such as 3 or '10%'`)
  }
  return { key, atOnce, waves, maxFailures, retries, verify }
}

function requireWhole(what, value, least, most) {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw invalid(`${what} is a whole number from ${least} to ${most}, not ${String(value)}`)
}

function isWave(wave) {
  return (Number.isInteger(wave) && wave > 0) || percentOf(wave) > 0
}

function isCount(value) {
  return Number.isInteger(value) && value >= 0
}

/** `25%` is 25; null: no share. */
function percentOf(value) {
  const [, percent] = (typeof value === 'string' && /^(\d+(?:\.\d+)?)%$/.exec(value)) || []
  return percent === undefined || Number(percent) > 100 ? null : Number(percent)
}

/**
 * Takes in all items, and the key of each.
 *
 * @throws {SrecodexError} INVALID_PARAMS: a key that cannot be one, or two items with one key.
 */
async function keyed(items, key) {
  if (typeof items?.[Symbol.asyncIterator] !== 'function' && typeof items?.[Symbol.iterator] !== 'function') {
    throw invalid('each takes items that can be iterated: an array, a set, a generator')
  }
  const entries = []
  const seen = new Set()
  for await (const item of items) {
    const name = keyOf(await key(item))
    if (seen.has(name)) {
      throw invalid(
        `two items have the key ${JSON.stringify(name)}`,
        key === String ? 'give `key`, a function that tells items apart' : 'keys tell items apart',
      )
    }
    seen.add(name)
    entries.push({ key: name, item })
  }
  return entries
}

function keyOf(value) {
  const key = String(value).toWellFormed()
  const wrong =
    key === ''
      ? 'is empty'
      : CONTROL.test(key)
        ? 'has control characters'
        : isLong(key)
          ? 'is too long'
          : null
  if (wrong === null) return key
  throw invalid(
    `a key ${wrong}: ${JSON.stringify(key.slice(0, 80))}`,
    `give \`key\`, a function of the item; a key has 1 to ${MAX_KEY_CHARS} characters`,
  )
}

function isLong(key) {
  return key.length > MAX_KEY_CHARS && [...key].length > MAX_KEY_CHARS
}

/** Cuts what is to be done into waves; what their sizes leave over is one more. Shares are of all items. */
function wavesOf(entries, waves, total) {
  const cut = []
  let from = 0
  for (const wave of [...(waves ?? []), Infinity]) {
    if (from >= entries.length) break
    const size = typeof wave === 'number' ? wave : Math.ceil((percentOf(wave) * total) / 100)
    cut.push(entries.slice(from, from + size))
    from += size
  }
  return cut
}

/** How many may fail. */
function toleranceOf(maxFailures, total) {
  if (maxFailures === undefined) return Infinity
  return typeof maxFailures === 'number' ? maxFailures : Math.floor((percentOf(maxFailures) * total) / 100)
}

function invalid(message, hint = null) {
  return new SrecodexError('INVALID_PARAMS', message, hint)
}

module.exports = { keyed, resolveOptions, toleranceOf, wavesOf }
