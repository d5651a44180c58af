#!/usr/bin/env node
/**
 * The door: checks the version before any other import, for an older Node fails on the syntax of what follows.
 */

import module from 'node:module'
import { join } from 'node:path'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`srecodex needs Node 22.12 or later, and this is ${process.version}\n`)
  process.exit(2)
}

// In a folder of the user's own: the shared one below /tmp could be filled by somebody else.
const home = process.env.SRECODEX_HOME
const cache = home
  ? join(home, 'cache')
  : join(process.env.XDG_CACHE_HOME || join(process.env.HOME || '/', '.cache'), 'srecodex')
module.enableCompileCache(join(cache, 'compile'))

const { main } = await import('./main.ts')
await main()
