/** `each`, `once`, `may`, `tool`, `skill` in Bash, against a real channel. */

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CallError } from '../../src/tools/protocol.ts'
import type { CallHandler } from '../../src/tools/channel.ts'
import { listening, temporaryFolder } from '../tools/listening.ts'
import { ledgerHost, type LedgerHost, type LedgerRules } from './ledger.ts'
import { COMMANDS, program, run, SILENT_SUCCESS, start, type Ran, type RunOptions } from './running.ts'

interface BashOptions extends RunOptions {
  readonly rules?: LedgerRules
  readonly handlers?: Readonly<Record<string, CallHandler>>
}

async function bash(text: string, options: BashOptions = {}): Promise<Ran & { readonly ledger: LedgerHost }> {
  const ledger = ledgerHost(options.rules)
  const { socketPath } = await listening({ handlers: { ...ledger.handlers, ...options.handlers } })
  return { ...(await run(['bash', '--norc', '-c', text], { socketPath, ...options })), ledger }
}

const NAMES = ['each', 'once', 'may', 'tool', 'skill']

test.each([...NAMES, 'srecodex-json.pl', 'srecodex-programs.pl'])(
  '%s is clean under strict and warnings, which it does without for speed',
  async name => {
    const { status, stderr } = await run(['perl', '-Mstrict', '-Mwarnings', '-c', join(COMMANDS, name)])
    expect([status, stderr]).toEqual([0, `${join(COMMANDS, name)} syntax OK\n`])
  },
)

test('help is on stdout, wrong usage on stderr with 2, and they can be started as they are', async () => {
  for (const name of NAMES) {
    const help = await bash(`${name} --help`)
    expect([help.status, help.stdout.slice(0, 6), help.stderr]).toEqual([0, 'Usage:', ''])
    const wrong = await bash(`${name} </dev/null`)
    expect([wrong.status, wrong.stdout, wrong.stderr.slice(0, 6)]).toEqual([2, '', 'Usage:'])
    expect(statSync(join(COMMANDS, name)).mode & 0o111).toBe(0o111)
  }
  for (const wrong of [
    '--at-once 0 x',
    '--at-once 257 x',
    '--retries x y',
    '--max-failures 5%% x',
    '--nothing x',
    '--at-once',
  ]) {
    expect((await bash(`each ${wrong} </dev/null`)).status).toBe(2)
  }
})

describe('once and may', () => {
  test('decides once, with the exit code of what decides', async () => {
    const text = `
      decide() { echo "called $1" >&2; printf 'é "x"\\n\\nlast\\n\\n'; }; export -f decide
      once a decide 1; once a decide 2; once b false; echo $?; once b bash -c 'exit 7'; echo $?
      once b bash -c 'kill -9 $$'; echo $?; once b nothing-like-it 2>/dev/null; echo $?
      once b -- echo done; once c true; echo "[$(once c false)]"; yes | once d cat | head -c 4`
    const { stdout, stderr, ledger } = await bash(
      text.replace('yes | once d cat', 'printf abcdef | once d cat'),
      {
        env: { SRECODEX_PREFIX: 'k8s/x#1/' },
      },
    )
    expect([stderr, stdout]).toEqual([
      'called 1\n',
      'é "x"\n\nlast\né "x"\n\nlast\n1\n7\n137\n127\ndone\n\n[]\nabcd',
    ])
    expect(ledger.of('once.set').map(({ name, value }) => [name, value])).toEqual([
      ['k8s/x#1/a', 'é "x"\n\nlast'],
      ['k8s/x#1/b', 'done'],
      ['k8s/x#1/c', ''],
      ['k8s/x#1/d', 'abcdef'],
    ])
  })

  test('what another language decided is printed as text where it is text, else as JSON', async () => {
    const ledger = ledgerHost()
    const context = { signal: new AbortController().signal }
    await ledger.handlers['once.set']?.({ name: 'n', value: 1_790_000_000 }, context)
    await ledger.handlers['once.set']?.({ name: 'o', value: { a: [1, 'é'], value: 'x"}}' } }, context)
    await ledger.handlers['once.set']?.({ name: 's', value: 'tab\t"q" \\ 😀\u0001' }, context)
    const { stdout } = await bash('once n false; once o false; once s false', { handlers: ledger.handlers })
    expect(stdout).toBe('1790000000\n{"a":[1,"é"],"value":"x\\"}}"}\ntab\t"q" \\ 😀\u0001\n')
  })

  test('may declares, and does nothing', async () => {
    const { ledger, ...ran } = await bash(`may kubectl rollout undo 'deployment/a b' --x="q"`)
    expect(ran).toEqual(SILENT_SUCCESS)
    expect(ledger.of('may')).toEqual([{ argv: ['kubectl', 'rollout', 'undo', 'deployment/a b', '--x=q'] }])
  })

  test('a pipe in the command ends as pipes do', async () => {
    expect(
      (await bash(`once a bash -c 'set -o pipefail; yes | head -1; echo \${PIPESTATUS[0]}'`)).stdout,
    ).toBe('y\n141\n')
  })
})

describe('tool', () => {
  test.each([
    [`'{"a": [1, {"b": null}], "é": "\\u00e9"}'`, { a: [1, { b: null }], é: 'é' }],
    ['', {}],
    [
      `n=5 f=-1.5e3 t=true z=null l='[1,"a"]' o='{"k":{}}' s=text e= q='say "x"' eq=a=b zip=007 v=1.2.3 sp=' 5' quoted='"5"'`,
      {
        n: 5,
        f: -1500,
        t: true,
        z: null,
        l: [1, 'a'],
        o: { k: {} },
        s: 'text',
        e: '',
        q: 'say "x"',
        eq: 'a=b',
        zip: '007',
        v: '1.2.3',
        sp: ' 5',
        quoted: '5',
      },
    ],
    [
      `bad='{"a":1' worse='[1,]' more='"a' last='{"a":1}x' ctl=$'"a\\tb"'`,
      { bad: '{"a":1', worse: '[1,]', more: '"a', last: '{"a":1}x', ctl: '"a\tb"' },
    ],
  ])('arguments %s', async (words, expected) => {
    const asked: unknown[] = []
    const tool: CallHandler = params => {
      asked.push(params)
      return { value: params['arguments'] }
    }
    const { stdout, stderr } = await bash(`tool finance expenses ${words}`, {
      handlers: { tool },
      env: { SRECODEX_ITEM: "i'1" },
    })
    expect([stderr, JSON.parse(stdout)]).toEqual(['', expected])
    expect(asked).toEqual([{ server: 'finance', name: 'expenses', arguments: expected, item: "i'1" }])
  })

  test('large results come whole; refusals are told; wrong words are not sent', async () => {
    const big = { text: '\n"é'.repeat(100_000), list: Array.from({ length: 10_000 }, (_, n) => ({ n })) }
    const tool: CallHandler = ({ name }) => {
      if (name === 'big') return { value: big }
      throw new CallError('TOOL_FAILED', 'no such "team"', { hint: 'ask' })
    }
    const whole = await bash('tool s big', { handlers: { tool } })
    expect(JSON.parse(whole.stdout)).toEqual(big)
    const failed = await bash('tool s fails', { handlers: { tool } })
    expect([failed.status, failed.stdout, failed.stderr]).toEqual([
      1,
      '',
      'error[TOOL_FAILED]: no such "team"\n\nhint: ask\n',
    ])
    for (const wrong of [`'{"a":1},"item":"x"'`, `'{"a":1}}'`, `'{a:1}'`, 'word', '=5', 'a=1 a=2']) {
      const { status, stderr } = await bash(`tool s big ${wrong}`, { handlers: { tool } })
      expect([wrong, status, stderr.split(':')[0]]).toEqual([wrong, 1, 'error[INVALID_PARAMS]'])
    }
  })
})

describe('skill', () => {
  function payload(text: string, timeoutMs: number | null = null): Record<string, CallHandler> {
    const path = program('payload', text)
    return { skill: () => ({ command: ['bash', path], prefix: 'k8s/x#1/', timeoutMs }) }
  }

  test('gets its inputs and prefix, prints its result; its stderr is passed on', async () => {
    const handlers = payload(
      'echo log >&2; read -r x; echo " {\\"got\\": $x, \\"prefix\\": \\"$SRECODEX_PREFIX\\"} "',
    )
    const { status, stdout, stderr } = await bash('skill k8s/x names=\'["a"]\' n=5 </dev/null', { handlers })
    expect([status, JSON.parse(stdout), stderr]).toEqual([
      0,
      { got: { names: ['a'], n: 5 }, prefix: 'k8s/x#1/' },
      'log\n',
    ])
    const big = `skill k8s/x "$(printf '{"a":"'; printf 'x%.0s' {1..100000}; printf '"}')" | wc -c`
    expect((await bash(big, { handlers: payload('exec 0<&-; echo "{}"') })).stdout.trim()).toBe('3')
  })

  test.each([
    ['exit 3', 'error[SKILL_FAILED]: skill k8s/x ended with exit code 3'],
    ['kill -9 $$', 'error[SKILL_FAILED]: skill k8s/x ended with signal 9'],
    ['true', 'error[SKILL_OUTPUT]: skill k8s/x printed nothing, and not one JSON object'],
    ['echo "[1]"', 'error[SKILL_OUTPUT]: skill k8s/x printed `[1]`, and not one JSON object'],
    ['echo "{} {}"', 'error[SKILL_OUTPUT]: skill k8s/x printed `{} {}`, and not one JSON object'],
  ])('%s is an error', async (text, message) => {
    const { status, stdout, stderr } = await bash('skill k8s/x', { handlers: payload(text) })
    expect([status, stdout, stderr.split('\n')[0]]).toEqual([1, '', message])
  })

  test('past its time, or when it is ended itself, all that it started ends too', async () => {
    const folder = temporaryFolder()
    const stays = `sleep 60 & echo $! > ${folder}/pid; wait`
    const late = await bash('skill k8s/x', { handlers: payload(stays, 1000) })
    expect([late.status, late.stderr.split('\n')[0]]).toEqual([
      1,
      'error[SKILL_TIMED_OUT]: skill k8s/x took longer than 1 s',
    ])
    const alive = `state=$(cut -d' ' -f3 /proc/$(cat ${folder}/pid)/stat 2>/dev/null); [[ -n $state && $state != Z ]]`
    const gone = `for i in {1..100}; do ${alive} || exit 0; sleep 0.02; done; exit 1`
    expect((await bash(gone)).status).toBe(0)
    const text = `rm ${folder}/pid; skill k8s/x & until [[ -s ${folder}/pid ]]; do sleep 0.02; done; kill $!; wait $!; echo $?; ${gone}`
    const ended = await bash(text, { handlers: payload(stays) })
    expect([ended.status, ended.stdout]).toEqual([0, '143\n'])
  })
})

describe('each', () => {
  test('runs programs, builtins and exported functions; the item is the last word, or {}', async () => {
    const text = `
      show() { printf '<%s>' "$@"; echo; }; export -f show
      items() { printf 'a b\\n\\n$x\\né"*'; }
      items | each --at-once 1 show one two; items | each --at-once=1 show {} 'in {} {}' ; items | each --at-once 1 echo
      items | each --at-once 1 -- printf '%s;'; echo; each echo </dev/null; echo $?`
    const { stdout, stderr, status } = await bash(text)
    expect(stdout.split('\n')).toEqual([
      ...['<one><two><a b>', '<one><two><$x>', '<one><two><é"*>'],
      ...['<a b><in a b a b>', '<$x><in $x $x>', '<é"*><in é"* é"*>'],
      ...['a b', '$x', 'é"*', 'a b;', '$x;', 'é"*;', '', '0', ''],
    ])
    expect([status, stderr]).toEqual([0, 'each: 3 ok\n'.repeat(4) + 'each: 0 ok\n'])
  })

  test('tells the ledger, and says at last how it went', async () => {
    const text = `printf '%s\\n' a b c d | each bash -c '
      case $1 in b) echo first >&2; echo "  why  " >&2; exit 3;; c) kill -9 $$;; esac' each; echo $?`
    const { stdout, stderr, ledger } = await bash(text, {
      env: { SRECODEX_PREFIX: 'p/', SRECODEX_ITEM: 'outer' },
    })
    expect(stdout).toBe('1\n')
    expect(stderr.split('\n').at(-2)).toBe('each: 2 ok, 2 failed (exit 3: b; exit 137: c)')
    expect(ledger.of('each.open')).toEqual([{ item: 'outer', prefix: 'p/' }])
    expect(ledger.of('each.add')).toEqual([{ each: 1, keys: ['a', 'b', 'c', 'd'] }])
    const ends = Object.fromEntries(ledger.of('item.end').map(({ token, ...rest }) => [String(token), rest]))
    expect(ends).toEqual({
      a: { outcome: 'ok', class: '', message: '', retries: 0 },
      b: { outcome: 'failed', class: 'exit 3', message: '  why', retries: 0 },
      c: { outcome: 'failed', class: 'exit 137', message: '', retries: 0 },
      d: { outcome: 'ok', class: '', message: '', retries: 0 },
    })
  })

  test('the token reaches what an item calls, and its stdin is empty', async () => {
    const tool: CallHandler = params => ({ value: params['item'] })
    const { ledger, ...ran } = await bash(
      `printf '%s\\n' a b | each --at-once 1 bash -c 'cat; tool s n; echo "\\"$SRECODEX_ITEM\\"" >/dev/null' each`,
      { handlers: { tool } },
    )
    const tokens = ran.stdout
      .trim()
      .split('\n')
      .map(line => ledger.keyOf(JSON.parse(line)))
    expect([tokens, ran.stderr]).toEqual([['a', 'b'], 'each: 2 ok\n'])
  })

  test('the lines of one item stay together, however long they are', async () => {
    const text = `seq 20 | each --at-once 10 bash -c '
      for i in {1..200}; do echo "$1 $i"; (( i % 50 )) || sleep 0.01; done; printf "%s end" "$1"; printf %s "$1" >&2' each`
    const { stdout, stderr } = await bash(text)
    const runs = stdout
      .trimEnd()
      .split('\n')
      .map(line => line.split(' ')[0])
    expect(runs.length).toBe(20 * 201)
    expect(runs.filter((item, at) => item !== runs[at - 1]).length).toBe(20)
    expect(stderr.split('\n').length).toBe(22)
    const big = await bash(`seq 4 | each bash -c 'head -c 3000000 /dev/zero | tr "\\0" x' each | wc -lc`)
    expect(big.stdout.trim().split(/\s+/)).toEqual(['4', '12000004'])
  })

  test('8 at once, or as many as asked for', async () => {
    const count = `bash -c 'echo >> "$FOLDER/$1"; sleep 0.3; ls "$FOLDER" | wc -l; rm "$FOLDER/$1"' each`
    for (const [option, most] of [
      ['', 8],
      ['--at-once 3', 3],
    ] as const) {
      const { stdout } = await bash(`seq 10 | each ${option} ${count}`, {
        env: { FOLDER: temporaryFolder() },
      })
      expect(Math.max(...stdout.trim().split('\n').map(Number))).toBe(most)
    }
  })

  test('earlier runs, the plan and the host have their say', async () => {
    const { stdout, stderr, ledger } = await bash(
      `printf '%s\\n' done open out lost new | each --at-once 1 echo; echo $?`,
      {
        rules: {
          known: { done: { state: 'ok', value: { token: 'x', state: 'todo' } }, open: { state: 'unknown' } },
          skipped: ['out'],
          overrules: { lost: 'unknown' },
        },
      },
    )
    expect(stdout).toBe('lost\nnew\n1\n')
    expect(stderr).toBe('each: 2 ok, 2 unknown (nobody can say: open; not known: lost), 1 skipped\n')
    expect(ledger.of('item.start')).toEqual([
      { token: 'open', verified: null },
      { token: 'out' },
      { token: 'lost' },
      { token: 'new' },
    ])
  })

  test('retries after the pause that is granted; stops after too many failures', async () => {
    const again = `bash -c 'echo >> "$FOLDER/n"; [[ $(wc -l < "$FOLDER/n") -gt 2 ]]' each`
    const retried = await bash(`echo a | each --retries 3 ${again}; echo $?`, {
      rules: { pausesMs: [150, 1, 1] },
      env: { FOLDER: temporaryFolder() },
    })
    expect([retried.stdout, retried.stderr]).toEqual(['0\n', 'each: 1 ok\n'])
    expect(retried.ledger.of('item.end').map(({ retries }) => retries)).toEqual([3, 2, 1])
    for (const most of ['2', '10%']) {
      const { stderr } = await bash(`seq 20 | each --at-once 1 --max-failures ${most} false`)
      expect(stderr).toBe('each: 3 failed (exit 1: 1, 2, 3), 17 pending\n')
    }
  })

  test.each([
    [`printf 'a\\nb\\na\\n'`, 'two lines are `a`'],
    [`printf 'a\\tb\\n'`, 'an item is a line of UTF-8 without control characters, and `a\tb` is not'],
    [`printf '\\xff\\n'`, 'an item is a line of UTF-8 without control characters, and `\uFFFD` is not'],
    [`printf 'é%.0s' {1..201}`, `an item has at most 200 characters, and \`${'é'.repeat(40)}\` has 201`],
  ])('nothing starts when %s are the items', async (items, message) => {
    const { status, stdout, stderr, ledger } = await bash(`${items} | each echo`)
    expect([status, stdout, stderr.split('\n')[0]]).toEqual([1, '', `error[INVALID_PARAMS]: ${message}`])
    expect(ledger.calls).toEqual([])
  })

  test('when it is ended, what it started ends too', async () => {
    const { socketPath } = await listening({ handlers: ledgerHost().handlers })
    const folder = temporaryFolder()
    const text = `seq 3 | each bash -c 'echo $$ >> ${folder}/pids; exec sleep 60' each & each=$!
      until [[ $(wc -l < ${folder}/pids 2>/dev/null) == 3 ]]; do sleep 0.02; done
      kill $each; wait $each; echo $?
      for i in {1..100}; do
        alive=0; for pid in $(cat ${folder}/pids); do
          state=$(cut -d' ' -f3 /proc/$pid/stat 2>/dev/null); [[ -n $state && $state != Z ]] && alive=1
        done
        (( alive )) || exit 0; sleep 0.02
      done; exit 1`
    const running = start(['bash', '--norc', '-c', text], { socketPath })
    const { status, stdout } = await running.finished
    expect([status, stdout]).toEqual([0, '143\n'])
  })
})

test('run by hand: each, once and may work without a ledger, the others say how', async () => {
  const text = `once a echo x; may kubectl delete; printf 'a\\nb\\n' | each --retries 3 --at-once 1 test a =; echo $?
    tool s n; skill i; echo $?`
  const { stdout, stderr } = await run(['bash', '--norc', '-c', text])
  expect(stdout).toBe('x\n1\n1\n')
  expect(stderr).toBe(
    'each: 1 ok, 1 failed (exit 1: b)\n' +
      'error[OUTSIDE]: tool s n works inside a sandbox only\n\nhint: srecodex run SCRIPT\n' +
      'error[OUTSIDE]: skill i works inside a sandbox only\n\nhint: srecodex run SCRIPT\n',
  )
})
