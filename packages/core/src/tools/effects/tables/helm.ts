/**
 * What each verb of helm 3 and 4 does. Closed: any other verb may be a plug-in, any other flag is refused. Held to the
 * help of helm 4.1 by a test; a flag of one version is an error of the other's own.
 */

import type { Effect } from '../decision.ts'

export interface HelmVerb {
  readonly effect: Effect
  readonly flags: string
  readonly note: string
  /** Which operands are what. */
  readonly operands: 'release' | 'release-chart' | 'chart' | 'none'
}

const FIND = 'o/output= '
const CHART =
  'ca-file= cert-file= key-file= insecure-skip-tls-verify keyring= pass-credentials password= plain-http repo= username= verify version= devel '
const VALUES = 'set= set-string= set-json= set-literal= set-file= f/values= '
const RENDER =
  'post-renderer= post-renderer-args= no-hooks skip-crds skip-schema-validation disable-openapi-validation dependency-update description= g/generate-name name-template= enable-dns l/labels= take-ownership replace render-subchart-notes hide-secret hide-notes '
const ACT =
  'dry-run? atomic cleanup-on-fail create-namespace force force-conflicts force-replace rollback-on-failure timeout= wait? wait-for-jobs '

const INSTALL = CHART + VALUES + RENDER + ACT + FIND

const repository = (effect: Effect, note: string): HelmVerb => ({
  effect,
  flags: FIND,
  note,
  operands: 'none',
})

export const HELM_VERBS: Readonly<Record<string, HelmVerb>> = {
  list: {
    effect: 'read',
    operands: 'none',
    note: '',
    flags: `${FIND} a/all A/all-namespaces d/date deployed failed f/filter= m/max= no-headers offset= pending r/reverse l/selector= q/short superseded time-format= uninstalled uninstalling`,
  },
  status: {
    effect: 'reveal',
    operands: 'release',
    note: 'its notes, and with -o its values, may hold secrets',
    flags: `${FIND} revision= show-desc show-resources`,
  },
  history: { effect: 'read', operands: 'release', note: '', flags: `${FIND} max=` },
  'get all': {
    effect: 'reveal',
    operands: 'release',
    note: 'values and manifests hold secrets',
    flags: 'revision= template=',
  },
  'get hooks': { effect: 'reveal', operands: 'release', note: 'manifests hold secrets', flags: 'revision=' },
  'get manifest': {
    effect: 'reveal',
    operands: 'release',
    note: 'manifests hold secrets',
    flags: 'revision=',
  },
  'get values': {
    effect: 'reveal',
    operands: 'release',
    note: 'values hold secrets',
    flags: `${FIND} a/all revision=`,
  },
  'get notes': {
    effect: 'reveal',
    operands: 'release',
    note: 'notes may print passwords',
    flags: 'revision=',
  },
  'get metadata': { effect: 'read', operands: 'release', note: '', flags: `${FIND} revision=` },
  'show all': { effect: 'read', operands: 'chart', note: '', flags: `${CHART} jsonpath=` },
  'show chart': { effect: 'read', operands: 'chart', note: '', flags: CHART },
  'show crds': { effect: 'read', operands: 'chart', note: '', flags: CHART },
  'show readme': { effect: 'read', operands: 'chart', note: '', flags: CHART },
  'show values': { effect: 'read', operands: 'chart', note: '', flags: `${CHART} jsonpath=` },
  'search repo': {
    effect: 'read',
    operands: 'none',
    note: '',
    flags: `${FIND} devel fail-on-no-result max-col-width= r/regexp version= l/versions`,
  },
  'search hub': {
    effect: 'refuse',
    operands: 'none',
    note: 'asks a server that nobody named',
    flags: `${FIND} endpoint= fail-on-no-result list-repo-url max-col-width=`,
  },
  'repo list': { ...repository('read', ''), flags: `${FIND} no-headers` },
  'repo add': repository('refuse', 'changes which servers helm believes'),
  'repo remove': repository('refuse', 'changes which servers helm believes'),
  'repo update': {
    effect: 'read',
    operands: 'none',
    note: 'of the servers that the operator named',
    flags: 'fail-on-repo-update-fail timeout=',
  },
  'repo index': repository('refuse', 'writes an index of its own naming'),
  lint: {
    effect: 'read',
    operands: 'chart',
    note: '',
    flags: `${VALUES} kube-version= quiet skip-schema-validation strict with-subcharts`,
  },
  template: {
    effect: 'read',
    operands: 'release-chart',
    note: 'with --validate or --dry-run=server a reveal: charts can look up secrets',
    flags: `${INSTALL} a/api-versions= include-crds is-upgrade kube-version= output-dir= release-name server-side s/show-only= skip-tests validate`,
  },
  install: { effect: 'mutate', operands: 'release-chart', note: '', flags: `${INSTALL} server-side` },
  upgrade: {
    effect: 'mutate',
    operands: 'release-chart',
    note: '',
    flags: `${INSTALL} history-max= i/install reset-values reset-then-reuse-values reuse-values server-side=`,
  },
  uninstall: {
    effect: 'mutate',
    operands: 'release',
    note: '',
    flags: 'cascade= description= dry-run ignore-not-found keep-history no-hooks timeout= wait?',
  },
  rollback: {
    effect: 'mutate',
    operands: 'release',
    note: '',
    flags:
      'cleanup-on-fail dry-run? force force-conflicts force-replace history-max= no-hooks recreate-pods server-side= timeout= wait? wait-for-jobs',
  },
  test: {
    effect: 'mutate',
    operands: 'release',
    note: 'starts pods',
    flags: 'filter= hide-notes logs timeout=',
  },
  version: { effect: 'read', operands: 'none', note: '', flags: 'short template= c/client' },
  env: { effect: 'reveal', operands: 'none', note: 'prints HELM_KUBETOKEN', flags: '' },
  help: { effect: 'read', operands: 'none', note: '', flags: '' },
  completion: { effect: 'read', operands: 'none', note: '', flags: 'no-descriptions' },
  create: { effect: 'refuse', operands: 'none', note: 'writes a chart', flags: 'p/starter=' },
  package: { effect: 'refuse', operands: 'none', note: 'signs with keys of the tool', flags: '' },
  verify: { effect: 'refuse', operands: 'none', note: 'reads keys of the tool', flags: 'keyring=' },
  pull: {
    effect: 'refuse',
    operands: 'none',
    note: 'downloads what a chart names',
    flags: `${CHART} d/destination= prov untar untardir=`,
  },
  push: { effect: 'mutate', operands: 'none', note: 'uploads a chart', flags: CHART },
  'dependency list': { effect: 'read', operands: 'chart', note: '', flags: 'max-col-width=' },
  'dependency build': {
    effect: 'refuse',
    operands: 'chart',
    note: 'downloads what a chart names',
    flags: 'skip-refresh verify keyring=',
  },
  'dependency update': {
    effect: 'refuse',
    operands: 'chart',
    note: 'downloads what a chart names',
    flags: 'skip-refresh verify keyring=',
  },
  'plugin list': {
    effect: 'refuse',
    operands: 'none',
    note: 'plug-ins are programs that no table knows',
    flags: '',
  },
  'plugin install': { effect: 'refuse', operands: 'none', note: 'installs a program', flags: 'version=' },
  'plugin update': { effect: 'refuse', operands: 'none', note: 'installs a program', flags: '' },
  'plugin uninstall': { effect: 'refuse', operands: 'none', note: 'removes a program', flags: '' },
  'registry login': {
    effect: 'refuse',
    operands: 'none',
    note: "changes the tool's own identity",
    flags: `${CHART} password-stdin insecure`,
  },
  'registry logout': {
    effect: 'refuse',
    operands: 'none',
    note: "changes the tool's own identity",
    flags: '',
  },
}

export const HELM_ALIASES: Readonly<Record<string, string>> = {
  ls: 'list',
  hist: 'history',
  inspect: 'show',
  un: 'uninstall',
  del: 'uninstall',
  delete: 'uninstall',
  dep: 'dependency',
  dependencies: 'dependency',
  fetch: 'pull',
}

export const HELM_GLOBAL_FLAGS =
  'n/namespace= color= colour= debug h/help burst-limit= qps= kube-apiserver= kube-as-group= kube-as-user= kube-ca-file= kube-context= kube-insecure-skip-tls-verify kube-tls-server-name= kube-token= kubeconfig= registry-config= repository-cache= repository-config= content-cache='

/** Who calls, whom, and which servers are believed: only the operator's `args` may say. */
export const HELM_IDENTITY: ReadonlySet<string> = new Set([
  'kube-apiserver',
  'kube-as-group',
  'kube-as-user',
  'kube-ca-file',
  'kube-context',
  'kube-insecure-skip-tls-verify',
  'kube-tls-server-name',
  'kube-token',
  'kubeconfig',
  'registry-config',
  'repository-cache',
  'repository-config',
  'content-cache',
  'ca-file',
  'cert-file',
  'key-file',
  'insecure-skip-tls-verify',
  'keyring',
  'pass-credentials',
  'password',
  'plain-http',
  'repo',
  'username',
])

export const HELM_REFUSED_FLAGS: Readonly<Record<string, string>> = {
  'post-renderer': "starts a program of the caller's choice",
  'post-renderer-args': "starts a program of the caller's choice",
  'dependency-update': 'downloads what a chart names',
  'enable-dns': 'lets a chart ask name servers, which carries data out',
  debug: 'prints computed values, secrets included',
}
