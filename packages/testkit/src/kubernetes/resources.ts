/** The resources that the stand-in serves, as discovery tells them. */

export interface Resource {
  /** Empty: the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly subresources: readonly string[]
  /** What discovery says may be done with it. */
  readonly verbs: readonly string[]
}

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

interface Extras {
  readonly short?: readonly string[]
  readonly sub?: readonly string[]
  readonly all?: true
  readonly cluster?: true
  readonly verbs?: readonly string[]
}

function define(groupVersion: string, plural: string, kind: string, extras: Extras = {}): Resource {
  const slash = groupVersion.indexOf('/')
  return {
    group: slash === -1 ? '' : groupVersion.slice(0, slash),
    version: groupVersion.slice(slash + 1),
    plural,
    kind,
    namespaced: extras.cluster !== true,
    shortNames: extras.short ?? [],
    categories: extras.all === true ? ['all'] : [],
    subresources: extras.sub ?? [],
    verbs: extras.verbs ?? ALL_VERBS,
  }
}

const REVIEW = { cluster: true, verbs: ['create'] } as const

export const RESOURCES: readonly Resource[] = [
  define('v1', 'configmaps', 'ConfigMap', { short: ['cm'] }),
  define('v1', 'endpoints', 'Endpoints', { short: ['ep'] }),
  define('v1', 'events', 'Event', { short: ['ev'] }),
  define('v1', 'limitranges', 'LimitRange', { short: ['limits'] }),
  define('v1', 'namespaces', 'Namespace', { short: ['ns'], cluster: true, sub: ['status'] }),
  define('v1', 'nodes', 'Node', { short: ['no'], cluster: true, sub: ['status'] }),
  define('v1', 'pods', 'Pod', { short: ['po'], all: true, sub: ['eviction', 'log', 'status'] }),
  define('v1', 'resourcequotas', 'ResourceQuota', { short: ['quota'] }),
  define('v1', 'secrets', 'Secret'),
  define('v1', 'serviceaccounts', 'ServiceAccount', { short: ['sa'] }),
  define('v1', 'services', 'Service', { short: ['svc'], all: true, sub: ['status'] }),
  define('apps/v1', 'controllerrevisions', 'ControllerRevision'),
  define('apps/v1', 'daemonsets', 'DaemonSet', { short: ['ds'], all: true, sub: ['status'] }),
  define('apps/v1', 'deployments', 'Deployment', {
    short: ['deploy'],
    all: true,
    sub: ['scale', 'status'],
  }),
  define('apps/v1', 'replicasets', 'ReplicaSet', { short: ['rs'], all: true, sub: ['scale', 'status'] }),
  define('apps/v1', 'statefulsets', 'StatefulSet', { short: ['sts'], all: true, sub: ['scale', 'status'] }),
  define('authentication.k8s.io/v1', 'selfsubjectreviews', 'SelfSubjectReview', REVIEW),
  define('authorization.k8s.io/v1', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', REVIEW),
  define('batch/v1', 'jobs', 'Job', { all: true, sub: ['status'] }),
  define('coordination.k8s.io/v1', 'leases', 'Lease'),
  define('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice'),
  define('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget', { short: ['pdb'], sub: ['status'] }),
]

export function groupVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}

/** `deployments.apps`, as messages name it. */
export function fullName(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`
}

export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return RESOURCES.find(each => each.group === group && each.version === version && each.plural === plural)
}

/** @throws {Error} There is none: a mistake of the caller, not of a client. */
export function resourceOf(plural: string): Resource {
  const found = RESOURCES.find(each => each.plural === plural)
  if (found === undefined) throw new Error(`no resource ${plural}`)
  return found
}

export function resourceOfKind(kind: string): Resource {
  const found = RESOURCES.find(each => each.kind === kind)
  if (found === undefined) throw new Error(`no kind ${kind}`)
  return found
}
