import { test } from 'vitest'
import { readFileSync, writeFileSync } from 'node:fs'
import { attempt, changed, makeArena, SECRETS, HELD, tells, type Attempt } from './arena.ts'

test('try', { timeout: 300_000 }, async () => {
  const arena = await makeArena()
  const attempts = JSON.parse(readFileSync('/tmp/attempts.json', 'utf8').replaceAll('$HOME', arena.home).replaceAll('$WS', arena.workspace)) as Attempt[]
  for (const one of attempts) (one as any).id ??= one.argv.join(' ')
  const { tried, ran } = await attempt(arena, attempts)
  let out = JSON.stringify(ran.report) + '\n'
  for (const [id, one] of Object.entries(tried)) {
    const leak = [...Object.values(SECRETS), HELD].filter(s => tells(one.stdout + one.stderr, s))
    out += `${leak.length ? 'LEAK ' + leak : ''} [${one.code}] ${id.slice(0, 150)} :: ${one.stderr.split('\n')[0]!.slice(0, 140)} | ${one.stdout.slice(0, 80).replaceAll('\n', '⏎')}\n`
  }
  out += '\nCHANGED ' + changed(arena.kubernetes).join('\n') + '\nREACHED\n' + arena.reached().join('\n') + '\n'
  writeFileSync('/tmp/tried.txt', out)
})
