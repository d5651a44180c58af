/** `skill` from JavaScript: a payload in a process of its own. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder, until } from '../tools/listening.ts'
import { host, lastLine, script } from './javascript-host.ts'
import { NODES, program, PYTHON, SILENT_SUCCESS } from './running.ts'

/** A host whose one skill is this Python payload. */
async function withPayload(text: string, timeoutMs: number | null = null) {
  const asked: unknown[] = []
  const file = program('payload.py', text)
  const opened = await host({
    handlers: {
      skill: params => {
        asked.push(params)
        return { command: [PYTHON, file], prefix: 'k8s/bulk-restart#1/', timeoutMs }
      },
    },
  })
  return { ...opened, asked }
}

const [NODE] = NODES
const ESM = 'esm'

describe('skill', () => {
  test('gives its inputs, its prefix and its result; its log appears as it is', async () => {
    const opened = await withPayload(`
import json, os, sys
inputs = json.load(sys.stdin)
print("half way é", file=sys.stderr)
print(json.dumps({"got": inputs, "prefix": os.environ["SRECODEX_PREFIX"], "group": os.getpgrp() == os.getpid(),
  "socket": "SRECODEX_SOCKET" in os.environ, "item": os.environ.get("SRECODEX_ITEM"), "pad": "x" * 3_000_000}))
`)
    const text = `const { pad, ...result } = await askill('k8s/bulk-restart', { names: ['web'], dry: true })
      console.log(JSON.stringify([result, pad.length]))`
    const ran = await script(NODE!, ESM, text, { socketPath: opened.socketPath })
    expect(ran.stderr).toBe('half way é\n')
    expect(JSON.parse(ran.stdout)).toEqual([
      {
        got: { names: ['web'], dry: true },
        prefix: 'k8s/bulk-restart#1/',
        group: true,
        socket: true,
        item: null,
      },
      3_000_000,
    ])
    expect(opened.asked).toEqual([
      { id: 'k8s/bulk-restart', inputs: { names: ['web'], dry: true }, item: null },
    ])
  })

  test.each([
    ['nothing', 'pass', /^SKILL_OUTPUT skill x printed nothing where one JSON object belongs$/],
    ['text', 'print("hello " * 100)', /^SKILL_OUTPUT skill x printed "hello (hello )+[helo]*…" where/],
    ['an array', 'print([1])', /^SKILL_OUTPUT skill x printed an array where/],
    ['a number', 'print(3)', /^SKILL_OUTPUT skill x printed "3" where/],
    ['two objects', 'print("{}\\n{}")', /^SKILL_OUTPUT skill x printed "\{\}\\n\{\}\\n" where/],
    [
      'an exit code',
      'import sys; print("{}"); print("one\\ntwo\\n", file=sys.stderr); sys.exit(3)',
      /^SKILL_FAILED skill x failed with exit code 3: two$/,
    ],
    ['a signal', 'import os; os.kill(os.getpid(), 9)', /^SKILL_FAILED skill x was ended by SIGKILL$/],
  ])('that gives %s is an error that names it', async (_what, payload, told) => {
    const opened = await withPayload(payload)
    const text = `await skill('x').catch(error => console.log(error instanceof SkillError && error.code, error.message))`
    const { stdout, status } = await script(NODE!, ESM, text, { socketPath: opened.socketPath })
    expect(status).toBe(0)
    expect(stdout.trimEnd()).toMatch(told)
  })

  test.each([
    [
      'bash',
      `read -r inputs < /dev/stdin; echo "got $inputs" > /dev/stderr; echo "\${inputs}" > /dev/stdout`,
    ],
    [
      'node',
      `const { readFileSync, writeFileSync } = require('fs')
      const inputs = readFileSync('/dev/stdin', 'utf8')
      console.error('got ' + inputs)
      writeFileSync('/dev/stdout', inputs)`,
    ],
  ])('has files and pipes for its streams, by name too: %s', async (language, text) => {
    const file = program('payload', text)
    const command = [language === 'node' ? NODE : '/bin/bash', file]
    const opened = await host({ handlers: { skill: () => ({ command, prefix: '', timeoutMs: 5000 }) } })
    const tmp = temporaryFolder()
    const ran = await script(NODE!, ESM, `console.log(JSON.stringify(await skill('x', { a: 1 })))`, {
      socketPath: opened.socketPath,
      env: { TMPDIR: tmp },
    })
    expect(ran).toEqual({ ...SILENT_SUCCESS, stdout: '{"a":1}\n', stderr: 'got {"a":1}\n' })
    expect(readdirSync(tmp)).toEqual([])
  })

  test('that prints without end is ended', async () => {
    const opened = await withPayload('import sys\nwhile True: sys.stdout.write("x" * 1_000_000)')
    const text = `await skill('x').catch(error => console.log(error.code, error.message))`
    const { stdout } = await script(NODE!, ESM, text, { socketPath: opened.socketPath })
    expect(stdout).toBe('SKILL_OUTPUT skill x printed more than 67108864 bytes\n')
  })

  test('that reads no inputs and cannot be started', async () => {
    const opened = await host({
      handlers: {
        skill: ({ id }) => ({
          command: id === 'gone' ? ['/nowhere/python'] : [PYTHON, '-c', 'print("{}")'],
          prefix: '',
          timeoutMs: null,
        }),
      },
    })
    const text = `const big = { text: 'x'.repeat(900_000) }
      console.log(JSON.stringify(await skill('deaf', big)))
      await skill('gone').catch(error => console.log(error.code, error.message))`
    expect(await script(NODE!, ESM, text, { socketPath: opened.socketPath })).toEqual({
      ...SILENT_SUCCESS,
      stdout: '{}\nSKILL_FAILED skill gone cannot be started: spawn /nowhere/python ENOENT\n',
    })
  })

  test('past its time ends with all that it started, though it does not want to', async () => {
    const folder = temporaryFolder()
    const marker = join(folder, 'alive')
    const opened = await withPayload(
      `
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("started", file=sys.stderr, flush=True)
subprocess.Popen(["bash", "-c", "trap '' INT; while :; do echo >> ${marker}; sleep 0.02; done"])
time.sleep(60)
`,
      700,
    )
    const text = `await skill('x').catch(error => console.log(error.code, error.message, error.hint))`
    const before = performance.now()
    const { stdout } = await script(NODE!, ESM, text, { socketPath: opened.socketPath })
    expect(performance.now() - before).toBeLessThan(10_000)
    expect(stdout).toBe(
      'SKILL_TIMED_OUT skill x was ended after 0.7 s: started its SKILL.md can set a longer `timeout`\n',
    )
    const last = readFileSync(marker, 'utf8')
    expect(last).not.toBe('')
    await new Promise(resolve => setTimeout(resolve, 200))
    expect(readFileSync(marker, 'utf8')).toBe(last)
  })

  test('that leaves something in the background does not hold up its result', async () => {
    const opened = await withPayload(`
import subprocess
child = subprocess.Popen(["sleep", "5"])
print('{"left": %d}' % child.pid)
`)
    const text = `const { left } = await skill('x'); process.kill(left); console.log(performance.now() < 4000)`
    expect(lastLine(await script(NODE!, ESM, text, { socketPath: opened.socketPath }))).toBe(true)
  })

  test('hears of the signal that interrupts the script, and the script ends of it', async () => {
    const folder = temporaryFolder()
    const opened = await withPayload(`
import signal, sys, time
def ended(*_):
    open("${join(folder, 'heard')}", "w").write("yes")
    sys.exit(1)
signal.signal(signal.SIGINT, ended)
open("${join(folder, 'ready')}", "w").close()
time.sleep(60)
`)
    const text = `import { existsSync } from 'node:fs'
      const done = skill('x')
      while (!existsSync('${join(folder, 'ready')}')) await new Promise(resolve => setTimeout(resolve, 10))
      process.kill(process.pid, 'SIGINT')
      await done.catch(() => {})
      await new Promise(resolve => setTimeout(resolve, 5000))`
    const ran = await script(NODE!, ESM, text, { socketPath: opened.socketPath })
    expect(ran).toEqual({ ...SILENT_SUCCESS, status: null, signal: 'SIGINT' })
    await until(() => readText(join(folder, 'heard')) === 'yes')
  })

  test('30 at once, with their logs', async () => {
    const opened = await withPayload(`
import json, sys
n = json.load(sys.stdin)["n"]
print("log", n, file=sys.stderr)
print(json.dumps({"n": n}))
`)
    const text = `const all = await Promise.all(Array.from({ length: 30 }, (_, n) => skill('x', { n })))
      console.log(all.every((one, at) => one.n === at))`
    const { stdout, stderr } = await script(NODE!, ESM, text, { socketPath: opened.socketPath })
    expect(stdout).toBe('true\n')
    expect(stderr.trimEnd().split('\n').toSorted()).toEqual(
      Array.from({ length: 30 }, (_, n) => `log ${n}`).toSorted(),
    )
  })
})

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
