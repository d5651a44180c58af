/** The small process that starts the programs of a run. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLauncher, type Launcher } from '../../../src/tools/programs/launcher.ts'
import { createChannelPool, openReader } from '../../../src/tools/programs/pipes.ts'

let folder: string
let launcher: Launcher

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'srecodex-launcher-'))
  launcher = createLauncher(folder)
})

afterEach(() => {
  launcher.close()
  rmSync(folder, { recursive: true, force: true })
})

let made = 0

function start(command: readonly string[], environment: Record<string, string> = {}, stdin = '/dev/null') {
  const [stdout, stderr, status] = ['out', 'err', 'status'].map(name => join(folder, `${made}.${name}`))
  made += 1
  execFileSync('mkfifo', [stdout!, stderr!])
  const printed = Promise.all([text(openReader(stdout!)), text(openReader(stderr!))])
  const paths = { stdin, stdout: stdout!, stderr: stderr!, status: status! }
  const program = launcher.start({ command, environment, paths })
  return { ...program, printed, status: status! }
}

const commandOf = (pid: string): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8')

const launcherOf = (): number => {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ')
  return Number(children.find(pid => commandOf(pid).includes('launcher.pl')))
}

test('a program has its words, its environment, its stdin, and four descriptors', async () => {
  const stdin = join(folder, 'stdin')
  writeFileSync(stdin, 'given\n')
  const words = ['a b', '', "it's", '$HOME\n*', 'ü\u{1f600}', '-', '='.repeat(100_000)]
  const program = start(
    [
      '/bin/bash',
      '-c',
      'printf "%s|" "$@"; env | grep -v ^_=; cat; ls /proc/self/fd; echo kept >&3; echo err >&2',
      'bash',
      ...words,
    ],
    { ONE: 'a=b\nc', PATH: '/usr/bin:/bin' },
    stdin,
  )
  expect(await program.ended).toEqual({ exitCode: 0, signal: null })
  const [stdout, stderr] = await program.printed
  expect(stdout.startsWith(words.map(word => `${word}|`).join(''))).toBe(true)
  expect(stdout).toContain('ONE=a=b\nc\n')
  expect(stdout).not.toContain('LC_ALL')
  expect(stdout).toMatch(/given\n0\n1\n2\n3\n4\n$/) // 4: the listing's own
  expect(stderr).toBe('err\n')
  expect(readFileSync(program.status, 'utf8')).toBe('kept\n')
})

test('how each ended is told, in any order', async () => {
  const slow = start(['/bin/bash', '-c', 'sleep 0.3; exit 7'])
  const killed = start(['/bin/bash', '-c', 'kill -SEGV $$'])
  expect(await killed.ended).toEqual({ exitCode: null, signal: 'SIGSEGV' })
  expect(await slow.ended).toEqual({ exitCode: 7, signal: null })
  const stopped = start(['/bin/sleep', '60'])
  stopped.kill('SIGTERM')
  expect(await stopped.ended).toEqual({ exitCode: null, signal: 'SIGTERM' })
  stopped.kill('SIGTERM') // nobody is hit
})

test('hundreds at once all come back, also to somebody who was busy meanwhile', async () => {
  const names = Array.from({ length: 500 }, (_, number) => join(folder, `many.${number}`))
  execFileSync('mkfifo', names)
  const programs = names.map((path, number) => {
    const stdout = text(openReader(path))
    const paths = { stdin: '/dev/null', stdout: path, stderr: '/dev/null', status: '/dev/null' }
    const command = ['/bin/sh', '-c', `echo ${number}; exit ${number % 200}`]
    return { ...launcher.start({ command, environment: {}, paths }), stdout }
  })
  await new Promise(resolve => setTimeout(resolve, 200)) // all are asked for
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000) // more end than a socket holds answers
  for (const [number, program] of programs.entries()) {
    expect(await program.ended).toEqual({ exitCode: number % 200, signal: null })
    expect(await program.stdout).toBe(`${number}\n`)
  }
})

test('what cannot be started says why', async () => {
  expect(() => start(['/bin/echo', 'a\0b'])).toThrow('NUL')
  const absent = start([join(folder, 'absent')])
  expect(await absent.ended).toEqual({ exitCode: 127, signal: null })
  expect((await absent.printed)[1]).toBe(`bwrap: ${join(folder, 'absent')}: No such file or directory\n`)
  const paths = { stdin: join(folder, 'no'), stdout: '/dev/null', stderr: '/dev/null', status: '/dev/null' }
  const { ended } = launcher.start({ command: ['/bin/true'], environment: {}, paths })
  await expect(ended).rejects.toThrow(`cannot open ${join(folder, 'no')}: No such file or directory`)
  const big = start(['/bin/echo', ...Array.from({ length: 30 }, () => 'x'.repeat(120_000))])
  expect(await big.ended).toEqual({ exitCode: 127, signal: null })
  expect((await big.printed)[1]).toContain('Argument list too long')
})

test('a launcher that is killed ends what it started as killed, and there is another', async () => {
  const running = start(['/bin/sleep', '3'])
  await expect.poll(() => existsSync(running.status)).toBe(true)
  process.kill(launcherOf(), 'SIGKILL')
  expect(await running.ended).toEqual({ exitCode: null, signal: 'SIGKILL' })
  expect(await start(['/bin/true']).ended).toEqual({ exitCode: 0, signal: null })
})

test('it goes with whoever started it', async () => {
  await start(['/bin/true']).ended
  const pid = launcherOf()
  launcher.close()
  await expect
    .poll(() => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    .toBeFalsy()
})

test('a channel that is used again tells nothing of the call before', async () => {
  const pool = createChannelPool(join(folder, 'pipes'))
  const channel = await pool.take()
  writeFileSync(channel.statusPath, '{ "child-pid": 1 }')
  channel.giveBack()
  expect(await pool.take()).toBe(channel)
  expect(existsSync(channel.statusPath)).toBe(false)
})

test('what was asked for by somebody who was killed is not started', async () => {
  const program = new URL('../../../src/tools/programs/launcher.pl', import.meta.url).pathname
  const request = [
    'start',
    '1',
    ...Array(4).fill('/dev/null'),
    '0',
    '/usr/bin/touch',
    join(folder, 'touched'),
  ]
  const payload = Buffer.from(request.join('\0'))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(payload.length)
  writeFileSync(join(folder, 'request'), Buffer.concat([length, payload]))
  execFileSync('mkfifo', [join(folder, 'go')])
  // Its parent, the inner shell, is killed; then it is given what that one asked for.
  const late = `(cat ${folder}/go ${folder}/request; sleep 0.5) | perl ${program} ${folder}/; :`
  const orphaned = `sh -c '${late}' > /dev/null 2>&1 & sleep 0.3; kill -KILL $!; sleep 0.2; : > ${folder}/go; sleep 0.7`
  execFileSync('bash', ['-c', orphaned])
  expect(existsSync(join(folder, 'touched'))).toBe(false)
  execFileSync('bash', ['-c', `perl ${program} ${folder}/ < ${folder}/request > /dev/null; sleep 0.3`])
  expect(existsSync(join(folder, 'touched'))).toBe(true)
})
