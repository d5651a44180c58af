import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkPrograms } from '../../../src/tools/programs/check.ts'
import { call, createBench, DEFAULT_TOOL, processesWith, type Bench, type Said } from './bench.ts'

let bench: Bench
beforeEach(() => {
  bench = createBench()
})
afterEach(() => bench.clear())

const SH = '#!/bin/sh\n'

describe('what is found', () => {
  it('is every tool with a table that is on PATH, and every configured one', async () => {
    for (const name of ['kubectl', 'aws', 'curl', 'deployctl', 'unknown']) bench.tool(name, SH)
    const environment = { PATH: bench.bin }
    const plain = await bench.open({}, { environment })
    expect(plain.names).toEqual(['kubectl', 'aws'])
    const more = await bench.open({ curl: {}, deployctl: {}, absent: {} }, { environment })
    expect(more.names).toEqual(['kubectl', 'aws', 'curl', 'deployctl'])
  })

  it('is told with the patterns and arguments of the operator', async () => {
    bench.tool('deployctl', SH)
    const programs = await bench.open({ deployctl: { reads: ['list *'], args: ['--quiet'] } })
    expect(programs.policy('deployctl')).toEqual({
      reads: ['list *'],
      mutates: [],
      reveals: [],
      args: ['--quiet'],
    })
    expect(() => programs.policy('psqlx')).toThrow('`psqlx` is not a tool that scripts may call')
  })

  it('is the real program behind a shim of pyenv, whatever the workspace says', async () => {
    const root = join(bench.root, 'pyenv')
    bench.write('pyenv/version', '3.12.1\n')
    bench.write('pyenv/versions/3.12.1/bin/lister', `${SH}echo right "$0"\n`, 0o755)
    bench.write('pyenv/versions/3.9.9/bin/lister', `${SH}echo wrong\n`, 0o755)
    bench.write('workspace/.python-version', '3.9.9\n')
    bench.tool(
      'lister',
      `#!/usr/bin/env bash\nexport PYENV_ROOT="${root}"\nexec "${root}/libexec/pyenv" exec "$program" "$@"\n`,
    )
    const programs = await bench.open({ lister: {} })
    const said = await call(programs, 'lister', [], { cwd: bench.workspace })
    expect(said.stdout).toBe(`right ${root}/versions/3.12.1/bin/lister\n`)
  })

  it('is read by an interpreter outside of the system, with its libraries', async () => {
    const reader = join(bench.root, 'python/bin/reader')
    bench.write('python/lib/words', 'beside it\n')
    bench.write('python/bin/reader', '')
    copyFileSync('/bin/cat', reader)
    chmodSync(reader, 0o755)
    bench.tool('words', `#!${reader}\nits own text\n`)
    const programs = await bench.open({ words: {} })
    const said = await call(programs, 'words', [join(bench.root, 'python/lib/words')])
    expect(said.stdout).toContain('its own text\n')
    expect(said.stdout).toContain('beside it\n')
  })
})

describe('a call', () => {
  it('carries output, errors, exit code, and counts', async () => {
    bench.tool('teller', `${SH}printf 'out\\377'; echo err >&2; exit 7\n`)
    const programs = await bench.open({ teller: {} })
    const said = await call(programs, 'teller')
    expect(said).toMatchObject({ exitCode: 7, signal: null, stdoutBytes: 4, stderrBytes: 4, stderr: 'err\n' })
    expect(said.durationMs).toBeGreaterThan(0)
  })

  it('puts the arguments of the operator before those of the script, word for word', async () => {
    bench.tool('echoer', `${SH}for word; do printf '[%s]' "$word"; done\n`)
    const programs = await bench.open({ echoer: { args: ['--site', 'a b'] } })
    const argv = ['list', '', '$(id)', "it's", '--', '-x']
    expect((await call(programs, 'echoer', argv)).stdout).toBe("[--site][a b][list][][$(id)][it's][--][-x]")
  })

  it('reads stdin from a file, and nothing without one', async () => {
    bench.tool('reader', `${SH}cat; readlink /proc/self/fd/0\n`)
    const programs = await bench.open({ reader: {} })
    const stdin = bench.write('spool', 'piped\n')
    expect((await call(programs, 'reader', [], { stdin })).stdout).toMatch(/^piped\n/)
    expect((await call(programs, 'reader')).stdout).toBe('/dev/null\n')
  })

  it('has pipes that can be opened by name', async () => {
    bench.tool('opener', `${SH}echo one > /dev/stdout; echo two > /dev/stderr; echo three | tee /dev/fd/1\n`)
    const said = await call(await bench.open({ opener: {} }), 'opener')
    expect(said).toMatchObject({ exitCode: 0, stdout: 'one\nthree\nthree\n', stderr: 'two\n' })
  })

  it('is read no faster than its output is taken', async () => {
    bench.tool('flood', `${SH}head -c 8388608 /dev/zero; echo done >&2\n`)
    const programs = await bench.open({ flood: {} })
    let taken = 0
    let isDone = false
    let open: () => void = () => {}
    const gate = new Promise<void>(resolve => {
      open = resolve
    })
    let arrive: () => void = () => {}
    const arrived = new Promise<void>(resolve => {
      arrive = resolve
    })
    const outcome = call(programs, 'flood', [], {
      onOutput: async (stream, chunk) => {
        if (stream === 'stderr') isDone = true
        else taken += chunk.length
        arrive()
        await gate
      },
    })
    await arrived
    await sleep(400) // time enough for all of it
    expect({ taken: taken > 0 && taken <= 65_536, isDone }).toEqual({ taken: true, isDone: false })
    open()
    expect(await outcome).toMatchObject({ exitCode: 0, stdoutBytes: 8_388_608 })
    expect({ taken, isDone }).toEqual({ taken: 8_388_608, isDone: true })
  })

  it('runs in the folder that it was called from, though the workspace is not shown', async () => {
    bench.write('workspace/sub/secret', 'x')
    bench.tool('looker', `${SH}pwd; ls -A; touch /usr/x 2>&1; touch $HOME/ok && echo home\n`)
    const programs = await bench.open({ looker: {} })
    const cwd = join(bench.workspace, 'sub')
    const said = await call(programs, 'looker', [], { cwd })
    expect(said.stdout).toContain(`${cwd}\n`)
    expect(said.stdout).toContain('Read-only file system')
    expect(said.stdout).toMatch(/\nhome\n$/)
    expect(said.stdout).not.toContain('secret')
    expect(readdirSync(bench.home)).toEqual([])
  })

  it('sees the files that it is given where the script has them, and cannot write them', async () => {
    const source = bench.write('spool/7', 'captured\n')
    const path = join(bench.workspace, 'deep/er/a.yaml')
    bench.write('workspace/deep/er/a.yaml', 'what the script wrote since\n')
    bench.tool('applier', `${SH}cat "$1"; echo x >> "$1" || exit 5\n`)
    const programs = await bench.open({ applier: {} })
    const said = await call(programs, 'applier', [path], { files: [{ path, source }] })
    expect(said).toMatchObject({ exitCode: 5, stdout: 'captured\n' })
    const shown = await call(programs, 'applier', [path], { files: [{ path, source }], workspace: 'write' })
    expect(shown).toMatchObject({ exitCode: 5, stdout: 'captured\n' })
    expect(readFileSync(path, 'utf8')).toBe('what the script wrote since\n')
  })

  it('reads or writes the workspace only where it is told to', async () => {
    const kept = bench.write('workspace/.git/config', 'kept')
    bench.tool('writer', `${SH}cat .git/config; echo w > made; echo w > .git/config\n`)
    const options = { cwd: bench.workspace }
    const shape = { path: bench.workspace, protected: [kept], hidden: [] }
    const programs = await bench.open({ writer: {} }, { workspace: { ...shape, mode: 'workspace-write' } })
    expect((await call(programs, 'writer', [], { ...options, workspace: 'read' })).stdout).toBe('kept')
    expect(readdirSync(bench.workspace)).toEqual(['.git'])
    await call(programs, 'writer', [], { ...options, workspace: 'write' })
    expect(readdirSync(bench.workspace).sort()).toEqual(['.git', 'made'])
    expect(readFileSync(kept, 'utf8')).toBe('kept')
    const strict = await bench.open({ writer: {} }, { workspace: { ...shape, mode: 'read-only' } })
    const said = await call(strict, 'writer', [], { ...options, workspace: 'write' })
    expect(said.stderr).toContain('made: Read-only file system')
  })

  it('keeps its cache, made private where it was not there', async () => {
    const cache = join(bench.home, '.cache/counter')
    bench.tool('counter', `${SH}echo x >> ${cache}/calls; wc -l < ${cache}/calls\n`)
    const programs = await bench.open({ counter: { cache: [cache] } })
    await call(programs, 'counter')
    expect((await call(programs, 'counter')).stdout.trim()).toBe('2')
    expect(statSync(cache).mode & 0o777).toBe(0o700)
  })

  it('runs at the same time as others, as many as the operator allows', async () => {
    bench.tool('slow', `${SH}sleep 0.3\n`)
    const programs = await bench.open({ slow: { concurrency: 40 } })
    const began = performance.now()
    const said = await Promise.all(Array.from({ length: 40 }, () => call(programs, 'slow')))
    expect(said.every(one => one.exitCode === 0)).toBe(true)
    expect(performance.now() - began).toBeLessThan(9000)
    const strict = await bench.open({ slow: { concurrency: 1 } })
    const strictBegan = performance.now()
    await Promise.all([call(strict, 'slow'), call(strict, 'slow'), call(strict, 'slow')])
    expect(performance.now() - strictBegan).toBeGreaterThan(900)
  })

  it('is an error, and no exit code, where its program cannot start', async () => {
    const program = bench.tool('gone', `${SH}echo here\n`)
    const folder = join(bench.root, 'failing')
    const programs = await bench.open({ gone: {} }, { folder })
    expect((await call(programs, 'gone')).stdout).toBe('here\n')
    rmSync(program)
    rmSync(bench.bin, { recursive: true })
    for (let count = 0; count < 20; count += 1) {
      await expect(call(programs, 'gone')).rejects.toMatchObject({ code: 'TOOL_FAILED' })
    }
    // what failed gave its pipes back
    expect(readdirSync(join(folder, 'pipes')).filter(name => name.endsWith('.out'))).toHaveLength(16)
  })

  it('may itself print what bubblewrap prints when it cannot start one', async () => {
    bench.tool('mimic', `${SH}echo 'bwrap: execvp mimic: No such file' >&2; exit 1\n`)
    const said = await call(await bench.open({ mimic: {} }), 'mimic')
    expect(said).toMatchObject({ exitCode: 1, stderr: 'bwrap: execvp mimic: No such file\n' })
  })
})

describe('the end of a call', () => {
  it('comes to the tool as SIGTERM, which it may answer in its own way', async () => {
    bench.tool('polite', `${SH}trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done\n`)
    bench.tool('plain', `${SH}echo up; exec sleep 60\n`)
    const programs = await bench.open({ polite: {}, plain: {} })
    const ended = async (tool: string) => {
      const abort = new AbortController()
      let text = ''
      const outcome = await call(programs, tool, [], {
        signal: abort.signal,
        onOutput: (_stream, chunk) => {
          text += Buffer.from(chunk).toString()
          abort.abort()
        },
      })
      return { text, exitCode: outcome.exitCode, signal: outcome.signal }
    }
    expect(await ended('polite')).toEqual({ text: 'up\nbye\n', exitCode: 3, signal: null })
    expect(await ended('plain')).toEqual({ text: 'up\n', exitCode: null, signal: 'SIGTERM' })
  })

  it('is SIGKILL two seconds later, for it and whatever it started', async () => {
    const mark = `stubborn-${process.pid}-${Date.now()}`
    bench.tool(
      'stubborn',
      `#!/usr/bin/perl\n$SIG{TERM} = 'IGNORE'; $0 = '${mark}'; if (!fork) { setpgrp; sleep 60 while 1 } $| = 1; print "up\\n"; sleep 60 while 1;\n`,
    )
    const programs = await bench.open({ stubborn: {} })
    const abort = new AbortController()
    let atMs = 0
    const outcome = await call(programs, 'stubborn', [], {
      signal: abort.signal,
      onOutput: () => {
        expect(processesWith(mark).length).toBeGreaterThanOrEqual(2)
        atMs = performance.now()
        abort.abort()
      },
    })
    expect(outcome).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
    expect(performance.now() - atMs).toBeGreaterThan(1900)
    expect(performance.now() - atMs).toBeLessThan(10_000)
    expect(processesWith(mark)).toEqual([])
  })

  it('comes with the end of its program, though it left something behind', async () => {
    const mark = `daemon-${process.pid}-${Date.now()}`
    bench.tool(
      'forker',
      `#!/usr/bin/perl\nif (!fork) { $0 = '${mark}'; sleep 60 while 1 }\nsleep 1; print "done\\n";\n`,
    )
    const said = await call(await bench.open({ forker: {} }), 'forker')
    expect(said).toMatchObject({ exitCode: 0, stdout: 'done\n' })
    expect(processesWith(mark)).toEqual([])
  })

  it('is told before the call began', async () => {
    bench.tool('slow', `${SH}sleep 0.5\n`)
    const programs = await bench.open({ slow: { concurrency: 1 } })
    const first = call(programs, 'slow')
    const abort = new AbortController()
    const second = call(programs, 'slow', [], { signal: abort.signal })
    abort.abort()
    await expect(second).rejects.toThrow('ended before it began')
    expect((await first).exitCode).toBe(0)
  })

  describe('while its sandbox is made, whose first process then waits for what nobody will say', () => {
    /** A call that stays there for a minute, and what only its processes are called with. */
    const unborn = async (
      signal: AbortSignal,
    ): Promise<{ readonly outcome: Promise<Said>; readonly mark: string }> => {
      const mark = `unborn-${process.pid}-${Date.now()}`
      bench.tool('unborn', `${SH}echo never\n`)
      const { bubblewrap } = bench.options()
      const held = `exec 8>/dev/null 9< <(exec sleep 60 2>/dev/null 3>&-)`
      const slow = `exec ${bubblewrap} --unshare-user --info-fd 8 --userns-block-fd 9 "$@"`
      const path = bench.write('slow-bwrap', `#!/bin/bash\n${held}\n${slow}\n`, 0o755)
      const outcome = call(await bench.open({ unborn: {} }, { bubblewrap: path }), 'unborn', [mark], {
        signal,
      })
      while (processesWith(mark).length < 2) await sleep(20)
      return { outcome, mark }
    }

    it('comes when it is told to', async () => {
      const abort = new AbortController()
      const { outcome, mark } = await unborn(abort.signal)
      abort.abort()
      expect(await outcome).toMatchObject({ exitCode: null, signal: 'SIGKILL', stdout: '' })
      expect(processesWith(mark)).toEqual([])
    })

    it('comes when somebody else kills bubblewrap', async () => {
      const { outcome, mark } = await unborn(new AbortController().signal)
      process.kill(Math.min(...processesWith(mark)), 'SIGKILL')
      expect(await outcome).toMatchObject({ exitCode: null, signal: 'SIGKILL', stdout: '' })
      expect(processesWith(mark)).toEqual([])
    })
  })

  it('comes with `close`, though nobody takes what it printed', async () => {
    bench.tool('teller', `${SH}echo up; exec sleep 60\n`)
    const programs = await bench.open({ teller: {} })
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
    const forever = new Promise<void>(() => {})
    void call(programs, 'teller', [], { onOutput: () => (arrive(), forever) })
    await arrived
    await expect(programs.close()).resolves.toBeUndefined()
  })

  it('comes with `close`, which leaves no file of the run', async () => {
    bench.tool('long', `${SH}echo up; exec sleep 60\n`)
    const programs = await bench.open({ long: {} }, { folder: join(bench.root, 'closing') })
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
    const outcome = call(programs, 'long', [], { onOutput: () => arrive() })
    await arrived
    await programs.close()
    expect(await outcome).toMatchObject({ exitCode: null })
    expect(readdirSync(bench.root)).not.toContain('closing')
  })
})

describe('the identity', () => {
  it('of a tool of the house is its program and a digest of the arguments', async () => {
    const program = bench.tool('deployctl', SH)
    const programs = await bench.open({ deployctl: { args: ['--token', 'hunter2'] } })
    const identity = await programs.identity('deployctl')
    expect(identity).toEqual({
      tool: 'deployctl',
      summary: `deployctl (${program})`,
      fields: { program, args: expect.stringMatching(/^[0-9a-f]{16}$/) },
    })
    const other = await bench.open({ deployctl: { args: ['--token', 'hunter3'] } })
    expect((await other.identity('deployctl')).fields.args).not.toBe(identity.fields.args)
  })

  it('of kubectl is what its pinned file says, without asking anybody', async () => {
    bench.tool('kubectl', `${SH}exit 1\n`)
    const text =
      'current-context: c\ncontexts: [{ name: c, context: { cluster: k, user: u } }]\nclusters: [{ name: k, cluster: { server: "https://k:1" } }]\nusers: [{ name: u, user: { token: s3cret } }]\n'
    bench.write('home/.kube/config', text)
    const identity = await (await bench.open()).identity('kubectl')
    expect(identity.summary).toBe('c at https://k:1, namespace default')
    expect(identity.fields).toMatchObject({
      context: 'c',
      server: 'https://k:1',
      user: 'u',
      namespace: 'default',
    })
    expect(JSON.stringify(identity)).not.toContain('s3cret')
  })

  it('of aws is asked of aws, and again after a failure', async () => {
    bench.write('home/.aws/config', '[default]\nregion = eu-west-1\n[profile ops]\nregion = eu-central-1\n')
    const state = join(bench.home, '.aws/cli/cache')
    bench.tool(
      'aws',
      `${SH}[ -e ${state}/in ] || { touch ${state}/in; echo 'The SSO session has expired' >&2; exit 255; }\necho '{"Account":"1234","Arn":"arn:aws:iam::1234:role/ops"}'\n`,
    )
    const programs = await bench.open({ aws: { args: ['--profile', 'ops'] } })
    await expect(programs.identity('aws')).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: 'aws cannot say whom it acts as: The SSO session has expired',
      hint: 'log in and try again: aws sso login, or what your account uses',
    })
    expect((await programs.identity('aws')).fields).toMatchObject({
      account: '1234',
      arn: 'arn:aws:iam::1234:role/ops',
      region: 'eu-central-1',
      profile: 'ops',
    })
  })
})

describe('the check of all tools', () => {
  it('tells where each is, what it says, and what it lacks', async () => {
    bench.tool('kubectl', `${SH}echo "Client Version: $1 $2"\n`)
    bench.tool(
      'broken',
      `${SH}echo 'broken: error while loading shared libraries: libfoo.so.1: cannot open' >&2; exit 127\n`,
    )
    bench.tool('needy', `${SH}echo needy 1.0\n`)
    const missing = join(bench.home, 'missing')
    const checks = await checkPrograms(
      bench.options({
        environment: { PATH: bench.bin },
        tools: {
          broken: DEFAULT_TOOL,
          needy: { ...DEFAULT_TOOL, credentials: [missing], helpers: ['nowhere'] },
          absent: DEFAULT_TOOL,
        },
      }),
    )
    expect(checks).toEqual([
      {
        tool: 'kubectl',
        configured: false,
        program: join(bench.bin, 'kubectl'),
        starts: true,
        said: 'Client Version: version --client',
        lacks: [],
      },
      {
        tool: 'broken',
        configured: true,
        program: join(bench.bin, 'broken'),
        starts: false,
        said: 'broken: error while loading shared libraries: libfoo.so.1: cannot open',
        lacks: [{ kind: 'library', name: 'libfoo.so.1' }],
      },
      {
        tool: 'needy',
        configured: true,
        program: join(bench.bin, 'needy'),
        starts: false,
        said: '',
        lacks: [
          { kind: 'credentials', path: missing, why: 'missing' },
          { kind: 'helper', name: 'nowhere' },
        ],
      },
      {
        tool: 'absent',
        configured: true,
        program: null,
        starts: false,
        said: '',
        lacks: [{ kind: 'program' }],
      },
    ])
  })
})
