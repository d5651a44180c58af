/**
 * What a script says to srecodex, and what it does through it. All calls are async; index.d.ts describes them.
 *
 * Promises: importing this loads the errors and nothing else, and changes nothing. Each call loads what it needs.
 * Run by hand, outside a sandbox, everything works on its own but `skill` and `tool`, which need a host.
 */
'use strict'

const { SrecodexError, ToolError, SkillError, Skipped } = require('./errors.cjs')

function summary(text) {
  return require('./reporting.cjs').summary(text)
}

function progress(done, total, note) {
  return require('./reporting.cjs').progress(done, total, note)
}

function artifact(name) {
  return require('./reporting.cjs').artifact(name)
}

function tool(server, name, args) {
  return require('./calls.cjs').tool(server, name, args)
}

function skill(id, inputs) {
  return require('./skill.cjs').skill(id, inputs)
}

function each(items, fn, options) {
  return require('./each.cjs').each(items, fn, options)
}

function once(name, fn) {
  return require('./calls.cjs').once(name, fn)
}

function may(...argv) {
  return require('./calls.cjs').may(argv)
}

// The names that the library for Python has.
const askill = skill
const atool = tool

module.exports = {
  SkillError,
  Skipped,
  SrecodexError,
  ToolError,
  artifact,
  askill,
  atool,
  each,
  may,
  once,
  progress,
  skill,
  summary,
  tool,
}
