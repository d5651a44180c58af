/** In a real terminal: what is drawn is erased, keys are heard. Elsewhere: no escape code. */

import { project } from '@srecodex/testkit'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'

const files = {
  'steps.py': [
    'import srecodex, time',
    'time.sleep(0.4)',
    'for step in range(20):',
    '  srecodex.progress(step + 1, 20, f"pod web-{step} with a name that is longer than the rest of any line")',
    '  time.sleep(0.05)',
    'print("20 pods checked")',
  ].join('\n'),
  'bad.py': 'raise SystemExit("no route to host")',
  'slow.py': [
    'import srecodex, time',
    'srecodex.progress(3, 20, "waiting")',
    'try: time.sleep(60)',
    'except KeyboardInterrupt:',
    '  print("stopped after 3 of 20")',
    '  raise SystemExit(1)',
  ].join('\n'),
}

const ESCAPE = '\u001B'

describe('on a terminal', () => {
  test('a spinner, then a bar, within the width; both gone at the end', async () => {
    const { exitCode, raw, screen } = await project({ files }).runInTerminal('run steps.py')
    expect(exitCode).toBe(0)
    expect(raw).toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/)
    expect(raw).toContain('━')
    expect(raw).toMatch(/ \d+%  1?\d\/20 /)
    const drawn = raw
      .split(`\r${ESCAPE}[2K`)
      .slice(1, -1)
      .map(line => stripVTControlCharacters(line))
    expect(drawn.length).toBeGreaterThan(2)
    expect(drawn.every(line => line.length < 80 && !line.includes('\n'))).toBe(true)
    expect(screen).toMatchInlineSnapshot(`
      "20 pods checked
      ✔ succeeded in TIME
        1 line of output (16 B) · ≈3 of ≈4 tokens returned
        run RUN · workspace-write by bubblewrap, network none
      "
    `)
  })

  test('40 columns', async () => {
    const { screen } = await project({ files }).runInTerminal('run steps.py', { columns: 40 })
    expect(screen).toMatchInlineSnapshot(`
      "20 pods checked
      ✔ succeeded in TIME
        1 line of output (16 B)
        ≈3 of ≈4 tokens returned
        run RUN
        workspace-write by bubblewrap, network none
      "
    `)
  })

  test('a failure, in colour', async () => {
    const { exitCode, raw, screen } = await project({ files }).runInTerminal('run bad.py')
    expect(exitCode).toBe(1)
    expect(raw).toContain(`${ESCAPE}[31merror[SCRIPT_FAILED]${ESCAPE}[39m: `)
    expect(screen).toMatchInlineSnapshot(`
      "error[SCRIPT_FAILED]: the script exited with 1: no route to host
      ✘ failed in TIME · exit 1
        1 line of output (17 B) · ≈0 of ≈5 tokens returned
        run RUN · workspace-write by bubblewrap, network none
        next: srecodex output RUN --stream stderr
      "
    `)
  })

  test('Ctrl-C ends the run, which may say what it did: 130', async () => {
    const { exitCode, screen } = await project({ files }).runInTerminal('run slow.py', {
      keys: { '3/20': '\u0003' },
    })
    expect(exitCode).toBe(130)
    expect(screen).toMatchInlineSnapshot(`
      "stopped after 3 of 20
      ! cancelled in TIME · exit 1
        1 line of output (22 B) · ≈5 of ≈6 tokens returned
        run RUN · workspace-write by bubblewrap, network none
        next: srecodex output RUN
      "
    `)
  })

  test('a script typed by hand', async () => {
    const keys = { 'Ctrl-D ends it': 'echo typed\n\u0004' }
    const { exitCode, screen } = await project().runInTerminal('run - --lang sh', { keys })
    expect(exitCode).toBe(0)
    expect(screen).toContain('note: reading the script from the terminal; Ctrl-D ends it\n')
    expect(screen).toContain('\ntyped\n✔ succeeded')
  })

  test('NO_COLOR, and a terminal that cannot redraw', async () => {
    const { runInTerminal } = project({ files })
    const plain = await runInTerminal('run bad.py', { env: { NO_COLOR: '1' } })
    expect(plain.raw.split(ESCAPE).filter(part => /^\[\d+m/.test(part))).toEqual([])
    const dumb = await runInTerminal('run steps.py', { env: { TERM: 'dumb', NO_COLOR: '1' } })
    expect(dumb.raw).not.toContain(ESCAPE)
  })
})

describe('elsewhere', () => {
  test('nothing is cut for a program that reads along', async () => {
    const name = `${'a_script_with_a_long_name_'.repeat(3)}.sh`
    const { run } = project({ files: { [name]: 'echo "one line of summary, $(printf %0200d 0)"' } })
    const id = (await run(`run ${name} --json`)).json().run
    const { raw } = await run('runs list')
    expect(raw.stdout).toContain(id)
    expect(raw.stdout).toMatch(new RegExp(`${name}  one line of summary, 0{200}\n`))
  })

  const commands = [
    'run bad.py',
    'runs list',
    'runs show last',
    'runs search route',
    'doctor',
    'config show --origin',
    'rnu',
  ]

  test('no escape code', async () => {
    const { run } = project({ files })
    for (const command of commands) {
      const { raw } = await run(command)
      expect(`${raw.stdout}${raw.stderr}`).not.toContain(ESCAPE)
    }
  })

  test('FORCE_COLOR paints all the same', async () => {
    const { run } = project({ files, env: { FORCE_COLOR: '1' } })
    expect((await run('run bad.py')).raw.stderr).toContain(`${ESCAPE}[31merror[SCRIPT_FAILED]`)
    expect((await run('runs list')).raw.stdout).toContain(`${ESCAPE}[31mfailed`)
  })

  test('a reader that goes away is no fault', async () => {
    const { run, write, workspace } = project({
      files: { 'many.sh': 'for i in {1..5000}; do echo "line $i"; done' },
    })
    await run('run many.sh')
    write('head.sh', '')
    const { execa } = await import('execa')
    const bin = new URL('../dist/bin.js', import.meta.url).pathname
    const env = { SRECODEX_HOME: `${workspace}/../srecodex` }
    const pipe = `set -o pipefail; '${process.execPath}' '${bin}' output last --limit 5000 | head -n 1`
    const { stdout, stderr } = await execa('bash', ['-c', pipe], { env, cwd: workspace })
    expect({ stdout, stderr }).toEqual({ stdout: 'line 1', stderr: '' })
  })
})
