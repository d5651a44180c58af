/** How the attempt at an item ended, in the words of the ledger: a class that groups, a message, a value. */
'use strict'

const { SrecodexError } = require('./errors.cjs')

const MAX_MESSAGE_CHARS = 500
const MAX_CLASS_CHARS = 200
const MAX_VALUE_BYTES = 64 * 1024

/** @returns Its `class` and `message`. Anything can be thrown, and nothing of it may throw here. */
function failureOf(error) {
  try {
    return { class: cut(classOf(error), MAX_CLASS_CHARS), message: cut(messageOf(error), MAX_MESSAGE_CHARS) }
  } catch {
    return { class: 'Error', message: 'what was thrown cannot be told as text' }
  }
}

function classOf(error) {
  if (error instanceof SrecodexError) return error.code
  if (typeof error !== 'object' || error === null) return typeof error
  if (isOfChild(error)) {
    const exitCode = [error.exitCode, error.status, error.code].find(Number.isInteger)
    if (exitCode !== undefined) return `exit ${exitCode}`
    if (typeof error.signal === 'string') return `signal ${error.signal}`
  }
  const name = String(error.name ?? 'Error')
  // Of the system's errors only the code says anything: ENOENT, ECONNREFUSED.
  return name === 'Error' && typeof error.code === 'string' ? error.code : name
}

/** Of a command the last line that it printed on stderr: the rest is its command line, or lies in stderr as a whole. */
function messageOf(error) {
  const line = typeof error === 'object' && error !== null && isOfChild(error) ? lastLine(error) : ''
  return line === '' ? wordsOf(error) : line
}

function wordsOf(error) {
  return String(error instanceof Error ? error.message || error.name : error)
}

/** From exec and execFile, their blocking forms, and libraries such as execa and zx. Not a status of HTTP. */
function isOfChild(error) {
  return (
    'cmd' in error || ('status' in error && 'signal' in error) || ('exitCode' in error && 'stderr' in error)
  )
}

function lastLine(error) {
  const { stderr } = error
  let text = stderr instanceof Uint8Array ? Buffer.from(stderr).toString() : stderr
  if (typeof text !== 'string') {
    // The callback forms put it nowhere else: the command in the first line, stderr below.
    const message = wordsOf(error)
    text = message.startsWith('Command failed: ') ? message.split('\n').slice(1).join('\n') : ''
  }
  return text.trimEnd().split('\n').at(-1).trim()
}

function cut(text, chars) {
  return text.slice(0, chars).toWellFormed()
}

/** @returns Members for `item.end`: `value`, where it is JSON and not too large, else nothing. */
function recordable(value) {
  try {
    const text = JSON.stringify(value)
    return text === undefined || Buffer.byteLength(text) > MAX_VALUE_BYTES ? {} : { value }
  } catch {
    return {}
  }
}

module.exports = { failureOf, recordable }
