/**
 * Makes every child process carry `SRECODEX_ITEM`, the item that it is started for, so that the host knows whose a
 * `kubectl` is.
 *
 * Three seams, since a program may have taken hold of the functions of `node:child_process` before:
 *  - all that is asynchronous (spawn, exec, execFile, fork, promisified or wrapped by a library) goes through
 *    `ChildProcess.prototype.spawn`, which is looked up at each call;
 *  - the functions that block are replaced where they are exported, and in ES modules that imported them by name;
 *  - who keeps an original of those still reads `process.env`, which is replaced by a view that has the item.
 *
 * Left: an original kept by `const { execFileSync } = require(…)` and called with an `env` that was put together
 * outside of the item; and threads, which are not children.
 */
'use strict'

const { currentItem } = require('./item.cjs')

const NAME = 'SRECODEX_ITEM'

let marking = false

function markChildren() {
  if (marking) return
  marking = true
  const childProcess = require('node:child_process')
  markSpawn(childProcess.ChildProcess.prototype)
  for (const name of ['spawnSync', 'execFileSync', 'execSync']) markBlocking(childProcess, name)
  require('node:module').syncBuiltinESMExports()
  process.env = viewOf(process.env)
}

function markSpawn(prototype) {
  const { spawn } = prototype
  prototype.spawn = function (options) {
    const token = currentItem()
    if (token === null || !Array.isArray(options?.envPairs)) return spawn.call(this, options)
    const envPairs = options.envPairs.filter(pair => !String(pair).startsWith(`${NAME}=`))
    return spawn.call(this, { ...options, envPairs: [...envPairs, `${NAME}=${token}`] })
  }
}

function markBlocking(childProcess, name) {
  const original = childProcess[name]
  const marked = function (...args) {
    // The options come last, and only `execSync` has no list of arguments before them.
    const at = args.findIndex((value, index) => index > 0 && isOptions(value))
    const token = currentItem()
    if (token !== null && at !== -1 && args[at].env)
      args[at] = { ...args[at], env: withItem(args[at].env, token) }
    return Reflect.apply(original, this, args)
  }
  Object.defineProperty(marked, 'name', { value: name })
  childProcess[name] = marked
}

function isOptions(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Node takes inherited variables too. */
function withItem(env, token) {
  const all = {}
  for (const key in env) all[key] = env[key]
  all[NAME] = token
  return all
}

function viewOf(environment) {
  const shows = key => key === NAME && currentItem() !== null
  return new Proxy(environment, {
    get: (target, key) => (shows(key) ? currentItem() : target[key]),
    has: (target, key) => shows(key) || key in target,
    // By assignment: what `Reflect.set` would do through a proxy, the environment refuses.
    set: (target, key, value) => {
      target[key] = value
      return true
    },
    ownKeys: target => {
      const keys = Reflect.ownKeys(target)
      return shows(NAME) && !keys.includes(NAME) ? [...keys, NAME] : keys
    },
    getOwnPropertyDescriptor: (target, key) =>
      shows(key)
        ? { value: currentItem(), writable: true, enumerable: true, configurable: true }
        : Reflect.getOwnPropertyDescriptor(target, key),
  })
}

module.exports = { markChildren }
