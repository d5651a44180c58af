/**
 * What kubectl and helm are given: the pinned copy of the kubeconfig, a cache of their own a server and identity,
 * and the one program that logs in, where the operator named it.
 */

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import type { Mount } from '../../sandbox/profile.ts'
import { contains } from '../../sandbox/workspace.ts'
import { CallError } from '../protocol.ts'
import { credentialPaths, inHome, type GrantOptions } from './grants.ts'
import {
  kubeconfigPaths,
  looksLikeKubeconfig,
  pinKubeconfig,
  type KubeconfigSource,
  type PinnedKubeconfig,
} from './kubeconfig.ts'
import { withoutFlag } from './operator-args.ts'
import { TOOL_PLACES } from './profile.ts'

/** Where a pod finds the account that it runs as. */
const POD_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

export interface KubernetesGrants {
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly mounts: readonly Mount[]
  readonly caches: readonly Mount[]
  /** Credentials that are no kubeconfig, and tokens that change. */
  readonly credentials: readonly string[]
  readonly identity: Readonly<Record<string, string>>
}

export interface KubernetesOptions extends GrantOptions {
  /** Private, of the run. */
  readonly folder: string
  readonly cacheFolder: string
  /** What the program that logs in finds on PATH. */
  readonly loginPath: string
}

/** @throws {CallError} REFUSED | TOOL_FAILED */
export async function grantKubernetes(options: KubernetesOptions): Promise<KubernetesGrants> {
  const { config, defaults, environment, tool } = options
  const passes = (config.env ?? defaults.env).includes('KUBECONFIG')
  const credentials = credentialPaths(options)
  const candidates = kubeconfigPaths({
    args: config.args.map(word => expand(word, options.home)),
    variable: passes ? environment.KUBECONFIG : undefined,
    credentials,
  })
  const sources = readSources(options, candidates, candidates === credentials)
  const named = new Set(sources.map(source => source.path))
  const others = credentials.filter(
    path => !named.has(path) && path !== inHome('~/.kube/config', options.home),
  )
  const pod = sources.length === 0 ? podAccount(environment) : null
  const pinned = withLogin(options, await pin(options, sources))

  const file = join(options.folder, `${tool}.kubeconfig`)
  writeFileSync(file, pinned.text, { mode: 0o600 })
  return {
    args: withoutFlag(config.args, '--kubeconfig'),
    environment: { KUBECONFIG: TOOL_PLACES.kubeconfig, ...pod?.environment },
    mounts: [
      { source: file, target: TOOL_PLACES.kubeconfig },
      ...(pod === null ? [] : [{ source: realpathSync(POD_ACCOUNT), target: POD_ACCOUNT }]),
    ],
    caches: tool === 'kubectl' && config.cache === null ? [ownCache(options, pinned)] : [],
    credentials: [...others, ...pinned.files],
    identity: { ...pinned.identity, ...pod?.identity },
  }
}

function readSources(
  options: KubernetesOptions,
  paths: readonly string[],
  areMixed: boolean,
): KubeconfigSource[] {
  return paths.flatMap(path => {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return []
    if (contains(options.workspace, path) || contains(options.workspace, realpathSync(path))) {
      throw new CallError('REFUSED', `the kubeconfig ${path} lies in the workspace of the script`, {
        hint: 'move it out of the workspace: a script could read it, or change what it says',
      })
    }
    const text = readOrFail(options, path).toString('utf8')
    return areMixed && !looksLikeKubeconfig(path, text) ? [] : [{ path, text }]
  })
}

async function pin(
  options: KubernetesOptions,
  sources: readonly KubeconfigSource[],
): Promise<PinnedKubeconfig> {
  const { parse } = await import('yaml') // 17 ms that only a call of kubectl or helm is worth
  try {
    return pinKubeconfig(sources, {
      args: options.config.args,
      context: options.tool === 'helm' ? options.environment.HELM_KUBECONTEXT : undefined,
      readFile: path => readOrFail(options, path),
      parse: text => parse(text) as unknown,
    })
  } catch (error) {
    if (error instanceof CallError) throw error
    // a YAML error quotes the line, which may hold a token
    throw new CallError('TOOL_FAILED', `${sources.map(one => one.path).join(', ')} cannot be read as YAML`, {
      hint: `kubectl config view shows what kubectl makes of it`,
    })
  }
}

function withLogin(options: KubernetesOptions, pinned: PinnedKubeconfig): PinnedKubeconfig {
  const { login } = pinned
  if (login === null) return pinned
  const name = basename(login)
  const allowed = (options.config.helpers ?? []).some(one => one === login || basename(one) === name)
  if (allowed) return pinned.withLogin(`${TOOL_PLACES.helpers}/${name}`, options.loginPath)
  throw new CallError(
    'REFUSED',
    `the kubeconfig logs in by \`${login}\`, which is not among the programs that ${options.tool} may start`,
    { hint: `if it may: [tools.${options.tool}] helpers = ["${name}"]` },
  )
}

/** Discovery takes a tenth of a second without it; two identities may see different things. */
function ownCache(options: KubernetesOptions, pinned: PinnedKubeconfig): Mount {
  const { context: _context, namespace: _namespace, ...who } = pinned.identity
  const digest = createHash('sha256').update(JSON.stringify(who)).digest('hex').slice(0, 24)
  const source = join(options.cacheFolder, 'kubectl', digest)
  mkdirSync(source, { recursive: true, mode: 0o700 })
  return { source, target: inHome('~/.kube/cache', options.home) }
}

function podAccount(
  environment: NodeJS.ProcessEnv,
): { readonly environment: Record<string, string>; readonly identity: Record<string, string> } | null {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (host === undefined || !statSync(POD_ACCOUNT, { throwIfNoEntry: false })?.isDirectory()) return null
  let namespace = 'default'
  try {
    namespace = readFileSync(join(POD_ACCOUNT, 'namespace'), 'utf8').trim()
  } catch {
    // an account without one acts in the default
  }
  return {
    environment: { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port },
    identity: {
      context: 'in-cluster',
      server: `https://${host}:${port}`,
      user: 'the account of this pod',
      namespace,
    },
  }
}

function readOrFail(options: KubernetesOptions, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new CallError('TOOL_FAILED', `${options.tool} needs ${path}, which cannot be read (${code})`, {
      hint: 'the kubeconfig names it: mend the path or its mode',
    })
  }
}

function expand(word: string, home: string): string {
  return isAbsolute(word) ? word : word.replace(/(^|=)~\//, `$1${home}/`)
}
