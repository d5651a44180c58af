/** The types of the library for JavaScript, as a strict project of somebody else sees them. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { beside, script } from './javascript-host.ts'
import { GUEST, NODES, run } from './running.ts'

const TSC = join(import.meta.dirname, '../../../../node_modules/typescript/bin/tsc')

const OPTIONS = {
  strict: true,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noUnusedLocals: true,
  skipLibCheck: false,
  target: 'ES2023',
  lib: ['ES2023'],
  module: 'NodeNext',
  types: [],
}

const CONSUMER = `
import srecodex, { each, once, may, skill, tool, askill, atool, summary, progress, artifact, type EachResult } from 'srecodex'
import { SrecodexError, ToolError, SkillError, Skipped } from 'srecodex'

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false
function same<_ extends true>(): void {}

interface Pod { readonly name: string; readonly restarts: number }
declare const pods: Pod[]
declare const stream: AsyncIterable<Pod>

const done = await each(pods, async pod => ({ was: pod.restarts }), {
  key: pod => pod.name,
  atOnce: 16,
  waves: [1, 5, '100%'],
  maxFailures: '10%',
  retries: 2,
  verify: async pod => (pod.restarts > 3 ? null : true),
})
same<Same<typeof done, EachResult<Pod, { was: number }>>>()
const first = done.ok[0]
if (first !== undefined) {
  const was: number | undefined = first.value?.was
  const name: string = first.item.name + first.key + was
  void name
}
for (const { key, error } of [...done.failed, ...done.unknown, ...done.skipped, ...done.pending]) {
  if (error instanceof SrecodexError) {
    const words: [string, string, string | null] = [key, error.code, error.hint]
    void words
  }
}
const line: string = done.summary() + String(done)
same<Same<Awaited<ReturnType<typeof summary>>, void>>()
same<Same<typeof stream extends AsyncIterable<infer Item> ? Item : never, Pod>>()
const streamed = await each(stream, pod => pod.restarts, {})
same<Same<(typeof streamed.ok)[number]['value'], number | null>>()
await each(new Set(['a']), name => name.length)
await each(new Map([['a', 1]]), ([name, count]) => name + count, { key: ([name]) => name, verify: () => undefined })

const suffix = await once('suffix', () => 'x')
same<Same<typeof suffix, string>>()
const at = await once('at', async () => ({ at: 1 }))
same<Same<typeof at, { at: number }>>()
const answer = await tool('house', 'rows')
same<Same<typeof answer, unknown>>()
const rows = await atool<Pod[]>('house', 'rows', { all: true })
same<Same<typeof rows, Pod[]>>()
const result = await skill('k8s/bulk-restart', { names: ['web'] })
same<Same<typeof result, Record<string, unknown>>>()
const typed = await askill<{ summary: string }>('k8s/bulk-restart')
await summary(typed.summary + line)
await progress(1, null, 'half')
const path: string = await artifact('x.json')
await may('kubectl', 'delete', path)
same<Same<typeof srecodex.each, typeof each>>()
const errors: SrecodexError[] = [new ToolError('A', 'b'), new SkillError('A', 'b', 'c'), new Skipped('A', 'b', null)]
void errors

// What must not pass.
// @ts-expect-error the names are those of JavaScript
void each(pods, () => 0, { max_failures: 3 })
// @ts-expect-error a share ends in a percent sign
void each(pods, () => 0, { maxFailures: '10' })
// @ts-expect-error a verdict is no word
void each(pods, () => 0, { verify: () => 'yes' })
// @ts-expect-error what is not there
void each(pods, pod => pod.nmae)
// @ts-expect-error items are iterated
void each(5, () => 0)
// @ts-expect-error a promise has no length
void once('x', () => 'x').length
// @ts-expect-error a skill gives an object
void skill<string>('x')
// @ts-expect-error words only
void may('kubectl', 3)
// @ts-expect-error its type is not known
answer.length
// @ts-expect-error a result is read, not written
done.ok = []
// @ts-expect-error may be null
first?.value.was
`

test('a strict project uses them as they are, and is told of its mistakes', async () => {
  const cwd = beside({
    'consumer.mts': CONSUMER,
    'required.cts': `import { each } from 'srecodex'\nvoid each([1], n => n).then(done => done.ok[0]?.value)\n`,
    'tsconfig.json': JSON.stringify({ compilerOptions: OPTIONS, files: ['consumer.mts', 'required.cts'] }),
  })
  expect(await run([process.execPath, TSC, '-p', '.'], { cwd })).toMatchObject({ status: 0, stdout: '' })
  // The control: it does look.
  writeFileSync(join(cwd, 'consumer.mts'), CONSUMER.replaceAll(/ *\/\/ @ts-expect-error.*\n/g, ''))
  const { stdout, status } = await run([process.execPath, TSC, '-p', '.', '--pretty', 'false'], { cwd })
  expect(status).not.toBe(0)
  const lines = stdout.split('\n').filter(line => line.startsWith('consumer.mts'))
  expect(lines).toHaveLength(11)
})

test('every name that they promise is there, and no other', async () => {
  const types = readFileSync(join(GUEST, 'javascript/index.d.ts'), 'utf8')
  const promised = [...types.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(
    ([, name = '']) => name,
  )
  const ran = await script(
    NODES[0]!,
    'esm',
    `console.log(JSON.stringify(Object.keys((await import('srecodex')).default)))`,
  )
  expect(JSON.parse(ran.stdout)).toEqual(promised.toSorted())
  const inDefault = [...types.slice(types.indexOf('declare const')).matchAll(/readonly (\w+): typeof/g)]
  expect(inDefault.map(([, name = '']) => name).toSorted()).toEqual(promised.toSorted())
})
