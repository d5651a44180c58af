/** Objects as the server has them, read with one template that prints no contents. */

import type { AskTool } from '../../calls.ts'

export interface LiveObject {
  /** `shop/deployment/web`, `node/n1`. */
  readonly target: string
  /** null: it lies in no namespace. */
  readonly namespace: string | null
  /** In lower case. */
  readonly kind: string
  readonly group: string
  /** As kubectl prints it: `deployment.apps`, `pod`. */
  readonly resource: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  /** Empty where the kind has none. */
  readonly generation: string
  readonly revision: string
  readonly replicas: string
  readonly paused: boolean
  readonly unschedulable: boolean
  readonly generateName: string
  /** `MANAGER@TIME` of each that wrote it. */
  readonly writers: readonly string[]
  /** It is on its way out. */
  readonly deleting: boolean
}

/** What is kept of an object before a mutation; `uid` is empty where there was none. */
export type ObjectBefore = Pick<
  LiveObject,
  | 'namespace'
  | 'resource'
  | 'name'
  | 'uid'
  | 'resourceVersion'
  | 'generation'
  | 'revision'
  | 'replicas'
  | 'writers'
>

const FIELDS = [
  '{{.kind}}',
  '{{.apiVersion}}',
  '{{.metadata.namespace}}',
  '{{.metadata.name}}',
  '{{.metadata.uid}}',
  '{{.metadata.resourceVersion}}',
  '{{.metadata.generation}}',
  '{{with .metadata.annotations}}{{index . "deployment.kubernetes.io/revision"}}{{end}}',
  '{{with .spec}}{{.replicas}}{{"\\t"}}{{.paused}}{{"\\t"}}{{.unschedulable}}{{else}}{{"\\t\\t"}}{{end}}',
  '{{.metadata.generateName}}',
  '{{range .metadata.managedFields}}{{.manager}}@{{.time}}|{{end}}',
  '{{.metadata.deletionTimestamp}}',
]

/** One line an object, of a list or of one alone. */
export const OBJECTS_TEMPLATE: string =
  `{{define "o"}}${FIELDS.join('{{"\\t"}}')}{{"\\n"}}{{end}}` +
  '{{if .items}}{{range .items}}{{template "o" .}}{{end}}{{else if .metadata.name}}{{template "o" .}}{{end}}'

export const parseObjects = (text: string): LiveObject[] =>
  text
    .split('\n')
    .filter(line => line.includes('\t'))
    .map(line => {
      const [kind = '', apiVersion = '', ns = '', name = '', ...more] = line
        .split('\t')
        .map(field => (field === '<no value>' ? '' : field))
      const [uid = '', resourceVersion = '', generation = '', revision = '', ...spec] = more
      const [replicas = '', paused = '', unschedulable = '', generateName = '', writers = '', deletion = ''] =
        spec
      const group = apiVersion.includes('/') ? (apiVersion.split('/', 1)[0] ?? '') : ''
      const lower = kind.toLowerCase()
      const namespace = ns === '' ? null : ns
      return {
        target: targetName(namespace, lower, name),
        namespace,
        kind: lower,
        group,
        resource: group === '' ? lower : `${lower}.${group}`,
        name,
        uid,
        resourceVersion,
        generation,
        revision,
        replicas,
        paused: paused === 'true',
        unschedulable: unschedulable === 'true',
        generateName,
        writers: writers.split('|').filter(writer => writer !== ''),
        deleting: deletion !== '',
      }
    })

export const targetName = (namespace: string | null, kind: string, name: string): string =>
  namespace === null ? `${kind}/${name}` : `${namespace}/${kind}/${name}`

/** `node/n1` in no namespace whatever the call says: these kinds lie in none. */
export const CLUSTER_KINDS: ReadonlySet<string> = new Set(
  `apiservice certificatesigningrequest clusterrole clusterrolebinding csidriver csinode customresourcedefinition
  flowschema ingressclass mutatingwebhookconfiguration namespace node persistentvolume priorityclass runtimeclass
  storageclass validatingadmissionpolicy validatingwebhookconfiguration volumeattachment`.split(/\s+/),
)

export interface Found {
  readonly objects: readonly LiveObject[]
  readonly exitCode: number
  readonly stderr: string
}

/** Asks for what `words` name: types, TYPE/NAME, `-f FILE`, selectors. */
export const findObjects = async (
  ask: AskTool,
  words: readonly string[],
  stdin: string | null = null,
): Promise<Found> => {
  const { exitCode, stdout, stderr } = await ask(['get', ...words, '-o', `go-template=${OBJECTS_TEMPLATE}`], {
    stdin,
  })
  return { objects: parseObjects(stdout), exitCode, stderr }
}

const ABSENT = { uid: '', resourceVersion: '', generation: '', revision: '', replicas: '', writers: [] }

/** What `settle` compares with later, by target. `wanted`: as they will be, with what is not there yet. */
export const beforeOf = (
  existing: readonly LiveObject[],
  wanted: readonly LiveObject[] = [],
): Readonly<Record<string, string>> => {
  const before: Record<string, string> = {}
  for (const { target, namespace, resource, name } of wanted) {
    before[target] = JSON.stringify({ namespace, resource, name, ...ABSENT } satisfies ObjectBefore)
  }
  for (const one of existing) {
    const { namespace, resource, name, uid, resourceVersion, generation, revision, replicas, writers } = one
    before[one.target] = JSON.stringify({
      namespace,
      resource,
      name,
      uid,
      resourceVersion,
      generation,
      revision,
      replicas,
      writers,
    } satisfies ObjectBefore)
  }
  return before
}

/** @returns null where what was kept is not of this form. */
export const parseBefore = (text: string): ObjectBefore | null => {
  try {
    const value = JSON.parse(text) as Partial<ObjectBefore> | null
    return typeof value?.name === 'string' && typeof value.uid === 'string' && Array.isArray(value.writers)
      ? (value as ObjectBefore)
      : null
  } catch {
    return null
  }
}
