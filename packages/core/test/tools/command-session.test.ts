import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { CapturedInput, CommandCall, CommandExit, CommandPeer } from '../../src/tools/calls.ts'
import { openChannel } from '../../src/tools/channel.ts'
import { CallError, FRAME_TYPE } from '../../src/tools/protocol.ts'
import { shim } from './commanding.ts'
import { caller, listening, temporaryFolder, until } from './listening.ts'

const OK: CommandExit = { exitCode: 0, signal: null }
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const everyByte = Buffer.from(Array.from({ length: 256 * 1000 }, (_, at) => (at * 7 + (at >> 8)) & 255))

describe('a command', () => {
  test('arrives as its shim told it, and ends as its handler says', async () => {
    const calls: CommandCall[] = []
    const { socketPath } = await listening({
      commands: async (call, peer) => {
        calls.push(call)
        await peer.write('stdout', Buffer.from('out\n'))
        await peer.write('stderr', Buffer.from('err\n'))
        return call.argv.length === 1 ? { exitCode: 3, signal: null } : { exitCode: null, signal: 'SIGTERM' }
      },
    })
    const first = await shim(socketPath, { argv: ['ä "quoted"\n'], item: 'token' })
    expect(await first.ended).toEqual({ stdout: Buffer.from('out\n'), stderr: 'err\n', exit: { code: 3 } })
    expect(first.frames).toEqual([FRAME_TYPE.stdout, FRAME_TYPE.stderr, FRAME_TYPE.exit])
    const second = await shim(socketPath, { tool: 'aws' })
    expect((await second.ended).exit).toEqual({ signal: 'SIGTERM' })
    expect(calls).toEqual([
      { tool: 'kubectl', argv: ['ä "quoted"\n'], cwd: '/srv', item: 'token', hasStdin: true },
      { tool: 'aws', argv: [], cwd: '/srv', item: null, hasStdin: true },
    ])
  })

  test('prints any bytes, in order, in frames of at most 64 KiB', async () => {
    const large = Buffer.concat([everyByte, everyByte, everyByte, everyByte])
    const { socketPath } = await listening({
      commands: async (_call, peer) => {
        await peer.write('stdout', new Uint8Array(0))
        await peer.write('stdout', everyByte.subarray(0, 1))
        // Not waited for: the order stays, and the end comes after all of it.
        void peer.write('stdout', new Uint8Array(large.subarray(1, 900_000)))
        void peer.write('stdout', large.subarray(900_000, 900_001))
        void peer.write('stderr', Buffer.from('between'))
        void peer.write('stdout', large.subarray(900_001))
        return OK
      },
    })
    const called = await shim(socketPath)
    const { stdout, stderr, exit } = await called.ended
    expect(stdout.equals(large)).toBe(true)
    expect([stderr, exit]).toEqual(['between', { code: 0 }])
  })

  test('that is refused says so on stderr and exits 126', async () => {
    const { socketPath, faults } = await listening({
      commands: async ({ argv: [how] }, peer) => {
        if (how === 'late') await peer.write('stdout', Buffer.from('begun'))
        if (how === 'late') throw new CallError('TOOL_FAILED', 'no')
        throw new CallError('REFUSED', '`kubectl exec` runs programs', { hint: 'allow it' })
      },
    })
    expect(await (await shim(socketPath)).ended).toEqual({
      stdout: Buffer.alloc(0),
      stderr: 'error[REFUSED]: `kubectl exec` runs programs\n\nhint: allow it\n',
      exit: { code: 126 },
    })
    expect(await (await shim(socketPath, { argv: ['late'] })).ended).toEqual({
      stdout: Buffer.from('begun'),
      stderr: 'error[TOOL_FAILED]: no\n',
      exit: { code: 126 },
    })
    expect(faults).toEqual([])
  })

  test('that fails by a fault of srecodex tells the fault to srecodex alone', async () => {
    const { socketPath, faults } = await listening({
      commands: ({ argv: [how] }) => {
        if (how === 'exit') return Promise.resolve({ exitCode: 256, signal: null })
        if (how === 'signal') return Promise.resolve({ exitCode: null, signal: 'rm -rf' })
        throw new Error('/secret/path')
      },
    })
    for (const how of ['throw', 'exit', 'signal']) {
      const { stderr, exit } = await (await shim(socketPath, { argv: [how] })).ended
      expect(stderr).toMatch(/^error\[INTERNAL\]: .*\n\nhint: .*\n$/)
      expect(stderr).not.toContain('secret')
      expect(exit).toEqual({ code: 126 })
    }
    expect(faults).toEqual([
      new Error('/secret/path'),
      new TypeError('a command cannot end with {"exitCode":256,"signal":null}'),
      new TypeError('a command cannot end with {"exitCode":null,"signal":"rm -rf"}'),
    ])
  })

  test('runs beside requests and other commands', async () => {
    let release: (() => void) | undefined
    const { socketPath } = await listening({
      commands: async ({ argv: [how] }) => {
        if (how === 'wait') await new Promise<void>(resolve => (release = resolve))
        return OK
      },
    })
    const waiting = await shim(socketPath, { argv: ['wait'] })
    await until(() => release !== undefined)
    const others = await Promise.all(Array.from({ length: 50 }, () => shim(socketPath)))
    for (const other of others) expect((await other.ended).exit).toEqual({ code: 0 })
    expect(await (await caller(socketPath)).call('summary', { text: 'x' })).toMatchObject({ result: null })
    release?.()
    expect((await waiting.ended).exit).toEqual({ code: 0 })
  })

  test('needs a channel with a folder for its input', async () => {
    const opened = openChannel({
      listenPath: `${temporaryFolder()}/socket`,
      artifactsPath: '/a',
      recorder: { onSummary() {}, onProgress() {}, onArtifact() {} },
      commands: () => Promise.resolve(OK),
    })
    await expect(opened).rejects.toThrow('spoolFolder')
  })
})

describe('input', () => {
  test('is stdin, files and folders, asked for once each', async () => {
    const captured: CapturedInput[] = []
    const modes: string[] = []
    const contents: Buffer[] = []
    const { socketPath, spoolFolder } = await listening({
      commands: async (_call, peer) => {
        const paths = [
          '-',
          '/srv/empty',
          '/srv/folder',
          '/srv/gone',
          '/srv/secret',
          '-',
          `/${'x'.repeat(5000)}`,
        ]
        captured.push(...(await Promise.all(paths.map(path => peer.read(path)))))
        for (const input of captured) {
          if (input.kind !== 'file') continue
          expect(dirname(input.spool)).toBe(spoolFolder)
          modes.push((statSync(input.spool).mode & 0o777).toString(8))
          contents.push(readFileSync(input.spool))
        }
        await peer.write('stdout', Buffer.from('.'))
        captured.push(await peer.read('-'))
        return OK
      },
    })
    const places = {
      '-': everyByte,
      '/srv/empty': Buffer.alloc(0),
      '/srv/folder': ['a.yaml', '-rf', 'ä b\n', '...'],
      '/srv/secret': 'EACCES',
    }
    const called = await shim(socketPath, { places })
    expect((await called.ended).exit).toEqual({ code: 0 })
    expect(called.wants).toEqual(['-', '/srv/empty', '/srv/folder', '/srv/gone', '/srv/secret'])
    const stdin = { kind: 'file', bytes: everyByte.length, sha256: sha256(everyByte) }
    expect(captured).toEqual([
      expect.objectContaining(stdin),
      expect.objectContaining({ kind: 'file', bytes: 0, sha256: sha256(Buffer.alloc(0)) }),
      { kind: 'folder', entries: places['/srv/folder'] },
      { kind: 'failed', error: 'ENOENT' },
      { kind: 'failed', error: 'EACCES' },
      captured[0],
      { kind: 'failed', error: 'ENAMETOOLONG' },
      captured[0],
    ])
    expect(contents[0]?.equals(everyByte)).toBe(true)
    expect(contents[1]?.length).toBe(0)
    expect(modes).toEqual(['600', '600', '600'])
    expect(readdirSync(spoolFolder)).toEqual([])
  })

  test('that fails halfway is a failure, and its file is gone at once', async () => {
    const names: string[][] = []
    const { socketPath, spoolFolder } = await listening({
      commands: async (_call, peer) => {
        expect(await peer.read('/srv/a')).toEqual({ kind: 'failed', error: 'EIO' })
        names.push(readdirSync(spoolFolder))
        return OK
      },
    })
    const called = await shim(socketPath)
    await until(() => called.wants.length === 1)
    called.piece(Buffer.from('half'))
    await until(() => readdirSync(spoolFolder).length === 1)
    called.end({ kind: 'failed', error: 'EIO' })
    expect((await called.ended).exit).toEqual({ code: 0 })
    expect(names).toEqual([[]])
  })

  test('comes in pieces of any size, also of none', async () => {
    const { socketPath } = await listening({
      commands: async (_call, peer) => {
        const input = await peer.read('-')
        expect(input).toMatchObject({
          kind: 'file',
          bytes: 5000,
          sha256: sha256(everyByte.subarray(0, 5000)),
        })
        return OK
      },
    })
    const called = await shim(socketPath)
    await until(() => called.wants.length === 1)
    for (let at = 0; at < 5000; at += 1) {
      called.piece(everyByte.subarray(at, at + 1))
      called.piece(Buffer.alloc(0))
    }
    called.end({ kind: 'file' })
    expect((await called.ended).exit).toEqual({ code: 0 })
  })

  test('is bounded for a command, and the shim that still sends hears why', async () => {
    const { socketPath, spoolFolder } = await listening({
      limits: { maxSpoolBytes: 100_000, drainTimeoutMs: 10_000 },
      commands: async (_call, peer) => {
        await peer.read('/srv/a')
        await peer.read('/srv/b')
        return OK
      },
    })
    const places = { '/srv/a': everyByte.subarray(0, 60_000), '/srv/b': Buffer.alloc(10_000_000) }
    expect(await (await shim(socketPath, { places })).ended).toEqual({
      stdout: Buffer.alloc(0),
      stderr:
        'error[TOO_LARGE]: a command takes at most 100000 bytes of input: /srv/b has more\n\n' +
        'hint: split it, and call the command once for each part\n',
      exit: { code: 126 },
    })
    expect(readdirSync(spoolFolder)).toEqual([])
  })

  test('that was too large is gone at once, and other input may take its place', async () => {
    const seen: unknown[] = []
    const { socketPath, spoolFolder } = await listening({
      limits: { maxSpoolBytes: 100_000 },
      commands: async (_call, peer) => {
        for (const path of ['/srv/a', '/srv/b', '/srv/c', '/srv/b']) {
          const input = await peer.read(path).catch((error: CallError) => error.code)
          seen.push(typeof input === 'string' ? input : input.kind, readdirSync(spoolFolder).length)
        }
        return OK
      },
    })
    const places = {
      '/srv/a': everyByte.subarray(0, 60_000),
      '/srv/b': Buffer.alloc(1_000_000),
      '/srv/c': everyByte.subarray(0, 40_000),
    }
    const called = await shim(socketPath, { places })
    expect((await called.ended).exit).toEqual({ code: 0 })
    expect(called.wants).toEqual(['/srv/a', '/srv/b', '/srv/c'])
    expect([seen[0], seen[2], seen[4], seen[5], seen[6]]).toEqual([
      'file',
      'TOO_LARGE',
      'file',
      2,
      'TOO_LARGE',
    ])
    expect(readdirSync(spoolFolder)).toEqual([])
  })

  test('is bounded for all commands together, and what ended counts no more', async () => {
    const waiting: (() => void)[] = []
    const { socketPath } = await listening({
      limits: { maxSpoolBytesAtOnce: 100_000 },
      commands: async (_call, peer) => {
        await peer.read('-')
        await new Promise<void>(resolve => waiting.push(resolve))
        return OK
      },
    })
    const places = { '-': Buffer.alloc(60_000) }
    for (let round = 0; round < 3; round += 1) {
      const first = await shim(socketPath, { places })
      await until(() => waiting.length === round + 1)
      const second = await shim(socketPath, { places })
      expect((await second.ended).stderr).toMatch(/^error\[LIMIT_EXCEEDED\]/)
      waiting[round]?.()
      expect((await first.ended).exit).toEqual({ code: 0 })
    }
  })

  test('is not asked for after the first output, nor by a relative path', async () => {
    const { socketPath, faults } = await listening({
      commands: async ({ argv: [how] }, peer) => {
        if (how === 'late') await peer.write('stdout', Buffer.from('.'))
        await peer.read(how === 'late' ? '-' : 'a.yaml')
        return OK
      },
    })
    for (const how of ['late', 'relative']) {
      const called = await shim(socketPath, { argv: [how] })
      expect((await called.ended).exit).toEqual({ code: 126 })
      expect(called.wants).toEqual([])
    }
    expect(faults.map(String)).toEqual([
      'Error: "-" is asked for after the first output',
      'Error: "a.yaml" is not absolute',
    ])
  })

  test('of stdin may take its time; a file that stops arriving does not', async () => {
    const results: string[] = []
    const { socketPath } = await listening({
      limits: { stallTimeoutMs: 200 },
      commands: async ({ argv: [path = ''] }, peer) => {
        await peer.read(path).then(
          () => results.push(`read ${path}`),
          (error: CallError) => results.push(`${error.code} ${path}`),
        )
        return OK
      },
    })
    const slow = await shim(socketPath, { argv: ['-'] })
    const stuck = await shim(socketPath, { argv: ['/srv/a'] })
    const torn = await shim(socketPath, { argv: ['-'] })
    await until(() => slow.wants.length + stuck.wants.length + torn.wants.length === 3)
    stuck.piece(Buffer.from('first'))
    torn.socket.write(Buffer.from([FRAME_TYPE.piece, 0, 0]))
    expect((await stuck.ended).exit).toBe(null)
    expect((await torn.ended).exit).toBe(null)
    await pause(500)
    slow.piece(Buffer.from('late'))
    slow.end({ kind: 'file' })
    expect((await slow.ended).exit).toEqual({ code: 0 })
    expect(results.sort()).toEqual(['DISCONNECTED -', 'DISCONNECTED /srv/a', 'read -'])
  })

  test('that cannot be kept is a fault of srecodex', async () => {
    const { socketPath, faults } = await listening({
      commands: async (_call, peer) => {
        await peer.read('-')
        return OK
      },
      spoolFolder: '/proc/absent',
    })
    const { stderr, exit } = await (await shim(socketPath, { places: { '-': everyByte } })).ended
    expect([stderr.slice(0, 15), exit]).toEqual(['error[INTERNAL]', { code: 126 }])
    expect(faults).toEqual([expect.objectContaining({ code: 'ENOENT' })])
  })
})

describe('a caller that hangs up', () => {
  /** A handler that tells how far it came. */
  async function observed(act: (peer: CommandPeer, seen: (what: string) => void) => Promise<void>) {
    const seen: string[] = []
    const channel = await listening({
      commands: async (_call, peer) => {
        seen.push('started')
        peer.signal.addEventListener('abort', () => seen.push('aborted'))
        await act(peer, what => seen.push(what))
        seen.push('settled')
        return OK
      },
    })
    return { ...channel, seen }
  }

  test.each(['destroy', 'end'] as const)('while its command works is told by the signal (%s)', async how => {
    const { socketPath, seen } = await observed(async peer => {
      await new Promise(resolve => peer.signal.addEventListener('abort', resolve))
      await pause(50)
    })
    const called = await shim(socketPath)
    await until(() => seen.length === 1)
    called.socket[how]()
    await until(() => seen.length === 3)
    expect(seen).toEqual(['started', 'aborted', 'settled'])
  })

  test('while it is asked leaves no file, and the asking ends', async () => {
    const { socketPath, seen, spoolFolder } = await observed(async (peer, say) => {
      const both = [peer.read('/srv/a'), peer.read('/srv/b')]
      for (const each of both) await each.catch((error: CallError) => say(error.code))
    })
    const called = await shim(socketPath)
    await until(() => called.wants.length === 1)
    called.piece(everyByte.subarray(0, 1000))
    called.piece(everyByte.subarray(0, 1000))
    await until(() => readdirSync(spoolFolder).length === 1)
    called.socket.destroy()
    await until(() => seen.includes('settled'))
    expect(seen).toEqual(['started', 'aborted', 'DISCONNECTED', 'DISCONNECTED', 'settled'])
    await until(() => readdirSync(spoolFolder).length === 0)
  })

  test('while it is printed to lets the command write on, into nothing', async () => {
    const { socketPath, seen } = await observed(async peer => {
      for (let each = 0; each < 1000; each += 1) await peer.write('stdout', everyByte)
    })
    const called = await shim(socketPath)
    called.socket.pause()
    await pause(100)
    expect(seen).toEqual(['started'])
    called.socket.destroy()
    await until(() => seen.length === 3)
    expect(seen).toEqual(['started', 'aborted', 'settled'])
  })

  test('just after its command does not have it started, or has it interrupted', async () => {
    const { socketPath, seen } = await observed(peer =>
      peer.signal.aborted
        ? Promise.resolve()
        : new Promise(resolve => peer.signal.addEventListener('abort', () => resolve())),
    )
    for (let each = 0; each < 50; each += 1) {
      const called = await shim(socketPath)
      called.socket.destroy()
    }
    await pause(100)
    const count = (what: string): number => seen.filter(each => each === what).length
    expect(count('settled')).toBe(count('started'))
    expect(count('aborted')).toBe(count('started'))
  })

  test('is not told of after its command has ended', async () => {
    const { socketPath, seen } = await observed(() => Promise.resolve())
    await (
      await shim(socketPath)
    ).ended
    await pause(20)
    expect(seen).toEqual(['started', 'settled'])
  })
})

describe('closing', () => {
  test('tells the commands that run, and waits for them: a mutation in flight is recorded', async () => {
    const recorded: string[] = []
    let reads = 0
    const { socketPath, channel, spoolFolder, folder } = await listening({
      commands: async ({ argv: [name = ''] }, peer) => {
        await peer.read('-')
        reads += 1
        await new Promise(resolve => peer.signal.addEventListener('abort', resolve))
        await pause(200)
        recorded.push(name)
        await peer.write('stdout', Buffer.from('done'))
        return { exitCode: 7, signal: null }
      },
    })
    const places = { '-': everyByte }
    const called = await Promise.all(['a', 'b', 'c'].map(name => shim(socketPath, { places, argv: [name] })))
    await until(() => reads === 3)
    expect(readdirSync(spoolFolder).length).toBe(3)
    called[2]?.socket.destroy()
    await channel.close()
    expect(recorded.sort()).toEqual(['a', 'b', 'c'])
    for (const each of called.slice(0, 2)) {
      expect(await each.ended).toMatchObject({ stdout: Buffer.from('done'), exit: { code: 7 } })
    }
    expect(readdirSync(spoolFolder)).toEqual([])
    expect(readdirSync(folder).sort()).toEqual(['artifacts', 'spool'])
  })

  test('starts no command any more', async () => {
    let calls = 0
    let refused: Promise<{ stderr: string; exit: unknown }> | undefined
    const { socketPath, channel } = await listening({
      commands: async (_call, { signal }) => {
        calls += 1
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        return OK
      },
    })
    await shim(socketPath)
    const late = await Promise.all(Array.from({ length: 5 }, () => caller(socketPath)))
    await until(() => calls === 1)
    const again = shim(socketPath)
    refused = again.then(each => each.ended)
    const closed = channel.close()
    expect(await refused).toMatchObject({
      exit: { code: 126 },
      stderr: expect.stringContaining('error[SKIPPED]'),
    })
    await closed
    expect(calls).toBe(1)
    for (const each of late) await each.closed
  })

  test('waits for no command for ever, and leaves no file of it', async () => {
    let hasRead = false
    const { socketPath, channel, spoolFolder, faults } = await listening({
      limits: { commandGraceMs: 300 },
      commands: async (_call, peer) => {
        await peer.read('-')
        hasRead = true
        return new Promise(() => {})
      },
    })
    const called = await shim(socketPath, { places: { '-': everyByte } })
    await until(() => hasRead)
    expect(readdirSync(spoolFolder).length).toBe(1)
    const started = performance.now()
    await channel.close()
    const tookMs = performance.now() - started
    expect(tookMs).toBeGreaterThan(290)
    expect(tookMs).toBeLessThan(2000)
    expect((await called.ended).exit).toBe(null)
    expect(readdirSync(spoolFolder)).toEqual([])
    expect(faults.map(String)).toEqual(['Error: 1 commands still ran 300 ms after the end of their run'])
  })

  test('hangs up on a caller that does not read, so that its command can end', async () => {
    const ends: string[] = []
    const { socketPath, channel, faults } = await listening({
      limits: { drainTimeoutMs: 100 },
      commands: async (_call, peer) => {
        for (let each = 0; each < 100; each += 1) await peer.write('stdout', everyByte)
        ends.push('settled')
        return OK
      },
    })
    const called = await shim(socketPath)
    called.socket.pause()
    await pause(100)
    expect(ends).toEqual([])
    const started = performance.now()
    await channel.close()
    expect(performance.now() - started).toBeLessThan(2000)
    expect(ends).toEqual(['settled'])
    expect(faults).toEqual([])
  })

  test('with nothing that runs takes no time', async () => {
    const { socketPath, channel } = await listening({ commands: () => Promise.resolve(OK) })
    expect((await (await shim(socketPath)).ended).exit).toEqual({ code: 0 })
    const started = performance.now()
    await channel.close()
    expect(performance.now() - started).toBeLessThan(200)
    expect(basename(socketPath)).toBe('socket')
  })
})
