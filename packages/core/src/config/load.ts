/**
 * Loads the effective config of a workspace, with the origin of each value.
 *
 * Precedence: flag, environment, project, user, default. Lists replace each other; tools and MCP servers are
 * merged by name, key by key. Everything that is wrong, in all sources, is reported at once; nothing that is
 * wrong is passed over. A project file that nobody trusted counts only where it tightens.
 */

import path from 'node:path'
import { SrecodexError } from '../errors.ts'
import type { Problem, SourcePlace } from '../errors.ts'
import { projectFileCandidates, readConfigFile } from './config-file.ts'
import type { ConfigText } from './config-file.ts'
import { configHome, userHome } from './paths.ts'
import { NAMED_SECTIONS, SECTIONS, resolveFields, resolvedDefault } from './schema.ts'
import type { Field, Fields, ResolvedConfig, ResolvedMcpServer, ResolvedTool } from './schema.ts'
import { makeLocator, mergeLayers, problemOf, readDocument, readEnvironment, readFlags } from './source.ts'
import type { Entry, Finding, Layer, Origin, Source } from './source.ts'
import { withoutLoosening } from './tighten.ts'
import { dottedKey } from './toml-text.ts'

export interface LoadConfigOptions {
  readonly workspace: string
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** By dotted key, as the user typed them: `{ 'limits.memory': '1GiB' }`. Undefined means not given. */
  readonly flags?: Readonly<Record<string, unknown>>
  /** @default `config.toml` in the config home */
  readonly userFile?: string
  /** @default the nearest `dotcodex/config.toml`: see `projectFileCandidates` */
  readonly projectFile?: string
  /** Tools that exist without an entry; an untrusted project may lower their limits. @default [] */
  readonly builtInTools?: readonly string[]
  /** Give each origin its line and column, at the price of a second parse. @default false */
  readonly places?: boolean
}

/** One value that is in force. */
export interface ConfigOrigin {
  readonly key: string
  readonly path: readonly string[]
  /** As it would stand in a file. */
  readonly value: unknown
  readonly origin: Origin
  readonly place?: SourcePlace
  readonly description: string
}

/** A file that was looked for. `untrusted`: it was read, and what it would loosen was left out. */
export interface ConfigFile {
  readonly kind: 'user' | 'project'
  readonly path: string
  readonly state: 'read' | 'absent' | 'untrusted'
  /** Of an untrusted one: what `trustFile` takes, so that only content which was shown is trusted. */
  readonly sha256?: string
}

export interface LoadedConfig {
  readonly config: ResolvedConfig
  /** Every fixed key, then what is set of each tool and MCP server, in the order of the schema. */
  readonly origins: readonly ConfigOrigin[]
  readonly files: readonly ConfigFile[]
  /** What an untrusted project file asked for and did not get. */
  readonly notices: readonly Problem[]
}

const DEFAULTS: Source = { origin: 'default' }

const defaultEntry = (route: readonly string[], field: Field): Entry => ({
  key: dottedKey(route),
  path: route,
  field,
  raw: field.default,
  value: resolvedDefault(field),
  source: DEFAULTS,
})

const defaultLayer = (): Layer => ({
  entries: new Map(
    Object.entries(SECTIONS).flatMap(([section, { fields }]) =>
      Object.entries<Field>(fields).map(([key, field]) => {
        const entry = defaultEntry([section, key], field)
        return [entry.key, entry]
      }),
    ),
  ),
  named: new Map(),
})

/** A lowered cap also lowers the default below it: nobody asked for the 300 seconds that it forbids. */
const withCappedDefault = (layer: Layer): Layer => {
  const timeout = layer.entries.get('scripts.execution_timeout')
  const cap = layer.entries.get('scripts.max_timeout')
  if (timeout?.source !== DEFAULTS || cap === undefined || Number(timeout.value) <= Number(cap.value))
    return layer
  const capped = { ...timeout, raw: cap.raw, value: cap.value }
  return { ...layer, entries: new Map(layer.entries).set(timeout.key, capped) }
}

const resolveSection = <S extends Fields>(layer: Layer, route: readonly string[], fields: S) =>
  resolveFields(fields, (key, field) => {
    const entry = layer.entries.get(dottedKey([...route, key]))
    return entry === undefined ? resolvedDefault(field) : entry.value
  })

const resolveNamed = <T>(layer: Layer, section: string, resolve: (route: readonly string[]) => T) => {
  const resolved: Record<string, T> = Object.create(null)
  for (const { path: route } of layer.named.values()) {
    if (route[0] === section) resolved[route[1] ?? ''] = resolve(route)
  }
  return resolved
}

const resolveConfig = (layer: Layer): ResolvedConfig => {
  const { execution_environment, scripts, limits, summary, mutations, runs } = SECTIONS
  return {
    executionEnvironment: resolveSection(layer, ['execution_environment'], execution_environment.fields),
    scripts: resolveSection(layer, ['scripts'], scripts.fields),
    limits: resolveSection(layer, ['limits'], limits.fields),
    summary: resolveSection(layer, ['summary'], summary.fields),
    mutations: resolveSection(layer, ['mutations'], mutations.fields),
    tools: resolveNamed(layer, 'tools', (route): ResolvedTool =>
      resolveSection(layer, route, NAMED_SECTIONS.tools.fields),
    ),
    mcpServers: resolveNamed(layer, 'mcp_servers', (route): ResolvedMcpServer =>
      resolveSection(layer, route, NAMED_SECTIONS.mcp_servers.fields),
    ),
    runs: resolveSection(layer, ['runs'], runs.fields),
  }
}

/** What is wrong between keys. `keys` are looked up for the place: the first that a source other than default sets. */
interface Conflict {
  readonly message: string
  readonly hint?: string
  readonly keys: readonly string[]
}

const timeoutBelowItsCap = ({ scripts }: ResolvedConfig): Conflict[] =>
  scripts.executionTimeoutMs <= scripts.maxTimeoutMs
    ? []
    : [
        {
          message:
            `\`scripts.execution_timeout\` is ${scripts.executionTimeoutMs / 1000} seconds, ` +
            `more than the ${scripts.maxTimeoutMs / 1000} of \`scripts.max_timeout\``,
          hint: 'lower the one or raise the other',
          keys: ['scripts.execution_timeout', 'scripts.max_timeout'],
        },
      ]

const serverHasOneTransport = ({ mcpServers }: ResolvedConfig): Conflict[] =>
  Object.entries(mcpServers)
    .filter(([, server]) => (server.command === null) === (server.url === null))
    .map(([name, server]) => {
      const key = dottedKey(['mcp_servers', name])
      return server.command === null
        ? {
            message: `\`${key}\` has neither \`command\` nor \`url\``,
            hint: 'give it one of them',
            keys: [key],
          }
        : {
            message: `\`${key}\` has both \`command\` and \`url\``,
            hint: 'a server is a program or an address',
            keys: [`${key}.url`],
          }
    })

const STDIO_ONLY = ['args', 'env', 'env_vars', 'cwd']
const HTTP_ONLY = ['bearer_token_env_var', 'http_headers', 'env_http_headers']

/** A token or a header that would silently go nowhere. */
const serverKeysFitTransport = ({ mcpServers }: ResolvedConfig, layer: Layer): Conflict[] =>
  Object.entries(mcpServers).flatMap(([name, server]) => {
    if ((server.command === null) === (server.url === null)) return []
    const strays = server.url === null ? HTTP_ONLY : STDIO_ONLY
    return strays
      .map(key => dottedKey(['mcp_servers', name, key]))
      .filter(key => layer.entries.has(key))
      .map(key => ({
        message: `\`${key}\` means nothing for a server with \`${server.url === null ? 'command' : 'url'}\``,
        keys: [key],
      }))
  })

const CROSS_FIELD_RULES: readonly ((config: ResolvedConfig, layer: Layer) => Conflict[])[] = [
  timeoutBelowItsCap,
  serverHasOneTransport,
  serverKeysFitTransport,
]

const conflictFinding = (layer: Layer, conflict: Conflict): Finding => {
  const set = conflict.keys
    .map(key => layer.entries.get(key))
    .find(entry => entry && entry.source !== DEFAULTS)
  const table = layer.named.get(conflict.keys[0] ?? '')
  return {
    source: set?.source ?? table?.source ?? DEFAULTS,
    path: set?.path ?? table?.path ?? [],
    part: set === undefined ? 'key' : 'value',
    message: conflict.message,
    ...(conflict.hint === undefined ? {} : { hint: conflict.hint }),
  }
}

interface FileLayer {
  readonly file: string
  /** Null: there is no such file, or it cannot be read. */
  readonly content: ConfigText | null
  readonly layer: Layer
}

const readFileLayer = async (
  origin: Origin,
  candidates: readonly string[],
  home: string,
  report: (finding: Finding) => void,
): Promise<FileLayer> => {
  for (const file of candidates) {
    const content = readConfigFile(file)
    if (content === null) continue
    if (typeof content === 'string') {
      const message = `the config file can't be read: ${content}`
      report({ source: { origin, file }, path: [], part: 'key', message, at: { file } })
      return { file, content: null, layer: mergeLayers() }
    }
    return { file, content, layer: await readDocument({ origin, file, text: content.text }, home, report) }
  }
  return { file: candidates[0] ?? '', content: null, layer: mergeLayers() }
}

const keysOf = (prefix: string, fields: Fields): string[] =>
  Object.keys(fields).map(key => `${prefix}.${key}`)

/** In the order of the schema, names in the order of the alphabet. */
const listEntries = (layer: Layer): Entry[] => {
  const fixed = Object.entries(SECTIONS).flatMap(([name, { fields }]) => keysOf(name, fields))
  const named = Object.entries(NAMED_SECTIONS).flatMap(([section, { fields }]) =>
    [...layer.named]
      .filter(([, one]) => one.path[0] === section)
      .map(([key]) => key)
      .sort()
      .flatMap(key => keysOf(key, fields)),
  )
  return [...fixed, ...named].map(key => layer.entries.get(key)).filter(entry => entry !== undefined)
}

const invalid = (problems: readonly Problem[]): SrecodexError => {
  const [first] = problems
  const isOne = problems.length === 1 && first !== undefined
  const message = isOne ? first.message : `the config has ${problems.length} problems`
  return new SrecodexError('CONFIG_INVALID', message, {
    details: { problems },
    ...(isOne && first.at !== undefined ? { at: first.at } : {}),
    ...(isOne && first.hint !== undefined ? { hint: first.hint } : {}),
  })
}

const stateOf = (file: FileLayer): ConfigFile['state'] => (file.content === null ? 'absent' : 'read')

/** The hash of content that nobody trusted, else null. It is that of the bytes that were parsed: no race. */
const untrustedHash = async (
  file: string,
  { bytes }: ConfigText,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> => {
  const { isTrusted, sha256Of } = await import('./trust.ts')
  const sha256 = sha256Of(bytes)
  return (await isTrusted(file, { env, sha256 })) ? null : sha256
}

/** @throws {SrecodexError} CONFIG_INVALID, with every problem of every source in `details.problems`. */
export const loadConfig = async (options: LoadConfigOptions): Promise<LoadedConfig> => {
  const env = options.env ?? process.env
  const home = userHome(env)
  const findings: Finding[] = []
  const report = (finding: Finding): void => void findings.push(finding)

  const userFile = options.userFile ?? path.join(configHome(env), 'config.toml')
  const user = await readFileLayer('user', [userFile], home, report)
  const projectFiles =
    options.projectFile === undefined ? projectFileCandidates(options.workspace, home) : [options.projectFile]
  const project = await readFileLayer('project', projectFiles, home, report)
  const environment = readEnvironment(env, home, report)
  const flags = readFlags(options.flags ?? {}, home, report)

  const base = mergeLayers(defaultLayer(), user.layer)
  const untrusted = withoutLoosening(withCappedDefault(base), project.layer, options.builtInTools ?? [])
  const sha256 =
    untrusted.refused.length > 0 && project.content !== null
      ? await untrustedHash(project.file, project.content, env)
      : null

  const merged = mergeLayers(base, sha256 === null ? project.layer : untrusted.layer, environment, flags)
  const layer = withCappedDefault(merged)
  const config = resolveConfig(layer)
  for (const rule of CROSS_FIELD_RULES) {
    for (const conflict of rule(config, layer)) report(conflictFinding(layer, conflict))
  }

  const locate = makeLocator()
  if (findings.length > 0) throw invalid(await Promise.all(findings.map(one => problemOf(one, locate))))

  const hint = 'read the file, then run `srecodex trust`'
  const refused = sha256 === null ? [] : untrusted.refused
  const notices = await Promise.all(refused.map(one => problemOf({ ...one, hint }, locate)))
  const origins = await Promise.all(
    listEntries(layer).map(async ({ key, path: route, raw, field, source }): Promise<ConfigOrigin> => {
      const place = options.places === true ? await locate(source, route, 'value') : undefined
      const row = { key, path: route, value: raw, origin: source.origin, description: field.description }
      return place === undefined ? row : Object.assign(row, { place })
    }),
  )
  return {
    config,
    origins,
    files: [
      { kind: 'user', path: user.file, state: stateOf(user) },
      sha256 === null
        ? { kind: 'project', path: project.file, state: stateOf(project) }
        : { kind: 'project', path: project.file, state: 'untrusted', sha256 },
    ],
    notices,
  }
}
