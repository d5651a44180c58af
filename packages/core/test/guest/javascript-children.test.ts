/** Child processes that an item of `each` starts in JavaScript carry its token, however they are started. */

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { host, lastLine, script, tokenOf } from './javascript-host.ts'
import { NODES, SILENT_SUCCESS } from './running.ts'

const CASES = NODES.flatMap(node => (['esm', 'commonjs'] as const).map(kind => [node, kind] as const))

/** Ways to start `printenv SRECODEX_ITEM`, over functions that are named as those of node:child_process. */
const WAYS = `
  const heard = child => new Promise((resolve, reject) => {
    let text = ''
    child.on('error', reject)
    child.stdout.on('data', chunk => (text += chunk))
    child.on('close', () => resolve(text))
  })
  const { promisify } = require('node:util')
  const NAME = 'SRECODEX_ITEM'
  const waysOf = (cp, env) => ({
    spawn: () => heard(cp.spawn('printenv', [NAME], { env })),
    'spawn by a shell': () => heard(cp.spawn('printenv ' + NAME, { env, shell: true })),
    'spawn, detached': () => heard(cp.spawn('printenv', [NAME], { env, detached: true })),
    exec: () => new Promise(resolve => cp.exec('printenv ' + NAME, { env }, (_, stdout) => resolve(stdout))),
    'exec, promisified': async () => (await promisify(cp.exec)('printenv ' + NAME, { env })).stdout,
    execFile: () => new Promise(resolve => cp.execFile('printenv', [NAME], { env }, (_, stdout) => resolve(stdout))),
    'execFile, promisified': async () => (await promisify(cp.execFile)('printenv', [NAME], { env })).stdout,
    fork: () => new Promise(resolve => cp.fork(__dirname + '/child.cjs', { env }).on('message', resolve)),
    spawnSync: () => cp.spawnSync('printenv', [NAME], { env }).stdout,
    'spawnSync without arguments': () => cp.spawnSync('printenv', { env }).stdout.toString().match(/^SRECODEX_ITEM=(.*)$/m)?.[1],
    'spawnSync, null for arguments': () => cp.spawnSync('printenv ' + NAME, null, { env, shell: true }).stdout,
    execSync: () => cp.execSync('printenv ' + NAME, { env, stdio: 'pipe' }),
    execFileSync: () => cp.execFileSync('printenv', [NAME], { env, stdio: 'pipe' }),
    'a grandchild': () => cp.execFileSync(process.execPath, ['-p', "require('child_process').execFileSync('printenv', ['SRECODEX_ITEM'])+''"], { env, stdio: 'pipe' }),
  })
  const PLAIN = { PATH: process.env.PATH }
  const outcomeOf = async way => {
    try { return String(await way()).trim() } catch (error) { return 'failed: ' + error.message }
  }
  const told = {}
  const hear = async (name, ways) => {
    const done = await each(Object.keys(ways), async way => {
      await new Promise(resolve => setImmediate(resolve))
      return outcomeOf(ways[way])
    }, { key: way => name + ' ' + way })
    for (const { key, value } of done.ok) told[key] = value
  }
`

const CHILD = `process.send(process.env.SRECODEX_ITEM ?? 'none', () => process.disconnect())`

/** Every key of `told` has its own token. */
function expectTokens(told: unknown, ways: number): void {
  const all = Object.entries(told as Record<string, string>)
  expect(all).toHaveLength(ways * 14)
  expect(all).toEqual(all.map(([key]) => [key, tokenOf(key)]))
}

describe.each(CASES)('%s as %s', (node, kind) => {
  test('by every function, bound before or after, with an environment of its own or none', async () => {
    const opened = await host()
    const before =
      kind === 'esm'
        ? `import * as before from 'node:child_process'
           import { createRequire } from 'node:module'
           import { spawn, exec, execFile, fork, spawnSync, execSync, execFileSync } from 'node:child_process'
           const require = createRequire(import.meta.url)
           const __dirname = import.meta.dirname ?? new URL('.', import.meta.url).pathname
           // Named imports are live bindings, and must not be copied before they are used.
           const named = {
             get spawn() { return spawn }, get exec() { return exec }, get execFile() { return execFile },
             get fork() { return fork }, get spawnSync() { return spawnSync }, get execSync() { return execSync },
             get execFileSync() { return execFileSync },
           }`
        : `const before = require('child_process')
           const { spawn, exec, execFile, fork, spawnSync, execSync, execFileSync } = require('child_process')
           const named = { spawn, exec, execFile, fork, spawnSync, execSync, execFileSync }`
    const text = `${before}
      require('node:fs').writeFileSync(__dirname + '/child.cjs', ${JSON.stringify(CHILD)})
      ${WAYS}
      await hear('plain', waysOf(before, PLAIN))
      await hear('default', waysOf(named, undefined))
      const after = await import('node:child_process')
      await hear('after', waysOf(after, PLAIN))
      await hear('default export', waysOf(after.default, { ...process.env, X: '1' }))
      const ways = waysOf(named, PLAIN)
      const none = await Promise.all(Object.values(ways).map(outcomeOf))
      console.log(JSON.stringify([told, none.every(value => ['', 'none', 'undefined'].includes(value) || value.startsWith('failed'))]))`
    const [told, none] = lastLine(await script(node, kind, text, { socketPath: opened.socketPath })) as [
      unknown,
      boolean,
    ]
    expectTokens(told, 4)
    expect(none).toBe(true)
  })

  test('originals that were kept before have it where the environment is the process’s own', async () => {
    const opened = await host()
    const text = `
      ${kind === 'esm' ? `const require = (await import('node:module')).createRequire(import.meta.url)` : ''}
      const { execFileSync, execSync, spawnSync } = require('node:child_process')
      const done = await each(['a', 'b', 'c', 'd'], async name => {
        await null
        if (name === 'a') return execFileSync('printenv', ['SRECODEX_ITEM'], { encoding: 'utf8' })
        if (name === 'b') return execSync('printenv SRECODEX_ITEM', { encoding: 'utf8', env: { ...process.env, X: '1' } })
        if (name === 'c') return spawnSync('printenv', ['SRECODEX_ITEM'], { encoding: 'utf8' }).stdout
        process.env.CHANGED = 'yes'
        process.env.CHANGED = 'again'
        delete process.env.GONE
        return [spawnSync('printenv', ['CHANGED'], { encoding: 'utf8' }).stdout.trim(), 'SRECODEX_ITEM' in process.env,
          Object.keys(process.env).includes('SRECODEX_ITEM'), process.env.SRECODEX_ITEM].join(' ')
      })
      console.log(JSON.stringify([done.ok.map(({ value }) => value.trim()), 'SRECODEX_ITEM' in process.env,
        Object.keys(process.env).includes('SRECODEX_ITEM'), process.env.CHANGED]))`
    expect(
      lastLine(await script(node, kind, text, { socketPath: opened.socketPath, env: { GONE: 'x' } })),
    ).toEqual([[...['a', 'b', 'c'].map(tokenOf), `again true true ${tokenOf('d')}`], false, false, 'again'])
  })

  test('in a process that was itself started for an item', async () => {
    const opened = await host()
    const text = `${kind === 'esm' ? `import { execFileSync } from 'node:child_process'` : `const { execFileSync } = require('child_process')`}
      const print = () => execFileSync('printenv', ['SRECODEX_ITEM'], { encoding: 'utf8' }).trim()
      const before = print()
      const done = await each(['x'], print)
      console.log(JSON.stringify([before, done.ok[0].value, print()]))`
    const env = { SRECODEX_ITEM: 'outer' }
    expect(lastLine(await script(node, kind, text, { socketPath: opened.socketPath, env }))).toEqual([
      'outer',
      tokenOf('x'),
      'outer',
    ])
    expect(opened.events[0]).toBe('open "outer" ""')
  })
})

const [NODE] = NODES

test('skills that an item runs carry it as well', async () => {
  const asked: unknown[] = []
  const opened = await host({
    handlers: {
      skill: ({ item }) => {
        asked.push(item)
        const code = `console.log(JSON.stringify({ item: process.env.SRECODEX_ITEM }))`
        return { command: [NODE, '-e', code], prefix: 'x#1/', timeoutMs: 10_000 }
      },
    },
  })
  const text = `const done = await each(['a', 'b'], async name => (await skill('x', { name })).item)
    console.log(JSON.stringify(done.ok.map(({ value }) => value)))`
  const tokens = [tokenOf('a'), tokenOf('b')]
  expect(lastLine(await script(NODE!, 'esm', text, { socketPath: opened.socketPath }))).toEqual(tokens)
  expect(asked).toEqual(tokens)
})

test('a library that starts programs by spawn needs nothing: execa', async () => {
  const opened = await host()
  const execa = createRequire(join(import.meta.dirname, '../../../testkit/package.json')).resolve('execa')
  const text = `import { execa, execaSync, $ } from '${execa}'
    const done = await each(['a', 'b', 'c'], async name => {
      if (name === 'a') return (await execa('printenv', ['SRECODEX_ITEM'])).stdout
      if (name === 'b') return (await $\`printenv SRECODEX_ITEM\`).stdout
      return execaSync('printenv', ['SRECODEX_ITEM'], { env: { X: '1' } }).stdout
    })
    console.log(JSON.stringify(done.ok.map(({ value }) => value)), done.summary())`
  const ran = await script(NODE!, 'esm', text, { socketPath: opened.socketPath })
  expect(ran).toEqual({ ...SILENT_SUCCESS, stdout: `["t~a","t~b","t~c"] 3 ok\n` })
})

test('errors of the functions stay what they are', async () => {
  const opened = await host()
  const text = `import * as cp from 'node:child_process'
    const failing = fn => { try { fn(); return 'nothing' } catch (error) { return error.code ?? error.status } }
    const done = await each(['x'], () => [
      failing(() => cp.execFileSync('sh', ['-c', 'exit 4'], { stdio: 'ignore' })),
      failing(() => cp.spawnSync('true', [], 'options')),
      failing(() => cp.spawnSync('true', 'arguments')),
      failing(() => cp.spawnSync('true', [], { env: 'no' })),
      failing(() => cp.execSync('exit 5', { stdio: 'ignore', env: { ...process.env } })),
      failing(() => cp.spawn('true', { cwd: 5 })),
      cp.execFileSync.name, cp.spawnSync('/nowhere').error.code,
    ])
    console.log(JSON.stringify(done.ok[0]?.value ?? done.failed[0].error.message))`
  expect(lastLine(await script(NODE!, 'esm', text, { socketPath: opened.socketPath }))).toEqual([
    4,
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_TYPE',
    'nothing',
    5,
    'ERR_INVALID_ARG_TYPE',
    'execFileSync',
    'ENOENT',
  ])
})
