/**
 * `skill`: runs a skill's payload in this sandbox.
 *
 * Promises: the payload gets its inputs on stdin and a process group of its own, which ends with its time; what it
 * logs on stderr appears as it comes; its stdout is one JSON object, or an error that names what came.
 */
'use strict'

const { asKind, needsHost } = require('./calls.cjs')
const { SkillError, SrecodexError } = require('./errors.cjs')
const { currentItem } = require('./item.cjs')
const { call, outside } = require('./line.cjs')

/** More is no result to work with. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
/** For the last line. */
const MAX_LOG_TAIL_CHARS = 4096
/** Between the request to end and the end. */
const GRACE_MS = 1000
/** How long the pipes are heard on after the end, if nothing comes. */
const QUIET_MS = 100

async function skill(id, inputs = {}) {
  if (typeof id !== 'string' || typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
    throw new SrecodexError(
      'INVALID_PARAMS',
      'skill takes the id of a skill and an object with its inputs',
      `such as skill('k8s/bulk-restart', { namespace: 'shop' })`,
    )
  }
  if (outside()) throw needsHost('skill')
  let payload
  try {
    payload = await call('skill', { id, inputs, item: currentItem() })
  } catch (error) {
    throw asKind(SkillError, ['SKILL_UNKNOWN', 'SKILL_INPUTS', 'REFUSED'], error)
  }
  return resultOf(id, await run(payload, JSON.stringify(inputs)), payload.timeoutMs)
}

/** @returns How it ended: `error` where it could not start, else `exitCode` or `signal`, with what it wrote. */
async function run({ command: [program, ...args], prefix, timeoutMs }, inputs) {
  const item = currentItem()
  let streams = null
  try {
    streams = require('./payload-streams.cjs').openStreams(inputs)
    const child = require('node:child_process').spawn(program, args, {
      env: { ...process.env, SRECODEX_PREFIX: prefix, ...(item === null ? {} : { SRECODEX_ITEM: item }) },
      stdio: streams.theirs,
      detached: true,
    })
    if (child.pid === undefined) throw await new Promise(resolve => child.on('error', resolve))
    streams.release()
    return await watch(child, streams, timeoutMs)
  } catch (error) {
    streams?.release()
    streams?.stdout.destroy()
    streams?.stderr.destroy()
    return { error }
  }
}

async function watch(child, { stdout, stderr }, timeoutMs) {
  const chunks = []
  let bytes = 0
  let log = ''
  let cause = null
  let timer
  const end = why => {
    if (cause !== null) return
    cause = why
    signalGroup(child, 'SIGINT')
    clearTimeout(timer)
    timer = setTimeout(signalGroup, GRACE_MS, child, 'SIGKILL')
  }
  if (timeoutMs !== null) timer = setTimeout(end, timeoutMs, 'timeout')
  const release = passSignals(child)

  stdout.on('data', chunk => {
    bytes += chunk.length
    if (bytes <= MAX_OUTPUT_BYTES) chunks.push(chunk)
    else end('output')
  })
  stderr.on('data', chunk => {
    log = (log + chunk.toString('latin1')).slice(-MAX_LOG_TAIL_CHARS)
    stderr.pause()
    process.stderr.write(chunk, () => stderr.resume())
  })
  const closed = [stdout, stderr].map(stream => new Promise(resolve => stream.on('close', resolve)))
  const [exitCode, signal] = await new Promise(resolve => {
    child.on('exit', (...how) => resolve(how))
  })
  clearTimeout(timer)
  release()
  const hushed = hushAfterQuiet([stdout, stderr])
  await Promise.all(closed)
  clearInterval(hushed)
  return { error: null, cause, exitCode, signal, log, stdout: Buffer.concat(chunks).toString() }
}

/** What a payload left in the background may hold its pipes for ever. */
function hushAfterQuiet(streams) {
  let quiet = true
  for (const stream of streams) stream.on('data', () => (quiet = false))
  return setInterval(() => {
    if (quiet && !streams.some(stream => stream.isPaused())) streams.forEach(stream => stream.destroy())
    quiet = true
  }, QUIET_MS)
}

function signalGroup({ pid }, signal) {
  try {
    process.kill(-pid, signal)
  } catch {
    // Nobody of it is left.
  }
}

/** A payload is in a group of its own, so what interrupts this script does not reach it by itself. */
const running = new Set()

function passSignals(child) {
  if (running.size === 0) for (const signal of PASSED) process.on(signal, pass)
  running.add(child)
  return () => {
    running.delete(child)
    if (running.size === 0) for (const signal of PASSED) process.off(signal, pass)
  }
}

const PASSED = ['SIGINT', 'SIGTERM', 'SIGHUP']

function pass(signal) {
  for (const child of running) signalGroup(child, signal)
  // Where the script does not listen itself, the signal does what it would have done.
  if (process.listenerCount(signal) > 1) return
  process.off(signal, pass)
  process.kill(process.pid, signal)
}

function resultOf(id, ended, timeoutMs) {
  const { error, cause, exitCode, signal, stdout, log = '' } = ended
  const lastLine = lineOf(log)
  const because = lastLine === '' ? '' : `: ${lastLine}`
  if (error !== null) throw notStarted(id, error)
  if (cause === 'timeout') {
    throw new SkillError(
      'SKILL_TIMED_OUT',
      `skill ${id} was ended after ${timeoutMs / 1000} s${because}`,
      'its SKILL.md can set a longer `timeout`',
    )
  }
  if (cause === 'output') {
    throw new SkillError('SKILL_OUTPUT', `skill ${id} printed more than ${MAX_OUTPUT_BYTES} bytes`)
  }
  if (exitCode !== 0) {
    const how = signal === null ? `failed with exit code ${exitCode}` : `was ended by ${signal}`
    throw new SkillError('SKILL_FAILED', `skill ${id} ${how}${because}`)
  }
  let result
  try {
    result = JSON.parse(stdout)
  } catch {
    throw wrongOutput(id, stdout.trim() === '' ? 'nothing' : JSON.stringify(shortened(stdout)))
  }
  if (typeof result !== 'object' || result === null || Array.isArray(result)) {
    throw wrongOutput(id, Array.isArray(result) ? 'an array' : JSON.stringify(shortened(stdout.trim())))
  }
  return result
}

function notStarted(id, error) {
  return new SkillError('SKILL_FAILED', `skill ${id} cannot be started: ${error.message}`)
}

function wrongOutput(id, what) {
  return new SkillError(
    'SKILL_OUTPUT',
    `skill ${id} printed ${what} where one JSON object belongs`,
    'a payload prints its result on stdout, once, and its log on stderr',
  )
}

function shortened(text) {
  return text.length <= 200 ? text : `${text.slice(0, 200).toWellFormed()}…`
}

function lineOf(log) {
  const lines = Buffer.from(log, 'latin1').toString().trimEnd().split('\n')
  return shortened(lines.at(-1).trim())
}

module.exports = { skill }
