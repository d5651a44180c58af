/** The stand-in of a tool inside the sandbox, against a host that speaks frames. */

import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../tools/listening.ts'
import { GUEST, run, SILENT_SUCCESS, start, type Ran, type RunOptions } from './running.ts'
import { shimHost, type Command, type ShimHost } from './shim-host.ts'

const SHIM = join(GUEST, 'shim.pl')

function bash(text: string, host: ShimHost, options: RunOptions = {}): Promise<Ran> {
  const env = { PATH: `${host.folder}:/usr/bin:/bin`, ...options.env }
  return run(['bash', '--norc', '-c', text], { socketPath: host.socketPath, ...options, env })
}

/** As `run`, with bytes. */
function bytesOf(text: string, host: ShimHost, stdin: Buffer): Promise<[Buffer, Buffer, number | null]> {
  const env = { PATH: `${host.folder}:/usr/bin:/bin`, SRECODEX_SOCKET: host.socketPath }
  const child = spawn('bash', ['--norc', '-c', text], { env })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.on('error', () => {})
  child.stdin.end(stdin)
  return new Promise(resolve => {
    child.on('close', status => resolve([Buffer.concat(out), Buffer.concat(err), status]))
  })
}

const end = ({ exit }: Command): void => exit({ code: 0 })

test('is clean under strict and warnings, loads no module, and can be started as it is', async () => {
  const { status, stderr } = await run(['perl', '-Mstrict', '-Mwarnings', '-c', SHIM])
  expect([status, stderr]).toEqual([0, `${SHIM} syntax OK\n`])
  const host = await shimHost(end)
  const code = `$0 = shift; eval { do $0 }; END { print STDERR join ',', sort keys %INC }`
  const loaded = await run(['perl', '-e', code, join(host.folder, 'kubectl'), 'ü'], {
    socketPath: host.socketPath,
  })
  expect(loaded.stderr).toBe(join(host.folder, 'kubectl'))
  expect(statSync(SHIM).mode & 0o111).toBe(0o111)
})

describe('the call', () => {
  test('has tool, argv, folder, item, and whether stdin is open', async () => {
    const host = await shimHost(end)
    const cwd = join(temporaryFolder(), 'wörk')
    mkdirSync(cwd)
    const text = `kubectl get $'a\\tb"\\\\\\n\\x01' '' ü😀 && SRECODEX_ITEM="it'\\"em" kubectl <&- && SRECODEX_ITEM= kubectl`
    expect(await bash(text, host, { cwd, env: { PERL_UNICODE: 'SDAL', LC_ALL: 'C' } })).toEqual(
      SILENT_SUCCESS,
    )
    const common = { v: 1, tool: 'kubectl', cwd, item: null, stdin: true }
    expect(host.calls).toEqual([
      { ...common, argv: ['get', 'a\tb"\\\n\u0001', '', 'ü😀'] },
      { ...common, argv: [], item: `it'"em`, stdin: false },
      { ...common, argv: [] },
    ])
  })

  test('the tool is the name it is started by, however that is spelled', async () => {
    const host = await shimHost(end, 'my-tool.sh')
    await bash('my-tool.sh a; ./my-tool.sh b; "$PWD"/my-tool.sh c; perl my-tool.sh d', host, {
      cwd: host.folder,
    })
    expect(host.calls.map(call => [call['tool'], call['argv']])).toEqual(
      ['a', 'b', 'c', 'd'].map(argument => ['my-tool.sh', [argument]]),
    )
  })

  test.each([
    [`$'\\xff'`, 'a byte'],
    [`$'\\xed\\xa0\\x80'`, 'half a surrogate pair'],
    [`$'\\xf4\\x90\\x80\\x80'`, 'past Unicode'],
    [`$'\\xc0\\x80'`, 'too long a form'],
    [`$'ok\\xe2\\x82'`, 'cut off'],
  ])('argv that is not UTF-8 is refused: %s, %s', async argument => {
    const host = await shimHost(end)
    const { status, stdout, stderr } = await bash(`kubectl get ${argument}`, host)
    expect([status, stdout, stderr.slice(0, 30)]).toEqual([126, '', 'error[INVALID_PARAMS]: kubectl'])
    expect(host.calls).toEqual([])
  })

  test('argv has its bound', async () => {
    const host = await shimHost(end)
    // Each of them is six bytes of JSON.
    const text = `a=$(printf '\\x01%.0s' {1..110000}); kubectl $a $a $a`
    expect(await bash(text, host)).toEqual(SILENT_SUCCESS)
    const past = await bash(`${text} $a`, host)
    expect([past.status, past.stderr.split(':')[0], host.calls.length]).toEqual([126, 'error[TOO_LARGE]', 1])
  })

  test('outside a sandbox it says so', async () => {
    const host = await shimHost(end)
    for (const env of [{}, { SRECODEX_SOCKET: '' }]) {
      const { status, stderr } = await bash('kubectl', host, { socketPath: undefined, env })
      expect([status, stderr]).toEqual([
        127,
        'error[OUTSIDE]: kubectl here is a stand-in that works inside a srecodex sandbox only\n',
      ])
    }
  })
})

describe('the end', () => {
  test.each([0, 1, 2, 126, 127, 255])('exit code %d', async code => {
    const host = await shimHost(({ exit }) => exit({ code }))
    expect((await bash('kubectl; echo $?', host)).stdout).toBe(`${code}\n`)
  })

  test.each(['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGPIPE', 'SIGALRM'])(
    'by %s',
    async signal => {
      const host = await shimHost(({ exit }) => exit({ signal }))
      const socketPath = host.socketPath
      const own = await run([join(host.folder, 'kubectl')], { socketPath })
      expect([own.status, own.signal]).toEqual([null, signal])
      const ignored = await run(
        ['bash', '-c', `trap '' ${signal.slice(3)}; exec "$0"`, join(host.folder, 'kubectl')],
        {
          socketPath,
        },
      )
      expect(ignored.signal).toBe(signal)
    },
  )

  test('by a signal that is blocked, or that nobody knows: as a shell would say it', async () => {
    const host = await shimHost(({ exit, call }) => exit({ signal: String(call['argv']).split(',')[0] }))
    const block = `import os,signal,sys; signal.pthread_sigmask(signal.SIG_BLOCK,[15]); os.execv(sys.argv[1], sys.argv[1:])`
    const blocked = await run(['python3', '-c', block, join(host.folder, 'kubectl'), 'SIGTERM'], {
      socketPath: host.socketPath,
    })
    expect(blocked.status).toBe(143)
    expect((await bash('kubectl SIGRTMIN', host)).status).toBe(128)
  })

  test('a host that is not there, hangs up, or speaks otherwise: 70', async () => {
    const host = await shimHost(async ({ socket, out, call }) => {
      await out('half')
      if (String(call['argv']) === 'garbage') socket.write('GET / HTTP/1.1\r\n\r\n')
      else socket.end()
    })
    for (const argument of ['', 'garbage']) {
      const { status, stdout, stderr } = await bash(`kubectl ${argument}`, host)
      expect([status, stdout]).toEqual([70, 'half'])
      expect(stderr).toMatch(/^error\[DISCONNECTED\]: kubectl: srecodex does not answer: /)
    }
    for (const socketPath of ['/nowhere/socket', `/${'x'.repeat(200)}`]) {
      const { status, stderr } = await bash('kubectl', host, { socketPath })
      expect([status, stderr.split(':')[0]]).toEqual([70, 'error[DISCONNECTED]'])
    }
  })

  test('a refusal of the conversation itself is told', async () => {
    const host = await shimHost(({ socket }) => {
      const text = JSON.stringify({
        id: null,
        error: { code: 'LIMIT_EXCEEDED', message: 'no "more"', hint: 'less' },
      })
      const header = Buffer.from([2, 0, 0, 0, text.length])
      socket.end(Buffer.concat([header, Buffer.from(text)]))
    })
    const { status, stderr } = await bash('kubectl', host)
    expect([status, stderr]).toEqual([70, 'error[LIMIT_EXCEEDED]: no "more"\n\nhint: less\n'])
  })

  test('SIGTERM and SIGINT to the shim end it, and the host hears of it', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      let heard = false
      const host = await shimHost(async ({ out, hungUp }) => {
        await out('ready\n')
        await hungUp
        heard = true
      })
      const env = { SRECODEX_SOCKET: host.socketPath }
      const child = spawn(join(host.folder, 'kubectl'), { env, stdio: ['ignore', 'pipe', 'inherit'] })
      await new Promise(resolve => child.stdout.once('data', resolve))
      child.kill(signal)
      const ended = await new Promise(resolve => child.on('close', (_status, by) => resolve(by)))
      expect(ended).toBe(signal)
      await expect.poll(() => heard).toBe(true)
    }
  })
})

describe('output', () => {
  test('both streams, 1 MiB of any bytes each, in order', async () => {
    const [first, second] = [randomBytes(1024 * 1024 + 7), randomBytes(1024 * 1024 + 11)]
    const host = await shimHost(async ({ out, exit }) => {
      for (let at = 0; at < first.length; at += 50_001) {
        await out(first.subarray(at, at + 50_001))
        await out(second.subarray(at, at + 50_001), 'stderr')
      }
      await out('')
      exit({ code: 3 })
    })
    const [stdout, stderr, status] = await bytesOf('kubectl', host, Buffer.alloc(0))
    expect([stdout.equals(first), stderr.equals(second), status]).toEqual([true, true, 3])
  })

  test('a reader that is slow is waited for, and holds the host up', async () => {
    let sent = 0
    const host = await shimHost(async ({ out, exit }) => {
      for (; sent < 8 * 1024 * 1024; sent += 65_536) await out(Buffer.alloc(65_536, 'x'))
      exit({ code: 0 })
    })
    const running = start(
      ['bash', '-c', 'kubectl | { sleep 0.5; echo waited; read -r -N 1 x; sleep 0.2; cat | wc -c; }'],
      { socketPath: host.socketPath, env: { PATH: `${host.folder}:/usr/bin:/bin` } },
    )
    await running.says('waited')
    expect(sent).toBeLessThan(2 * 1024 * 1024)
    expect((await running.finished).stdout).toMatch(/^waited\n\d+\n$/)
    expect(sent).toBe(8 * 1024 * 1024)
  })

  test.each(['', `trap '' PIPE; `])(
    'a reader that went away ends it by SIGPIPE, also after %j',
    async prefix => {
      let heard = false
      const host = await shimHost(async ({ out, socket }) => {
        for (let line = 0; !socket.destroyed; line += 1) {
          await out(`line ${line}\n`)
          await new Promise(resolve => setTimeout(resolve, 5))
        }
        heard = true
      })
      const { stdout, status } = await bash(
        `${prefix}kubectl logs -f | head -2; echo \${PIPESTATUS[0]}`,
        host,
      )
      expect([stdout, status]).toEqual(['line 0\nline 1\n141\n', 0])
      await expect.poll(() => heard).toBe(true)
    },
  )

  test('descriptors that are closed, or that do not block, or that are full', async () => {
    const host = await shimHost(async ({ out, exit, want }) => {
      const { bytes, end: how } = await want('-')
      await out('x'.repeat(300_000))
      await out(`err ${bytes.length} ${String(how['kind'])}\n`, 'stderr')
      exit({ code: 5 })
    })
    expect(await bash('kubectl >&- <&-', host)).toEqual({
      ...SILENT_SUCCESS,
      status: 5,
      stderr: 'err 0 file\n',
    })
    expect(await bash('kubectl 2>&- >/dev/null </dev/null', host)).toEqual({ ...SILENT_SUCCESS, status: 5 })
    expect(await bash('kubectl <&- >&- 2>&-', host)).toEqual({ ...SILENT_SUCCESS, status: 5 })
    const full = await bash('kubectl > /dev/full </dev/null', host)
    expect([full.status, full.stderr]).toEqual([
      1,
      'error[OUTPUT]: kubectl: cannot write: No space left on device\n',
    ])
    const nonblocking = `import os,subprocess,sys,time
r,w=os.pipe(); os.set_blocking(w, False)
p=subprocess.Popen([sys.argv[1]], stdout=w, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL); os.close(w); time.sleep(.3)
n=0
while True:
    piece=os.read(r, 65536)
    if not piece: break
    n+=len(piece)
print(n, p.wait())`
    const { stdout } = await run(['python3', '-c', nonblocking, join(host.folder, 'kubectl')], {
      socketPath: host.socketPath,
    })
    expect(stdout).toBe('300000 5\n')
  })
})

describe('wants', () => {
  /** Prints what each want of argv gave. */
  const asks = async ({ call, want, out, exit }: Command): Promise<void> => {
    const lines = []
    for (const path of call['argv'] as string[]) {
      const answer = await want(path)
      lines.push(
        `${JSON.stringify(answer.end)} ${answer.bytes.length} ${answer.bytes.toString('latin1').slice(0, 20)}`,
      )
    }
    await out(`${lines.join('\n')}\n`)
    exit({ code: 0 })
  }

  test('stdin is not read unless asked for: a loop keeps its input', async () => {
    const host = await shimHost(end)
    const text = 'while read -r x; do kubectl get "$x"; done'
    expect(await bash(text, host, { stdin: 'a\nb\nc\n' })).toEqual(SILENT_SUCCESS)
    expect(host.calls.map(call => call['argv'])).toEqual(['a', 'b', 'c'].map(x => ['get', x]))
  })

  test('stdin, 3 MiB of any bytes, also by its other names', async () => {
    const stdin = randomBytes(3 * 1024 * 1024 + 5)
    for (const name of ['-', '/dev/stdin', '/proc/self/fd/0']) {
      const host = await shimHost(async ({ want, out, exit }) => {
        const { bytes, end: how } = await want(name)
        await out(bytes)
        exit({ code: how['kind'] === 'file' ? 0 : 1 })
      })
      const [stdout, stderr, status] = await bytesOf('kubectl', host, stdin)
      expect([stdout.equals(stdin), stderr.length, status]).toEqual([true, 0, 0])
    }
  })

  test('files, folders, pipes, and what cannot be read', async () => {
    const host = await shimHost(asks)
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'ü "q".yaml'), 'content\n')
    writeFileSync(join(cwd, 'empty'), '')
    mkdirSync(join(cwd, 'sub'))
    for (const name of ['b', 'a', '.c', 'ü']) writeFileSync(join(cwd, 'sub', name), '')
    mkdirSync(join(cwd, 'bad'))
    execFileSync('bash', ['-c', `touch $'bad/\\xff'`], { cwd })
    const text = `kubectl "$PWD/ü \\"q\\".yaml" "$PWD/empty" "$PWD/sub" "$PWD/none" "$PWD/empty/x" "$PWD/bad" <(echo piped)`
    expect(await bash(text, host, { cwd })).toEqual({
      ...SILENT_SUCCESS,
      stdout: [
        '{"kind":"file"} 8 content\n',
        '{"kind":"file"} 0 ',
        '{"kind":"folder","entries":[".c","a","b","ü"]} 0 ',
        '{"kind":"failed","error":"ENOENT"} 0 ',
        '{"kind":"failed","error":"ENOTDIR"} 0 ',
        '{"kind":"failed","error":"EILSEQ"} 0 ',
        '{"kind":"file"} 6 piped\n',
        '',
      ].join('\n'),
    })
  })

  test('a host that has enough of an endless stdin gets a word in', async () => {
    const host = await shimHost(async ({ socket, out, exit }) => {
      socket.write(Buffer.concat([Buffer.from([17, 0, 0, 0, 12]), Buffer.from('{"path":"-"}')]))
      await new Promise(resolve => setTimeout(resolve, 100))
      socket.pause()
      await out('too much\n', 'stderr')
      exit({ code: 126 })
    })
    const { status, stderr } = await bash('yes | kubectl apply -f -', host)
    expect([status, stderr]).toEqual([126, 'too much\n'])
  })

  test('a host that went away is heard while stdin says nothing', async () => {
    const host = await shimHost(({ socket }) => {
      socket.write(Buffer.concat([Buffer.from([17, 0, 0, 0, 12]), Buffer.from('{"path":"-"}')]))
      setTimeout(() => socket.destroy(), 100)
    })
    const env = { PATH: `${host.folder}:/usr/bin:/bin` }
    const running = start(['kubectl', 'apply', '-f', '-'], { socketPath: host.socketPath, env })
    expect((await running.finished).status).toBe(70)
  })
})

test('the stand-in says no more than the protocol', () => {
  // A shim in the sandbox can be read by the script: it holds nothing that the script could not have.
  expect(readFileSync(SHIM, 'utf8')).not.toMatch(/credential|token/i)
})
