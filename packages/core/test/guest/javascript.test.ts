import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type * as Srecodex from '../../src/guest/javascript/index.d.ts'
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
        'SrecodexError,artifact,progress,summary SrecodexError,artifact,default,progress,summary\ntrue true\n',
    })
  })

  test('loads no network before the first call', async () => {
    const text = `require('srecodex'); console.log(process.moduleLoadList.includes('NativeModule net'))`
    expect((await javascript('script.cjs', text)).stdout).toBe('false\n')
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

test('the types say what the package does', () => {
  expectTypeOf<typeof Srecodex.summary>().toEqualTypeOf<(text: unknown) => Promise<void>>()
  expectTypeOf<typeof Srecodex.progress>().toEqualTypeOf<
    (done: number, total?: number | null, note?: string) => Promise<void>
  >()
  expectTypeOf<typeof Srecodex.artifact>().toEqualTypeOf<(name: string) => Promise<string>>()
  expectTypeOf<Srecodex.SrecodexError>().toExtend<Error>()
  expectTypeOf<Srecodex.SrecodexError['hint']>().toEqualTypeOf<string | null>()
  expectTypeOf<keyof typeof Srecodex.default>().toEqualTypeOf<
    'SrecodexError' | 'summary' | 'progress' | 'artifact'
  >()
})
