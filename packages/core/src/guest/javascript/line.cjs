/**
 * The way to the host: frames over `SRECODEX_SOCKET`. PROTOCOL.md is the text.
 *
 * A connection is opened by the first call that needs it. It keeps the process alive while an answer is due and no
 * longer, so a script may end without `await` and without closing anything.
 */
'use strict'

const { Skipped, SrecodexError } = require('./errors.cjs')

const MAX_REQUEST_BYTES = 1024 * 1024
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024
const HEADER_BYTES = 5
const REQUEST = 1
const RESPONSE = 2

/** Fewer than the 64 calls of one connection that the host works on together. */
const CALLS_A_CONNECTION = 48
/** A run has 512 connections for all of its processes and commands. */
const MAX_CONNECTIONS = 24

/** For reports, which the host takes in the order in which they were sent: the last summary wins. */
let reports = null
/** For everything else: answers may be long in coming, and must not hold up a report, nor each other. */
const calls = new Set()
let lastId = 0

function outside() {
  return !process.env.SRECODEX_SOCKET
}

/** @throws {SrecodexError} with the code of the response, or DISCONNECTED | TOO_LARGE | INVALID_PARAMS. */
async function call(method, params) {
  return answered(method, params, freest)
}

/** As `call`, after every report before it. */
async function report(method, params) {
  return answered(method, params, forReports)
}

/**
 * Sends a report that has no answer. It settles once the bytes are handed over, or cannot be.
 *
 * The connection is not held for it, but connecting and writing are work that Node finishes before it ends.
 */
async function tell(method, params) {
  const frame = encode({ v: 1, id: null, method, params })
  const { socket } = forReports()
  await new Promise(resolve => {
    socket.write(frame, () => resolve())
  })
}

async function answered(method, params, choose) {
  const id = (lastId += 1)
  const frame = encode({ v: 1, id, method, params })
  const { socket, waiting } = choose()
  const { result, error } = await new Promise(resolve => {
    waiting.set(id, resolve)
    socket.ref()
    socket.write(frame)
  })
  // Thrown here, not where the bytes arrive: so the stack names the line of the script.
  if (error === undefined) return result
  const Kind = error.code === 'SKIPPED' ? Skipped : SrecodexError
  throw new Kind(error.code, error.message, error.hint)
}

function encode(request) {
  let text
  try {
    text = JSON.stringify(request)
  } catch (error) {
    throw new SrecodexError(
      'INVALID_PARAMS',
      `${request.method} takes what can be written as JSON: ${error.message}`,
    )
  }
  const length = Buffer.byteLength(text)
  if (length > MAX_REQUEST_BYTES) {
    throw new SrecodexError(
      'TOO_LARGE',
      `${request.method} takes ${length} bytes, and a call carries at most ${MAX_REQUEST_BYTES}`,
      'write the whole of it to the path that artifact(name) gives',
    )
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length)
  frame.writeUInt8(REQUEST, 0)
  frame.writeUInt32BE(length, 1)
  frame.write(text, HEADER_BYTES)
  return frame
}

function forReports() {
  return (reports ??= connect(line => {
    if (reports === line) reports = null
  }))
}

function freest() {
  let best = null
  for (const line of calls) {
    if (line.waiting.size < CALLS_A_CONNECTION) return line
    if (best === null || line.waiting.size < best.waiting.size) best = line
  }
  if (calls.size >= MAX_CONNECTIONS) return best
  const line = connect(gone => calls.delete(gone))
  calls.add(line)
  return line
}

function connect(onClose) {
  const socket = require('node:net').connect(process.env.SRECODEX_SOCKET)
  const line = { socket, waiting: new Map(), why: 'it hung up' }
  socket.unref()
  socket.on('data', receiver(line))
  socket.on('error', error => (line.why = error.message))
  socket.on('close', () => {
    onClose(line)
    const error = { code: 'DISCONNECTED', message: `srecodex does not answer: ${line.why}` }
    for (const answer of line.waiting.values()) answer({ error })
    line.waiting.clear()
  })
  return line
}

/** Collects responses from chunks, each byte copied at most twice, and hands each to its call. */
function receiver(line) {
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
      needed = HEADER_BYTES + length
      if (received[0] !== RESPONSE || length > MAX_RESPONSE_BYTES) return refuse(line)
      if (bytes < needed) return
      const response = parsed(received.toString('utf8', HEADER_BYTES, needed))
      if (response === null) return refuse(line)
      settle(line, response)
      chunks = [received.subarray(needed)]
      bytes -= needed
      needed = HEADER_BYTES
    }
  }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function refuse({ socket }) {
  socket.destroy(new Error('this is not its protocol'))
}

function settle(line, response) {
  const { socket, waiting } = line
  // The host's last words before it hangs up.
  if (response.id === null && response.error !== undefined) line.why = response.error.message
  const answer = waiting.get(response.id)
  if (answer === undefined) return
  waiting.delete(response.id)
  if (waiting.size === 0) socket.unref()
  answer(response)
}

module.exports = { call, outside, report, tell }
