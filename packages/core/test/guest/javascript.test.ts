import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { CallHandler } from '../../src/tools/channel.ts'
import { listening, temporaryFolder, until } from '../tools/listening.ts'
import { GUEST, NODES, run, SILENT_SUCCESS, type Ran, type RunOptions } from './running.ts'

const IMPORT = `import srecodex, { summary, progress, artifact, SrecodexError } from 'srecodex'\n`

describe.each(NODES)('%s', node => {
  /** A script beside a `node_modules` that holds the package, as the sandbox arranges it. */
  function javascript(name: string, text: string, options: RunOptions = {}): Promise<Ran> {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(join(GUEST, 'javascript'), join(folder, 'node_modules/srecodex'))
    writeFileSync(join(folder, name), text)
    return run([node, name], { ...options, cwd: folder })
  }

  test('is imported and required, and is the same thing either way', async () => {
    const text = `
      const required = require('srecodex')
      import('srecodex').then(imported => {
        console.log(Object.keys(required).sort().join(), Object.keys(imported).filter(name => name !== 'module.exports').sort().join())
        console.log(imported.default === required, imported.SrecodexError === required.SrecodexError)
      })`
    expect(await javascript('script.cjs', text)).toEqual({
      ...SILENT_SUCCESS,
      stdout:
        'SkillError,Skipped,SrecodexError,ToolError,artifact,askill,atool,each,may,once,progress,skill,summary,tool ' +
        'SkillError,Skipped,SrecodexError,ToolError,artifact,askill,atool,default,each,may,once,progress,skill,summary,tool\n' +
        'true true\n',
    })
  })

  test('loads nothing but its errors before the first call, and changes nothing', async () => {
    const text = `
      const { spawn } = require('node:child_process').ChildProcess.prototype
      const { env } = process
      const before = new Set(process.moduleLoadList)
      require('srecodex')
      console.log(process.moduleLoadList.filter(name => !before.has(name)).join())
      console.log(Object.keys(require.cache).map(path => require('node:path').basename(path)).sort().join())
      console.log(require('node:child_process').ChildProcess.prototype.spawn === spawn, process.env === env)`
    expect((await javascript('script.cjs', text)).stdout).toBe(
      '\nerrors.cjs,index.cjs,script.cjs\ntrue true\n',
    )
  })

  test('an answer of 16 MiB that comes in pieces of 1000 bytes takes no longer than its bytes', async () => {
    const folder = temporaryFolder()
    const text = 'x'.repeat(16 * 1024 * 1024 - 1000)
    const socketPath = await answering(folder, id => {
      const payload = Buffer.from(JSON.stringify({ id, result: { path: text } }))
      const frame = Buffer.alloc(5 + payload.length)
      frame.writeUInt8(2, 0)
      frame.writeUInt32BE(payload.length, 1)
      payload.copy(frame, 5)
      return Array.from({ length: Math.ceil(frame.length / 1000) }, (_, at) =>
        frame.subarray(at * 1000, at * 1000 + 1000),
      )
    })
    // Read by the receiver alone: no test of a path that long.
    const script = `
      const { report } = require('srecodex/line.cjs')
      report('artifact', {}).then(({ path }) => {
        console.log(path.length)
        process.exit(performance.now() < 10_000 ? 0 : 1)
      })`
    expect(await javascript('script.cjs', script, { socketPath })).toEqual({
      ...SILENT_SUCCESS,
      stdout: `${text.length}\n`,
    })
  })

  test.each([
    ['a frame of another type', [Buffer.from([9, 0, 0, 0, 1, 1])]],
    ['a length past the bound', [Buffer.from([2, 1, 0, 0, 1])]],
    ['what is not JSON', [Buffer.from([2, 0, 0, 0, 1, 0x7b])]],
  ])('who answers with %s is told to be no srecodex', async (_what, pieces) => {
    const socketPath = await answering(temporaryFolder(), () => pieces)
    const text = `${IMPORT} await summary('x').catch(error => console.log(error.code, error.message))`
    expect(await javascript('script.mjs', text, { socketPath })).toEqual({
      ...SILENT_SUCCESS,
      stdout: 'DISCONNECTED srecodex does not answer: this is not its protocol\n',
    })
  })

  test.each([
    ['awaited, then process.exit', `${IMPORT} await summary('x'); process.exit(0)`],
    ['nobody awaits it', `${IMPORT} summary('x')`],
    ['nobody awaits it, from CommonJS', `require('srecodex').summary('x')`],
    ['nobody awaits it, after an awaited call', `${IMPORT} await progress(1); summary('x')`],
    [
      'in a worker',
      `${IMPORT} import { Worker, isMainThread } from 'node:worker_threads'
      if (isMainThread) new Worker(new URL(import.meta.url)); else summary('x')`,
    ],
  ])('a summary arrives: %s', async (_name, text) => {
    const { socketPath, summaries } = await listening()
    const name = text.startsWith('require') ? 'script.cjs' : 'script.mjs'
    expect(await javascript(name, text, { socketPath })).toEqual(SILENT_SUCCESS)
    expect(summaries).toEqual(['x'])
  })

  test('progress that nobody awaits arrives, and holds nobody up', async () => {
    const { socketPath, progress } = await listening({ limits: { progressIntervalMs: 1 } })
    const text = `${IMPORT}
      for (let done = 0; done < 100; done += 1) progress(done, 100)
      process.on('exit', () => console.log(performance.now() - started < 5000))
      const started = performance.now()`
    expect((await javascript('script.mjs', text, { socketPath })).stdout).toBe('true\n')
    await until(() => progress.at(-1)?.done === 99)
  })

  test('an open connection does not keep a script alive, and is opened again once lost', async () => {
    let calls = 0
    const { socketPath } = await listening({ handlers: { quick: () => (calls += 1) } })
    const text = `${IMPORT}
      await summary('a')
      const open = process.getActiveResourcesInfo().filter(name => name.startsWith('Pipe')).length
      console.log(open)`
    const { status, stdout } = await javascript('script.mjs', text, { socketPath })
    expect([status, stdout]).toEqual([0, '0\n'])
    expect(calls).toBe(0)
  })

  test('500 calls at once get each its own answer', async () => {
    const { socketPath, artifacts, artifactsPath } = await listening()
    const text = `${IMPORT}
      const paths = await Promise.all(Array.from({ length: 500 }, (_, at) => artifact('f' + at)))
      console.log(paths.every((path, at) => path === process.env.ARTIFACTS + '/f' + at))`
    const env = { ARTIFACTS: artifactsPath }
    expect((await javascript('script.mjs', text, { socketPath, env })).stdout).toBe('true\n')
    expect(artifacts.length).toBe(500)
  })

  test('values that are not text', async () => {
    const { socketPath, summaries } = await listening()
    const text = `${IMPORT}
      for (const value of [{ a: [1, 'é', null], n: 1n }, [], new Map([['k', new Set([1])]]), null, undefined, 3.5, 7n,
        new Uint8Array([98, 255]), Buffer.from('x'), new Error('why'), '\\ud800', new Date(0), Symbol('s')]) await summary(value)
      const cycle = {}; cycle.self = cycle
      await summary(cycle).catch(error => console.log(error instanceof SrecodexError, error.code))`
    expect(await javascript('script.mjs', text, { socketPath })).toEqual({
      ...SILENT_SUCCESS,
      stdout: 'true INVALID_PARAMS\n',
    })
    expect(summaries).toEqual([
      '{"a":[1,"é",null],"n":"1"}',
      '[]',
      '{"k":[1]}',
      'null',
      'undefined',
      '3.5',
      '7',
      'b\uFFFD',
      'x',
      'Error: why',
      '\uFFFD',
      '"1970-01-01T00:00:00.000Z"',
      'Symbol(s)',
    ])
  })

  test('progress refuses what does not count', async () => {
    const { socketPath, progress } = await listening()
    const text = `${IMPORT}
      for (const wrong of ['1', null, undefined, -1, NaN, Infinity, {}]) {
        await progress(wrong).then(() => console.log('taken', wrong), error => {
          if (error.code !== 'INVALID_PARAMS') console.log(error)
        })
      }`
    expect(await javascript('script.mjs', text, { socketPath })).toEqual(SILENT_SUCCESS)
    expect(progress).toEqual([])
  })

  test('an error nobody catches ends the script and names its line', async () => {
    const { socketPath } = await listening()
    const text = `${IMPORT}\nasync function mine() {\n  await artifact('../x')\n}\nawait mine()\n`
    const { status, stderr } = await javascript('script.mjs', text, { socketPath })
    expect(status).toBe(1)
    expect(stderr).toMatch(/SrecodexError: the name of an artifact has no empty, "." or ".." parts/)
    expect(stderr).toMatch(/script\.mjs:4:/)
  })
})

test('the hook that answers for the library outside of a sandbox serves all of it, to modules and to require', async () => {
  const folder = temporaryFolder()
  const work = `const done = await each([1, 2], async n => once('n', () => n)); await summary(done.summary())`
  writeFileSync(join(folder, 'script.mjs'), `import { each, once, summary } from 'srecodex'\n${work}`)
  writeFileSync(
    join(folder, 'script.cjs'),
    `const { each, once, summary } = require('srecodex')\n;(async () => { ${work} })()`,
  )
  const hook = `--import=file://${join(GUEST, 'javascript/register.mjs')}`
  for (const name of ['script.mjs', 'script.cjs']) {
    const { socketPath, summaries } = await listening({ handlers: LEDGER })
    expect(await run([NODES[0]!, hook, name], { cwd: folder, socketPath })).toEqual(SILENT_SUCCESS)
    expect(summaries).toEqual(['2 ok'])
  }
})

/** Of a first run, in which everything goes. */
const LEDGER: Readonly<Record<string, CallHandler>> = {
  'each.open': () => ({ each: 1 }),
  'each.add': ({ keys }) => ({
    items: (keys as string[]).map(token => ({ token, state: 'todo', value: null })),
  }),
  'item.start': () => ({ go: true }),
  'item.end': () => ({ state: 'ok', retryAfterMs: null }),
  once: () => ({ known: false }),
  'once.set': ({ value }) => ({ value }),
}

/** A socket that answers the first request with these pieces, each in a write of its own. */
async function answering(folder: string, pieces: (id: unknown) => readonly Buffer[]): Promise<string> {
  const socketPath = join(folder, 'socket')
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', async (request: Buffer) => {
      const { id } = JSON.parse(request.toString('utf8', 5)) as { id: unknown }
      for (const piece of pieces(id)) {
        if (!socket.write(piece)) await new Promise(resolve => socket.once('drain', resolve))
      }
    })
  })
  onTestFinished(() => void server.close())
  await new Promise<void>(resolve => server.listen(socketPath, resolve))
  return socketPath
}
