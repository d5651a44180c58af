/**
 * What each verb of kubectl does. The table is closed: a verb that it lacks may be any program on PATH that is
 * called `kubectl-…`, so it is refused, and so is every flag that `kubectl-flags.ts` lacks.
 */

import type { Effect } from '../decision.ts'

/**
 * How a verb reads its operands.
 *
 * - `typed`: TYPE NAME…, TYPE/NAME…, TYPE,TYPE. - `typed-changes`: the same, then KEY=VALUE or KEY-.
 * - `typed-then-one`: the same, then one word that is no name.
 * - `pod`: POD or TYPE/NAME, then anything. - `free`: no objects.
 * - any other: the resource that its operands are names of.
 */
export type OperandForm =
  | 'typed'
  | 'typed-changes'
  | 'typed-then-one'
  | 'pod'
  | 'free'
  | { readonly of: string }

export interface KubectlVerb {
  readonly effect: Effect
  readonly operands: OperandForm
  readonly note: string
  /** Refused as it stands, but a `mutates` pattern may allow it. */
  readonly mayBeAllowed?: true
  /** `-o yaml` prints what the server holds, secrets included. */
  readonly printsLive?: true
}

const of = (resource: string): OperandForm => ({ of: resource })

const created = (resource: string): KubectlVerb => ({
  effect: 'mutate',
  operands: of(resource),
  note: 'creates one object',
})

const configWrite: KubectlVerb = {
  effect: 'refuse',
  operands: 'free',
  note: "changes the tool's own identity",
}

const configRead: KubectlVerb = { effect: 'read', operands: 'free', note: 'names only' }

const session = (note: string): KubectlVerb => ({
  effect: 'refuse',
  operands: 'pod',
  note,
  mayBeAllowed: true,
})

export const KUBECTL_VERBS: Readonly<Record<string, KubectlVerb>> = {
  get: {
    effect: 'read',
    operands: 'typed',
    printsLive: true,
    note: 'secrets with their contents are a reveal; --raw by its path',
  },
  describe: {
    effect: 'read',
    operands: 'typed',
    printsLive: true,
    note: 'of secrets a reveal: it prints the tokens of service accounts',
  },
  logs: { effect: 'read', operands: 'pod', note: '' },
  events: { effect: 'read', operands: 'free', note: '' },
  explain: { effect: 'read', operands: 'free', note: '' },
  'api-resources': { effect: 'read', operands: 'free', note: '' },
  'api-versions': { effect: 'read', operands: 'free', note: '' },
  version: { effect: 'read', operands: 'free', note: '' },
  completion: { effect: 'read', operands: 'free', note: '' },
  help: { effect: 'read', operands: 'free', note: '' },
  options: { effect: 'read', operands: 'free', note: '' },
  'cluster-info': { effect: 'read', operands: 'free', note: '' },
  'cluster-info dump': { effect: 'read', operands: 'free', note: '--output-directory only in the workspace' },
  'top node': { effect: 'read', operands: of('nodes'), note: '' },
  'top pod': { effect: 'read', operands: of('pods'), note: '' },
  'auth can-i': { effect: 'read', operands: 'free', note: '' },
  'auth whoami': { effect: 'read', operands: 'free', note: '' },
  'auth reconcile': { effect: 'mutate', operands: 'free', note: 'roles and bindings of a file' },
  wait: { effect: 'read', operands: 'typed', printsLive: true, note: 'succeeds at once on planned targets' },
  diff: { effect: 'read', operands: 'free', note: 'values of secrets are masked by kubectl' },
  kustomize: { effect: 'read', operands: 'free', note: 'folders in the workspace; no helm, no plug-ins' },
  'rollout status': { effect: 'read', operands: 'typed', note: 'succeeds at once on planned targets' },
  'rollout history': { effect: 'read', operands: 'typed', note: '' },
  'rollout restart': { effect: 'mutate', operands: 'typed', note: 'has no dry run; without a name: all' },
  'rollout undo': { effect: 'mutate', operands: 'typed', note: 'twice returns to the first revision' },
  'rollout pause': { effect: 'mutate', operands: 'typed', note: 'has no dry run' },
  'rollout resume': { effect: 'mutate', operands: 'typed', note: 'has no dry run' },
  'config view': { effect: 'read', operands: 'free', note: 'with --raw or --flatten a reveal' },
  'config current-context': configRead,
  'config get-contexts': configRead,
  'config get-clusters': configRead,
  'config get-users': configRead,
  'config set': configWrite,
  'config set-cluster': configWrite,
  'config set-context': configWrite,
  'config set-credentials': configWrite,
  'config unset': configWrite,
  'config use-context': configWrite,
  'config rename-context': configWrite,
  'config delete-cluster': configWrite,
  'config delete-context': configWrite,
  'config delete-user': configWrite,
  create: { effect: 'mutate', operands: 'free', note: 'objects of a file; --raw ignores --dry-run' },
  'create clusterrole': created('clusterroles'),
  'create clusterrolebinding': created('clusterrolebindings'),
  'create configmap': created('configmaps'),
  'create cronjob': created('cronjobs'),
  'create deployment': created('deployments'),
  'create ingress': created('ingresses'),
  'create job': created('jobs'),
  'create namespace': created('namespaces'),
  'create poddisruptionbudget': created('poddisruptionbudgets'),
  'create priorityclass': created('priorityclasses'),
  'create quota': created('resourcequotas'),
  'create role': created('roles'),
  'create rolebinding': created('rolebindings'),
  'create secret docker-registry': created('secrets'),
  'create secret generic': created('secrets'),
  'create secret tls': created('secrets'),
  'create service clusterip': created('services'),
  'create service externalname': created('services'),
  'create service loadbalancer': created('services'),
  'create service nodeport': created('services'),
  'create serviceaccount': created('serviceaccounts'),
  'create token': { effect: 'reveal', operands: of('serviceaccounts'), note: 'prints a token' },
  expose: { effect: 'mutate', operands: 'typed', note: '' },
  run: { effect: 'mutate', operands: of('pods'), note: 'attached (-i, -t, --attach, --rm): refused' },
  'set env': { effect: 'mutate', operands: 'typed-changes', note: '--list reads; --resolve reveals' },
  'set image': { effect: 'mutate', operands: 'typed-changes', note: '' },
  'set resources': { effect: 'mutate', operands: 'typed-changes', note: '' },
  'set selector': { effect: 'mutate', operands: 'typed-changes', note: '' },
  'set serviceaccount': { effect: 'mutate', operands: 'typed-then-one', note: '' },
  'set subject': { effect: 'mutate', operands: 'typed', note: '' },
  delete: { effect: 'mutate', operands: 'typed', note: '--raw ignores --dry-run' },
  scale: { effect: 'mutate', operands: 'typed', note: '' },
  autoscale: { effect: 'mutate', operands: 'typed', note: '' },
  'certificate approve': { effect: 'mutate', operands: of('certificatesigningrequests'), note: '' },
  'certificate deny': { effect: 'mutate', operands: of('certificatesigningrequests'), note: '' },
  cordon: { effect: 'mutate', operands: of('nodes'), note: '' },
  uncordon: { effect: 'mutate', operands: of('nodes'), note: '' },
  drain: { effect: 'mutate', operands: of('nodes'), note: '' },
  taint: { effect: 'mutate', operands: 'typed-changes', note: '' },
  apply: { effect: 'mutate', operands: 'free', printsLive: true, note: '' },
  'apply set-last-applied': { effect: 'mutate', operands: 'free', printsLive: true, note: '' },
  'apply view-last-applied': {
    effect: 'read',
    operands: 'typed',
    printsLive: true,
    note: 'of secrets a reveal',
  },
  'apply edit-last-applied': { effect: 'refuse', operands: 'typed', note: 'starts an editor' },
  patch: { effect: 'mutate', operands: 'typed', printsLive: true, note: '' },
  replace: { effect: 'mutate', operands: 'free', printsLive: true, note: '--raw ignores --dry-run' },
  label: { effect: 'mutate', operands: 'typed-changes', printsLive: true, note: '--list reads' },
  annotate: { effect: 'mutate', operands: 'typed-changes', printsLive: true, note: '--list reads' },
  edit: { effect: 'refuse', operands: 'typed', note: 'starts an editor' },
  exec: session('runs a program in a container'),
  attach: session('joins a running container'),
  cp: session('runs tar in a container'),
  debug: session('starts a container beside others'),
  'port-forward': session('opens a port past the broker'),
  proxy: { effect: 'refuse', operands: 'free', note: "lends the operator's identity to whoever connects" },
  'plugin list': { effect: 'refuse', operands: 'free', note: 'plug-ins are programs that no table knows' },
}

/** Flags that say who calls, and whom: only the operator's `args` may set them. */
export const KUBECTL_IDENTITY: ReadonlySet<string> = new Set([
  'as',
  'as-group',
  'as-uid',
  'as-user-extra',
  'cache-dir',
  'certificate-authority',
  'client-certificate',
  'client-key',
  'cluster',
  'context',
  'insecure-skip-tls-verify',
  'kubeconfig',
  'kuberc',
  'password',
  'profile',
  'profile-output',
  'server',
  'tls-server-name',
  'token',
  'user',
  'username',
])

/** Newer than the client whose help was read; known only so that the refusal says why. */
export const KUBECTL_NEWER_FLAGS = 'kuberc= as-user-extra='

/** Flags that start programs, reach further than a file, or print bodies: of any verb, or `VERB --flag`. */
export const KUBECTL_REFUSED_FLAGS: Readonly<Record<string, string>> = {
  edit: 'starts an editor',
  vmodule: 'prints what the client sends and receives, secrets included',
  'insecure-skip-tls-verify-backend': 'does not check who answers',
  'kustomize --enable-helm': "starts a program of the caller's choice",
  'kustomize --helm-command': "starts a program of the caller's choice",
  'kustomize --enable-alpha-plugins': "starts programs of the caller's choice",
  'kustomize --mount': 'shows folders to a plug-in',
  'kustomize --network': 'lets plug-ins reach the network',
  'kustomize --network-name': 'lets plug-ins reach the network',
  'kustomize --env': 'hands variables of the tool to plug-ins',
  'kustomize --as-current-user': 'concerns plug-ins',
  'kustomize --load-restrictor': 'reads files outside the folder',
}

/** Other names of sub-commands. */
export const KUBECTL_ALIASES: Readonly<Record<string, string>> = {
  clusterinfo: 'cluster-info',
  'top no': 'top node',
  'top nodes': 'top node',
  'top po': 'top pod',
  'top pods': 'top pod',
  'create cm': 'create configmap',
  'create cj': 'create cronjob',
  'create deploy': 'create deployment',
  'create dep': 'create deployment',
  'create ing': 'create ingress',
  'create ns': 'create namespace',
  'create pdb': 'create poddisruptionbudget',
  'create pc': 'create priorityclass',
  'create resourcequota': 'create quota',
  'create sa': 'create serviceaccount',
  'create svc': 'create service',
  'set sa': 'set serviceaccount',
}

/** Flags whose values name files. `pairs`: `KEY=PATH` or `PATH`. `list`: separated by commas. */
export const KUBECTL_FILE_FLAGS: readonly {
  readonly flag: string
  readonly list: boolean
  readonly pairs: boolean
  readonly access: 'read' | 'write'
}[] = [
  { flag: 'filename', list: true, pairs: false, access: 'read' },
  { flag: 'kustomize', list: false, pairs: false, access: 'read' },
  { flag: 'from-file', list: true, pairs: true, access: 'read' },
  { flag: 'from-env-file', list: true, pairs: false, access: 'read' },
  { flag: 'patch-file', list: false, pairs: false, access: 'read' },
  { flag: 'cert', list: false, pairs: false, access: 'read' },
  { flag: 'key', list: false, pairs: false, access: 'read' },
  { flag: 'output-directory', list: false, pairs: false, access: 'write' },
]

/** From 7 on kubectl prints headers, from 8 on bodies. */
export const KUBECTL_MAX_VERBOSITY = 6

/** What `-o` may say before its `=`. */
export const KUBECTL_OUTPUTS: ReadonlySet<string> = new Set([
  '',
  'json',
  'yaml',
  'kyaml',
  'name',
  'wide',
  'go-template',
  'go-template-file',
  'template',
  'templatefile',
  'jsonpath',
  'jsonpath-as-json',
  'jsonpath-file',
  'custom-columns',
  'custom-columns-file',
  'plaintext',
  'plaintext-openapiv2',
])

/** They print names and types, never contents. */
export const KUBECTL_BARE_OUTPUTS: ReadonlySet<string> = new Set(['', 'name', 'wide'])
