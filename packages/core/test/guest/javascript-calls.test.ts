/** `tool`, `once`, `may` from JavaScript, and what their errors and those of `skill` are. */

import { describe, expect, test } from 'vitest'
import { CallError } from '../../src/tools/protocol.ts'
import { until } from '../tools/listening.ts'
import { host, lastLine, script, startScript } from './javascript-host.ts'
import { NODES, SILENT_SUCCESS } from './running.ts'

const CASES = NODES.flatMap(node => (['esm', 'commonjs'] as const).map(kind => [node, kind] as const))

/** Prints what was thrown. */
const FAILING = `const failing = call => call.then(
  value => console.log('no error', value),
  error => console.log(JSON.stringify([error.constructor.name, error.name, error.code, error.message, error.hint,
    error instanceof SrecodexError, /script/.test(error.stack)])))\n`

function lines(stdout: string): unknown[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as unknown)
}

describe.each(CASES)('%s as %s', (node, kind) => {
  test('64 calls of tools at once overlap, and a report does not wait for them', async () => {
    let together = 0
    let release: () => void = () => {}
    const all = new Promise<void>(resolve => (release = resolve))
    const opened = await host({
      handlers: {
        tool: async ({ arguments: args }) => {
          together += 1
          await all
          return { value: { twice: (args as { n: number }).n * 2 } }
        },
      },
    })
    const running = startScript(
      node,
      kind,
      `const calls = Array.from({ length: 64 }, (_, n) => tool('house', 'double', { n }))
      await summary('meanwhile')
      const results = await Promise.all(calls)
      console.log(results.every(({ twice }, n) => twice === n * 2))`,
      { socketPath: opened.socketPath },
    )
    running.write('')
    await until(() => together === 64 && opened.summaries.length === 1)
    release()
    expect(await running.finished).toEqual({ ...SILENT_SUCCESS, stdout: 'true\n' })
  })

  test('500 calls at once, which is more than one connection takes, all end', async () => {
    const opened = await host({
      handlers: {
        tool: async ({ arguments: args }) => {
          await new Promise(resolve => setTimeout(resolve, 5))
          return { value: args }
        },
      },
    })
    const text = `const calls = Array.from({ length: 500 }, (_, n) => tool('house', 'same', { n }))
      console.log((await Promise.all(calls)).every((value, at) => value.n === at))`
    expect(lastLine(await script(node, kind, text, { socketPath: opened.socketPath }))).toBe(true)
  })

  test('a tool gives 5 MB', async () => {
    const rows = Array.from({ length: 50_000 }, (_, id) => ({ id, note: 'é'.repeat(40) }))
    expect(JSON.stringify(rows).length).toBeGreaterThan(3_000_000)
    const asked: unknown[] = []
    const opened = await host({
      handlers: {
        tool: params => {
          asked.push(params)
          return { value: rows }
        },
      },
    })
    const text = `const results = await Promise.all([tool('house', 'rows'), atool('house', 'rows', { all: true })])
      console.log(JSON.stringify(results.map(rows => [rows.length, rows.at(-1)])))`
    const last = [50_000, { id: 49_999, note: 'é'.repeat(40) }]
    expect(lastLine(await script(node, kind, text, { socketPath: opened.socketPath }))).toEqual([last, last])
    expect(asked).toEqual([
      { server: 'house', name: 'rows', arguments: {}, item: null },
      { server: 'house', name: 'rows', arguments: { all: true }, item: null },
    ])
  })

  test('what is refused is an error of its kind, with code, words, hint and the line of the script', async () => {
    const opened = await host({
      handlers: {
        tool: ({ name }) => {
          throw new CallError(String(name), 'these words', name === 'REFUSED' ? { hint: 'this key' } : {})
        },
        skill: ({ id }) => {
          throw new CallError(String(id), 'those words')
        },
      },
    })
    const text = `${FAILING}
      for (const name of ['TOOL_FAILED', 'REFUSED', 'SKIPPED', 'INTERNAL']) await failing(tool('house', name))
      for (const id of ['SKILL_UNKNOWN', 'SKILL_INPUTS', 'SKIPPED']) await failing(skill(id))
      await failing(tool('house', 'x', { n: 1n }))
      await failing(tool('house', 'x', []))
      await failing(tool('house', 'x', { text: 'x'.repeat(2_000_000) }))
      await failing(skill('x', 'not an object'))`
    const { stdout, ...ended } = await script(node, kind, text, { socketPath: opened.socketPath })
    expect(ended).toMatchObject({ status: 0, stderr: '' })
    const told = lines(stdout) as unknown[][]
    expect(told.slice(0, 7)).toEqual([
      ['ToolError', 'ToolError', 'TOOL_FAILED', 'these words', null, true, true],
      ['ToolError', 'ToolError', 'REFUSED', 'these words', 'this key', true, true],
      ['Skipped', 'Skipped', 'SKIPPED', 'these words', null, true, true],
      ['SrecodexError', 'SrecodexError', 'INTERNAL', 'these words', null, true, true],
      ['SkillError', 'SkillError', 'SKILL_UNKNOWN', 'those words', null, true, true],
      ['SkillError', 'SkillError', 'SKILL_INPUTS', 'those words', null, true, true],
      ['Skipped', 'Skipped', 'SKIPPED', 'those words', null, true, true],
    ])
    expect(told.slice(7).map(([, , code]) => code)).toEqual([
      'INVALID_PARAMS',
      'INVALID_PARAMS',
      'TOO_LARGE',
      'INVALID_PARAMS',
    ])
  })

  test('a host that hangs up fails every call under way, and those after', async () => {
    const opened = await host({ handlers: { tool: () => new Promise(() => {}) } })
    const text = `${FAILING}
      const calls = [tool('a', 'b'), tool('a', 'c')].map(failing)
      await progress(1)
      console.log('"waiting"')
      await Promise.all(calls)
      await failing(once('x', () => 1))
      await failing(each(['x'], () => 1))`
    const running = startScript(node, kind, text, { socketPath: opened.socketPath })
    running.write('')
    await running.says('waiting')
    await until(() => opened.progress.length === 1)
    await opened.channel.close()
    const { status, stderr, stdout } = await running.finished
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const told = lines(stdout).slice(1) as unknown[][]
    expect(told.map(([name, , code]) => [name, code])).toEqual(
      Array.from({ length: 4 }, () => ['SrecodexError', 'DISCONNECTED']),
    )
  })

  test('outside of a sandbox skill and tool say what to do, once and may work', async () => {
    const text = `${FAILING}
      await failing(tool('a', 'b'))
      await failing(skill('a'))
      await may('kubectl', 'rollout', 'undo', 'deployment/web')
      let decided = 0
      const values = await Promise.all([1, 2].map(() => once('at', async () => ({ at: new Date(0), n: (decided += 1) }))))
      console.log(JSON.stringify([values, decided, await once('at', () => 'another')]))`
    const { stdout, status, stderr } = await script(node, kind, text)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const [one, other, values] = lines(stdout)
    const outside = ['SrecodexError', 'SrecodexError', 'OUTSIDE']
    expect(one).toEqual([
      ...outside,
      'tool needs srecodex, and this script runs without it',
      'srecodex run SCRIPT',
      true,
      true,
    ])
    expect(other).toEqual([
      ...outside,
      'skill needs srecodex, and this script runs without it',
      'srecodex run SCRIPT',
      true,
      true,
    ])
    const value = { at: '1970-01-01T00:00:00.000Z', n: 1 }
    expect(values).toEqual([[value, value], 1, value])
  })

  test('once decides once, gives what JSON keeps, and asks again after a failure', async () => {
    const opened = await host()
    const text = `${FAILING}
      let calls = 0
      const decide = async () => ({ at: new Date(0), n: (calls += 1), gone: undefined })
      const together = await Promise.all(Array.from({ length: 20 }, () => once('at', decide)))
      await failing(once('bad', () => 1n))
      await failing(once('bad', () => { throw new SrecodexError('MINE', 'own words') }))
      await failing(once('', () => 1))
      await failing(once('x'))
      console.log(JSON.stringify([calls, together[0], together.every(value => value === together[0]),
        await once('bad', () => undefined), await once('bad', () => 2)]))`
    const first = await script(node, kind, text, {
      socketPath: opened.socketPath,
      env: { SRECODEX_PREFIX: 'k8s/x#1/' },
    })
    const told = lines(first.stdout) as unknown[][]
    const value = { at: '1970-01-01T00:00:00.000Z', n: 1 }
    expect(told.slice(0, 4).map(([, , code]) => code)).toEqual([
      'INVALID_PARAMS',
      'MINE',
      'INVALID_PARAMS',
      'INVALID_PARAMS',
    ])
    expect(told[4]).toEqual([1, value, true, null, null])
    // Another process of the run gets the same; the script's own name is another one than the skill's.
    const again = `console.log(JSON.stringify([await once('k8s/x#1/at', () => 'new'), await once('at', () => 'own')]))`
    expect(lastLine(await script(node, kind, again, { socketPath: opened.socketPath }))).toEqual([
      value,
      'own',
    ])
  })

  test('may passes its words on, and refuses what is no command', async () => {
    const declared: unknown[] = []
    const opened = await host({
      handlers: {
        may: ({ argv }) => {
          declared.push(argv)
          if ((argv as string[])[1] === 'delete') throw new CallError('REFUSED', 'not in the approved plan')
          return null
        },
      },
    })
    const text = `${FAILING}
      console.log(JSON.stringify(await may('kubectl', 'rollout', 'undo', 'deployment/web') ?? 'nothing'))
      await failing(may())
      await failing(may('kubectl', 3))
      await failing(may('kubectl', 'delete', 'pod'))`
    const { stdout } = await script(node, kind, text, { socketPath: opened.socketPath })
    const told = lines(stdout) as unknown[][]
    expect(told[0]).toBe('nothing')
    expect(told.slice(1).map(([, , code]) => code)).toEqual(['INVALID_PARAMS', 'INVALID_PARAMS', 'REFUSED'])
    expect(declared).toEqual([
      ['kubectl', 'rollout', 'undo', 'deployment/web'],
      ['kubectl', 'delete', 'pod'],
    ])
  })

  test('a script that ends without await has made its calls', async () => {
    const opened = await host({
      handlers: { tool: async () => ({ value: await new Promise(resolve => setTimeout(resolve, 50, 7)) }) },
    })
    const text = `tool('a', 'b').then(value => console.log(value))
      each([1, 2, 3], async n => n).then(done => console.log(done.summary()))
      once('x', () => 5)`
    const { stdout, ...ended } = await script(node, kind, text, { socketPath: opened.socketPath })
    expect(ended).toEqual({ status: 0, signal: null, stderr: '' })
    expect(stdout.trimEnd().split('\n').toSorted()).toEqual(['3 ok', '7'])
    expect(opened.events.filter(event => event.startsWith('end'))).toHaveLength(3)
  })
})
