/**
 * What was approved is what is applied, to the byte that matters: a script that shows the plan one manifest and the
 * apply another. Each attack beside the same script without the trick, which is applied.
 */

import { describe, expect, test } from 'vitest'
import { canonicalKubectlBody } from '../../../src/tools/knowledge/kubectl/body.ts'
import { changed, makeArena, type Arena } from './arena.ts'

const LONG_MS = 60_000

/** Applies one of two bodies, by the phase that it runs in. */
const swap = (words: string, planned: string, applied: string, stdin = true): string => `
import base64, os, subprocess
body = base64.b64decode('${Buffer.from(planned, 'latin1').toString('base64')}')
if os.environ['SRECODEX_PHASE'] == 'apply':
    body = base64.b64decode('${Buffer.from(applied, 'latin1').toString('base64')}')
open('body', 'wb').write(body)
subprocess.run(${JSON.stringify(words.split(' '))}, ${stdin ? 'input=body, ' : ''}check=False)
`

const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

const hidden = (separator: string, replicas: number): string =>
  utf8(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  #${separator}  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "registry.test/web:1.0"}
`)

async function planAndApply(
  arena: Arena,
  script: string,
): Promise<{ planned: number; status: string; changes: string[] }> {
  const { report } = await arena.run(script)
  expect(report.status).toBe('planned')
  expect(changed(arena.kubernetes)).toEqual([])
  const { report: after } = await arena.apply(report.run)
  return { planned: report.plan!.mutations, status: after.status, changes: changed(arena.kubernetes) }
}

const replicasOf = ({ kubernetes }: Arena, name: string): unknown =>
  (kubernetes.get('deployments', 'shop', name) as { spec?: { replicas?: number } }).spec?.replicas

describe('a manifest that says one thing to the plan and another to kubectl', { timeout: LONG_MS }, () => {
  test.each([
    ['U+2028, which ends a comment in YAML 1.1', '\u2028'],
    ['U+2029', '\u2029'],
    ['U+0085', '\u0085'],
    ['a lone carriage return', '\r'],
  ])('%s', async (_what, separator) => {
    const arena = await makeArena()
    const { status, changes } = await planAndApply(
      arena,
      swap('kubectl apply -f -', hidden(separator, 1), hidden(separator, 7)),
    )
    expect({ status, changes, replicas: replicasOf(arena, 'web') }).toEqual({
      status: 'drifted',
      changes: [],
      replicas: 1,
    })
  })

  test('the separator alone is no reason to refuse: the same body is applied', async () => {
    const arena = await makeArena()
    const { status } = await planAndApply(
      arena,
      swap('kubectl apply -f -', hidden('\u2028', 7), hidden('\u2028', 7)),
    )
    // That kubectl reads what stands behind it is what makes this an attack.
    expect({ status, replicas: replicasOf(arena, 'web') }).toEqual({ status: 'succeeded', replicas: 7 })
  })

  test('a comment that differs is no difference', async () => {
    const arena = await makeArena()
    const { status } = await planAndApply(arena, swap('kubectl apply -f -', hidden(' ', 1), hidden(' ', 7)))
    expect({ status, replicas: replicasOf(arena, 'web') }).toEqual({ status: 'succeeded', replicas: 1 })
  })
})

describe('bytes that are no text', { timeout: LONG_MS }, () => {
  const CREATE = 'kubectl create configmap blob -n shop --from-file=body'
  const blobOf = ({ kubernetes }: Arena): unknown =>
    (kubernetes.get('configmaps', 'shop', 'blob') as { binaryData?: unknown }).binaryData

  test('two files that decode to the same replacement characters are two files', async () => {
    const arena = await makeArena()
    const { status, changes } = await planAndApply(arena, swap(CREATE, '\xff\xfe\xfd', '\xc0\xc1\x80', false))
    expect({ status, changes }).toEqual({ status: 'drifted', changes: [] })
  })

  test('the same file is applied', async () => {
    const arena = await makeArena()
    const { status } = await planAndApply(arena, swap(CREATE, '\xff\xfe\xfd', '\xff\xfe\xfd', false))
    expect({ status, blob: blobOf(arena) }).toEqual({
      status: 'succeeded',
      blob: { body: Buffer.from('\xff\xfe\xfd', 'latin1').toString('base64') },
    })
  })
})

/** What is left out of a comparison has to be without meaning to whoever takes the body. */
describe('a body that is read as no object', { timeout: LONG_MS }, () => {
  const object = (mark: string): string => `apiVersion: v1\nkind: ConfigMap\n# ${mark}\nstatus: ${mark}\n`
  const KUSTOMIZATION =
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: shop\n' +
    'generatorOptions: {disableNameSuffixHash: true}\nconfigMapGenerator: [{name: made, files: [body]}]\n'

  test.each([
    ['another file', 'planned', 'applied', 'drifted'],
    ['the same', 'planned', 'planned', 'succeeded'],
  ])('becomes the contents of a ConfigMap by kustomize: %s', async (_what, planned, applied, status) => {
    const arena = await makeArena()
    arena.write('kz/kustomization.yaml', KUSTOMIZATION)
    const script = swap('kubectl apply -k kz', object(planned), object(applied), false)
    const found = await planAndApply(arena, script.replace("open('body'", "open('kz/body'"))
    expect(found).toMatchObject({
      status,
      changes: status === 'drifted' ? [] : ['POST configmaps shop/made'],
    })
  })

  const status = (ready: number): string =>
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      status: { ready },
    })

  test('is put to the path of a status', async () => {
    const arena = await makeArena()
    const words = 'kubectl replace --raw /apis/apps/v1/namespaces/shop/deployments/web/status -f -'
    const found = await planAndApply(arena, swap(words, status(1), status(9)))
    expect(found).toMatchObject({ status: 'drifted', changes: [] })
  })
})

describe('a status', () => {
  const body = (apiVersion: string, ready: number): string =>
    canonicalKubectlBody(
      JSON.stringify({ apiVersion, kind: 'X', metadata: { name: 'a' }, status: { ready } }),
      {
        ...{
          tool: 'kubectl',
          argv: ['apply', '-f', '-'],
          stdin: 'inherited',
          cwd: '/w',
          workspace: '/w',
          tmp: '/tmp',
        },
      },
    )

  test('of a custom resource may be what is asked for', () =>
    expect(body('argoproj.io/v1alpha1', 1)).not.toBe(body('argoproj.io/v1alpha1', 2)))
  test('of what the server knows is its own', () => expect(body('apps/v1', 1)).toBe(body('apps/v1', 2)))
})
