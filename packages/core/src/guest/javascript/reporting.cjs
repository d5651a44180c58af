/** `summary`, `progress`, `artifact`: what a script tells of itself. */
'use strict'

const { SrecodexError } = require('./errors.cjs')
const { outside, report, tell } = require('./line.cjs')

async function summary(text) {
  const words = wordsOf(text)
  if (outside()) {
    process.stdout.write(words.endsWith('\n') ? words : `${words}\n`)
    return
  }
  await report('summary', { text: words })
}

async function progress(done, total = null, note = '') {
  const count = countOf('done', done)
  const whole = total === null ? null : countOf('total', total)
  const words = wordsOf(note)
  if (outside()) {
    if (process.stderr.isTTY) process.stderr.write(`${count}${whole === null ? '' : `/${whole}`} ${words}\n`)
    return
  }
  await tell('progress', { done: count, total: whole, note: words })
}

async function artifact(name) {
  if (typeof name !== 'string') {
    throw new SrecodexError('INVALID_PARAMS', `the name of an artifact is a string, not ${typeof name}`)
  }
  const path = outside() ? ownPath(name) : (await report('artifact', { name })).path
  await require('node:fs/promises').mkdir(require('node:path').dirname(path), { recursive: true })
  return path
}

function ownPath(name) {
  if (name.split('/').some(part => part === '' || part === '.' || part === '..')) {
    throw new SrecodexError('INVALID_PARAMS', 'the name of an artifact is a relative path without ..')
  }
  return `./${name}`
}

function wordsOf(value) {
  if (typeof value === 'string') return value.toWellFormed()
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (typeof value !== 'object' || value === null || value instanceof Error) return String(value)
  try {
    return JSON.stringify(value, plain) ?? String(value)
  } catch (error) {
    throw new SrecodexError('INVALID_PARAMS', `this cannot be written as JSON: ${error.message}`)
  }
}

function plain(_key, value) {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Set) return [...value]
  if (value instanceof Error) return String(value)
  return value
}

function countOf(what, value) {
  const count = typeof value === 'bigint' ? Number(value) : value
  if (typeof count === 'number' && Number.isFinite(count) && count >= 0) return count
  throw new SrecodexError(
    'INVALID_PARAMS',
    `${what} of progress is a number, zero or more, not ${String(value)}`,
  )
}

module.exports = { artifact, progress, summary }
