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
  text
    .replaceAll(/(app-\d+|made)-[a-z0-9]{5,10}(-[a-z0-9]{5})?\b/g, '$1-xxx')
    .replaceAll(/^Warning: .*\n/gm, '')

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
  expect(shown.join('\n')).toMatchInlineSnapshot(`
    "$ kubectl rollout restart deploy/app-002 deployment/app-004 -n shop
    deployment.apps/app-002 restarted
    deployment.apps/app-004 restarted
      exit 0
      runs as it stands
      targets shop/deployment/app-002 shop/deployment/app-004

    $ kubectl rollout restart deploy/app-002 deploy/nope -n shop
    deployment.apps/app-002 restarted
    Error from server (NotFound): deployments.apps "nope" not found
      exit 1
      runs as it stands
      targets shop/deployment/app-002

    $ kubectl rollout restart deploy/nope -n shop
    Error from server (NotFound): deployments.apps "nope" not found
      exit 1, nothing to plan

    $ kubectl rollout restart deploy -n pay
    deployment.apps/app-001 restarted
    deployment.apps/app-003 restarted
    deployment.apps/app-005 restarted
    deployment.apps/app-007 restarted
    deployment.apps/app-009 restarted
    deployment.apps/app-011 restarted
      exit 0
      runs rollout restart deployment.apps/app-001 deployment.apps/app-003 deployment.apps/app-005 deployment.apps/app-007 deployment.apps/app-009 deployment.apps/app-011 --namespace=pay
      targets pay/deployment/app-001 pay/deployment/app-003 pay/deployment/app-005 pay/deployment/app-007 pay/deployment/app-009 pay/deployment/app-011

    $ kubectl -n shop rollout restart deploy/app-002 -o name
    deployment.apps/app-002
      exit 0
      runs as it stands
      targets shop/deployment/app-002

    $ kubectl rollout restart deploy -n shop -l app=zzz
    No resources found in shop namespace.
      exit 0, nothing to plan

    $ kubectl rollout restart rs -n shop -l app=app-008
    error: replicasets.apps "app-008-xxx" restarting is not supported
    error: replicasets.apps "app-008-xxx" restarting is not supported
      exit 1, nothing to plan

    $ kubectl rollout pause deploy/app-006 -n shop
    deployment.apps/app-006 paused
      exit 0
      runs as it stands
      targets shop/deployment/app-006

    $ kubectl rollout restart deploy/app-006 -n shop
    error: deployments.apps "app-006" can't restart paused deployment (run rollout resume first)
      exit 1, nothing to plan

    $ kubectl rollout pause deploy/app-006 -n shop
    error: deployments.apps "app-006" is already paused
      exit 1, nothing to plan

    $ kubectl rollout resume deploy/app-006 -n shop
    deployment.apps/app-006 resumed
      exit 0
      runs as it stands
      targets shop/deployment/app-006

    $ kubectl rollout undo deploy/app-002 -n shop
    deployment.apps/app-002 rolled back
      exit 0
      runs as it stands
      targets shop/deployment/app-002

    $ kubectl rollout undo deploy/app-000 -n shop
    error: no rollout history found for deployment "app-000"
      exit 1, nothing to plan

    $ kubectl -n shop set image deploy/app-008 main=registry.test/app-008:2.0
    deployment.apps/app-008 image updated
      exit 0
      runs as it stands
      targets shop/deployment/app-008

    $ kubectl -n shop set image deploy/app-008 other=x:1
    error: unable to find container named "other"
      exit 1, nothing to plan

    $ kubectl scale deployment app-010 -n shop --replicas=2
    deployment.apps/app-010 scaled
      exit 0
      runs as it stands
      targets shop/deployment/app-010

    $ kubectl label deploy app-010 -n shop owner=sre
    deployment.apps/app-010 labeled
      exit 0
      runs as it stands
      targets shop/deployment/app-010

    $ kubectl set env deploy/app-010 -n shop A=1
    deployment.apps/app-010 env updated
      exit 0
      runs as it stands
      targets shop/deployment/app-010

    $ kubectl set env deploy/app-010 -n shop A-
    deployment.apps/app-010 env updated
      exit 0
      runs as it stands
      targets shop/deployment/app-010

    $ kubectl label deploy -A -l "app in (app-001,app-002)" owner=sre
    deployment.apps/app-001 labeled
    deployment.apps/app-002 labeled
      exit 0
      runs label deployment.apps/app-001 owner=sre --namespace=pay
      runs label deployment.apps/app-002 owner=sre --namespace=shop
      targets pay/deployment/app-001 shop/deployment/app-002

    $ kubectl label deploy app-010 -n shop owner-
    deployment.apps/app-010 unlabeled
      exit 0
      runs as it stands
      targets shop/deployment/app-010

    $ kubectl annotate --all cm -n pay note=x
    configmap/kube-root-ca.crt annotated
      exit 0
      runs annotate configmap/kube-root-ca.crt note=x --namespace=pay
      targets pay/configmap/kube-root-ca.crt

    $ kubectl patch deploy app-010 -n shop -p '{"metadata":{"annotations":{"note":"y"}}}'
    deployment.apps/app-010 patched
      exit 0
      runs as it stands
      targets shop/deployment/app-010

    $ kubectl create configmap made -n shop --from-literal=a=b
    configmap/made created
      exit 0
      runs as it stands
      targets shop/configmap/made

    $ kubectl create ns shop
    Error from server (AlreadyExists): namespaces "shop" already exists
      exit 1, nothing to plan

    $ kubectl create ns made
    namespace/made created
      exit 0
      runs as it stands
      targets namespace/made

    $ kubectl create -f - -n shop
    configmap/made-xxx created
      exit 0
      runs as it stands
      targets shop/configmap/made-*
      incomplete: the server makes up a name, which is known only once it is created
      nothing is kept of before

    $ kubectl apply -f -
    configmap/fresh created
    configmap/kept configured
      exit 0
      runs as it stands
      targets pay/configmap/fresh shop/configmap/kept

    $ kubectl replace -f -
    configmap/kept replaced
    Error from server (NotFound): error when replacing "STDIN": configmaps "missing" not found
      exit 1
      runs as it stands
      targets shop/configmap/kept

    $ kubectl replace --force -f -
    configmap "fresh" deleted
    configmap "kept" deleted
    configmap/fresh replaced
    configmap/kept replaced
      exit 0
      runs as it stands
      targets pay/configmap/fresh shop/configmap/kept
      incomplete: \`replace --force\` deletes first, and what it then creates cannot be checked before

    $ kubectl delete pods -n shop -l app=app-004
    pod "app-004-xxx" deleted
    pod "app-004-xxx" deleted
      exit 0
      runs delete pod/app-004-xxx pod/app-004-xxx --namespace=shop --ignore-not-found
      targets shop/pod/app-004-xxx shop/pod/app-004-xxx

    $ kubectl delete pods -n shop -l app=zzz
    No resources found
      exit 0, nothing to plan

    $ kubectl delete pods -A -l dead=failed
    pod "failed-005" deleted
    pod "failed-002" deleted
      exit 0
      runs delete pod/failed-005 --namespace=pay --ignore-not-found
      runs delete pod/failed-002 --namespace=shop --ignore-not-found
      targets pay/pod/failed-005 shop/pod/failed-002

    $ kubectl delete deployment.apps/app-004 pod/nope -n shop
    deployment.apps "app-004" deleted
    Error from server (NotFound): pods "nope" not found
      exit 1
      runs as it stands
      targets shop/deployment/app-004

    $ kubectl delete -f -
    configmap "fresh" deleted
    configmap "kept" deleted
      exit 0
      runs as it stands
      targets pay/configmap/fresh shop/configmap/kept

    $ kubectl delete cm made -n shop
    configmap "made" deleted
      exit 0
      runs as it stands
      targets shop/configmap/made

    $ kubectl cordon node-1
    node/node-1 cordoned
      exit 0
      runs as it stands
      targets node/node-1

    $ kubectl drain node-1 --force --ignore-daemonsets
    node/node-1 already cordoned
    evicting pod shop/app-004-xxx
    pod/app-004-xxx evicted
    node/node-1 drained
      exit 0
      runs as it stands
      targets node/node-1

    $ kubectl uncordon node-1
    node/node-1 uncordoned
      exit 0
      runs as it stands
      targets node/node-1

    $ kubectl taint nodes --all team=red:NoSchedule
    node/node-1 tainted
    node/node-2 tainted
    node/node-3 tainted
    node/node-4 tainted
    node/node-5 tainted
      exit 0
      runs taint node node-1 node-2 node-3 node-4 node-5 team=red:NoSchedule
      targets node/node-1 node/node-2 node/node-3 node/node-4 node/node-5

    $ kubectl taint node node-2 team=red:NoSchedule
    node/node-2 tainted
      exit 0
      runs as it stands
      targets node/node-2

    $ kubectl run made --image=x:1 -n shop
    pod/made created
      exit 0
      runs as it stands
      targets shop/pod/made

    $ kubectl expose deploy app-008 --port=80 -n shop
    service/app-008 exposed
      exit 0
      runs as it stands
      targets shop/service/app-008

    $ kubectl autoscale deploy app-008 --max=3 -n shop
    horizontalpodautoscaler.autoscaling/app-008 autoscaled
      exit 0
      runs as it stands
      targets shop/horizontalpodautoscaler/app-008

    $ kubectl scale deploy -l app=zzz --replicas=2 -n shop
    error: no objects passed to scale
      exit 1, nothing to plan

    $ kubectl scale deploy web --replicas=2
    error: no objects passed to scale deployments.apps "web" not found
      exit 1, nothing to plan

    $ kubectl certificate approve nope
    Error from server (NotFound): certificatesigningrequests.certificates.k8s.io "nope" not found
      exit 1, nothing to plan
    "
  `)
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
  expect(asked.filter(words => !words.startsWith('get ') && !words.endsWith(' --dry-run=server'))).toEqual([])
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
    known.rehearse(
      callOfLine(line),
      decided(line),
      argv => Promise.reject(new Error(argv.join(' '))),
      [],
      null,
    )

  test.each([
    ['kubectl exec web -n shop -- rm /x', 'what `exec` prints is known only once it ran', ['shop/pod/web']],
    [
      'kubectl debug web -n shop --image=x',
      'what `debug` prints is known only once it ran',
      ['shop/pod/web'],
    ],
    [
      'kubectl cp web:/a a',
      'what `cp` brings out of a pod is known only once it ran',
      ['kubectl cp web:/a a'],
    ],
    ['kubectl cp a web:/a', null, ['kubectl cp a web:/a']],
    [
      'kubectl delete --raw /api/v1/namespaces/a',
      '`delete --raw` has no dry run',
      ['delete /api/v1/namespaces/a'],
    ],
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
      return Promise.resolve({
        exitCode: 0,
        stdout: isShown ? shown : 'configmap/a configured (server dry run)\n',
        stderr: '',
      })
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
