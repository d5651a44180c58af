/** Against what a real kubectl answered before and after each mutation: see `scenarios.ts`. */

import { describe, expect, test } from 'vitest'
import { knowledgeOf } from '../../../src/tools/knowledge/known.ts'
import { callIdOf, callOfLine, decided, loadRecording, replay, SCENARIOS } from './scenarios.ts'

const recording = loadRecording()
const known = knowledgeOf('kubectl')

/** No mark is left where something is only taken away, and the node of a drain shows nothing of its pods. */
const UNCERTAIN = new Set(['unlabel', 'take an environment variable away', 'drain'])

describe('a mutation without a result', () => {
  test.each(Object.keys(recording.done))('%s', async name => {
    const { line, stdin } = SCENARIOS[name] ?? { line: '' }
    const { ask } = replay(recording.answers[name] ?? [])
    const call = callOfLine(line)
    const decision = decided(line)
    const { before } = await known.rehearse(
      call,
      decision,
      ask,
      [],
      stdin === undefined ? null : '/spool/stdin',
    )
    const started = { call: callIdOf(recording.id, name), argv: call.argv, decision, before }
    const verdicts = [await known.settle?.(started, ask), await known.settle?.(started, ask)]
    const first = name === 'drain' ? 'unknown' : 'not-done'
    expect(verdicts).toEqual([first, UNCERTAIN.has(name) ? 'unknown' : 'done'])
  })
})

interface State {
  readonly uid?: string
  readonly version?: string
  readonly generation?: string
  readonly replicas?: string
  readonly writers?: readonly string[]
}

const WAS: Required<State> = {
  uid: 'u',
  version: '1',
  generation: '4',
  replicas: '2',
  writers: ['kubectl-create@T0'],
}

const settle = (line: string, now: State | null, was: State | null = WAS): Promise<string> => {
  const { uid, version, generation, replicas, writers } = { ...WAS, ...now }
  const kept = { ...WAS, ...was }
  const row = `Deployment\tapps/v1\tshop\tweb\t${uid}\t${version}\t${generation}\t1\t${replicas}\t\t\t\t${writers.join('|')}\t\n`
  const started = {
    call: 'ID',
    argv: callOfLine(line).argv,
    decision: decided(line),
    before:
      was === null
        ? {}
        : {
            'shop/deployment/web': JSON.stringify({
              namespace: 'shop',
              resource: 'deployment.apps',
              name: 'web',
              uid: kept.uid,
              resourceVersion: kept.version,
              generation: kept.generation,
              revision: '1',
              replicas: kept.replicas,
              writers: kept.writers,
            }),
          },
  }
  const ask = () => Promise.resolve({ exitCode: 0, stdout: now === null ? '' : row, stderr: '' })
  return known.settle?.(started, ask) ?? Promise.resolve('')
}

const MARK = 'srecodex-ID@T1'
const RESTART = 'kubectl rollout restart deploy/web -n shop'
const UNDO = 'kubectl rollout undo deploy/web -n shop'
const SCALE = 'kubectl scale deploy/web -n shop --replicas=5'
const DELETE = 'kubectl delete deploy/web -n shop'
const LABEL = 'kubectl label deploy/web -n shop a=b'
const PATCH = `kubectl patch deploy/web -n shop -p '{"metadata":{"labels":{"a":null}}}'`

describe('by the state of its target', () => {
  test.each<[string, string, State | null]>([
    ['done', RESTART, { version: '9', generation: '5', writers: ['kubectl-create@T0', MARK] }],
    ['not-done', RESTART, {}],
    ['not-done', RESTART, { version: '9', writers: ['kubectl-create@T0', 'kube-controller-manager@T1'] }],
    ['unknown', RESTART, { version: '9', generation: '5', writers: ['kubectl-create@T0', 'someone@T1'] }],
    [
      'unknown',
      RESTART,
      { version: '9', generation: '5', writers: ['kubectl-create@T0', 'srecodex-ID2@T1'] },
    ],
    ['unknown', RESTART, { uid: 'other' }],
    ['unknown', RESTART, null],
    ['not-done', UNDO, { version: '9' }],
    ['done', UNDO, { version: '9', generation: '5', writers: ['kubectl-create@T0', 'kubectl@T1'] }],
    ['unknown', UNDO, { version: '9', generation: '6', writers: ['kubectl-create@T0', 'kubectl@T1'] }],
    ['unknown', UNDO, { version: '9', generation: '5', writers: ['kubectl-create@T0', 'someone@T1'] }],
    ['unknown', UNDO, { version: '9', generation: '5', writers: ['kubectl@T1', 'someone@T1'] }],
    ['done', SCALE, { version: '9', generation: '5', replicas: '5' }],
    ['not-done', SCALE, { version: '9' }],
    ['unknown', SCALE, { version: '9', generation: '5', replicas: '3' }],
    ['done', DELETE, null],
    ['done', DELETE, { uid: 'other' }],
    ['not-done', DELETE, { version: '9' }],
    ['not-done', LABEL, { version: '9', writers: ['kubectl-create@T0', 'kube-controller-manager@T1'] }],
    ['unknown', LABEL, { version: '9', writers: ['kubectl-create@T0', 'someone@T1'] }],
    ['unknown', PATCH, { version: '9' }],
    ['not-done', PATCH, {}],
  ])('%s: %s, now %o', async (verdict, line, now) => {
    expect(await settle(line, now)).toBe(verdict)
  })

  test.each<[string, string, State | null]>([
    ['done', RESTART, { writers: [MARK] }],
    ['unknown', RESTART, {}],
    ['unknown', RESTART, null],
    ['done', DELETE, null],
    ['unknown', DELETE, {}],
    ['done', SCALE, { replicas: '5' }],
    ['unknown', SCALE, {}],
    ['unknown', UNDO, {}],
  ])('%s, of what nothing was kept: %s, now %o', async (verdict, line, now) => {
    expect(await settle(line, now, null)).toBe(verdict)
  })

  test('what was kept and cannot be read settles nothing', async () => {
    const started = {
      call: 'ID',
      argv: callOfLine(DELETE).argv,
      decision: decided(DELETE),
      before: { 'shop/deployment/web': '{' },
    }
    const ask = () => Promise.resolve({ exitCode: 0, stdout: '', stderr: '' })
    expect(await known.settle?.(started, ask)).toBe('unknown')
  })

  test('nor does a server that does not answer', async () => {
    const started = { call: 'ID', argv: callOfLine(DELETE).argv, decision: decided(DELETE), before: {} }
    const ask = () =>
      Promise.resolve({ exitCode: 1, stdout: '', stderr: 'Unable to connect to the server: EOF' })
    expect(await known.settle?.(started, ask)).toBe('unknown')
  })
})
