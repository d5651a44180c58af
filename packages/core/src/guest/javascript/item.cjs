/**
 * Which item of an `each` the code that runs now works for: what calls and child processes are told to be for.
 *
 * Inside the function of an `each` it is that item, across every `await`; elsewhere the item that this whole process
 * was started for, or none.
 */
'use strict'

// Taken before children.cjs replaces `process.env` with a view that asks `currentItem`.
const environment = process.env

let storage = null

function currentItem() {
  return storage?.getStore() ?? (environment.SRECODEX_ITEM || null)
}

/** @param token Null: the item that is current anyway. */
function runFor(token, fn, argument) {
  storage ??= new (require('node:async_hooks').AsyncLocalStorage)()
  return token === null ? fn(argument) : storage.run(token, fn, argument)
}

module.exports = { currentItem, runFor }
