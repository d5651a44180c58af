/**
 * The operator's kubeconfig, reduced to the one context that a run uses and complete in itself.
 *
 * kubectl and helm are given this copy and no other file, so the server, the context and the identity stay what they
 * were when the plan was made, whatever happens to the original meanwhile. Files are merged as kubectl does: the
 * first one to name something wins, and a relative path belongs to the file that holds it.
 *
 * Pure but for what it is given. What kubectl itself would complain about is left for it to say.
 */

import { createHash } from 'node:crypto'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import { operatorFlag } from './operator-args.ts'

type Fields = Readonly<Record<string, unknown>>

export interface KubeconfigSource {
  readonly path: string
  readonly text: string
}

export interface PinnedKubeconfig {
  /** JSON, which is YAML. Holds secrets. */
  readonly text: string
  /** Files that cannot be copied in, since they change: tokens. */
  readonly files: readonly string[]
  /** The program that logs in, as the operator's file names it; null: none. */
  readonly login: string | null
  /** Without secrets. */
  readonly identity: Readonly<Record<'context' | 'server' | 'user' | 'namespace' | 'ca', string>>
  /** A program that logs in is to be found under this path. */
  withLogin(program: string, path: string): PinnedKubeconfig
}

/** Paths in a cluster and in a user, and the fields that hold the contents in their place. */
const CLUSTER_FILES = { 'certificate-authority': 'certificate-authority-data' }
const USER_FILES = {
  'client-certificate': 'client-certificate-data',
  'client-key': 'client-key-data',
}

/**
 * @param options.args the operator's, of which those that choose a context, cluster, user or namespace count.
 * @param options.context from the environment, where the tool takes one from there.
 * @throws what `readFile` throws, and what `parse` throws.
 */
export function pinKubeconfig(
  sources: readonly KubeconfigSource[],
  options: {
    readonly args: readonly string[]
    readonly context?: string | undefined
    readonly readFile: (path: string) => Buffer
    /** YAML's; its reader takes long to load. */
    readonly parse: (text: string) => unknown
  },
): PinnedKubeconfig {
  const files = sources.map(source => ({ source, fields: fieldsOf(options.parse(source.text)) }))
  const named = (list: string, name: string): { entry: Fields; base: string } => {
    for (const { source, fields } of files) {
      const entry = listOf(fields[list]).find(one => one.name === name)
      if (entry !== undefined) return { entry, base: dirname(source.path) }
    }
    return { entry: {}, base: '/' }
  }
  const flag = (...names: string[]): string | null => operatorFlag(options.args, names)
  const current = files.map(file => textOf(file.fields['current-context'])).find(name => name !== '') ?? ''
  const context = flag('--context', '--kube-context') ?? options.context ?? current
  const contextFields = fieldsOf(named('contexts', context).entry.context)
  const clusterName = flag('--cluster') ?? textOf(contextFields.cluster)
  const userName = flag('--user') ?? textOf(contextFields.user)
  const cluster = named('clusters', clusterName)
  const user = named('users', userName)

  const clusterFields = contained(
    fieldsOf(cluster.entry.cluster),
    cluster.base,
    CLUSTER_FILES,
    options.readFile,
  )
  const userFields = { ...contained(fieldsOf(user.entry.user), user.base, USER_FILES, options.readFile) }
  const tokenFile = textOf(userFields.tokenFile)
  if (tokenFile !== '') userFields.tokenFile = resolve(user.base, tokenFile)
  const exec = fieldsOf(userFields.exec)
  const command = textOf(exec.command)
  // a name without a slash is looked up on PATH
  const login = command === '' || !command.includes('/') ? command : resolve(user.base, command)

  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    preferences: {},
    'current-context': context,
    contexts: Object.keys(contextFields).length === 0 ? [] : [{ name: context, context: contextFields }],
    clusters: Object.keys(clusterFields).length === 0 ? [] : [{ name: clusterName, cluster: clusterFields }],
    users: Object.keys(userFields).length === 0 ? [] : [{ name: userName, user: userFields }],
  }
  const identity = {
    context,
    server: withoutLogin(flag('--server', '-s', '--kube-apiserver') ?? textOf(clusterFields.server)),
    user: flag('--as', '--kube-as-user') ?? userName,
    namespace: flag('--namespace', '-n') ?? (textOf(contextFields.namespace) || 'default'),
    ca: digestOf(textOf(clusterFields['certificate-authority-data'])),
  }
  return pinned(config, identity, textOf(userFields.tokenFile), login)
}

function pinned(
  config: Fields,
  identity: PinnedKubeconfig['identity'],
  tokenFile: string,
  login: string,
): PinnedKubeconfig {
  return {
    text: JSON.stringify(config),
    files: isAbsolute(tokenFile) ? [tokenFile] : [],
    login: login === '' ? null : login,
    identity,
    withLogin: (program, path) => {
      const users = listOf(config.users).map(one => {
        const user = fieldsOf(one.user)
        const exec = fieldsOf(user.exec)
        const env = [...listOf(exec.env).filter(each => each.name !== 'PATH'), { name: 'PATH', value: path }]
        return { ...one, user: { ...user, exec: { ...exec, command: program, env } } }
      })
      return pinned({ ...config, users }, identity, tokenFile, login)
    },
  }
}

/** The paths to look at, as kubectl would. @param home of the operator. */
export function kubeconfigPaths(options: {
  readonly args: readonly string[]
  /** KUBECONFIG, where it is passed on. */
  readonly variable: string | undefined
  /** Of the config, or of the table. */
  readonly credentials: readonly string[]
}): readonly string[] {
  const flag = operatorFlag(options.args, ['--kubeconfig'])
  if (flag !== null) return [flag]
  const variable = options.variable?.split(':').filter(path => path !== '') ?? []
  return variable.length > 0 ? variable.filter(isAbsolute) : options.credentials
}

/** Among the operator's credentials lie other files as well, such as the list of Helm's repositories. */
export function looksLikeKubeconfig(path: string, text: string): boolean {
  return (
    basename(path) === 'config' || /^\s*["']?(?:clusters|contexts|current-context|users)["']?\s*:/m.test(text)
  )
}

function contained(
  fields: Fields,
  base: string,
  places: Readonly<Record<string, string>>,
  readFile: (path: string) => Buffer,
): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...fields }
  for (const [file, data] of Object.entries(places)) {
    const path = textOf(copy[file])
    delete copy[file]
    // contents win over a path, as in kubectl
    if (path !== '' && textOf(copy[data]) === '')
      copy[data] = readFile(resolve(base, path)).toString('base64')
  }
  return copy
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function withoutLogin(server: string): string {
  return server.replace(/^(https?:\/\/)[^/@]*@/, '$1')
}

function digestOf(text: string): string {
  return text === '' ? 'none' : createHash('sha256').update(text).digest('hex').slice(0, 16)
}
