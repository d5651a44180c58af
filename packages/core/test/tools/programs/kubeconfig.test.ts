import { expect, it } from 'vitest'
import { parse } from 'yaml'
import {
  kubeconfigPaths,
  looksLikeKubeconfig,
  pinKubeconfig,
  type KubeconfigSource,
} from '../../../src/tools/programs/kubeconfig.ts'

const config = (path: string, text: string): KubeconfigSource => ({ path, text })

const TWO = config(
  '/home/sre/.kube/config',
  `apiVersion: v1
kind: Config
current-context: stage
contexts:
- name: stage
  context: { cluster: stage, user: dev }
- name: prod
  context: { cluster: prod, user: ops, namespace: shop }
clusters:
- name: stage
  cluster: { server: "https://stage:6443", insecure-skip-tls-verify: true }
- name: prod
  cluster:
    server: https://prod:6443
    certificate-authority: pki/ca.crt
users:
- name: dev
  user: { token: dev-token }
- name: ops
  user:
    client-certificate: /pki/ops.crt
    client-key: pki/ops.key
    client-key-data: a2V5
`,
)

const FILES: Record<string, string> = { '/home/sre/.kube/pki/ca.crt': 'CA', '/pki/ops.crt': 'CERT' }
const pin = (sources: readonly KubeconfigSource[], args: readonly string[] = [], context?: string) =>
  pinKubeconfig(sources, {
    args,
    context,
    parse,
    readFile: path => {
      if (FILES[path] === undefined) throw new Error(`no ${path}`)
      return Buffer.from(FILES[path])
    },
  })

it('keeps the context in use and nothing of the others', () => {
  const pinned = pin([TWO])
  expect(JSON.parse(pinned.text)).toEqual({
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    'current-context': 'stage',
    contexts: [{ name: 'stage', context: { cluster: 'stage', user: 'dev' } }],
    clusters: [
      { name: 'stage', cluster: { server: 'https://stage:6443', 'insecure-skip-tls-verify': true } },
    ],
    users: [{ name: 'dev', user: { token: 'dev-token' } }],
  })
  expect(pinned.identity).toEqual({
    context: 'stage',
    server: 'https://stage:6443',
    user: 'dev',
    namespace: 'default',
    ca: 'none',
  })
})

it('takes the context that the operator names, and puts the files in its place', () => {
  const pinned = pin([TWO], ['--context=prod'])
  const { clusters, users } = JSON.parse(pinned.text) as Record<string, unknown>
  expect(clusters).toEqual([
    { name: 'prod', cluster: { server: 'https://prod:6443', 'certificate-authority-data': 'Q0E=' } },
  ])
  // contents win over a path, which is then not even read
  expect(users).toEqual([
    { name: 'ops', user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'a2V5' } },
  ])
  expect(pinned.identity).toMatchObject({ context: 'prod', user: 'ops', namespace: 'shop' })
  expect(pinned.identity.ca).toMatch(/^[0-9a-f]{16}$/)
})

it('takes a cluster, a user, a namespace of the operator over those of the context', () => {
  const { identity, text } = pin([TWO], ['--cluster', 'prod', '-n', 'batch', '--user=ops'])
  expect(identity).toMatchObject({
    context: 'stage',
    server: 'https://prod:6443',
    user: 'ops',
    namespace: 'batch',
  })
  expect(text).not.toContain('dev-token')
})

it('takes a context from the environment below one of the arguments', () => {
  expect(pin([TWO], [], 'prod').identity.context).toBe('prod')
  expect(pin([TWO], ['--kube-context', 'stage'], 'prod').identity.context).toBe('stage')
})

it('merges files: the first that names something wins', () => {
  const first = config(
    '/srv/k',
    'users: [{ name: dev, user: { token: first } }]\ncurrent-context: ""\ncontexts: null\n',
  )
  const { users } = JSON.parse(pin([first, TWO]).text) as { users: unknown }
  expect(users).toEqual([{ name: 'dev', user: { token: 'first' } }])
})

it('leaves nothing to use where nothing is, so that kubectl itself complains', () => {
  expect(pin([]).identity).toMatchObject({ context: '', server: '' })
  const missing = pin([TWO], ['--context', 'nowhere'])
  expect(JSON.parse(missing.text)).toMatchObject({ 'current-context': 'nowhere', contexts: [], users: [] })
})

it('tells the program that logs in, and moves it and its PATH', () => {
  const exec = config(
    '/k',
    `current-context: c
contexts: [{ name: c, context: { cluster: c, user: u } }]
clusters: [{ name: c, cluster: { server: "https://bob:pw@c" } }]
users:
- name: u
  user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: aws, args: [eks, get-token], env: [{ name: AWS_PROFILE, value: p }, { name: PATH, value: /evil }] } }
`,
  )
  const pinned = pin([exec])
  expect(pinned.login).toBe('aws')
  expect(pinned.identity.server).toBe('https://c')
  const moved = JSON.parse(pinned.withLogin('/helpers/aws', '/helpers').text) as {
    users: { user: { exec: unknown } }[]
  }
  expect(moved.users[0]!.user.exec).toEqual({
    apiVersion: 'client.authentication.k8s.io/v1',
    command: '/helpers/aws',
    args: ['eks', 'get-token'],
    env: [
      { name: 'AWS_PROFILE', value: 'p' },
      { name: 'PATH', value: '/helpers' },
    ],
  })
})

it('cannot copy a token that changes, so its file is to be mounted', () => {
  const text = TWO.text.replace('token: dev-token', 'tokenFile: tokens/dev')
  const pinned = pin([config(TWO.path, text)])
  expect(pinned.files).toEqual(['/home/sre/.kube/tokens/dev'])
  expect(pinned.text).toContain('"tokenFile":"/home/sre/.kube/tokens/dev"')
})

it('looks where kubectl looks: the flag, KUBECONFIG, the usual place', () => {
  const credentials = ['/home/sre/.kube/config']
  expect(kubeconfigPaths({ args: ['--kubeconfig=/k'], variable: '/a:/b', credentials })).toEqual(['/k'])
  expect(kubeconfigPaths({ args: [], variable: '/a::/b:relative', credentials })).toEqual(['/a', '/b'])
  expect(kubeconfigPaths({ args: [], variable: undefined, credentials })).toEqual(credentials)
})

it('tells a kubeconfig from other files of a tool', () => {
  expect(looksLikeKubeconfig('/x/prod.yaml', TWO.text)).toBe(true)
  expect(looksLikeKubeconfig('/x/repositories.yaml', 'apiVersion: ""\nrepositories: []\n')).toBe(false)
})
