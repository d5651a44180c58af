/**
 * The record of the items of one `each`: the host's, or outside of a sandbox none, where each item is new.
 */
'use strict'

const { currentItem } = require('./item.cjs')
const { call } = require('./line.cjs')

const KEYS_A_CALL = 2000
/** Half of what a call may carry. */
const CHARS_A_CALL = 512 * 1024

/** A run records only so much. */
const TOO_MUCH = new Set(['TOO_LARGE', 'LIMIT_EXCEEDED'])

async function openLedger() {
  const prefix = process.env.SRECODEX_PREFIX ?? ''
  const { each } = await call('each.open', { item: currentItem(), prefix })
  return {
    add: async keys => {
      const items = []
      for (const some of portions(keys)) items.push(...(await addKeys(each, some)))
      return items
    },
    start: (token, verified, wave) => call('item.start', { token, verified, wave }),
    end: endItem,
  }
}

/** All of them or none are added; their values of an earlier run may be more than an answer carries. */
async function addKeys(each, keys) {
  try {
    return (await call('each.add', { each, keys })).items
  } catch (error) {
    if (error.code !== 'TOO_LARGE' || keys.length === 1) throw error
    const half = keys.length >> 1
    return [...(await addKeys(each, keys.slice(0, half))), ...(await addKeys(each, keys.slice(half)))]
  }
}

/** That it is done counts for more than what it gave. */
async function endItem(token, { value, ...outcome }) {
  try {
    return await call('item.end', { token, ...outcome, value })
  } catch (error) {
    if (value === undefined || !TOO_MUCH.has(error.code)) throw error
    return call('item.end', { token, ...outcome })
  }
}

/** As many keys in a call as fit; a character takes up to three bytes in UTF-8, and six as an escape. */
function portions(keys) {
  const calls = []
  let room = 0
  for (const key of keys) {
    const chars = JSON.stringify(key).length * 3
    if (room < chars || calls.at(-1).length === KEYS_A_CALL) {
      calls.push([])
      room = CHARS_A_CALL
    }
    calls.at(-1).push(key)
    room -= chars
  }
  return calls
}

/** Nothing is tried again: nobody knows here whether something was changed. */
function ownLedger() {
  return {
    add: async keys => keys.map(() => ({ token: null, state: 'todo', value: null })),
    start: async () => ({ go: true }),
    end: async (_token, { outcome }) => ({ state: outcome, retryAfterMs: null }),
  }
}

module.exports = { openLedger, ownLedger }
