/** `srecodex run`: what comes back, where it goes, and the exit code of each ending. */

import { project, WITHOUT_BUBBLEWRAP } from '@srecodex/testkit'
import { describe, expect, test } from 'vitest'

describe('a script', () => {
  test('the summary is on stdout, what became of the run on stderr', async () => {
    const files = { 'count.py': 'import sys\nprint(f"{len(sys.argv) - 1} arguments: {sys.argv[1:]}")' }
    expect((await project({ files }).run('run count.py -- --json a')).transcript).toMatchInlineSnapshot(`
      "2 arguments: ['--json', 'a']
      --- stderr
      ✔ succeeded in TIME
        1 line of output (29 B) · ≈11 of ≈11 tokens returned
        run RUN · workspace-write by bubblewrap, network none
      "
    `)
  })

  test('each language', async () => {
    const { run } = project({
      files: {
        'a.py': 'print("from python")',
        'a.sh': 'echo from shell',
        'a.js': 'console.log("from javascript")',
      },
    })
    expect((await run('run a.py')).stdout).toBe('from python\n')
    expect((await run('run a.sh')).stdout).toBe('from shell\n')
    expect((await run('run a.js')).stdout).toBe('from javascript\n')
  })

  test('many lines: the last of them, and where the others are', async () => {
    const { run } = project({ files: { 'many.sh': 'for i in {1..500}; do echo "line $i of 500"; done' } })
    const { stdout } = await run('run many.sh')
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      '… 480 lines before (srecodex output RUN)',
      'line 481 of 500',
      'line 482 of 500',
    ])
    expect((await run('output last --limit 1')).stdout).toBe('line 1 of 500\n')
  })

  test('what it declares, what it keeps', async () => {
    const script = [
      'import os, srecodex',
      'print("noise\\n" * 100)',
      'srecodex.artifact("pods.csv")',
      'open(os.environ["SRECODEX_ARTIFACTS"] + "/pods.csv", "w").write("name\\n")',
      'srecodex.summary("3 of 50 pods crash")',
    ].join('\n')
    expect((await project({ files: { 'pods.py': script } }).run('run pods.py')).transcript)
      .toMatchInlineSnapshot(`
      "3 of 50 pods crash
      --- stderr
      artifact (5 B): SRECODEX_HOME/state/runs/RUN/artifacts/pods.csv
      ✔ succeeded in TIME
        101 lines of output (601 B) · ≈5 of ≈200 tokens returned
        run RUN · workspace-write by bubblewrap, network none
      "
    `)
  })
})

describe('an ending that is no success', () => {
  test('exit code of the script: 1, the script’s own in the report', async () => {
    const { run } = project({ files: { 'bad.py': 'print("3 done")\nraise KeyError("pods")' } })
    expect((await run('run bad.py')).transcript).toMatchInlineSnapshot(`
      "3 done
      --- stderr
      error[SCRIPT_FAILED]: the script exited with 1: KeyError: 'pods'
      ✘ failed in TIME · exit 1
        5 lines of output (159 B) · ≈2 of ≈48 tokens returned
        run RUN · workspace-write by bubblewrap, network none
        next: srecodex output RUN --stream stderr
      --- exit code 1
      "
    `)
    const { exitCode, json } = await run('run bad.py --json')
    expect({ exitCode, report: json() }).toMatchObject({
      exitCode: 1,
      report: { status: 'failed', exitCode: 1, error: { code: 'SCRIPT_FAILED' } },
    })
  })

  test('timed out: 124', async () => {
    const { run } = project({ files: { 'slow.sh': 'echo begun; sleep 60' } })
    expect((await run('run slow.sh --timeout 2')).transcript).toMatchInlineSnapshot(`
      "begun
      --- stderr
      error[TIMED_OUT]: the script took longer than its TIME and was ended

      hint: give it more with --timeout, or let it do less
      ✘ timed-out in TIME · SIGINT
        1 line of output (6 B) · ≈1 of ≈2 tokens returned
        run RUN · workspace-write by bubblewrap, network none
        next: srecodex output RUN
      --- exit code 124
      "
    `)
  })

  test.for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s: 130, and the report says cancelled',
    async killSignal => {
      const { run, exists } = project({
        files: { 'slow.sh': 'echo begun; touch begun; sleep 60; touch survived' },
      })
      const cancel = new AbortController()
      const ending = run('run slow.sh --json', { signal: cancel.signal, killSignal })
      await expect.poll(() => exists('begun'), { timeout: 10_000 }).toBe(true)
      cancel.abort()
      const { exitCode, json } = await ending
      expect({ exitCode, status: json().status, summary: json().summary }).toEqual({
        exitCode: 130,
        status: 'cancelled',
        summary: 'begun',
      })
    },
  )

  test('a limit: 4', async () => {
    const { run } = project({
      files: {
        'dotcodex/config.toml': '[limits]\nfile_size = "1MiB"\n',
        'big.sh': 'printf %02000000d 0 > big',
      },
    })
    const { exitCode, json } = await run('run big.sh --json')
    expect({ exitCode, code: json().error.code }).toEqual({ exitCode: 4, code: 'LIMIT_EXCEEDED' })
  })

  test('an extension that may not run: 4', async () => {
    const { run } = project({ files: { 'job.rb': 'puts 1' } })
    expect((await run('run job.rb')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[EXTENSION_REFUSED]: job.rb has the extension .rb, and only .py, .sh, .js may run

      hint: write the job in Python (.py), Bash (.sh) or JavaScript (.js)
      --- exit code 4
      "
    `)
  })

  test('no sandbox: 4, with the way out', async () => {
    const { run } = project({ files: { 'a.sh': 'echo ran' } })
    expect((await run('run a.sh')).stdout).toBe('ran\n')
    expect((await run('run a.sh', { within: WITHOUT_BUBBLEWRAP })).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[SANDBOX_UNAVAILABLE]: no sandbox: bubblewrap is not installed

      hint: srecodex doctor --fix installs it; a script never runs without a sandbox in silence
      --- exit code 4
      "
    `)
  })

  test('no script, an empty one, a workspace that cannot be one: 2', async () => {
    const { run } = project({ files: { 'empty.py': '\n' } })
    expect((await run('run missing.py')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[SCRIPT_NOT_FOUND]: there is no script missing.py

      hint: give the path of a .py, .sh or .js file, or - to read one from stdin
      --- exit code 2
      "
    `)
    expect((await run('run empty.py')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[SCRIPT_EMPTY]: empty.py is empty
      --- exit code 2
      "
    `)
    expect((await run('run empty.py --workspace /usr')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[WORKSPACE_INVALID]: /usr cannot be a workspace: the system relies on it

      hint: use a project folder
      --- exit code 2
      "
    `)
    expect((await run('run empty.py --workspace nowhere')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[WORKSPACE_INVALID]: there is no folder WORKSPACE/nowhere

      hint: make it first, or name another with --workspace
      --- exit code 2
      "
    `)
  })
})

describe('--json', () => {
  test('one document on stdout, nothing on stderr', async () => {
    const { run } = project({ files: { 'a.py': 'print("ok")' } })
    const { exitCode, stderr, json } = await run('run a.py --json')
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(json()).toEqual({
      version: 1,
      run: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
      parent: null,
      status: 'succeeded',
      summary: 'ok',
      exitCode: 0,
      signal: null,
      durationMs: expect.any(Number),
      script: {
        name: 'a.py',
        language: 'python',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        bytes: 11,
      },
      output: { stdout: { bytes: 3, lines: 1 }, stderr: { bytes: 0, lines: 0 } },
      items: null,
      calls: { total: 0, reads: 0, mutations: 0, failed: 0, refused: 0, enforced: true },
      plan: null,
      artifacts: [],
      context: { rawTokens: expect.any(Number), summaryTokens: expect.any(Number) },
      sandbox: { mode: 'workspace-write', backend: 'bubblewrap', network: 'none' },
      notices: [],
      next: null,
      error: null,
    })
  })

  test('an error before the run is a document too', async () => {
    const { exitCode, json, stderr } = await project().run('run missing.py --json')
    expect(exitCode).toBe(2)
    expect(json()).toEqual({
      error: {
        code: 'SCRIPT_NOT_FOUND',
        message: 'there is no script missing.py',
        hint: 'give the path of a .py, .sh or .js file, or - to read one from stdin',
      },
    })
    expect(stderr).toContain('error[SCRIPT_NOT_FOUND]: there is no script missing.py')
  })

  test('so is a wrong command line; what belongs to the script is the script’s', async () => {
    const { run } = project({ files: { 'a.py': 'print(1)' } })
    expect((await run('run a.py --json --timeout never')).json()).toMatchObject({ error: { code: 'USAGE' } })
    expect((await run('run a.py --timeout never -- --json')).stdout).toBe('')
  })
})
