/**
 * What a script tells srecodex: `summary`, `progress`, `artifact`, all async.
 *
 * One connection a process, opened by the first call. It keeps the process alive while an answer is due and no
 * longer, so a script may end without `await` and without closing anything.
 *
 * Run by hand, outside a sandbox, `summary` prints to stdout, `progress` prints to stderr if that is a terminal,
 * and `artifact` gives a path below the current folder.
 */
'use strict'

const MAX_CALL_BYTES = 1024 * 1024
const HEADER_BYTES = 5
const REQUEST = 1
const RESPONSE = 2

class SrecodexError extends Error {
  constructor(code, message, hint = null) {
    super(message)
    this.name = 'SrecodexError'
    this.code = code
    this.hint = hint
  }
}

async function summary(text) {
  const words = wordsOf(text)
  if (outside()) {
    process.stdout.write(words.endsWith('\n') ? words : `${words}\n`)
    return
  }
  await call('summary', { text: words })
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
  const path = outside() ? ownPath(name) : (await call('artifact', { name })).path
  await require('node:fs/promises').mkdir(require('node:path').dirname(path), { recursive: true })
  return path
}

function outside() {
  return !process.env.SRECODEX_SOCKET
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

/** The open connection, and its calls without an answer by id. */
let line = null
let lastId = 0

async function call(method, params) {
  const id = (lastId += 1)
  const frame = encode({ v: 1, id, method, params })
  const { socket, waiting } = connect()
  const { result, error } = await new Promise(resolve => {
    waiting.set(id, resolve)
    socket.ref()
    socket.write(frame)
  })
  // Thrown here, not where the bytes arrive: so the stack names the line of the script.
  if (error !== undefined) throw new SrecodexError(error.code, error.message, error.hint)
  return result
}

/**
 * Sends a request that has no answer. It settles once the bytes are handed over, or cannot be.
 *
 * The connection is not held for it, but connecting and writing are work that Node finishes before it ends.
 */
async function tell(method, params) {
  const frame = encode({ v: 1, id: null, method, params })
  const { socket } = connect()
  await new Promise(resolve => {
    socket.write(frame, () => resolve())
  })
}

function encode(request) {
  const payload = Buffer.from(JSON.stringify(request))
  if (payload.length > MAX_CALL_BYTES) {
    throw new SrecodexError(
      'TOO_LARGE',
      `${request.method} takes ${payload.length} bytes, and a call carries at most ${MAX_CALL_BYTES}`,
      'write the whole of it to the path that artifact(name) gives',
    )
  }
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt8(REQUEST, 0)
  header.writeUInt32BE(payload.length, 1)
  return Buffer.concat([header, payload])
}

function connect() {
  if (line !== null) return line
  const socket = require('node:net').connect(process.env.SRECODEX_SOCKET)
  const waiting = new Map()
  const opened = { socket, waiting }
  let why = 'it hung up'
  socket.unref()
  socket.on('data', receiver(socket, waiting))
  socket.on('error', error => (why = error.message))
  socket.on('close', () => {
    if (line === opened) line = null
    const error = { code: 'DISCONNECTED', message: `srecodex does not answer: ${why}` }
    for (const answer of waiting.values()) answer({ error })
    waiting.clear()
  })
  line = opened
  return opened
}

/** Collects responses from chunks and hands each to its call. */
function receiver(socket, waiting) {
  let chunks = []
  let bytes = 0
  let needed = HEADER_BYTES
  return chunk => {
    chunks.push(chunk)
    bytes += chunk.length
    while (bytes >= needed) {
      const received = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
      chunks = [received]
      const length = received.readUInt32BE(1)
      if (received[0] !== RESPONSE || length > MAX_CALL_BYTES) {
        socket.destroy(new Error('this is not its protocol'))
        return
      }
      needed = HEADER_BYTES + length
      if (bytes < needed) return
      settle(socket, waiting, JSON.parse(received.toString('utf8', HEADER_BYTES, needed)))
      chunks = [received.subarray(needed)]
      bytes -= needed
      needed = HEADER_BYTES
    }
  }
}

function settle(socket, waiting, response) {
  const answer = waiting.get(response.id)
  if (answer === undefined) return
  waiting.delete(response.id)
  if (waiting.size === 0) socket.unref()
  answer(response)
}

module.exports = { SrecodexError, artifact, progress, summary }
