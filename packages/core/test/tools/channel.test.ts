import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SrecodexError } from '../../src/errors.ts'
import { MAX_SUMMARY_BYTES, openChannel } from '../../src/tools/channel.ts'
import { CallError, encodeFrame } from '../../src/tools/protocol.ts'
import { caller, listening, requestFrame, temporaryFolder, until } from './listening.ts'

const NO_RECORDER = { onSummary() {}, onProgress() {}, onArtifact() {} }

describe('calls', () => {
  test('summary: each is heard, in order', async () => {
    const { socketPath, summaries } = await listening()
    const script = await caller(socketPath)
    for (const text of ['', 'one', 'zwei 😀\n"quoted"\0']) {
      expect(await script.call('summary', { text })).toMatchObject({ result: null })
    }
    expect(summaries).toEqual(['', 'one', 'zwei 😀\n"quoted"\0'])
  })

  test('summary: 256 KiB fit, a byte more does not, and the error says so', async () => {
    const { socketPath, summaries } = await listening()
    const script = await caller(socketPath)
    expect(await script.call('summary', { text: 'é'.repeat(MAX_SUMMARY_BYTES / 2) })).toMatchObject({
      result: null,
    })
    expect(await script.call('summary', { text: `${'é'.repeat(MAX_SUMMARY_BYTES / 2)}.` })).toMatchObject({
      error: { code: 'TOO_LARGE', message: 'the summary has 262145 bytes, and at most 262144 are taken' },
    })
    expect(summaries.length).toBe(1)
  })

  test('half a surrogate pair becomes U+FFFD', async () => {
    const { socketPath, summaries } = await listening()
    const script = await caller(socketPath)
    script.send('{"v":1,"id":1,"method":"summary","params":{"text":"\\ud800x"}}')
    await script.next()
    expect(summaries).toEqual(['\uFFFDx'])
  })

  test('progress: needs no answer, is coalesced, and its last word arrives', async () => {
    const { socketPath, progress } = await listening({ limits: { progressIntervalMs: 50 } })
    const script = await caller(socketPath)
    for (let done = 0; done <= 1000; done += 1) {
      script.send({ v: 1, id: null, method: 'progress', params: { done, total: 1000, note: `n${done}` } })
    }
    await until(() => progress.at(-1)?.done === 1000)
    expect(progress[0]).toEqual({ done: 0, total: 1000, note: 'n0' })
    expect(progress.length).toBeLessThan(100)
    expect(script.responses).toEqual([])
    expect(await script.call('progress', { done: 0.5 })).toMatchObject({ result: null })
    await until(() => progress.at(-1)?.done === 0.5)
    expect(progress.at(-1)).toEqual({ done: 0.5, total: null, note: '' })
  })

  test('artifact: gives the path and records each name once', async () => {
    const { socketPath, artifacts, artifactsPath } = await listening()
    const script = await caller(socketPath)
    for (const name of ['a.json', 'deep/er/ä b.txt', 'a.json', '..a', 'a..', '...', '-rf', 'x'.repeat(200)]) {
      expect(await script.call('artifact', { name })).toMatchObject({
        result: { path: join(artifactsPath, name) },
      })
    }
    expect(artifacts).toEqual(['a.json', 'deep/er/ä b.txt', '..a', 'a..', '...', '-rf', 'x'.repeat(200)])
    expect(readdirSync(artifactsPath)).toEqual([])
  })

  test('artifact: at most so many names', async () => {
    const { socketPath, artifacts } = await listening({ limits: { maxArtifacts: 2 } })
    const script = await caller(socketPath)
    await script.call('artifact', { name: 'a' })
    await script.call('artifact', { name: 'b' })
    expect(await script.call('artifact', { name: 'c' })).toMatchObject({ error: { code: 'LIMIT_EXCEEDED' } })
    expect(await script.call('artifact', { name: 'a' })).toMatchObject({ result: {} })
    expect(artifacts).toEqual(['a', 'b'])
  })

  test.each([
    ['summary', {}],
    ['summary', { text: 1 }],
    ['summary', { text: null }],
    ['summary', { text: ['x'] }],
    ['summary', JSON.parse('{"__proto__":{"text":"x"}}')],
    ['progress', {}],
    ['progress', { done: -1 }],
    ['progress', { done: '1' }],
    ['progress', { done: null }],
    ['progress', { done: 1, total: -1 }],
    ['progress', { done: 1, total: 'x' }],
    ['progress', { done: 1, note: 1 }],
    ['artifact', {}],
    ['artifact', { name: '' }],
    ['artifact', { name: '/etc/passwd' }],
    ['artifact', { name: '..' }],
    ['artifact', { name: '../x' }],
    ['artifact', { name: 'a/../../x' }],
    ['artifact', { name: 'a/..' }],
    ['artifact', { name: './a' }],
    ['artifact', { name: 'a//b' }],
    ['artifact', { name: 'a/' }],
    ['artifact', { name: 'a\0' }],
    ['artifact', { name: 'a\nb' }],
    ['artifact', { name: '\x1b[2J' }],
    ['artifact', { name: 'a\x7f' }],
    ['artifact', { name: 'a\x9b' }],
    ['artifact', { name: 'a\u2028b' }],
    ['artifact', { name: 'txt.\u202Eexe' }],
    ['artifact', { name: '\ud800' }],
    ['artifact', { name: 'é'.repeat(101) }],
    ['artifact', { name: 7 }],
  ])('%s refuses %j', async (method, params) => {
    const { socketPath, summaries, progress, artifacts, faults } = await listening()
    const script = await caller(socketPath)
    expect(await script.call(method, params)).toMatchObject({ error: { code: 'INVALID_PARAMS' } })
    expect([summaries, progress, artifacts, faults]).toEqual([[], [], [], []])
    expect(await script.call('summary', { text: 'goes on' })).toMatchObject({ result: null })
  })

  test('numbers that overflow are refused', async () => {
    const { socketPath } = await listening()
    const script = await caller(socketPath)
    script.send('{"v":1,"id":1,"method":"progress","params":{"done":1e999}}')
    expect(await script.next()).toMatchObject({ error: { code: 'INVALID_PARAMS' } })
  })

  test.each(['nope', '__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])(
    'an unknown method is named: %j',
    async method => {
      const { socketPath } = await listening()
      const script = await caller(socketPath)
      expect(await script.call(method)).toEqual({
        id: 1,
        error: {
          code: 'UNKNOWN_METHOD',
          message: `srecodex has no method ${JSON.stringify(method)}`,
          hint: 'methods: summary, progress, artifact',
        },
      })
    },
  )
})

describe('handlers that others add', () => {
  test('may answer later, out of order, and with errors of their own', async () => {
    let release: ((result: unknown) => void) | undefined
    const { socketPath, faults } = await listening({
      handlers: {
        slow: () => new Promise(resolve => (release = resolve)),
        echo: params => params,
        refuse: () => {
          throw new CallError('NO_SUCH_TOOL', 'there is no such tool', { hint: 'add it' })
        },
        fail: async () => {
          await Promise.resolve()
          throw new Error('/secret/path')
        },
        huge: () => 'x'.repeat(2 ** 24),
      },
    })
    const script = await caller(socketPath)
    script.send({ v: 1, id: 'slow', method: 'slow' })
    script.send({ v: 1, id: 2, method: 'echo', params: { a: [1] } })
    expect(await script.next()).toEqual({ id: 2, result: { a: [1] } })
    release?.('done')
    expect(await script.next()).toEqual({ id: 'slow', result: 'done' })
    expect(await script.call('refuse')).toMatchObject({
      error: { code: 'NO_SUCH_TOOL', message: 'there is no such tool', hint: 'add it' },
    })
    const failed = await script.call('fail')
    expect(failed).toMatchObject({ error: { code: 'INTERNAL' } })
    expect(JSON.stringify(failed)).not.toContain('secret')
    expect(faults).toEqual([new Error('/secret/path')])
    expect(await script.call('huge')).toMatchObject({ error: { code: 'TOO_LARGE' } })
  })

  test('hear that their caller hung up', async () => {
    let aborted = 0
    const { socketPath } = await listening({
      handlers: {
        wait: (_params, { signal }) =>
          new Promise(resolve => {
            signal.addEventListener('abort', () => {
              aborted += 1
              resolve(null)
            })
          }),
      },
    })
    const script = await caller(socketPath)
    for (let id = 0; id < 20; id += 1) script.send({ v: 1, id, method: 'wait' })
    await until(() => script.socket.bytesWritten > 0)
    expect(await (await caller(socketPath)).call('summary', { text: 'x' })).toMatchObject({ result: null })
    expect(aborted).toBe(0)
    script.socket.destroy()
    await until(() => aborted === 20)
  })

  test('are given only so many calls of one connection at once', async () => {
    const waiting: (() => void)[] = []
    const { socketPath } = await listening({
      limits: { maxCallsAtOnce: 3 },
      handlers: { wait: () => new Promise<void>(resolve => waiting.push(resolve)) },
    })
    const script = await caller(socketPath)
    for (let id = 0; id < 10; id += 1) script.send({ v: 1, id, method: 'wait' })
    await until(() => waiting.length === 3)
    await new Promise(resolve => setTimeout(resolve, 30))
    expect(waiting.length).toBe(3)
    for (let answered = 0; answered < 10; answered += 1) {
      await until(() => waiting.length > answered)
      waiting[answered]?.()
    }
    await until(() => script.responses.length === 10)
  })

  test('a recorder that throws fails the call and no more', async () => {
    const faults: unknown[] = []
    const { socketPath } = await listening({
      limits: { progressIntervalMs: 10 },
      recorder: {
        onSummary: () => {
          throw new Error('disk full')
        },
        onProgress: () => {
          throw new Error('no terminal')
        },
        onArtifact() {},
        onFault: error => {
          faults.push(error)
          throw new Error('and no log')
        },
      },
    })
    const script = await caller(socketPath)
    expect(await script.call('summary', { text: 'x' })).toMatchObject({ error: { code: 'INTERNAL' } })
    for (let done = 0; done < 5; done += 1) await script.call('progress', { done })
    await until(() => faults.length >= 3)
    expect(await script.call('artifact', { name: 'x' })).toMatchObject({ result: {} })
  })
})

describe('answers of 16 MiB', () => {
  test('arrive, also several at once, on one connection and on many', { timeout: 60_000 }, async () => {
    const huge = 'x'.repeat(2 ** 24 - 100)
    const { socketPath } = await listening({ handlers: { huge: () => Promise.resolve(huge) } })
    const one = await caller(socketPath)
    for (let id = 0; id < 2; id += 1) one.send({ v: 1, id, method: 'huge' })
    const many = await Promise.all(Array.from({ length: 2 }, () => caller(socketPath)))
    for (let each = 0; each < 2; each += 1) expect((await one.next())?.result === huge).toBe(true)
    const answers = await Promise.all(many.map(each => each.call('huge')))
    expect(answers.every(answer => answer?.result === huge)).toBe(true)
  })

  test('that nobody reads are held up to a bound over all connections', { timeout: 60_000 }, async () => {
    const huge = 'x'.repeat(2 ** 24 - 100)
    const { socketPath } = await listening({ handlers: { huge: () => Promise.resolve(huge) } })
    const unread = await Promise.all(Array.from({ length: 6 }, () => caller(socketPath)))
    for (const each of unread) {
      each.socket.pause()
      each.send({ v: 1, id: 1, method: 'huge' })
    }
    const other = await caller(socketPath)
    await until(() => unread.every(each => each.socket.bytesWritten > 0))
    expect(await other.call('huge')).toMatchObject({ error: { code: 'TOO_LARGE' } })
    expect(await other.call('summary', { text: 'x' })).toMatchObject({ result: null })
    for (const each of unread) each.socket.resume()
    const answers = await Promise.all(unread.map(each => each.next()))
    const codes = answers.map(answer => answer?.error?.code ?? 'answered')
    expect(codes.filter(code => code === 'answered').length).toBe(4)
    expect(codes.filter(code => code === 'TOO_LARGE').length).toBe(2)
    expect((await other.call('huge'))?.result === huge).toBe(true)
  })
})

describe('a hostile caller', () => {
  test('with 10,000 connections takes the places, and gives them back', { timeout: 60_000 }, async () => {
    const { socketPath } = await listening()
    const honest = await caller(socketPath)
    let open = 0
    const sockets = []
    for (let wave = 0; wave < 20; wave += 1) {
      for (let each = 0; each < 500; each += 1) {
        const socket = connect(socketPath)
        socket.on('connect', () => (open += 1))
        socket.on('error', () => {})
        socket.on('close', failed => (open -= failed ? 0 : 1))
        sockets.push(socket)
      }
      await new Promise(resolve => setTimeout(resolve, 20))
      expect(await honest.call('summary', { text: 'x' })).toMatchObject({ result: null })
    }
    await until(() => open <= 511)
    expect(open).toBeGreaterThan(400)
    expect(await (await caller(socketPath)).next()).toBe(null)
    for (const socket of sockets) socket.destroy()
    await until(() => open === 0)
    await expectAlive(socketPath)
  })

  test('that sends a frame byte by byte is cut off, and one that waits between frames is not', async () => {
    const { socketPath } = await listening({ limits: { stallTimeoutMs: 300 } })
    const idle = await caller(socketPath)
    await idle.call('summary', { text: 'x' })
    const started = performance.now()
    const cutOff = [await caller(socketPath), await caller(socketPath), await caller(socketPath)]
    const frame = requestFrame({ v: 1, id: 1, method: 'summary', params: { text: 'x'.repeat(200) } })
    let sent = 0
    const dribble = setInterval(() => {
      for (const each of cutOff.slice(0, 2)) each.socket.write(frame.subarray(sent, sent + 1))
      sent += 1
    }, 20)
    cutOff[2]?.socket.write(frame.subarray(0, 3))
    for (const each of cutOff) await each.closed
    clearInterval(dribble)
    expect(performance.now() - started).toBeGreaterThan(290)
    expect(performance.now() - started).toBeLessThan(3000)
    expect(await idle.call('summary', { text: 'y' })).toMatchObject({ result: null })
  })

  test.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['TLS', Buffer.from('16030100f8010000f40303', 'hex')],
    ['zeros', Buffer.alloc(100_000)],
    ['0xff', Buffer.alloc(100_000, 255)],
    ['noise', Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7919 + 13) % 251))],
    ['a response', encodeFrame(2, Buffer.from('{}'))],
    ['a reserved type', encodeFrame(16, Buffer.alloc(0))],
    ['four gigabytes', Buffer.from([1, 255, 255, 255, 255])],
    ['no JSON', requestFrame('{"v":1,')],
    ['a nest without end', requestFrame('['.repeat(1_000_000))],
    ['an array', requestFrame([1, 2, 3])],
  ])('that sends %s is told once and cut off', async (_name, bytes) => {
    const { socketPath, faults } = await listening()
    const honest = await caller(socketPath)
    const hostile = await caller(socketPath)
    hostile.socket.write(bytes)
    await hostile.closed
    for (const response of hostile.responses) expect(response).toMatchObject({ id: null, error: {} })
    expect(hostile.responses.length).toBeLessThanOrEqual(1)
    expect(await honest.call('summary', { text: 'x' })).toMatchObject({ result: null })
    expect(faults).toEqual([])
  })

  test('is answered up to the first bytes that mean nothing', async () => {
    const { socketPath, summaries } = await listening()
    const hostile = await caller(socketPath)
    hostile.socket.write(
      Buffer.concat([summaryFrame(1), summaryFrame(2), Buffer.from([9, 0, 0, 0, 0]), summaryFrame(3)]),
    )
    await hostile.closed
    expect(hostile.responses.map(response => [response.id, response.error?.code])).toEqual([
      [1, undefined],
      [2, undefined],
      [null, 'PROTOCOL'],
    ])
    expect(summaries).toEqual(['1', '2'])
  })

  test('cannot touch prototypes or nest too deep', async () => {
    const { socketPath, summaries } = await listening()
    const hostile = await caller(socketPath)
    const deep = `${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`
    hostile.send(
      `{"v":1,"id":1,"method":"summary","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},` +
        `"params":{"text":"x","__proto__":{"polluted":1},"deep":${deep}}}`,
    )
    expect(await hostile.next()).toEqual({ id: 1, result: null })
    expect(summaries).toEqual(['x'])
    expect('polluted' in {}).toBe(false)
  })

  test('that holds many frames half sent is cut off before memory is', async () => {
    const { socketPath } = await listening({ limits: { maxBufferedBytes: 4 * 1024 * 1024 } })
    const hostile = await Promise.all(Array.from({ length: 40 }, () => caller(socketPath)))
    const header = Buffer.from([1, 0, 16, 0, 0])
    for (const each of hostile) each.socket.write(Buffer.concat([header, Buffer.alloc(2 ** 20 - 1)]))
    await until(() => hostile.filter(each => each.socket.destroyed).length >= 36)
    expect(hostile.filter(each => !each.socket.destroyed).length).toBeGreaterThan(0)
    await expectAlive(socketPath)
    for (const each of hostile) each.socket.destroy()
    await expectAlive(socketPath)
  })

  test('that reads no answer is not listened to, then cut off', async () => {
    const { socketPath, artifacts } = await listening({ limits: { stallTimeoutMs: 500 } })
    const hostile = await caller(socketPath)
    hostile.socket.pause()
    const requests = Array.from({ length: 1000 }, (_, id) =>
      requestFrame({ v: 1, id, method: 'artifact', params: { name: 'x'.repeat(200) } }),
    )
    const many = Buffer.concat(requests)
    for (let each = 0; each < 40; each += 1) hostile.socket.write(many)
    await until(() => artifacts.length === 1)
    await expectAlive(socketPath)
    expect(hostile.socket.writableLength).toBeGreaterThan(0)
    // Closing shows as a failed write; what it never read is still in its own buffers.
    await hostile.closed
    await expectAlive(socketPath)
  })

  test('that lets large answers pile up hears that they are too large, and goes on', async () => {
    const { socketPath } = await listening({
      limits: { maxUnsentBytes: 2 * 1024 * 1024 },
      handlers: { large: () => Promise.resolve('x'.repeat(500_000)) },
    })
    const hostile = await caller(socketPath)
    hostile.socket.pause()
    for (let id = 0; id < 60; id += 1) hostile.send({ v: 1, id, method: 'large' })
    await new Promise(resolve => setTimeout(resolve, 300))
    await expectAlive(socketPath)
    hostile.socket.resume()
    await until(() => hostile.responses.length === 60)
    const codes = hostile.responses.map(response => response.error?.code ?? 'answered')
    expect(codes.filter(code => code === 'answered').length).toBeGreaterThan(3)
    expect(codes.filter(code => code === 'TOO_LARGE').length).toBeGreaterThan(3)
    expect(new Set(codes)).toEqual(new Set(['answered', 'TOO_LARGE']))
    expect(await hostile.call('large')).toMatchObject({ result: expect.stringMatching(/^x{500000}$/) })
  })

  test('that sends as fast as it can does not keep timers waiting', async () => {
    const { socketPath, summaries } = await listening()
    const hostile = await Promise.all(Array.from({ length: 20 }, () => caller(socketPath)))
    const text = 'x'.repeat(300)
    const many = Buffer.concat(
      Array.from({ length: 2000 }, () =>
        requestFrame({ v: 1, id: null, method: 'summary', params: { text } }),
      ),
    )
    for (const each of hostile) each.socket.write(many)
    let latestMs = 0
    let last = performance.now()
    const clock = setInterval(() => {
      latestMs = Math.max(latestMs, performance.now() - last)
      last = performance.now()
    }, 10)
    await until(() => summaries.length === 40_000, 25_000)
    clearInterval(clock)
    expect(latestMs).toBeLessThan(500)
  })

  test('that closes its side is answered what it asked before, and half a frame is forgotten', async () => {
    const { socketPath, summaries } = await listening()
    const half = await caller(socketPath)
    half.socket.end(
      Buffer.concat([
        requestFrame({ v: 1, id: 1, method: 'summary', params: { text: 'a' } }),
        requestFrame({ v: 1, id: 2, method: 'summary', params: { text: 'b' } }),
        Buffer.from([1, 0, 0]),
      ]),
    )
    await half.closed
    expect(half.responses.map(response => response.id)).toEqual([1, 2])
    expect(summaries).toEqual(['a', 'b'])
    const gone = await caller(socketPath)
    gone.send({ v: 1, id: 1, method: 'summary', params: { text: 'c' } })
    gone.socket.destroySoon()
    await until(() => summaries.length === 3)
    const crashed = await caller(socketPath)
    const frames = Array.from({ length: 50 }, (_, id) =>
      requestFrame({ v: 1, id, method: 'summary', params: { text: 'last words' } }),
    )
    crashed.socket.write(Buffer.concat(frames))
    crashed.socket.destroySoon()
    await until(() => summaries.length === 53)
    await expectAlive(socketPath)
  })
})

describe('the socket', () => {
  test('answers 50 connections at once', async () => {
    const { socketPath, artifacts, artifactsPath } = await listening()
    await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        const script = await caller(socketPath)
        for (let each = 0; each < 20; each += 1) {
          const name = `${at}/${each}`
          expect(await script.call('artifact', { name })).toMatchObject({
            result: { path: `${artifactsPath}/${name}` },
          })
        }
      }),
    )
    expect(artifacts.length).toBe(1000)
  })

  test('belongs to its owner alone, and goes when the channel closes', async () => {
    const { socketPath, folder, channel } = await listening()
    expect((statSync(socketPath).mode & 0o777).toString(8)).toBe('600')
    await channel.close()
    await channel.close()
    expect(readdirSync(folder)).toEqual(['artifacts'])
  })

  test('may have a path longer than a socket address, and leaves no descriptor behind', async () => {
    const folder = join(temporaryFolder(), 'd'.repeat(120), 'e'.repeat(120))
    mkdirSync(folder, { recursive: true })
    const descriptors = readdirSync('/proc/self/fd').length
    for (const name of ['s', 'n'.repeat(80)]) {
      const listenPath = join(folder, name)
      const summaries: string[] = []
      const channel = await openChannel({
        listenPath,
        artifactsPath: '/a',
        recorder: { ...NO_RECORDER, onSummary: text => summaries.push(text) },
      })
      expect(statSync(listenPath).isSocket()).toBe(true)
      expect((statSync(listenPath).mode & 0o777).toString(8)).toBe('600')
      const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
      const script = await caller(`/proc/self/fd/${fd}/${name}`)
      closeSync(fd)
      await script.call('summary', { text: 'far' })
      script.socket.destroy()
      await channel.close()
      expect(summaries).toEqual(['far'])
      expect(readdirSync(folder)).toEqual([])
    }
    await until(() => readdirSync('/proc/self/fd').length <= descriptors)
  })

  test.each([
    ['a folder that is not there', 'missing/socket'],
    ['a folder that is not there, far away', `${'missing'.repeat(20)}/socket`],
    ['a file in its place', 'taken'],
    ['a name that fits no address', 'n'.repeat(120)],
  ])('cannot lie in %s', async (_name, path) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'taken'), 'mine')
    const listenPath = join(folder, path)
    const descriptors = readdirSync('/proc/self/fd').length
    const opened = openChannel({ listenPath, artifactsPath: '/a', recorder: NO_RECORDER })
    const error: unknown = await opened.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SrecodexError)
    expect(error).toMatchObject({ code: 'STATE_UNWRITABLE', details: { path: listenPath } })
    expect(readFileSync(join(folder, 'taken'), 'utf8')).toBe('mine')
    await until(() => readdirSync('/proc/self/fd').length <= descriptors)
  })

  test('of one run tells nothing to another', async () => {
    const first = await listening()
    const second = await listening()
    await (await caller(first.socketPath)).call('summary', { text: 'first' })
    await (await caller(second.socketPath)).call('artifact', { name: 'second' })
    expect([first.summaries, first.artifacts]).toEqual([['first'], []])
    expect([second.summaries, second.artifacts]).toEqual([[], ['second']])
    await first.channel.close()
    expect(await (await caller(second.socketPath)).call('summary', { text: 'x' })).toMatchObject({
      result: null,
    })
  })
})

describe('closing', () => {
  test('takes what was sent just before, even on connections not yet accepted', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { socketPath, channel, progress, summaries } = await listening({
        limits: { progressIntervalMs: 60_000 },
      })
      const sockets = Array.from({ length: 20 }, () => connect(socketPath))
      await Promise.all(
        sockets.map(
          (socket, at) =>
            new Promise<void>(resolve => {
              socket.on('error', () => {})
              const text = `${at}`
              socket.write(requestFrame({ v: 1, id: null, method: 'summary', params: { text } }))
              socket.write(requestFrame({ v: 1, id: null, method: 'progress', params: { done: at } }))
              socket.end(resolve)
            }),
        ),
      )
      await channel.close()
      expect(summaries.length).toBe(20)
      expect(progress.length).toBe(2)
    }
  })

  test('hangs up on idle callers at once, and hears nothing more', async () => {
    const { socketPath, channel, summaries } = await listening()
    const idle = await Promise.all(Array.from({ length: 30 }, () => caller(socketPath)))
    const started = performance.now()
    await channel.close()
    expect(performance.now() - started).toBeLessThan(200)
    for (const each of idle) expect(await each.call('summary', { text: 'late' })).toBe(null)
    expect(summaries).toEqual([])
  })

  test('does not wait for a caller that goes on and on, nor for a call that never ends', async () => {
    let aborted = false
    const { socketPath, channel } = await listening({
      handlers: {
        forever: (_params, { signal }) => {
          signal.addEventListener('abort', () => (aborted = true))
          return new Promise(() => {})
        },
      },
    })
    const script = await caller(socketPath)
    script.send({ v: 1, id: 1, method: 'forever' })
    const frame = requestFrame({ v: 1, id: null, method: 'summary', params: { text: 'x' } })
    const flood = setInterval(() => script.socket.write(frame), 0)
    await new Promise(resolve => setTimeout(resolve, 50))
    const started = performance.now()
    await channel.close()
    clearInterval(flood)
    expect(performance.now() - started).toBeLessThan(1500)
    expect(aborted).toBe(true)
  })
})

/** What another connection sees while, and after, something hostile went on. */
async function expectAlive(socketPath: string): Promise<void> {
  const other = await caller(socketPath)
  expect(await other.call('summary', { text: 'alive' })).toMatchObject({ result: null })
  other.socket.destroy()
}

function summaryFrame(id: number): Buffer {
  return requestFrame({ v: 1, id, method: 'summary', params: { text: `${id}` } })
}
