/** `tool`, `once`, `may`: single calls of the host. */
'use strict'

const { SrecodexError, ToolError } = require('./errors.cjs')
const { currentItem } = require('./item.cjs')
const { call, outside } = require('./line.cjs')

async function tool(server, name, args = {}) {
  if (typeof server !== 'string' || typeof name !== 'string') {
    throw new SrecodexError('INVALID_PARAMS', 'tool takes the name of a server and the name of a tool')
  }
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    throw new SrecodexError(
      'INVALID_PARAMS',
      `the arguments of ${server} ${name} are an object of names and values`,
    )
  }
  if (outside()) throw needsHost('tool')
  try {
    return (await call('tool', { server, name, arguments: args, item: currentItem() })).value
  } catch (error) {
    throw asKind(ToolError, ['TOOL_FAILED', 'REFUSED'], error)
  }
}

/** Values by name, decided or being decided: who asks meanwhile waits for the same one. */
const decided = new Map()

function once(name, fn) {
  let value = decided.get(name)
  if (value === undefined) {
    value = decide(name, fn)
    decided.set(name, value)
    value.catch(() => decided.delete(name))
  }
  return value
}

async function decide(name, fn) {
  if (typeof name !== 'string' || name === '' || typeof fn !== 'function') {
    throw new SrecodexError('INVALID_PARAMS', 'once takes a name and a function that decides the value')
  }
  if (outside()) return throughJson(name, await fn())
  // Names are a skill's own: two skills do not share them.
  const full = `${process.env.SRECODEX_PREFIX ?? ''}${name}`
  const { known, value } = await call('once', { name: full })
  if (known) return value
  return (await call('once.set', { name: full, value: throughJson(name, await fn()) })).value
}

/** A resumed run gets what JSON kept of a value; the first one gets the same. */
function throughJson(name, value) {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null')
  } catch (error) {
    throw new SrecodexError(
      'INVALID_PARAMS',
      `the value of once(${JSON.stringify(name)}) cannot be written as JSON: ${error.message}`,
    )
  }
}

async function may(argv) {
  if (argv.length === 0 || argv.some(word => typeof word !== 'string')) {
    throw new SrecodexError(
      'INVALID_PARAMS',
      'may takes a command and its arguments, each a string',
      `such as may('kubectl', 'rollout', 'undo', 'deployment/web')`,
    )
  }
  if (!outside()) await call('may', { argv })
}

function needsHost(what) {
  return new SrecodexError(
    'OUTSIDE',
    `${what} needs srecodex, and this script runs without it`,
    'srecodex run SCRIPT',
  )
}

/** The same error, as the kind that says whose no it is; anything else is nobody's no. */
function asKind(Kind, codes, error) {
  return codes.includes(error.code) ? new Kind(error.code, error.message, error.hint) : error
}

module.exports = { asKind, may, needsHost, once, tool }
