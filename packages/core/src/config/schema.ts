/**
 * Every config key in one place: its kind, its default, what makes it looser, what it is for.
 *
 * Types, messages, the reference and `config show` are all derived from these tables. Defaults are written as
 * they would stand in a file. A default of null means "not said", which differs from an empty value: the
 * description tells how.
 */

import {
  absolutePath,
  anyText,
  choice,
  decimal,
  duration,
  flag,
  integer,
  list,
  network,
  program,
  programName,
  rate,
  serverName,
  size,
  text,
  textMap,
  variableName,
  webAddress,
} from './kinds.ts'
import type { Kind, TextRule } from './kinds.ts'
import {
  added,
  addedToSome,
  changed,
  higher,
  higherOrZero,
  later,
  lower,
  never,
  opened,
  removed,
  turnedOn,
} from './loosening.ts'
import type { Loosening } from './loosening.ts'

/** One key. `as` is its name once resolved, with the unit. */
export interface Field<T = unknown, As extends string = string, Default = unknown> {
  readonly as: As
  readonly kind: Kind<T>
  readonly default: Default
  readonly loosens: { readonly when: string | null; test(from: unknown, to: unknown): boolean }
  readonly description: string
}

export type Fields = Readonly<Record<string, Field>>

/** Checks that a kind and its loosening speak of the same type; from then on the pair travels untyped. */
const field = <T, const As extends string, const Default>(parts: {
  readonly as: As
  readonly kind: Kind<T>
  readonly default: Default
  readonly loosens: Loosening<NoInfer<T>>
  readonly description: string
}): Field<T, As, Default> => parts

const SANDBOX_MODES = ['read-only', 'workspace-write', 'danger-full-access'] as const
const MUTATIONS = ['deny', 'plan', 'allow'] as const
const EXTENSIONS = ['.py', '.sh', '.js'] as const
const WEEK_SECONDS = 7 * 24 * 3600

const paths = list(text(absolutePath), 'a list of absolute paths')
const texts = list(text(anyText), 'a list of texts')
const variables = list(text(variableName), 'a list of names of environment variables')

const EXECUTION_ENVIRONMENT = {
  sandbox_mode: field({
    as: 'sandboxMode',
    kind: choice(SANDBOX_MODES),
    default: 'workspace-write',
    loosens: later(SANDBOX_MODES),
    description: 'What a script may write: nothing, its workspace, or whatever the user may.',
  }),
  network: field({
    as: 'network',
    kind: network,
    default: 'none',
    loosens: opened,
    description:
      'none, host, or a list of domains (HTTP and HTTPS only); private addresses only by an explicit CIDR block.',
  }),
  readable: field({
    as: 'readable',
    kind: paths,
    default: [],
    loosens: added,
    description: 'More paths that a script may read, such as "/var/log".',
  }),
} satisfies Fields

const SCRIPTS = {
  allowed_extensions: field({
    as: 'allowedExtensions',
    kind: list(choice(EXTENSIONS), 'a list of file extensions'),
    default: EXTENSIONS,
    loosens: added,
    description: 'Which scripts may run; an empty list refuses all of them.',
  }),
  execution_timeout: field({
    as: 'executionTimeoutMs',
    kind: duration(0.1, WEEK_SECONDS),
    default: 300,
    loosens: higher,
    description: "Seconds of the script's own time; waiting for a person does not count.",
  }),
  max_timeout: field({
    as: 'maxTimeoutMs',
    kind: duration(1, WEEK_SECONDS),
    default: 3600,
    loosens: higher,
    description: 'Seconds that no flag, skill or client may exceed.',
  }),
  // Whether temporary scripts are left lying about gives a script no power, so neither value loosens.
  cleanup_after_run: field({
    as: 'cleanupAfterRun',
    kind: flag,
    default: true,
    loosens: never,
    description: 'Remove temporary scripts: text by stdin or MCP, and files under WORKSPACE/.srecodex/tmp/.',
  }),
} satisfies Fields

const LIMITS = {
  memory: field({
    as: 'memoryBytes',
    kind: size(2 ** 24),
    default: '2GiB',
    loosens: higher,
    description: 'Memory of a script and everything it starts.',
  }),
  processes: field({
    as: 'processes',
    kind: integer(4, 4_194_304),
    default: 256,
    loosens: higher,
    description: 'Processes and threads at one time.',
  }),
  file_size: field({
    as: 'fileSizeBytes',
    kind: size(1),
    default: '2GiB',
    loosens: higher,
    description: 'Size of one file that a script writes.',
  }),
  output: field({
    as: 'outputBytes',
    kind: size(1),
    default: '2GiB',
    loosens: higher,
    description: 'What is kept of each captured stream; the rest is counted, and the script goes on.',
  }),
  open_files: field({
    as: 'openFiles',
    kind: integer(16, 1_048_576),
    default: 1024,
    loosens: higher,
    description: 'Open files of one process.',
  }),
  cpus: field({
    as: 'cpus',
    kind: decimal(0, 4096),
    default: 0,
    loosens: higherOrZero,
    description: 'Processors that a script may keep busy; 0 means no limit.',
  }),
  min_free_space: field({
    as: 'minFreeSpaceBytes',
    kind: size(0),
    default: '256MiB',
    loosens: lower,
    description: "A run is ended when the workspace's disk has less left than this.",
  }),
  max_calls: field({
    as: 'maxCalls',
    kind: integer(0, 10_000_000),
    default: 10_000,
    loosens: higher,
    description: 'Calls to tools in one run.',
  }),
  max_mutations: field({
    as: 'maxMutations',
    kind: integer(0, 10_000_000),
    default: 500,
    loosens: higher,
    description: 'Mutations in one run: the blast radius.',
  }),
} satisfies Fields

const SUMMARY = {
  max_chars: field({
    as: 'maxChars',
    kind: integer(80, 100_000),
    default: 1200,
    loosens: higher,
    description: 'Characters of a summary.',
  }),
} satisfies Fields

const MUTATION_POLICY = {
  default: field({
    as: 'default',
    kind: choice(MUTATIONS),
    default: 'plan',
    loosens: later(MUTATIONS),
    description: 'What becomes of a mutation: planned for approval, allowed at once, or denied.',
  }),
  clients_may_allow: field({
    as: 'clientsMayAllow',
    kind: flag,
    default: false,
    loosens: turnedOn,
    description: 'Whether an MCP client may ask for `allow` by itself.',
  }),
  plan_life: field({
    as: 'planLifeMs',
    kind: duration(1, WEEK_SECONDS),
    default: '15m',
    loosens: higher,
    description: 'How long a plan can be applied.',
  }),
} satisfies Fields

// Runs are shared by all projects and are the record of what was done. A project that shortens their life
// destroys evidence; one that lengthens it destroys nothing. So here the lower value is the looser one.
const RUNS = {
  keep_days: field({
    as: 'keepDays',
    kind: integer(1, 36_500),
    default: 30,
    loosens: lower,
    description: 'Days that a finished run is kept.',
  }),
  max_bytes: field({
    as: 'maxBytes',
    kind: size(2 ** 20),
    default: '10GiB',
    loosens: lower,
    description: 'Space for all kept runs; the oldest go first.',
  }),
} satisfies Fields

// What a tool is given decides where the operator's identity goes, so any change by a project counts.
const TOOL = {
  credentials: field({
    as: 'credentials',
    kind: paths,
    default: null,
    loosens: changed,
    description:
      "Mounted read-only for the tool alone, with the files that it names. Absent: the table's own.",
  }),
  helpers: field({
    as: 'helpers',
    kind: list(text(program), 'a list of programs'),
    default: null,
    loosens: changed,
    description: "Programs that the tool may start, such as login plug-ins. Absent: the table's own.",
  }),
  cache: field({
    as: 'cache',
    kind: paths,
    default: null,
    loosens: changed,
    description: "Writable for the tool alone. Absent: the table's own.",
  }),
  env: field({
    as: 'env',
    kind: variables,
    default: null,
    loosens: changed,
    description: "Environment variables that are passed on to the tool. Absent: the table's own.",
  }),
  args: field({
    as: 'args',
    kind: texts,
    default: [],
    loosens: changed,
    description: 'Always added; endpoint and identity flags come only from here.',
  }),
  concurrency: field({
    as: 'concurrency',
    kind: integer(1, 1024),
    default: 10,
    loosens: higher,
    description: 'Calls at one time.',
  }),
  rate: field({
    as: 'ratePerSecond',
    kind: rate,
    default: '20/s',
    loosens: higher,
    description: 'Calls that may start in a second, a minute or an hour.',
  }),
  reads: field({
    as: 'reads',
    kind: texts,
    default: [],
    loosens: changed,
    description: 'Patterns of calls that only read; they extend the table.',
  }),
  mutates: field({
    as: 'mutates',
    kind: texts,
    default: [],
    loosens: changed,
    description: 'Patterns of calls that change something; they extend the table.',
  }),
  reveals: field({
    as: 'reveals',
    kind: texts,
    default: [],
    loosens: changed,
    description: 'Patterns of calls that print secrets; they extend the table.',
  }),
} satisfies Fields

const MCP_SERVER = {
  command: field({
    as: 'command',
    kind: text(anyText),
    default: null,
    loosens: changed,
    description: 'The program of a server that speaks over stdio; either this or `url`.',
  }),
  args: field({ as: 'args', kind: texts, default: [], loosens: changed, description: 'Its arguments.' }),
  env: field({
    as: 'env',
    kind: textMap(variableName, 'a table of environment variables'),
    default: {},
    loosens: changed,
    description: 'Environment variables with their values.',
  }),
  env_vars: field({
    as: 'envVars',
    kind: variables,
    default: [],
    loosens: changed,
    description: 'Environment variables that are passed on as they are.',
  }),
  cwd: field({
    as: 'cwd',
    kind: text(absolutePath),
    default: null,
    loosens: changed,
    description: "Where it runs. Absent: the operator's home, since a script can write to the workspace.",
  }),
  url: field({
    as: 'url',
    kind: text(webAddress),
    default: null,
    loosens: changed,
    description: 'The address of a server that speaks over HTTP; either this or `command`.',
  }),
  bearer_token_env_var: field({
    as: 'bearerTokenEnvVar',
    kind: text(variableName),
    default: null,
    loosens: changed,
    description: 'The environment variable that holds its token.',
  }),
  http_headers: field({
    as: 'httpHeaders',
    kind: textMap(anyText, 'a table of headers'),
    default: {},
    loosens: changed,
    description: 'Headers with their values.',
  }),
  env_http_headers: field({
    as: 'envHttpHeaders',
    kind: textMap(anyText, 'a table of headers'),
    default: {},
    loosens: changed,
    description: 'Headers, each with the environment variable that holds its value.',
  }),
  startup_timeout_sec: field({
    as: 'startupTimeoutMs',
    kind: duration(0.1, 3600),
    default: 30,
    loosens: higher,
    description: 'Seconds that it may take to start.',
  }),
  tool_timeout_sec: field({
    as: 'toolTimeoutMs',
    kind: duration(0.1, WEEK_SECONDS),
    default: 300,
    loosens: higher,
    description: 'Seconds that one call may take.',
  }),
  enabled: field({
    as: 'enabled',
    kind: flag,
    default: true,
    loosens: turnedOn,
    description: 'Whether scripts can call it at all.',
  }),
  enabled_tools: field({
    as: 'enabledTools',
    kind: texts,
    default: null,
    loosens: addedToSome,
    description: 'The tools that scripts may call. Absent: all; an empty list: none.',
  }),
  disabled_tools: field({
    as: 'disabledTools',
    kind: texts,
    default: [],
    loosens: removed,
    description: 'Tools that scripts may not call, whatever `enabled_tools` says.',
  }),
} satisfies Fields

/** Keys of Codex's own that a copied `[mcp_servers.*]` entry may hold. They mean nothing here: policy is ours. */
export const CODEX_ONLY: ReadonlySet<string> = new Set([
  'default_tools_approval_mode',
  'environment_id',
  'experimental_environment',
  'oauth',
  'oauth_client_id',
  'oauth_resource',
  'required',
  'scopes',
  'supports_parallel_tool_calls',
  'tools',
])

/** Sections with fixed keys. */
export const SECTIONS = {
  execution_environment: { as: 'executionEnvironment', fields: EXECUTION_ENVIRONMENT },
  scripts: { as: 'scripts', fields: SCRIPTS },
  limits: { as: 'limits', fields: LIMITS },
  summary: { as: 'summary', fields: SUMMARY },
  mutations: { as: 'mutations', fields: MUTATION_POLICY },
  runs: { as: 'runs', fields: RUNS },
} satisfies Readonly<Record<string, { readonly as: string; readonly fields: Fields }>>

/** Sections whose entries the operator names. */
export const NAMED_SECTIONS = {
  tools: { as: 'tools', name: programName, fields: TOOL },
  mcp_servers: { as: 'mcpServers', name: serverName, fields: MCP_SERVER },
} satisfies Readonly<
  Record<string, { readonly as: string; readonly name: TextRule; readonly fields: Fields }>
>

type ResolvedField<F> =
  F extends Field<infer T, string, infer Default> ? (Default extends null ? T | null : T) : never

type ResolvedFields<S extends Fields> = { readonly [K in keyof S as S[K]['as']]: ResolvedField<S[K]> }

export type ResolvedTool = ResolvedFields<typeof TOOL>
export type ResolvedMcpServer = ResolvedFields<typeof MCP_SERVER>

/** What the operator allows, with units in the names. `tools` and `mcpServers` have no prototype. */
export interface ResolvedConfig {
  readonly executionEnvironment: ResolvedFields<typeof EXECUTION_ENVIRONMENT>
  readonly scripts: ResolvedFields<typeof SCRIPTS>
  readonly limits: ResolvedFields<typeof LIMITS>
  readonly summary: ResolvedFields<typeof SUMMARY>
  readonly mutations: ResolvedFields<typeof MUTATION_POLICY>
  /** Only the tools that are named; any other one has the defaults. */
  readonly tools: Readonly<Record<string, ResolvedTool>>
  readonly mcpServers: Readonly<Record<string, ResolvedMcpServer>>
  readonly runs: ResolvedFields<typeof RUNS>
}

/** The default of a field in its resolved form. */
export const resolvedDefault = (one: Field): unknown => {
  if (one.default === null) return null
  return one.kind.read(one.default, {
    home: '/',
    refuse: message => {
      throw new Error(`the default of \`${one.as}\` ${message}`)
    },
  })
}

/** The one place where values that kinds have read take the type that their table promises. */
export const resolveFields = <S extends Fields>(
  fields: S,
  valueOf: (key: string, one: Field) => unknown,
): ResolvedFields<S> => {
  const pairs = Object.entries(fields).map(([key, one]) => [one.as, valueOf(key, one)])
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value comes from its own field's kind
  return Object.fromEntries(pairs) as ResolvedFields<S>
}

/** One line of the reference. */
export interface ConfigKey {
  /** `limits.memory`, or `tools.NAME.rate`. */
  readonly key: string
  readonly type: string
  /** As it stands in a file; null: none, and its absence means something. */
  readonly default: unknown
  /** What an untrusted project may not do with it; null: it may set any value. */
  readonly loosens: string | null
  readonly description: string
}

const referenceRows = (prefix: string, fields: Fields): ConfigKey[] =>
  Object.entries(fields).map(([key, one]) => ({
    key: `${prefix}.${key}`,
    type: one.kind.type,
    default: one.default,
    loosens: one.loosens.when,
    description: one.description,
  }))

/** Every key in the order of the tables. */
export const configKeys = (): ConfigKey[] => [
  ...Object.entries(SECTIONS).flatMap(([name, section]) => referenceRows(name, section.fields)),
  ...Object.entries(NAMED_SECTIONS).flatMap(([name, section]) =>
    referenceRows(`${name}.NAME`, section.fields),
  ),
]
