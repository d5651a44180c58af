/** Against what a real kubectl answered: see `scenarios.ts`. */

import { describe, expect, test } from 'vitest'
import type { Rehearsal } from '../../../src/tools/knowledge/knowledge.ts'
import { knowledgeOf } from '../../../src/tools/knowledge/known.ts'
import { callOfLine, decided, loadRecording, replay, SCENARIOS } from './scenarios.ts'

const recording = loadRecording()
const known = knowledgeOf('kubectl')

const rehearse = async (name: string): Promise<{ rehearsal: Rehearsal; asked: readonly string[] }> => {
  const { line, stdin } = SCENARIOS[name] ?? { line: '' }
  const { ask, asked } = replay(recording.answers[name] ?? [])
  const file = stdin === undefined ? null : '/spool/stdin'
  return { rehearsal: await known.rehearse(callOfLine(line), decided(line), ask, [], file), asked: asked() }
}

/** Names that controllers and the server make up. */
const plain = (text: string): string =>
  text.replaceAll(/(app-\d+|made)-[a-z0-9]{5,10}(-[a-z0-9]{5})?\b/g, '$1-xxx').replaceAll(/^Warning: .*\n/gm, '')

const transcript = (line: string, rehearsal: Rehearsal): string => {
  const { exitCode, stdout, stderr, runs, targets, incomplete, before } = rehearsal
  return plain(
    [
      `$ ${line}\n${stdout}${stderr}`.trimEnd(),
      `  exit ${exitCode}${runs.length === 0 ? ', nothing to plan' : ''}`,
      ...(runs.length === 1 && runs[0]?.join(' ') === callOfLine(line).argv.join(' ')
        ? ['  runs as it stands']
        : runs.map(argv => `  runs ${argv.join(' ')}`)),
      ...(targets.length === 0 ? [] : [`  targets ${targets.join(' ')}`]),
      ...(incomplete === null ? [] : [`  incomplete: ${incomplete}`]),
      ...(runs.length > 0 && Object.keys(before).length === 0 ? ['  nothing is kept of before'] : []),
      '',
    ].join('\n'),
  )
}

test('mutations, rehearsed', async () => {
  const shown: string[] = []
  for (const [name, { line }] of Object.entries(SCENARIOS)) {
    const { rehearsal } = await rehearse(name)
    shown.push(transcript(line, rehearsal))
  }
  expect(shown.join('\n')).toMatchInlineSnapshot()
})

const sortedLines = (text: string): string[] => text.split('\n').toSorted()

describe('a rehearsal says what the mutation then said', () => {
  test.each(Object.keys(recording.done))('%s', async name => {
    const { rehearsal } = await rehearse(name)
    const done = recording.done[name] ?? []
    // Pods are evicted in whatever order.
    expect(sortedLines(rehearsal.stdout)).toEqual(sortedLines(done.map(({ stdout }) => stdout).join('')))
    expect([rehearsal.exitCode, rehearsal.stderr]).toEqual([0, done.map(({ stderr }) => stderr).join('')])
  })
})

test('it asks nothing but lookups and dry runs', async () => {
  const asked: string[] = []
  for (const name of Object.keys(SCENARIOS)) asked.push(...(await rehearse(name)).asked)
  expect(asked.length).toBeGreaterThan(80)
  expect(asked.filter(words => !/^get /.test(words) && !/ --dry-run=server$/.test(words))).toEqual([])
})

test("the script's own --dry-run=none goes, and --dry-run stands before --", async () => {
  const line = 'kubectl run a --image=x --dry-run=none -n shop -- sh -c --dry-run=none'
  const asked: (readonly string[])[] = []
  await known.rehearse(
    callOfLine(line),
    decided(line),
    argv => {
      asked.push(argv)
      return Promise.resolve({ exitCode: 0, stdout: 'pod/a created (server dry run)\n', stderr: '' })
    },
    [],
    null,
  )
  expect(asked[0]).toEqual(
    'run a --image=x --namespace=shop --dry-run=server -- sh -c --dry-run=none'.split(' '),
  )
})

describe('what cannot be rehearsed', () => {
  const alone = (line: string): Promise<Rehearsal> =>
    known.rehearse(callOfLine(line), decided(line), argv => Promise.reject(new Error(argv.join(' '))), [], null)

  test.each([
    ['kubectl exec web -n shop -- rm /x', 'what `exec` prints is known only once it ran', ['shop/pod/web']],
    ['kubectl debug web -n shop --image=x', 'what `debug` prints is known only once it ran', ['shop/pod/web']],
    ['kubectl cp web:/a a', 'what `cp` brings out of a pod is known only once it ran', ['kubectl cp web:/a a']],
    ['kubectl cp a web:/a', null, ['kubectl cp a web:/a']],
    ['kubectl delete --raw /api/v1/namespaces/a', '`delete --raw` has no dry run', ['delete /api/v1/namespaces/a']],
    [
      'kubectl get --raw /api/v1/namespaces/a/services/b/proxy/x',
      '`get --raw` has no dry run',
      ['get /api/v1/namespaces/a/services/b/proxy/x'],
    ],
  ])('%s', async (line, incomplete, targets) => {
    expect(await alone(line)).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
      runs: [callOfLine(line).argv],
      targets,
      incomplete,
      before: {},
    })
  })

  test('apply --prune is answered with an error, and not planned', async () => {
    const rehearsal = await alone('kubectl apply --prune -l a=b -f x')
    expect(rehearsal).toMatchObject({ exitCode: 1, runs: [], targets: [] })
    expect(rehearsal.stderr).toMatch(/^error: srecodex cannot hold `apply --prune` to what was planned/)
  })
})

test('what may not be looked up is no reason to take it for absent', async () => {
  const line = 'kubectl apply -f x'
  const rehearsal = await known.rehearse(
    callOfLine(line),
    decided(line),
    argv => {
      if (argv[0] === 'get') return Promise.resolve({ exitCode: 1, stdout: '', stderr: 'Forbidden' })
      const shown = 'ConfigMap\tv1\tshop\ta\tu\t1\t\t\t\t\t\t\t\t\n'
      const isShown = argv.some(word => word.startsWith('--output=go-template'))
      return Promise.resolve({ exitCode: 0, stdout: isShown ? shown : 'configmap/a configured (server dry run)\n', stderr: '' })
    },
    [],
    null,
  )
  expect(rehearsal).toEqual({
    exitCode: 0,
    stdout: 'configmap/a configured\n',
    stderr: '',
    runs: [['apply', '-f', 'x']],
    targets: ['shop/configmap/a'],
    incomplete: null,
    before: {},
  })
})
