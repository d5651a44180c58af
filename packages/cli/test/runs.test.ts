/** `srecodex runs …`: what is kept, and how it is found again. */

import { project } from '@srecodex/testkit'
import { describe, expect, test } from 'vitest'

const files = {
  'check.sh': 'echo "checked 3 hosts"',
  'report_of_all_the_nodes_in_production.py': 'print("a\\n" * 30 + "30 nodes: 2 NotReady")',
  'bad.py': 'import sys\nprint("begun")\nsys.exit("no route to host")',
}

describe('list', () => {
  test('newest first, in the width of the terminal', async () => {
    const { run } = project({ files })
    expect((await run('runs list')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      no runs yet: srecodex run SCRIPT makes one
      "
    `)
    for (const script of Object.keys(files)) await run(`run ${script}`)
    const list = async (columns: string): Promise<string> =>
      (await run('runs list', { env: { COLUMNS: columns } })).raw.stdout
        .replaceAll(/\b01[0-9A-HJKMNP-TV-Z]+\b/g, id => '.'.repeat(id.length))
        .replaceAll(/\d+ s ago/g, 'N s ago')
        .replaceAll(/ +\d+(\.\d)? m?s {2}/g, '  N ms  ')
        .replace(/WHEN +TOOK/, 'WHEN     TOOK')
    expect(await list('80')).toMatchInlineSnapshot(`
      "RUN            STATUS     WHEN     TOOK  SCRIPT            SUMMARY
      .............  failed     N s ago  N ms  bad.py            the script exited …
      .............  succeeded  N s ago  N ms  report_of_all_t…  30 nodes: 2 NotRea…
      .............  succeeded  N s ago  N ms  check.sh          checked 3 hosts
      "
    `)
    expect((await list('80')).split('\n').every(line => line.length <= 80)).toBe(true)
    expect(await list('160')).toMatchInlineSnapshot(`
      "RUN                         STATUS     WHEN     TOOK  SCRIPT                            SUMMARY
      ..........................  failed     N s ago  N ms  bad.py                            the script exited with 1: no route to host
      ..........................  succeeded  N s ago  N ms  report_of_all_the_nodes_in_prod…  30 nodes: 2 NotReady
      ..........................  succeeded  N s ago  N ms  check.sh                          checked 3 hosts
      "
    `)
    expect((await run('runs list --limit 1')).stderr).toBe('note: 2 older runs: --limit 3 shows all\n')
  })

  test('--json', async () => {
    const { run } = project({ files })
    expect((await run('runs list --json')).json()).toEqual([])
    await run('run check.sh')
    const { json, stderr } = await run('runs list --json')
    expect(stderr).toBe('')
    expect(json()).toMatchObject([
      { status: 'succeeded', summary: 'checked 3 hosts', startedAt: expect.any(String) },
    ])
  })
})

describe('show', () => {
  test('all that is known of one run', async () => {
    const { run } = project({ files })
    await run(['run', 'bad.py', '--', 'one', 'two words'])
    expect((await run('runs show last')).transcript).toMatchInlineSnapshot(`
      "run        RUN
      status     ✘ failed, exit 1
      error      SCRIPT_FAILED: the script exited with 1: no route to host
      script     WORKSPACE/bad.py
                 python, 54 B, sha256 …
      args       one 'two words'
      workspace  WORKSPACE
      started    DATE (AGE)
      took       TIME
      sandbox    workspace-write by bubblewrap, network none
      stdout     1 line, 6 B
      stderr     1 line, 17 B
      tokens     ≈7 printed, ≈1 returned
      kept in    SRECODEX_HOME/state/runs/RUN
      next       srecodex output RUN --stream stderr

      begun
      "
    `)
    expect((await run('runs show last', { env: { COLUMNS: '44' } })).transcript).toMatchInlineSnapshot(`
      "run        RUN
      status     ✘ failed, exit 1
      error      SCRIPT_FAILED: the script exited
                 with 1: no route to host
      script     WORKSPACE/bad.py
                 python, 54 B, sha256
                 48479342a0111c6a…
      args       one 'two words'
      workspace  WORKSPACE
      started    DATE (AGE)
      took       TIME
      sandbox    workspace-write by bubblewrap,
                 network none
      stdout     1 line, 6 B
      stderr     1 line, 17 B
      tokens     ≈7 printed, ≈1 returned
      kept in    SRECODEX_HOME/state/runs/RUN
      next       srecodex output
                 RUN
                 --stream stderr

      begun
      "
    `)
  })

  test('by id, by the beginning of one, by last; never by chance', async () => {
    const { run } = project({ files })
    const { run: id } = (await run('run check.sh --json')).json()
    const shown = async (name: string): Promise<string> => (await run(`runs show ${name} --json`)).json().id
    expect(await Promise.all([id, id.slice(0, 20).toLowerCase(), 'last'].map(shown))).toEqual([id, id, id])
    await run('run check.sh')
    expect((await run('runs show 01')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[RUN_AMBIGUOUS]: 2 runs begin with 01

      hint: give more of the id: RUN, RUN
      --- exit code 2
      "
    `)
    expect((await run('runs show 7ZZ')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[RUN_NOT_FOUND]: no run 7ZZ

      hint: srecodex runs list shows the runs that are kept
      --- exit code 2
      "
    `)
  })

  test('where there is none', async () => {
    expect((await project().run('runs show last')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[RUN_NOT_FOUND]: there is no run yet

      hint: srecodex runs list shows the runs that are kept
      --- exit code 2
      "
    `)
  })
})

test('watch waits for the end and exits as the run did; stop ends it', async () => {
  const { run, exists } = project({ files: { 'slow.sh': 'touch begun; sleep 60' } })
  const running = run('run slow.sh')
  await expect.poll(() => exists('begun'), { timeout: 10_000 }).toBe(true)
  expect((await run('runs show last --json')).json()).toMatchObject({ status: 'running' })
  const watching = run('runs watch last --json')
  const stopped = await run('runs stop last')
  expect(stopped.transcript).toMatchInlineSnapshot(`
    "--- stderr
    run RUN was ended: cancelled
    "
  `)
  expect((await running).exitCode).toBe(130)
  const watched = await watching
  expect({ exitCode: watched.exitCode, status: watched.json().status }).toEqual({
    exitCode: 130,
    status: 'cancelled',
  })
  expect((await run('runs stop last')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    run RUN had already ended: cancelled
    "
  `)
  expect((await run('runs stop last --json')).json()).toMatchObject({ status: 'cancelled', stopped: false })
})

test('a run whose srecodex was killed is told as interrupted', async () => {
  const { run, exists } = project({ files: { 'slow.sh': 'echo begun; touch begun; sleep 60' } })
  const cancel = new AbortController()
  const running = run('run slow.sh', { signal: cancel.signal, killSignal: 'SIGKILL' }).catch(() => null)
  await expect.poll(() => exists('begun'), { timeout: 10_000 }).toBe(true)
  cancel.abort()
  await running
  const { json } = await run('runs show last --json')
  expect(json()).toMatchObject({ status: 'interrupted', error: { code: 'INTERRUPTED' } })
  expect((await run('output last')).stdout).toBe('begun\n')
})

describe('search', () => {
  test('lines of all runs', async () => {
    const { run } = project({ files })
    await run('run check.sh')
    await run('run bad.py')
    expect((await run(['runs', 'search', '(?i)CHECKED|route'])).transcript).toMatchInlineSnapshot(`
      "RUN:stderr:1: no route to host
      RUN:stdout:1: checked 3 hosts
      "
    `)
    expect((await run('runs search nothing')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      note: no line and no call matches
      "
    `)
    expect((await run('runs search checked --json')).json()).toMatchObject([
      { stream: 'stdout', line: 1, text: 'checked 3 hosts' },
    ])
    expect((await run('runs search nothing --json')).json()).toEqual([])
    expect((await run('runs search . --limit 1')).stderr).toBe('note: there may be more: --limit is 1\n')
  })

  test('an expression that is none', async () => {
    const { run } = project({ files })
    await run('run check.sh')
    const { exitCode, stderr } = await run('runs search [')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('error[USAGE]: not a regular expression: [')
  })
})

describe('prune', () => {
  test('by age, by size, or only said', async () => {
    const { run } = project({ files })
    await run('run check.sh')
    await run('run check.sh')
    const size = (text: string): string => text.replaceAll(/\d+(\.\d+)? [KM]iB/g, 'SIZE')
    expect(size((await run('runs prune')).transcript)).toMatchInlineSnapshot(`
      "--- stderr
      nothing to remove; kept 2 runs, SIZE
      "
    `)
    expect(size((await run('runs prune --keep-days 0 --dry-run')).transcript)).toMatchInlineSnapshot(`
      "would remove RUN (age, SIZE)
      would remove RUN (age, SIZE)
      --- stderr
      would remove 2 runs, SIZE; kept 0 runs, 0 B
      "
    `)
    expect((await run('runs list --json')).json()).toHaveLength(2)
    expect((await run('runs prune --keep-days 0 --json')).json()).toMatchObject({
      removed: [{ reason: 'age' }, { reason: 'age' }],
      keptRuns: 0,
    })
    expect((await run('runs list --json')).json()).toEqual([])
  })

  test('a size that is none', async () => {
    const { exitCode, stderr } = await project().run('runs prune --max-bytes lots')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('is "lots", not a size such as "2GiB"')
  })
})
