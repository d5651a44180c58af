/** Each flag of `srecodex run`. */

import { project } from '@srecodex/testkit'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'

describe('-', () => {
  test('a script from stdin, in the language of --lang', async () => {
    const { run } = project()
    expect(
      (await run('run - --lang py -- x', { stdin: 'import sys\nprint("py", sys.argv[1])' })).stdout,
    ).toBe('py x\n')
    expect((await run('run - --lang sh -- x', { stdin: 'echo sh $1' })).stdout).toBe('sh x\n')
    expect((await run('run - --lang js -- x', { stdin: 'console.log("js", process.argv[2])' })).stdout).toBe(
      'js x\n',
    )
  })

  test('without a language, or with one beside a file', async () => {
    const { run } = project({ files: { 'a.py': 'print(1)' } })
    expect((await run('run -', { stdin: 'echo' })).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: a script from stdin needs its language

      hint: srecodex run - --lang py|sh|js
      --- exit code 2
      "
    `)
    expect((await run('run a.py --lang py')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: --lang goes with a script from stdin

      hint: a file's language is told by its extension
      --- exit code 2
      "
    `)
    expect((await run('run - --lang py', { stdin: '' })).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[SCRIPT_EMPTY]: the script is empty
      --- exit code 2
      "
    `)
  })
})

describe('--workspace', () => {
  test('is what the script may write; script and workspace are both named from here', async () => {
    const { run, read } = project({ files: { 'scripts/a.sh': 'pwd; echo made > made', 'data/x': '' } })
    const { exitCode, stdout } = await run('run scripts/a.sh --workspace data')
    expect({ exitCode, stdout, made: read('data/made') }).toEqual({
      exitCode: 0,
      stdout: 'WORKSPACE/data\n',
      made: 'made\n',
    })
  })

  test('~ is home', async () => {
    const { run } = project({ files: { 'a.sh': 'pwd', '~/jobs/x': '' } })
    expect((await run(['run', 'a.sh', '--workspace=~/jobs'])).stdout).toBe('HOME/jobs\n')
  })
})

describe('--timeout', () => {
  test('takes fractions', async () => {
    const { run } = project({ files: { 'a.sh': 'sleep 30' } })
    const { exitCode, json } = await run('run a.sh --timeout 1.5 --json')
    expect(exitCode).toBe(124)
    expect(json().error.message).toBe('the script took longer than its 1.5 s and was ended')
  })

  test('says what it cannot be, in its own name', async () => {
    const { run } = project({
      files: { 'a.sh': 'true', 'dotcodex/config.toml': '[scripts]\nmax_timeout = 60\n' },
    })
    expect((await run('run a.sh --timeout 61')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--timeout\` is 61 seconds, more than the 60 that the operator allows

      hint: give it less, or raise max_timeout in [scripts] of the config
      --- exit code 2
      "
    `)
    expect((await run('run a.sh --timeout 0.01')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--timeout\` is 0.01; it must lie between 0.1 and 604800 seconds
      --- exit code 2
      "
    `)
    expect((await run('run a.sh --timeout soon')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--timeout\` is "soon"; it must be a number above 0

      hint: srecodex run --help lists its flags
      --- exit code 2
      "
    `)
  })
})

describe('--sandbox', () => {
  const files = { 'write.sh': 'echo x > here; echo x > ../there; true' }

  test.for([
    ['read-only', false, false],
    ['workspace-write', true, false],
    ['danger-full-access', true, true],
  ] as const)('%s', async ([mode, here, there]) => {
    const { run, exists } = project({ files })
    const { exitCode, stderr } = await run(`run write.sh --sandbox ${mode}`)
    expect({ exitCode, here: exists('here'), there: exists('../there') }).toEqual({
      exitCode: 0,
      here,
      there,
    })
    expect(stderr).toContain(mode)
  })

  test('danger-full-access is said out loud', async () => {
    expect((await project({ files }).run('run write.sh --sandbox danger-full-access')).stderr)
      .toMatchInlineSnapshot(`
      "note: no sandbox: danger-full-access lets the script do whatever you may
      ✔ succeeded in TIME
        0 lines of output (0 B) · ≈0 of ≈0 tokens returned
        run RUN · no sandbox (danger-full-access)
      "
    `)
  })
})

describe('--read', () => {
  const files = {
    'cat.sh': 'cat "$@" 2>/dev/null || echo denied',
    '~/logs/app.log': 'from home\n',
    '~/more/b.log': 'more\n',
  }

  test('a path of home is denied without it', async () => {
    const { run, home } = project({ files })
    expect((await run(`run cat.sh -- ${home}/logs/app.log`)).stdout).toBe('denied\n')
    expect((await run(`run cat.sh --read ${home}/logs -- ${home}/logs/app.log`)).stdout).toBe('from home\n')
  })

  test('relative to here, ~, several; none swallows the script', async () => {
    const { run, home } = project({ files })
    const log = `${home}/logs/app.log`
    expect((await run(`run --read ../home/logs cat.sh -- ${log}`)).stdout).toBe('from home\n')
    expect((await run(`run --read=~/logs --read ~/more cat.sh -- ${log} ${home}/more/b.log`)).stdout).toBe(
      'from home\nmore\n',
    )
  })

  test('what is not there is a note; what shows sockets is refused', async () => {
    const { run } = project({ files: { 'a.sh': 'echo ran' } })
    expect((await run('run a.sh --read missing')).stderr).toContain(
      'note: WORKSPACE/missing is not there to be read\n',
    )
    expect((await run('run a.sh --read /run')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[REFUSED]: /run cannot be made readable: sockets, devices and other processes would show

      hint: name the folders that the script needs, such as /var/log
      --- exit code 4
      "
    `)
  })
})

describe('--env', () => {
  const files = { 'env.sh': 'echo "A=${A-unset} B=${B-unset}"' }

  test('NAME hands on, NAME=VALUE gives; nothing else of the caller’s comes in', async () => {
    const { run } = project({ files, env: { A: 'of-the-caller', B: 'of-the-caller' } })
    expect((await run('run env.sh')).stdout).toBe('A=unset B=unset\n')
    expect((await run('run env.sh --env A')).stdout).toBe('A=of-the-caller B=unset\n')
    expect((await run('run --env A=x=y --env B= env.sh')).stdout).toBe('A=x=y B=\n')
  })

  test('what cannot be given', async () => {
    const { run } = project({ files })
    expect((await run('run env.sh --env A')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--env A\`: there is no such variable here

      hint: give its value: --env A=VALUE
      --- exit code 2
      "
    `)
    expect((await run('run env.sh --env ghp_secret-value')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--env\` was given something that is no name of a variable

      hint: --env NAME, or --env NAME=VALUE
      --- exit code 2
      "
    `)
    expect((await run('run env.sh --env SRECODEX_RUN=1')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--env SRECODEX_RUN\`: names that begin with SRECODEX_ are srecodex's own

      hint: hand it on under another name
      --- exit code 2
      "
    `)
  })
})

describe('--network', () => {
  const script = (port: number): string =>
    [
      'import urllib.request',
      `try: print(urllib.request.urlopen("http://127.0.0.1:${port}/", timeout=5).status)`,
      'except Exception as error: print("refused")',
    ].join('\n')

  test('none, host, a list', async () => {
    const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { run } = project({ files: { 'get.py': script(port) } })
    expect((await run('run get.py --network none')).stdout).toBe('refused\n')
    expect((await run('run get.py --network host')).stdout).toBe('200\n')
    expect((await run(`run get.py --network api.example.com,127.0.0.1/32:${port}`)).stdout).toBe('200\n')
    const other = await run('run get.py --network api.example.com,127.0.0.1/32')
    expect(other.stdout).toBe('refused\n') // without a port, 80 and 443
    expect(other.stderr).toContain(`note: the network refused a request: 127.0.0.1:${port}\n`)
    expect(other.stderr).toContain('network api.example.com,127.0.0.1/32\n')
  })

  test('every wrong entry at once', async () => {
    const { run } = project({ files: { 'a.sh': 'true' } })
    expect((await run('run a.sh --network https://a.example,*')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: \`--network\` has "*", which is not a domain

      hint: "host" opens everything
      --- exit code 2
      "
    `)
  })
})

test('--max-summary', async () => {
  const { run } = project({ files: { 'a.sh': 'for i in {1..100}; do echo "line $i"; done' } })
  const { summary } = (await run('run a.sh --max-summary 100 --json')).json()
  expect(summary.length).toBeLessThanOrEqual(100)
  expect(summary).toMatch(/^… \d+ lines before .*\nline \d+\n(.*\n)*line 100$/)
  expect((await run('run a.sh --max-summary 5')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: \`--max-summary\` is 5; it must lie between 80 and 100000
    --- exit code 2
    "
  `)
})

test('--mutations', async () => {
  const { run } = project({ files: { 'a.sh': 'echo ran' } })
  for (const policy of ['plan', 'allow', 'deny']) {
    expect((await run(`run a.sh --mutations ${policy}`)).stdout).toBe('ran\n')
  }
  expect((await run('run a.sh --mutations maybe')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: \`--mutations\` is "maybe"; it must be one of plan, allow, deny

    hint: srecodex run --help lists its flags
    --- exit code 2
    "
  `)
})

test('--no-input', async () => {
  const { run } = project({ files: { 'a.sh': 'echo ran' } })
  expect((await run('run a.sh --no-input')).stdout).toBe('ran\n')
})
