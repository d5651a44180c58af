/** The errors of the library: `code` is for programs, `message` and `hint` are for people. */
'use strict'

class SrecodexError extends Error {
  constructor(code, message, hint = null) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

/** An MCP tool, or whoever leads to it, said no. */
class ToolError extends SrecodexError {}

/** A skill could not be run, failed, or gave something else than one JSON object. */
class SkillError extends SrecodexError {}

/** What it was thrown for is not to be done: it is not in the approved plan, or the run is ending. */
class Skipped extends SrecodexError {}

const CLASSES = { SrecodexError, ToolError, SkillError, Skipped }

// On the prototype, since the first line of a stack is written while the error is being made.
for (const [name, { prototype }] of Object.entries(CLASSES)) {
  Object.defineProperty(prototype, 'name', { value: name, writable: true, configurable: true })
}

module.exports = CLASSES
