import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { CommandExit, CommandHandler } from '../../src/tools/calls.ts'
import { encodeFrame, FRAME_TYPE } from '../../src/tools/protocol.ts'
import { command, shim, silent } from './commanding.ts'
import { caller, listening, requestFrame, until, type Listening } from './listening.ts'

const OK: CommandExit = { exitCode: 0, signal: null }
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const piece = (bytes: number): Buffer => encodeFrame(FRAME_TYPE.piece, Buffer.alloc(bytes))

/** Waits for the hang-up of its caller. */
const waiting: CommandHandler = async (_call, { signal }) => {
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve))
  return OK
}

async function expectAlive({ socketPath, spoolFolder, faults }: Listening): Promise<void> {
  const other = await caller(socketPath)
  expect(await other.call('summary', { text: 'alive' })).toMatchObject({ result: null })
  other.socket.destroy()
  const called = await shim(socketPath, { tool: 'alive' })
  expect((await called.ended).exit).toEqual({ code: 0 })
  await until(() => readdirSync(spoolFolder).length === 0)
  expect(faults).toEqual([])
}

/** A channel whose tool `alive` ends at once; others do as they are told. */
function hosting(commands: CommandHandler, limits = {}): Promise<Listening> {
  return listening({
    limits,
    commands: (call, peer) => (call.tool === 'alive' ? Promise.resolve(OK) : commands(call, peer)),
  })
}

const UNEXPECTED: readonly (readonly [string, Buffer])[] = [
  ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['zeros', Buffer.alloc(100_000)],
  ['a second command', command()],
  ['a request', requestFrame({ v: 1, id: 1, method: 'summary', params: { text: 'x' } })],
  ['an exit', encodeFrame(FRAME_TYPE.exit, Buffer.from('{"code":0}'))],
  ['output', encodeFrame(FRAME_TYPE.stdout, Buffer.from('x'))],
  ['a huge piece', Buffer.from([FRAME_TYPE.piece, 0, 1, 0, 1])],
  ['four gigabytes', Buffer.from([FRAME_TYPE.end, 255, 255, 255, 255])],
]

const UNASKED: typeof UNEXPECTED = [
  ['an unasked piece', piece(1)],
  ['an unasked end', encodeFrame(FRAME_TYPE.end, Buffer.from('{}'))],
]

const NO_END: typeof UNEXPECTED = [
  ['an end of no kind', encodeFrame(FRAME_TYPE.end, Buffer.from('{"kind":"x"}'))],
]

describe('a hostile shim', () => {
  test.each([...UNEXPECTED, ...UNASKED])(
    'that sends %s while its command runs is cut off, and the command hears of it',
    async (_name, bytes) => {
      let settled = 0
      let started = 0
      const host = await hosting(async (call, peer) => {
        started += 1
        const exit = await waiting(call, peer)
        settled += 1
        return exit
      })
      const called = await shim(host.socketPath)
      await until(() => started === 1)
      called.socket.write(bytes)
      expect((await called.ended).exit).toBe(null)
      await until(() => settled === 1)
      await expectAlive(host)
      expect(host.summaries).toEqual(['alive'])
    },
  )

  test.each(UNEXPECTED)(
    'that sends %s right behind its command does not have it started',
    async (_name, bytes) => {
      let started = 0
      const host = await hosting((call, peer) => {
        started += 1
        return waiting(call, peer)
      })
      const called = await silent(host.socketPath)
      called.socket.write(Buffer.concat([command(), bytes]))
      expect((await called.ended).exit).toBe(null)
      expect(started).toBe(0)
      await expectAlive(host)
    },
  )

  test.each([...UNEXPECTED, ...NO_END])('that answers a want with %s is cut off', async (_name, bytes) => {
    const codes: unknown[] = []
    const host = await hosting(async (_call, peer) => {
      await peer.read('-').catch((error: { code: string }) => codes.push(error.code))
      return OK
    })
    const called = await shim(host.socketPath)
    await until(() => called.wants.length === 1)
    called.socket.write(Buffer.concat([piece(10), bytes]))
    expect((await called.ended).exit).toBe(null)
    await until(() => codes.length === 1)
    expect(codes).toEqual(['DISCONNECTED'])
    await expectAlive(host)
  })

  test('that sends a folder with contents, or goes on after the end, is cut off', async () => {
    const host = await hosting(async (call, peer) => {
      await peer.read('/srv/folder')
      return waiting(call, peer)
    })
    for (const frames of [
      [piece(1), encodeFrame(FRAME_TYPE.end, Buffer.from('{"kind":"folder","entries":[]}'))],
      [encodeFrame(FRAME_TYPE.end, Buffer.from('{"kind":"file"}')), piece(1)],
    ]) {
      const called = await shim(host.socketPath)
      await until(() => called.wants.length === 1)
      called.socket.write(Buffer.concat(frames))
      expect((await called.ended).exit).toBe(null)
    }
    await expectAlive(host)
  })

  test.each([
    ['no JSON', '{'],
    ['another version', '{"v":2}'],
    ['no argv', '{"v":1,"tool":"x","cwd":"/","stdin":true}'],
    ['a nest without end', '['.repeat(1_000_000)],
  ])('whose command is %s is told so', async (_name, text) => {
    let started = 0
    const host = await hosting(() => {
      started += 1
      return Promise.resolve(OK)
    })
    const called = await silent(host.socketPath)
    called.socket.write(encodeFrame(FRAME_TYPE.command, Buffer.from(text)))
    expect(await called.ended).toMatchObject({
      stderr: expect.stringMatching(/^error\[(PROTOCOL|INVALID_PARAMS)\]: /),
      exit: { code: 126 },
    })
    expect(started).toBe(0)
    await expectAlive(host)
  })

  test('whose command is too long, or comes after a request, or half, is refused as before', async () => {
    const host = await hosting(waiting, { stallTimeoutMs: 300 })
    const huge = await caller(host.socketPath)
    huge.socket.write(Buffer.from([FRAME_TYPE.command, 0, 0x20, 0, 1]))
    expect(await huge.next()).toMatchObject({ id: null, error: { code: 'TOO_LARGE' } })
    await huge.closed
    const mixed = await caller(host.socketPath)
    await mixed.call('summary', { text: 'first' })
    mixed.socket.write(command())
    expect(await mixed.next()).toMatchObject({ id: null, error: { code: 'PROTOCOL' } })
    await mixed.closed
    const half = await silent(host.socketPath)
    half.socket.write(command().subarray(0, 30))
    await half.closed
    await expectAlive(host)
  })

  test('that floods a want with tiny pieces keeps no timer and nobody else waiting', async () => {
    const host = await hosting(async (_call, peer) => {
      await peer.read('-')
      return OK
    })
    const flood = Buffer.concat(Array.from({ length: 50_000 }, (_, at) => piece(at % 2)))
    const floods = await Promise.all(Array.from({ length: 10 }, () => shim(host.socketPath)))
    await until(() => floods.every(each => each.wants.length === 1))
    let latestMs = 0
    let last = performance.now()
    const clock = setInterval(() => {
      latestMs = Math.max(latestMs, performance.now() - last)
      last = performance.now()
    }, 10)
    for (const each of floods) {
      each.socket.write(flood)
      each.end({ kind: 'file' })
    }
    await expectAliveBeside(host)
    for (const each of floods) expect((await each.ended).exit).toEqual({ code: 0 })
    clearInterval(clock)
    expect(latestMs).toBeLessThan(1000)
  })

  test(
    'with thousands of commands has so many at once, and the places come back',
    { timeout: 60_000 },
    async () => {
      let running = 0
      let most = 0
      const host = await hosting(
        async (call, peer) => {
          most = Math.max(most, (running += 1))
          const exit = await waiting(call, peer)
          running -= 1
          return exit
        },
        { maxCommands: 100 },
      )
      for (let wave = 0; wave < 10; wave += 1) {
        const shims = await Promise.all(Array.from({ length: 200 }, () => shim(host.socketPath)))
        const ends = shims.map(each => each.ended)
        await until(() => running === 100)
        const refused = await Promise.race(ends)
        expect(refused).toMatchObject({
          stderr: expect.stringMatching(/^error\[LIMIT_EXCEEDED\]: a run has at most 100 commands at once/),
          exit: { code: 126 },
        })
        for (const each of shims) each.socket.destroy()
        await until(() => running === 0)
      }
      expect(most).toBe(100)
      const sockets = Array.from({ length: 2000 }, () => connect(host.socketPath).on('error', () => {}))
      for (const socket of sockets) socket.write(command())
      await until(() => running === 100)
      for (const socket of sockets) socket.destroy()
      await until(() => running === 0)
      await expectAlive(host)
    },
  )

  test('that hangs up does not get its place back before its command has settled', async () => {
    const release: (() => void)[] = []
    const { socketPath } = await listening({
      limits: { maxCommands: 2 },
      commands: async () => {
        await new Promise<void>(resolve => release.push(resolve))
        return OK
      },
    })
    const first = await shim(socketPath)
    await shim(socketPath)
    await until(() => release.length === 2)
    first.socket.destroy()
    await pause(50)
    expect((await (await shim(socketPath)).ended).stderr).toMatch(/^error\[LIMIT_EXCEEDED\]/)
    release[0]?.()
    await pause(20)
    const third = await shim(socketPath)
    await until(() => release.length === 3)
    for (const each of release) each()
    expect((await third.ended).exit).toEqual({ code: 0 })
  })

  test('with many commands of 2 MiB is cut off before memory is', async () => {
    const host = await hosting(waiting, { maxBufferedBytes: 16 * 1024 * 1024 })
    const argv = Array.from({ length: 20 }, () => 'x'.repeat(100_000))
    const shims = await Promise.all(Array.from({ length: 30 }, () => shim(host.socketPath, { argv })))
    await until(() => shims.filter(each => each.socket.destroyed).length >= 20)
    expect(shims.some(each => !each.socket.destroyed)).toBe(true)
    for (const each of shims) each.socket.destroy()
    await expectAlive(host)
  })
})

describe('heavy output', () => {
  test('of several commands starves neither timers nor requests, however fast it is read', async () => {
    const chunk = Buffer.alloc(4096, 'x')
    const host = await hosting(async (_call, peer) => {
      while (!peer.signal.aborted) await peer.write('stdout', chunk)
      return OK
    })
    const shims = await Promise.all(Array.from({ length: 8 }, () => silent(host.socketPath)))
    for (const each of shims) {
      each.socket.removeAllListeners('data').on('data', () => {})
      each.socket.write(command())
    }
    await pause(50)
    const answersMs: number[] = []
    const other = await caller(host.socketPath)
    for (let each = 0; each < 20; each += 1) {
      const asked = performance.now()
      await other.call('summary', { text: 'x' })
      await pause(1)
      answersMs.push(performance.now() - asked)
    }
    for (const each of shims) each.socket.destroy()
    expect(Math.max(...answersMs)).toBeLessThan(1000)
    expect(answersMs.sort((a, b) => a - b)[10]).toBeLessThan(300)
    await expectAlive(host)
  })
})

async function expectAliveBeside({ socketPath }: Listening): Promise<void> {
  const other = await caller(socketPath)
  for (let each = 0; each < 20; each += 1) {
    expect(await other.call('summary', { text: 'x' })).toMatchObject({ result: null })
  }
  other.socket.destroy()
}
