/** Each command of which the page of clients says that it goes around a person does, with no terminal and nobody asked. */

import { expect, test } from 'vitest'
import { UNASKED } from '../generate/shell.ts'
import { world, type World } from './world.ts'

const RESTART = 'kubectl -n shop rollout restart deployment/api'
const RESTARTED = `kubectl -n shop get deployment api -o 'jsonpath={.spec.template.metadata.annotations}'`

const LOOSE = '[mutations]\ndefault = "allow"\n'

/** How each id begins; here there is one run. */
const ANY_RUN = '01'

const LINES = [
  {
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'a pipe', version: '1' },
    },
  },
  { method: 'notifications/initialized' },
  { id: 2, method: 'tools/call', params: { name: 'apply_plan', arguments: { plan: ANY_RUN } } },
].map(message => `'${JSON.stringify({ jsonrpc: '2.0', ...message })}'`)
/** Its input stays open until the answer is there, or a minute is over. */
const PIPE = `: > answers; { printf '%s\\n' ${LINES.join(' ')}; for _ in {1..600}; do grep -q '"id":2' answers && break; sleep 0.1; done; } | srecodex mcp > answers`

/** What is typed before, which changes nothing, and what goes around the person then. */
const WAYS: Readonly<Record<string, readonly (readonly [before: readonly string[], way: string])[]>> = {
  apply: [[['srecodex run job.sh'], 'srecodex apply last --yes']],
  resume: [
    [['srecodex run late.sh', 'touch now'], 'srecodex resume last --yes'],
    [['srecodex run late.sh --mutations allow', 'touch now'], 'srecodex resume last'],
  ],
  run: [
    [[], 'srecodex run job.sh --mutations allow'],
    [[], 'SRECODEX_MUTATIONS_DEFAULT=allow srecodex run job.sh'],
  ],
  'skills run': [[[], 'srecodex skills run k8s/bulk-restart --namespace shop --yes']],
  trust: [
    [
      ['srecodex run job.sh', 'mkdir dotcodex; mv loose.toml dotcodex/config.toml', 'srecodex run job.sh'],
      'srecodex trust && srecodex run job.sh',
    ],
  ],
  mcp: [[['srecodex run job.sh'], PIPE]],
}

async function place(): Promise<World> {
  const at = await world()
  at.write('job.sh', `${RESTART}; summary done\n`)
  at.write('late.sh', `[ -e now ] || exit 1; ${RESTART}; summary done\n`)
  at.write('loose.toml', LOOSE)
  return at
}

test('each has its ways, and init has one of its own', () =>
  expect([...Object.keys(WAYS), 'init'].sort()).toEqual(Object.keys(UNASKED).sort()))

const ways = Object.entries(WAYS).flatMap(([words, all]) =>
  all.map(([before, way]) => ({ words, before, way })),
)

test.each(ways)('$words: $way', async ({ before, way }) => {
  const at = await place()
  for (const command of before) await at.type(command)
  expect(await at.type(RESTARTED)).toEqual({ printed: '', exitCode: 0 })
  await at.type(way)
  expect((await at.type(RESTARTED)).printed).toContain('restartedAt')
})

test('srecodex init --undo takes back that the client asks', async () => {
  const at = await place()
  await at.type('srecodex init --client opencode --yes')
  expect((await at.type('cat opencode.json')).printed).toContain('"srecodex_apply_plan": "ask"')
  await at.type('srecodex init --client opencode --undo --yes')
  expect((await at.type('ls')).printed).not.toContain('opencode.json')
})
