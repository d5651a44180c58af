/** `srecodex output`: a bounded slice of what a run printed. */

import { project } from '@srecodex/testkit'
import { expect, test } from 'vitest'

const files = {
  'log.sh': 'for i in {1..300}; do echo "line $i"; done; echo "ERROR disk full" >&2',
  'quiet.sh': 'true',
}

test('from the front, from the end, further on', async () => {
  const { run } = project({ files })
  await run('run log.sh')
  expect((await run('output last --limit 2')).transcript).toMatchInlineSnapshot(`
    "line 1
    line 2
    --- stderr
    note: there is more: srecodex output RUN --offset 2
    "
  `)
  expect((await run('output last --offset 298')).transcript).toMatchInlineSnapshot(`
    "line 299
    line 300
    "
  `)
  expect((await run('output last --offset -1')).transcript).toMatchInlineSnapshot(`
    "line 300
    "
  `)
  expect((await run('output last')).stdout.split('\n')).toHaveLength(201)
})

test('--grep and --stream', async () => {
  const { run } = project({ files })
  await run('run log.sh')
  expect((await run('output last --grep ^line.30$')).stdout).toBe('line 30\n')
  expect((await run('output last --stream stderr --grep (?i)error')).stdout).toBe('ERROR disk full\n')
  const { json } = await run('output last --grep line.29 --limit 1 --json')
  expect(json()).toMatchObject({ lines: [{ number: 29, text: 'line 29' }], truncated: { byLimit: true } })
})

test('nothing is said to be nothing, and why', async () => {
  const { run } = project({ files })
  await run('run log.sh')
  expect((await run('output last --grep ERROR')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    note: no line of stdout matches; 1 line in --stream stderr
    "
  `)
  expect((await run('output last --offset 1000')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    note: stdout has only 300 lines
    "
  `)
  await run('run quiet.sh')
  expect((await run('output last')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    note: nothing on stdout
    "
  `)
})

test('what looks like a secret is not shown', async () => {
  const env = { DEPLOY_TOKEN: 'hunter2hunter2hunter2' }
  const { run } = project({ files: { 'leak.sh': 'echo "token is $DEPLOY_TOKEN"' }, env })
  const summary = await run('run leak.sh --env DEPLOY_TOKEN')
  const output = await run('output last')
  for (const { raw } of [summary, output]) {
    expect(raw.stdout).toContain('token is ')
    expect(raw.stdout).not.toContain('hunter2')
  }
})
