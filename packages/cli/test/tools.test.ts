import { project } from '@srecodex/testkit'
import { expect, test } from 'vitest'

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
    error[USAGE]: there is no built-in table for \`terraform\`, and no [tools.terraform]

    hint: there is a table for kubectl, helm, aws, psql, amtool, curl; other tools are classified by patterns in [tools.terraform]
    --- exit code 2
    "
  `)
})

test("the operator's patterns stand before the table, in the order in which they are asked", async () => {
  const { run, write } = project()
  write(
    '../srecodex/config/config.toml',
    '[tools.kubectl]\nreads = ["krew list"]\n[tools.deployctl]\nreads = ["status *"]\nmutates = ["push *"]\nreveals = ["token show"]\n[tools.bare]\n',
  )
  expect((await run('tools show kubectl --json')).json()[0]).toEqual({
    ...{ verb: 'krew list', effect: 'read', note: 'a pattern of the operator' },
  })
  expect((await run('tools show deployctl')).transcript).toMatchInlineSnapshot(`
    "CALL        EFFECT  NOTE
    token show  reveal  a pattern of the operator
    push *      mutate  a pattern of the operator
    status *    read    a pattern of the operator
    any other   mutate  no table and no pattern says that it reads
    "
  `)
  expect((await run('tools show bare')).transcript).toMatchInlineSnapshot(`
    "CALL       EFFECT  NOTE
    any other  mutate  no table and no pattern says that it reads
    "
  `)
})
