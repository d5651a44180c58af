import { execFileSync } from 'node:child_process'
import { mkdir, rm, symlink } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { cacheHome, configHome, stateHome } from '../../src/config/paths.ts'
import { place, write } from './fixture.ts'

const OPEN_NETWORK = '[execution_environment]\nnetwork = "host"\n'

test('with no file at all, the defaults of the schema stand', async () => {
  const p = await place()
  const { config, files, notices, origins } = await p.load()
  expect({ config, files, notices }).toEqual({
    config: {
      executionEnvironment: { sandboxMode: 'workspace-write', network: 'none', readable: [] },
      scripts: {
        allowedExtensions: ['.py', '.sh', '.js'],
        executionTimeoutMs: 300_000,
        maxTimeoutMs: 3_600_000,
        cleanupAfterRun: true,
      },
      limits: {
        memoryBytes: 2 ** 31,
        processes: 256,
        fileSizeBytes: 2 ** 31,
        outputBytes: 2 ** 31,
        openFiles: 1024,
        cpus: 0,
        minFreeSpaceBytes: 2 ** 28,
        maxCalls: 10_000,
        maxMutations: 500,
      },
      summary: { maxChars: 1200 },
      mutations: { default: 'plan', clientsMayAllow: false, planLifeMs: 900_000 },
      tools: {},
      mcpServers: {},
      runs: { keepDays: 30, maxBytes: 10 * 2 ** 30 },
    },
    files: [
      { kind: 'user', path: p.userFile, state: 'absent' },
      { kind: 'project', path: p.projectFile, state: 'absent' },
    ],
    notices: [],
  })
  expect(new Set(origins.map(({ origin }) => origin))).toEqual(new Set(['default']))
})

test('a flag wins over the environment, over the project, over the user, over the default', async () => {
  const p = await place({
    user: '[limits]\nprocesses = 200\nopen_files = 200\nmax_calls = 200\nmax_mutations = 200\n',
    project: '[limits]\nprocesses = 100\nopen_files = 100\nmax_calls = 100\n',
  })
  const { config, origins } = await p.load({
    env: { ...p.env, SRECODEX_LIMITS_PROCESSES: '50', SRECODEX_LIMITS_OPEN_FILES: '5000' },
    flags: { 'limits.processes': '10', 'limits.memory': undefined },
    places: true,
  })
  expect(config.limits).toMatchObject({ processes: 10, openFiles: 5000, maxCalls: 100, maxMutations: 200 })
  const rows = origins.filter(({ key }) => key.startsWith('limits.'))
  expect(rows.map(({ key, value, origin, place: at }) => [key, value, origin, at?.line])).toEqual([
    ['limits.memory', '2GiB', 'default', undefined],
    ['limits.processes', 10, 'flag', undefined],
    ['limits.file_size', '2GiB', 'default', undefined],
    ['limits.output', '2GiB', 'default', undefined],
    ['limits.open_files', 5000, 'environment', undefined],
    ['limits.cpus', 0, 'default', undefined],
    ['limits.min_free_space', '256MiB', 'default', undefined],
    ['limits.max_calls', 100, 'project', 4],
    ['limits.max_mutations', 200, 'user', 5],
  ])
})

test('lists replace each other; tools merge by name, key by key', async () => {
  const p = await place({
    user: '[scripts]\nallowed_extensions = [".py", ".sh"]\n[tools.kubectl]\nargs = ["-v0"]\nconcurrency = 8\n[tools.jq]\n',
    project: '[scripts]\nallowed_extensions = [".sh"]\n[tools.kubectl]\nconcurrency = 2\n',
  })
  const { config, notices } = await p.load()
  expect(notices).toEqual([])
  expect(config.scripts.allowedExtensions).toEqual(['.sh'])
  const rest = {
    credentials: null,
    helpers: null,
    cache: null,
    env: null,
    ratePerSecond: 20,
    reads: [],
    mutates: [],
    reveals: [],
  }
  expect(config.tools).toEqual({
    kubectl: { ...rest, args: ['-v0'], concurrency: 2 },
    jq: { ...rest, args: [], concurrency: 10 },
  })
})

test('a tool that nobody named is absent, also one named like a method of every object', async () => {
  const { config } = await (await place()).load()
  expect([config.tools['constructor'], config.mcpServers['__proto__']]).toEqual([undefined, undefined])
})

test('an entry copied from Codex is taken with the keys that mean nothing here', async () => {
  const p = await place({
    user: `[mcp_servers.docs]
command = "npx"
args = ["-y", "docs-mcp"]
env = { MODE = "fast" }
required = true
supports_parallel_tool_calls = true
tool_timeout_sec = 2.5
[mcp_servers.docs.tools.search]
approval_mode = "approve"
`,
  })
  expect((await p.load()).config.mcpServers).toEqual({
    docs: {
      command: 'npx',
      args: ['-y', 'docs-mcp'],
      env: { MODE: 'fast' },
      envVars: [],
      cwd: null,
      url: null,
      bearerTokenEnvVar: null,
      httpHeaders: {},
      envHttpHeaders: {},
      startupTimeoutMs: 30_000,
      toolTimeoutMs: 2500,
      enabled: true,
      enabledTools: null,
      disabledTools: [],
    },
  })
})

test('the environment: text becomes a value of its kind, empty text an empty list', async () => {
  const p = await place()
  const { config } = await p.load({
    env: {
      ...p.env,
      SRECODEX_EXECUTION_ENVIRONMENT_SANDBOX_MODE: 'read-only',
      SRECODEX_EXECUTION_ENVIRONMENT_NETWORK: 'a.com, b.com',
      SRECODEX_EXECUTION_ENVIRONMENT_READABLE: '/var/log,~/x',
      SRECODEX_SCRIPTS_ALLOWED_EXTENSIONS: '',
      SRECODEX_SCRIPTS_EXECUTION_TIMEOUT: '60',
      SRECODEX_SCRIPTS_CLEANUP_AFTER_RUN: 'false',
      SRECODEX_LIMITS_MEMORY: '1GiB',
      SRECODEX_LIMITS_OUTPUT: '4096',
      SRECODEX_MUTATIONS_PLAN_LIFE: '1h',
      SRECODEX_HOME: '',
      SRECODEX_RUN: 'x',
      SRECODEX_SOCKET: 'x',
      SRECODEX_BENCH_FILTER: 'x',
    },
  })
  expect(config).toMatchObject({
    executionEnvironment: {
      sandboxMode: 'read-only',
      network: ['a.com', 'b.com'],
      readable: ['/var/log', path.join(p.root, 'x')],
    },
    scripts: { allowedExtensions: [], executionTimeoutMs: 60_000, cleanupAfterRun: false },
    limits: { memoryBytes: 2 ** 30, outputBytes: 4096 },
    mutations: { planLifeMs: 3_600_000 },
  })
})

test('flags: lists, numbers and truths are taken as the command line has parsed them', async () => {
  const { config } = await (
    await place()
  ).load({
    flags: {
      'execution_environment.network': 'host',
      'execution_environment.readable': ['/a', '/b'],
      'scripts.execution_timeout': 30,
      'scripts.cleanup_after_run': false,
      'summary.max_chars': '500',
    },
  })
  expect(config).toMatchObject({
    executionEnvironment: { network: 'host', readable: ['/a', '/b'] },
    scripts: { executionTimeoutMs: 30_000, cleanupAfterRun: false },
    summary: { maxChars: 500 },
  })
})

test('all problems of all sources come at once, each with its place', async () => {
  const p = await place({
    user: '[limits]\r\nmemory = "lots"\r\nmemroy = 1\r\n',
    project: `sandbox_mode = "read-only"
limits = { processes = 0, "proces\\u001b[31m" = 1 }
[scripts]
allowed_extensions = [
  ".py",
  "rb",
]
execution_timeout = "1d"
[execution_enviroment]
[constructor]
x = 1
[__proto__]
[tools]
"../sh" = {}
kubectl.concurency = 1
[mcp_servers.a]
[mcp_servers.b]
url = "https://b.com"
bearer_token_env_var = "sk-123-secret"
[[runs]]
`,
  })
  const env = {
    ...p.env,
    SRECODEX_LIMIT_MEMORY: '1',
    SRECODEX_LIMITS_X: '1',
    SRECODEX_LIMITS_CPUS: '',
    SRECODEX_TOOLS_A: '1',
  }
  expect(await p.problems({ env, flags: { 'limits.output': '1GB/s', 'limits.outptu': '1' } }))
    .toMatchInlineSnapshot(`
    [
      "~/.config/srecodex/config.toml:2:10: \`limits.memory\` is "lots", not a size such as "2GiB" (units are B, KB, MB, GB, TB, KiB, MiB, GiB, TiB)",
      "~/.config/srecodex/config.toml:3:1: unknown key \`limits.memroy\` (did you mean \`limits.memory\`?)",
      "~/project/dotcodex/config.toml:1:1: unknown key \`sandbox_mode\` (it belongs in [execution_environment])",
      "~/project/dotcodex/config.toml:2:24: \`limits.processes\` is 0; it must lie between 4 and 4194304",
      "~/project/dotcodex/config.toml:2:27: unknown key \`limits."proces\\u001b[31m"\`",
      "~/project/dotcodex/config.toml:6:3: \`scripts.allowed_extensions[1]\` is "rb", not one of ".py", ".sh", ".js"",
      "~/project/dotcodex/config.toml:9:2: unknown key \`execution_enviroment\` (did you mean \`execution_environment\`?)",
      "~/project/dotcodex/config.toml:10:2: unknown key \`constructor\`",
      "~/project/dotcodex/config.toml:12:2: unknown key \`__proto__\`",
      "~/project/dotcodex/config.toml:14:1: \`tools."../sh"\` is not the name of a program (letters, digits and . _ + -, no slash)",
      "~/project/dotcodex/config.toml:15:9: unknown key \`tools.kubectl.concurency\` (did you mean \`tools.kubectl.concurrency\`?)",
      "~/project/dotcodex/config.toml:19:24: \`mcp_servers.b.bearer_token_env_var\` is not the name of an environment variable",
      "~/project/dotcodex/config.toml:20:3: \`runs\` must be a table (write [runs])",
      "unknown environment variable \`SRECODEX_LIMIT_MEMORY\` (did you mean \`SRECODEX_LIMITS_MEMORY\`?)",
      "unknown environment variable \`SRECODEX_LIMITS_X\`",
      "\`SRECODEX_LIMITS_CPUS\` is "", not a number",
      "unknown environment variable \`SRECODEX_TOOLS_A\` (tools and MCP servers are set in a config file)",
      "\`limits.output\`, given as a flag, is "1GB/s", not a size such as "2GiB" (units are B, KB, MB, GB, TB, KiB, MiB, GiB, TiB)",
      "unknown key \`limits.outptu\` in a flag",
    ]
  `)
})

test('bad TOML in one file does not hide what is wrong in another', async () => {
  const p = await place({ user: '[limits]\nmemory = \n', project: '[limits]\nfoo = 1\n' })
  expect(await p.problems()).toMatchInlineSnapshot(`
    [
      "~/.config/srecodex/config.toml:2:10: not valid TOML: invalid value",
      "~/project/dotcodex/config.toml:2:1: unknown key \`limits.foo\`",
    ]
  `)
})

test('one problem alone is the message of the error', async () => {
  const p = await place({ project: '[limit]\n' })
  await expect(p.load()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: 'unknown key `limit`',
    hint: 'did you mean `limits`?',
    at: { file: p.projectFile, line: 1, column: 2 },
  })
})

test('rules between keys name the key that was set last', async () => {
  const p = await place({
    user: `[scripts]
max_timeout = 60
[mcp_servers.none]
[mcp_servers.both]
command = "a"
url = "https://a.com"
[mcp_servers.stray]
command = "a"
http_headers = { X = "1" }
`,
  })
  expect(await p.problems({ flags: { 'scripts.execution_timeout': '61' } })).toMatchInlineSnapshot(`
    [
      "\`scripts.execution_timeout\` is 61 seconds, more than the 60 of \`scripts.max_timeout\` (lower the one or raise the other)",
      "~/.config/srecodex/config.toml:3:14: \`mcp_servers.none\` has neither \`command\` nor \`url\` (give it one of them)",
      "~/.config/srecodex/config.toml:6:7: \`mcp_servers.both\` has both \`command\` and \`url\` (a server is a program or an address)",
      "~/.config/srecodex/config.toml:9:16: \`mcp_servers.stray.http_headers\` means nothing for a server with \`command\`",
    ]
  `)
})

test('a lowered cap lowers the default below it, for nobody asked for 300 seconds', async () => {
  const { config } = await (await place({ user: '[scripts]\nmax_timeout = 60\n' })).load()
  expect(config.scripts).toMatchObject({ executionTimeoutMs: 60_000, maxTimeoutMs: 60_000 })
})

test('the nearest project file counts, up to the repository', async () => {
  const p = await place({ project: '[limits]\nprocesses = 100\n' })
  const deep = path.join(p.workspace, 'a/b')
  await mkdir(deep, { recursive: true })
  await write(path.join(p.root, 'dotcodex/config.toml'), '[limits]\nprocesses = 50\n')
  expect((await p.load({ workspace: deep })).config.limits.processes).toBe(100)

  await write(path.join(p.workspace, 'a/dotcodex/config.toml'), '[limits]\nprocesses = 20\n')
  expect((await p.load({ workspace: deep })).config.limits.processes).toBe(20)

  await rm(path.join(p.workspace, 'a/dotcodex'), { recursive: true })
  await rm(p.projectFile)
  expect((await p.load({ workspace: deep })).config.limits.processes).toBe(256)
})

test('without a repository the search ends at the home, and below neither only the workspace counts', async () => {
  const p = await place()
  await rm(path.join(p.workspace, '.git'), { recursive: true })
  await write(path.join(p.root, 'dotcodex/config.toml'), '[limits]\nprocesses = 50\n')
  expect((await p.load()).config.limits.processes).toBe(50)
  expect((await p.load({ env: { HOME: '/nowhere' } })).config.limits.processes).toBe(256)
})

test.each<[string, string | Uint8Array, string]>([
  ['not UTF-8', Uint8Array.of(0x61, 0xff, 0xfe), 'it is not UTF-8'],
  ['over 1 MiB', '#'.repeat(2 ** 20 + 1), 'it is larger than 1 MiB'],
])('a file that is %s is a problem', async (_name, content, reason) => {
  const p = await place()
  await write(p.userFile, content)
  expect(await p.problems()).toEqual([
    `~/.config/srecodex/config.toml: the config file can't be read: ${reason}`,
  ])
})

test.each<[string, (file: string) => Promise<unknown>, string]>([
  ['a folder', file => mkdir(file), 'it is a folder'],
  ['a named pipe', async file => execFileSync('mkfifo', [file]), 'it is not a regular file'],
  ['an endless device', file => symlink('/dev/zero', file), 'it is not a regular file'],
  [
    'a file that lies about its size',
    file => symlink('/proc/self/status', file),
    'it grew while it was read',
  ],
  ['a symlink to itself', file => symlink(file, file), 'its symlinks go in a circle'],
])('%s in place of the project file is a problem, at once', async (_name, make, reason) => {
  const p = await place()
  await mkdir(path.dirname(p.projectFile))
  await make(p.projectFile)
  expect(await p.problems()).toEqual([
    `~/project/dotcodex/config.toml: the config file can't be read: ${reason}`,
  ])
})

test.each<[string, string]>([
  ['a byte order mark', '\uFEFF[limits]\nprocesses = 9\n'],
  ['CRLF', '[limits]\r\nprocesses = 9\r\n'],
  ['a dotted key', 'limits.processes = 9\n'],
  ['an inline table', 'limits = { processes = 9 }\n'],
  ['quoted keys', '["limits"]\n\'processes\' = 9\n'],
  ['an escaped key', '"limit\\u0073"."\\u0070rocesses" = 9\n'],
])('%s spells the same value', async (_name, user) => {
  expect((await (await place({ user })).load()).config.limits.processes).toBe(9)
})

test.each<[string, NodeJS.ProcessEnv, string[]]>([
  ['the defaults', { HOME: '/h' }, ['/h/.config/srecodex', '/h/.local/state/srecodex', '/h/.cache/srecodex']],
  [
    'XDG',
    { HOME: '/h', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', XDG_CACHE_HOME: '/k' },
    ['/c/srecodex', '/s/srecodex', '/k/srecodex'],
  ],
  [
    'a relative XDG path, which is ignored',
    { HOME: '/h', XDG_CONFIG_HOME: 'c' },
    ['/h/.config/srecodex', '/h/.local/state/srecodex', '/h/.cache/srecodex'],
  ],
  [
    'SRECODEX_HOME',
    { HOME: '/h', XDG_CONFIG_HOME: '/c', SRECODEX_HOME: '/o/x/' },
    ['/o/x/config', '/o/x/state', '/o/x/cache'],
  ],
])('the homes follow %s', (_name, env, expected) => {
  expect([configHome(env), stateHome(env), cacheHome(env)]).toEqual(expected)
})

test('a good config loads one small parser and nothing else from outside', async () => {
  const p = await place({ user: '[limits]\nprocesses = 100\n', project: OPEN_NETWORK })
  const module = path.resolve(import.meta.dirname, '../../src/config/load.ts')
  const program = `import { registerHooks } from 'node:module'
const seen = new Set()
registerHooks({ resolve: (name, context, next) => {
  if (!/^[./]|^file:|^node:/.test(name)) seen.add(name)
  return next(name, context)
} })
const { loadConfig } = await import(${JSON.stringify(module)})
for (const project of [null, process.argv[2]]) {
  await loadConfig({ workspace: process.argv[1], ...(project === null ? { projectFile: '/nowhere' } : {}) })
  console.log([...seen].join())
}`
  const args = ['--input-type=module', '-e', program, p.workspace, p.projectFile]
  const printed = execFileSync(process.execPath, args, { env: p.env, encoding: 'utf8' })
  // The second load has a notice, and only that needs the parser that knows lines.
  expect(printed.split('\n')).toEqual(['smol-toml', 'smol-toml,toml-eslint-parser,eslint-visitor-keys', ''])
})

test('SRECODEX_HOME moves the user file', async () => {
  const p = await place({ user: '[limits]\nprocesses = 100\n' })
  const own = path.join(p.root, 'own')
  await write(path.join(own, 'config/config.toml'), '[limits]\nprocesses = 70\n')
  expect((await p.load({ env: { ...p.env, SRECODEX_HOME: own } })).config.limits.processes).toBe(70)
})
