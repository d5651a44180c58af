/**
 * Mutations by kubectl whose real answers are kept in `fixtures/kubectl.json`, recorded from kubectl 1.32.4 against
 * Kubernetes 1.20. `record.ts` records them anew from any cluster with these workloads; tests replay them.
 */

import { readFileSync } from 'node:fs'
import type { AskTool } from '../../../src/tools/calls.ts'
import type { Decision } from '../../../src/tools/effects/effects.ts'
import { OBJECTS_TEMPLATE } from '../../../src/tools/knowledge/kubectl/objects.ts'
import { located } from '../../../src/tools/knowledge/known.ts'
import { callOf, decideLine, splitWords } from '../effects/command-line.ts'

export interface Scenario {
  readonly line: string
  readonly stdin?: string
  /** Then it is settled, done, settled again. */
  readonly isDone?: true
}

const MANIFESTS = `apiVersion: v1
kind: ConfigMap
metadata: {name: fresh, namespace: pay}
data: {a: b}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kept, namespace: shop}
data: {a: c}
`

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  restart: { line: 'kubectl rollout restart deploy/app-002 deployment/app-004 -n shop', isDone: true },
  'restart one missing': { line: 'kubectl rollout restart deploy/app-002 deploy/nope -n shop' },
  'restart none': { line: 'kubectl rollout restart deploy/nope -n shop' },
  'restart all': { line: 'kubectl rollout restart deploy -n pay' },
  'restart as names': { line: 'kubectl -n shop rollout restart deploy/app-002 -o name' },
  'restart selects none': { line: 'kubectl rollout restart deploy -n shop -l app=zzz' },
  'restart replica sets': { line: 'kubectl rollout restart rs -n shop -l app=app-008' },
  pause: { line: 'kubectl rollout pause deploy/app-006 -n shop', isDone: true },
  'restart paused': { line: 'kubectl rollout restart deploy/app-006 -n shop' },
  'pause paused': { line: 'kubectl rollout pause deploy/app-006 -n shop' },
  resume: { line: 'kubectl rollout resume deploy/app-006 -n shop', isDone: true },
  undo: { line: 'kubectl rollout undo deploy/app-002 -n shop', isDone: true },
  'undo without history': { line: 'kubectl rollout undo deploy/app-000 -n shop' },
  'set image': {
    line: 'kubectl -n shop set image deploy/app-008 main=registry.test/app-008:2.0',
    isDone: true,
  },
  'set image unknown container': { line: 'kubectl -n shop set image deploy/app-008 other=x:1' },
  scale: { line: 'kubectl scale deployment app-010 -n shop --replicas=2', isDone: true },
  label: { line: 'kubectl label deploy app-010 -n shop owner=sre', isDone: true },
  'set environment': { line: 'kubectl set env deploy/app-010 -n shop A=1', isDone: true },
  'take an environment variable away': { line: 'kubectl set env deploy/app-010 -n shop A-', isDone: true },
  'label across namespaces': { line: 'kubectl label deploy -A -l "app in (app-001,app-002)" owner=sre' },
  unlabel: { line: 'kubectl label deploy app-010 -n shop owner-', isDone: true },
  annotate: { line: 'kubectl annotate --all cm -n pay note=x', isDone: true },
  patch: {
    line: `kubectl patch deploy app-010 -n shop -p '{"metadata":{"annotations":{"note":"y"}}}'`,
    isDone: true,
  },
  'create configmap': { line: 'kubectl create configmap made -n shop --from-literal=a=b', isDone: true },
  'create what exists': { line: 'kubectl create ns shop' },
  'create namespace': { line: 'kubectl create ns made', isDone: true },
  'create with a made-up name': {
    line: 'kubectl create -f - -n shop',
    stdin: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"made-"}}',
  },
  apply: { line: 'kubectl apply -f -', stdin: MANIFESTS, isDone: true },
  'replace one missing': {
    line: 'kubectl replace -f -',
    stdin: MANIFESTS.replace('fresh', 'missing'),
  },
  'replace force': { line: 'kubectl replace --force -f -', stdin: MANIFESTS },
  'delete by selector': { line: 'kubectl delete pods -n shop -l app=app-004', isDone: true },
  'delete selects none': { line: 'kubectl delete pods -n shop -l app=zzz' },
  'delete across namespaces': { line: 'kubectl delete pods -A -l dead=failed' },
  'delete one missing': { line: 'kubectl delete deployment.apps/app-004 pod/nope -n shop' },
  'delete file': { line: 'kubectl delete -f -', stdin: MANIFESTS, isDone: true },
  'delete config map': { line: 'kubectl delete cm made -n shop', isDone: true },
  cordon: { line: 'kubectl cordon node-1', isDone: true },
  drain: { line: 'kubectl drain node-1 --force --ignore-daemonsets', isDone: true },
  uncordon: { line: 'kubectl uncordon node-1', isDone: true },
  'taint all': { line: 'kubectl taint nodes --all team=red:NoSchedule' },
  taint: { line: 'kubectl taint node node-2 team=red:NoSchedule', isDone: true },
  run: { line: 'kubectl run made --image=x:1 -n shop', isDone: true },
  expose: { line: 'kubectl expose deploy app-008 --port=80 -n shop', isDone: true },
  autoscale: { line: 'kubectl autoscale deploy app-008 --max=3 -n shop', isDone: true },
  'scale selects none': { line: 'kubectl scale deploy -l app=zzz --replicas=2 -n shop' },
  'scale, own namespace': { line: 'kubectl scale deploy web --replicas=2' },
  'certificate of nobody': { line: 'kubectl certificate approve nope' },
}

export interface Answered {
  readonly argv: readonly string[]
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** By scenario: what kubectl answered, in order. */
export interface Recording {
  readonly recordedFrom: string
  /** Its calls bear ids that begin with this. */
  readonly id: string
  readonly answers: Readonly<Record<string, readonly Answered[]>>
  /** What the mutation itself then said, of those that were done. */
  readonly done: Readonly<Record<string, readonly Answered[]>>
}

export const RECORDING_FILE: URL = new URL('fixtures/kubectl.json', import.meta.url)

export const loadRecording = (): Recording => JSON.parse(readFileSync(RECORDING_FILE, 'utf8')) as Recording

/** The context that the recording was made with. */
export const IDENTITY = { fields: { namespace: 'default' } }

export const decided = (line: string): Decision => located(decideLine(line), IDENTITY)

export const callOfLine = (line: string) => callOf(splitWords(line))

/** One a scenario: marks of several lie on one object. */
export const callIdOf = (recording: string, name: string): string =>
  `${recording}-${Object.keys(SCENARIOS).indexOf(name)}`

/** Without what differs each time, or says the same thing in every answer. */
export const recordedArgv = (argv: readonly string[]): string[] =>
  argv.map(word =>
    word.replaceAll(OBJECTS_TEMPLATE, '<objects>').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'),
  )

const keyOf = (argv: readonly string[]): string => JSON.stringify(recordedArgv(argv))

/** Gives the recorded answers, each once; a question that was not recorded fails the test. */
export const replay = (answers: readonly Answered[]): { ask: AskTool; asked: () => readonly string[] } => {
  const left = [...answers]
  const asked: string[] = []
  const ask: AskTool = argv => {
    const key = keyOf(argv)
    const index = left.findIndex(one => keyOf(one.argv) === key)
    const [answer] = index < 0 ? [] : left.splice(index, 1)
    if (answer === undefined) throw new Error(`kubectl was never asked ${argv.join(' ')}`)
    asked.push(recordedArgv(argv).join(' '))
    const { exitCode, stdout, stderr } = answer
    return Promise.resolve({ exitCode, stdout, stderr })
  }
  return { ask, asked: () => asked }
}
