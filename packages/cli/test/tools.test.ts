import { project } from '@srecodex/testkit'
import { expect, test } from 'vitest'

test('list names every command with a table, and where it is', async () => {
  const { run } = project()
  const { exitCode, stderr, json } = await run('tools list --json')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(json().map(({ name }: { name: string }) => name)).toEqual([
    'kubectl',
    'helm',
    'aws',
    'psql',
    'amtool',
    'curl',
  ])
  expect((await run('tools list')).stdout).toMatch(/^TOOL +FOUND AT\nkubectl +\S/)
})

test('show prints what each call does', async () => {
  const { run } = project()
  const rows: { verb: string; effect: string }[] = (await run('tools show kubectl --json')).json()
  const effectOf = (verb: string): string | undefined => rows.find(row => row.verb === verb)?.effect
  expect({ get: effectOf('get'), delete: effectOf('delete'), proxy: effectOf('proxy') }).toEqual({
    get: 'read',
    delete: 'mutate',
    proxy: 'refuse',
  })
  expect((await run('tools show kubectl')).stdout).toMatch(/^CALL +EFFECT +NOTE\nget +read +/)
})

test('a tool without a table is told, with the way to classify it', async () => {
  const { run } = project()
  expect((await run('tools show terraform')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[USAGE]: there is no built-in table for \`terraform\`

    hint: there is one for kubectl, helm, aws, psql, amtool, curl; other tools are classified by patterns in [tools.terraform]
    --- exit code 2
    "
  `)
})
