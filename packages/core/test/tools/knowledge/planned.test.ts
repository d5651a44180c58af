import { describe, expect, test } from 'vitest'
import { knowledgeOf, located } from '../../../src/tools/knowledge/known.ts'
import { decideLine } from '../effects/command-line.ts'
import { callOfLine, decided } from './scenarios.ts'

const known = knowledgeOf('kubectl')

describe('waits for what is only planned', () => {
  const planned = new Set(['shop/deployment/web', 'default/pod/a', 'shop/pod/b', 'node/n1', 'shop/job/once'])

  test.each([
    ['kubectl rollout status deploy/web -n shop', 'deployment "web" successfully rolled out\n'],
    [
      'kubectl -n shop rollout status deployment web --timeout=60s',
      'deployment "web" successfully rolled out\n',
    ],
    ['kubectl wait --for=delete pod/a', 'pod/a condition met\n'],
    ['kubectl wait --for=condition=available deploy/web -n shop', 'deployment.apps/web condition met\n'],
    ['kubectl wait --for=condition=complete job/once -n shop', 'job.batch/once condition met\n'],
    ['kubectl wait --for=delete pods -l app=web -n shop', 'pod/b condition met\n'],
    ['kubectl wait --for=delete pods --all -A', 'pod/a condition met\npod/b condition met\n'],
    ['kubectl wait --for=condition=Ready node/n1', 'node/n1 condition met\n'],
    ['kubectl rollout status deploy/web', null],
    ['kubectl rollout status deploy/other -n shop', null],
    ['kubectl rollout status sts/web -n shop', null],
    ['kubectl wait --for=delete pod/b', null],
    ['kubectl rollout history deploy/web -n shop', null],
    ['kubectl get deploy/web -n shop', null],
  ])('%s', (line, stdout) => {
    expect(known.awaits?.(callOfLine(line), decided(line), planned) ?? null).toEqual(
      stdout === null ? null : { stdout },
    )
  })

  test('with nothing planned every wait is real', () => {
    const line = 'kubectl rollout status deploy/web -n shop'
    expect(known.awaits?.(callOfLine(line), decided(line), new Set())).toBeNull()
  })
})

describe('an undo of what this run changed', () => {
  const changed = new Set(['shop/deployment/web', 'default/deployment/api'])

  test.each([
    ['kubectl rollout undo deploy/web -n shop', true],
    ['kubectl rollout undo deployment web -n shop', true],
    ['kubectl rollout undo deploy/web -n shop --to-revision=0', true],
    ['kubectl rollout undo deploy/api', true],
    ['kubectl rollout undo deploy/web', false],
    ['kubectl rollout undo deploy/web deploy/api -n shop', false],
    ['kubectl rollout undo sts/web -n shop', false],
    ['kubectl rollout undo deploy/web -n shop --to-revision=3', false],
    ['kubectl rollout undo deploy -n shop', false],
    ['kubectl rollout undo deploy -l app=web -n shop', false],
    ['kubectl rollout undo -f web.yaml -n shop', false],
    ['kubectl rollout restart deploy/web -n shop', false],
    ['kubectl delete deploy/web -n shop', false],
  ])('%s: %s', (line, expected) => {
    expect(known.undoes?.(callOfLine(line), decided(line), changed)).toBe(expected)
  })

  test('where the namespace is not known it is none', () => {
    const line = 'kubectl rollout undo deploy/api'
    expect(known.undoes?.(callOfLine(line), decideLine(line), changed)).toBe(false)
  })
})

describe('marks', () => {
  test.each([
    ['kubectl rollout restart deploy/web', 'rollout restart deploy/web --field-manager=srecodex-ID'],
    ['kubectl set image deploy/web a=b', 'set image deploy/web a=b --field-manager=srecodex-ID'],
    ['kubectl run a --image=x -- sh -c y', 'run a --image=x --field-manager=srecodex-ID -- sh -c y'],
    ['kubectl label pod -- a b=c', 'label pod --field-manager=srecodex-ID -- a b=c'],
    ['kubectl apply -f a.yaml', 'apply -f a.yaml --field-manager=srecodex-ID'],
    ['kubectl apply -f a.yaml --field-manager=mine', 'apply -f a.yaml --field-manager=mine'],
    ['kubectl apply -f a.yaml --server-side', 'apply -f a.yaml --server-side'],
    ['kubectl scale deploy/web --replicas=1', 'scale deploy/web --replicas=1'],
    ['kubectl rollout undo deploy/web', 'rollout undo deploy/web'],
    ['kubectl delete pod a', 'delete pod a'],
    ['kubectl cordon n1', 'cordon n1'],
    ['kubectl create --raw /api/v1/namespaces -f a.json', 'create --raw /api/v1/namespaces -f a.json'],
    ['kubectl get pods', 'get pods'],
  ])('%s', (line, expected) => {
    expect(known.marked?.(callOfLine(line), 'ID').join(' ')).toBe(expected)
  })
})

test("what a call leaves out is the context's", () => {
  const fields = { namespace: 'shop', region: 'eu-west-1', database: 'orders', host: 'db1' }
  const target = (line: string) => located(decideLine(line), { fields }).target
  expect(target('kubectl delete pod a')).toMatchObject({ namespace: 'shop' })
  expect(target('kubectl delete pod a -n pay')).toMatchObject({ namespace: 'pay' })
  expect(target('kubectl delete pods --all -A')).toMatchObject({ namespace: null })
  expect(target('helm uninstall web')).toMatchObject({ namespace: 'shop' })
  expect(target('aws ec2 stop-instances --instance-ids i')).toMatchObject({ region: 'eu-west-1' })
  expect(target('psql -c X')).toMatchObject({ database: 'db1/orders' })
})
