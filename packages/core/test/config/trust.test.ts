import { execFile } from 'node:child_process'
import { cp, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { isTrusted, trustFile, untrustFile } from '../../src/config/trust.ts'
import { place, write } from './fixture.ts'

const OPEN_NETWORK = '[execution_environment]\nnetwork = "host"\n'

test.each<[string, string]>([
  ['a table', OPEN_NETWORK],
  ['a dotted key', 'execution_environment.network = "host"\n'],
  ['an inline table', 'execution_environment = { network = "host" }\n'],
  ['quoted keys', '"execution_environment".\'network\' = "host"\n'],
  ['escaped keys', '["execution\\u005fenvironment"]\n"net\\u0077ork" = "host"\n'],
  ['an escaped value', '[execution_environment]\nnetwork = "\\u0068ost"\n'],
  ['a list of everything', '[execution_environment]\nnetwork = ["0.0.0.0/0", "::/0"]\n'],
])('an untrusted project does not open the network by %s', async (_name, project) => {
  const { config, files, notices } = await (await place({ project })).load()
  expect(config.executionEnvironment.network).toBe('none')
  expect(files[1]?.state).toBe('untrusted')
  expect(notices).toHaveLength(1)
  expect(notices[0]?.at?.line).toBeGreaterThan(0)
})

test('an untrusted project with the star as its network is a problem, not an open door', async () => {
  const p = await place({ project: '[execution_environment]\nnetwork = ["*"]\n' })
  expect(await p.problems()).toMatchInlineSnapshot(`
    [
      "~/project/dotcodex/config.toml:2:12: \`execution_environment.network[0]\` has "*", which is not a domain ("host" opens everything)",
    ]
  `)
})

test('an untrusted project gets what tightens, and hears of each thing that would loosen', async () => {
  const p = await place({
    user: '[execution_environment]\nnetwork = ["a.com", "b.com"]\n[tools.aws]\nargs = ["--token=s3cret"]\n[mcp_servers.docs]\ncommand = "docs"\n',
    project: `[execution_environment]
sandbox_mode = "danger-full-access"
network = ["a.com"]
readable = ["/etc/shadow"]
[scripts]
execution_timeout = 60
max_timeout = 7200
[limits]
memory = "1TiB"
processes = 64
min_free_space = 0
[mutations]
default = "allow"
clients_may_allow = true
[runs]
keep_days = 1
[tools.aws]
args = []
concurrency = 1
[tools.kubectl]
concurrency = 3
credentials = ["/root/.ssh"]
[tools.sh]
concurrency = 1
[mcp_servers.docs]
command = "sh"
enabled_tools = ["search"]
[mcp_servers.evil]
command = "sh"
`,
  })
  const { config, notices } = await p.load({ builtInTools: ['kubectl'] })
  expect(config.executionEnvironment).toEqual({
    sandboxMode: 'workspace-write',
    network: ['a.com'],
    readable: [],
  })
  expect(config.scripts).toMatchObject({ executionTimeoutMs: 60_000, maxTimeoutMs: 3_600_000 })
  expect(config.limits).toMatchObject({ memoryBytes: 2 ** 31, processes: 64, minFreeSpaceBytes: 2 ** 28 })
  expect(config.mutations).toEqual({ default: 'plan', clientsMayAllow: false, planLifeMs: 900_000 })
  expect(config.runs.keepDays).toBe(30)
  expect(config.tools).toMatchObject({
    aws: { args: ['--token=s3cret'], concurrency: 1 },
    kubectl: { concurrency: 3, credentials: null },
  })
  expect(Object.keys(config.tools)).toEqual(['aws', 'kubectl'])
  expect(config.mcpServers).toMatchObject({ docs: { command: 'docs', enabledTools: ['search'] } })
  expect(Object.keys(config.mcpServers)).toEqual(['docs'])
  expect(p.text(notices).map(line => line.replace(' (read the file, then run `srecodex trust`)', '')))
    .toMatchInlineSnapshot(`
    [
      "~/project/dotcodex/config.toml:23:8: \`tools.sh\` is not applied: only a trusted file may add to [tools]",
      "~/project/dotcodex/config.toml:28:14: \`mcp_servers.evil\` is not applied: only a trusted file may add to [mcp_servers]",
      "~/project/dotcodex/config.toml:2:16: \`execution_environment.sandbox_mode = "danger-full-access"\` is not applied: it would loosen \`"workspace-write"\`, and this file is not trusted",
      "~/project/dotcodex/config.toml:4:12: \`execution_environment.readable = ["/etc/shadow"]\` is not applied: it would loosen \`[]\`, and this file is not trusted",
      "~/project/dotcodex/config.toml:7:15: \`scripts.max_timeout = 7200\` is not applied: it would loosen \`3600\`, and this file is not trusted",
      "~/project/dotcodex/config.toml:9:10: \`limits.memory = "1TiB"\` is not applied: it would loosen \`"2GiB"\`, and this file is not trusted",
      "~/project/dotcodex/config.toml:11:18: \`limits.min_free_space = 0\` is not applied: it would loosen \`"256MiB"\`, and this file is not trusted",
      "~/project/dotcodex/config.toml:13:11: \`mutations.default = "allow"\` is not applied: it would loosen \`"plan"\`, and this file is not trusted",
      "~/project/dotcodex/config.toml:14:21: \`mutations.clients_may_allow = true\` is not applied: it would loosen \`false\`, and this file is not trusted",
      "~/project/dotcodex/config.toml:16:13: \`runs.keep_days = 1\` is not applied: it would loosen \`30\`, and this file is not trusted",
      "~/project/dotcodex/config.toml:18:8: \`tools.aws.args\` is not applied: it would loosen what is in force, and this file is not trusted",
      "~/project/dotcodex/config.toml:22:15: \`tools.kubectl.credentials\` is not applied: it would loosen what is in force, and this file is not trusted",
      "~/project/dotcodex/config.toml:26:11: \`mcp_servers.docs.command\` is not applied: it would loosen what is in force, and this file is not trusted",
    ]
  `)
})

test('a tool that is known only to the project is not added by limits alone', async () => {
  const { config, notices } = await (await place({ project: '[tools.kubectl]\nconcurrency = 1\n' })).load()
  expect([config.tools, notices.length]).toEqual([{}, 1])
})

test('what is in force already is not loosening, nor is it measured against the default alone', async () => {
  const p = await place({
    user: '[execution_environment]\nnetwork = "host"\nreadable = ["~/logs"]\n[limits]\nmemory = "4GiB"\n',
    project:
      '[execution_environment]\nnetwork = "host"\nreadable = ["~/logs/"]\n[limits]\nmemory = "4096MiB"\n',
  })
  const { files, notices } = await p.load()
  expect([files[1]?.state, notices]).toEqual(['read', []])
})

test('a cap that the user lowered also bounds the default for the project', async () => {
  const p = await place({
    user: '[scripts]\nmax_timeout = 60\n',
    project: '[scripts]\nexecution_timeout = 200\n',
  })
  const { config, notices } = await p.load()
  expect([config.scripts.executionTimeoutMs, notices.length]).toEqual([60_000, 1])
})

test('the environment and the flags are the operator: they loosen past an untrusted project', async () => {
  const p = await place({ project: '[limits]\nprocesses = 8\nmemory = "1GiB"\n' })
  const env = { ...p.env, SRECODEX_LIMITS_PROCESSES: '512' }
  const { config } = await p.load({ env, flags: { 'limits.memory': '8GiB' } })
  expect(config.limits).toMatchObject({ processes: 512, memoryBytes: 8 * 2 ** 30 })
})

test('what is wrong in an untrusted file is a problem even where it would not be applied', async () => {
  const p = await place({ project: '[tools.sh]\nconcurency = 1\n' })
  expect(await p.problems()).toHaveLength(1)
})

test('trust applies the file; a change takes it back; trusting again renews it', async () => {
  const p = await place({ project: OPEN_NETWORK })
  const network = async () => (await p.load()).config.executionEnvironment.network
  expect(await network()).toBe('none')

  const trusted = await trustFile(p.projectFile, { env: p.env })
  expect(trusted).toEqual({ path: p.projectFile, sha256: trusted.sha256, trustedAt: trusted.trustedAt })
  expect([await network(), (await p.load()).files[1]?.state]).toEqual(['host', 'read'])

  await write(p.projectFile, `${OPEN_NETWORK}# one more line\n`)
  expect([await network(), await isTrusted(p.projectFile, { env: p.env })]).toEqual(['none', false])

  await trustFile(p.projectFile, { env: p.env })
  expect(await network()).toBe('host')
  expect(await untrustFile(p.projectFile, { env: p.env })).toBe(true)
  expect(await untrustFile(p.projectFile, { env: p.env })).toBe(false)
  expect(await network()).toBe('none')
})

test('only the content that was shown is trusted', async () => {
  const p = await place({ project: OPEN_NETWORK })
  const sha256 = (await p.load()).files[1]?.sha256 ?? ''
  await write(p.projectFile, `${OPEN_NETWORK}readable = ["/"]\n`)
  await expect(trustFile(p.projectFile, { env: p.env, sha256 })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
  expect(await isTrusted(p.projectFile, { env: p.env })).toBe(false)
})

test('trust belongs to a place: a copy, and a symlink to a trusted file, have none', async () => {
  const p = await place({ project: OPEN_NETWORK })
  await trustFile(p.projectFile, { env: p.env })

  const copy = path.join(p.root, 'copy')
  await cp(p.workspace, copy, { recursive: true })
  expect((await p.load({ workspace: copy })).config.executionEnvironment.network).toBe('none')

  await rm(path.join(copy, 'dotcodex'), { recursive: true })
  await write(path.join(copy, 'dotcodex/readme'), '')
  await symlink(p.projectFile, path.join(copy, 'dotcodex/config.toml'))
  expect((await p.load({ workspace: copy })).config.executionEnvironment.network).toBe('none')

  await rm(path.join(copy, 'dotcodex'), { recursive: true })
  await symlink(path.join(p.workspace, 'dotcodex'), path.join(copy, 'dotcodex'))
  expect((await p.load({ workspace: copy })).config.executionEnvironment.network).toBe('none')
})

test('a trusted symlink is trusted for what it showed: pointed elsewhere, it is not', async () => {
  const p = await place()
  const one = await write(path.join(p.root, 'one.toml'), OPEN_NETWORK)
  const two = await write(path.join(p.root, 'two.toml'), `${OPEN_NETWORK}readable = ["/"]\n`)
  await write(path.join(p.workspace, 'dotcodex/readme'), '')
  await symlink(one, p.projectFile)
  await trustFile(p.projectFile, { env: p.env })
  expect((await p.load()).config.executionEnvironment.network).toBe('host')
  await rm(p.projectFile)
  await symlink(two, p.projectFile)
  expect((await p.load()).config.executionEnvironment).toMatchObject({ network: 'none', readable: [] })
})

test('another way to the same project is the same place', async () => {
  const p = await place({ project: OPEN_NETWORK })
  const alias = path.join(p.root, 'alias')
  await symlink(p.workspace, alias)
  await trustFile(path.join(alias, 'dotcodex/config.toml'), { env: p.env })
  expect(await isTrusted(p.projectFile, { env: p.env })).toBe(true)
})

test('the list is private, whole, and leaves nothing beside it', async () => {
  const p = await place({ project: OPEN_NETWORK })
  await trustFile(p.projectFile, { env: p.env })
  const folder = path.dirname(p.userFile)
  const store = path.join(folder, 'trust.json')
  const modes = await Promise.all([folder, store].map(async one => (await stat(one)).mode & 0o777))
  expect(modes).toEqual([0o700, 0o600])
  expect(await readdir(folder)).toEqual(['trust.json'])
  expect(JSON.parse(await readFile(store, 'utf8'))).toMatchObject({
    version: 1,
    files: [{ path: p.projectFile }],
  })
})

test.each(['{', '[]', '{"version":2,"files":[]}', '{"version":1,"files":[{"path":"/"}]}'])(
  'a list that says %s trusts nothing, and is not overwritten',
  async content => {
    const p = await place({ project: OPEN_NETWORK })
    const store = await write(path.join(path.dirname(p.userFile), 'trust.json'), content)
    expect(await p.problems()).toEqual([
      `~/.config/srecodex/trust.json: ~/.config/srecodex/trust.json can't be read: it is not a list of trusted files (move it away, then trust again what you trust)`,
    ])
    await expect(trustFile(p.projectFile, { env: p.env })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await readFile(store, 'utf8')).toBe(content)
  },
)

test('a lock that was left behind is named, not broken', async () => {
  const p = await place({ project: OPEN_NETWORK })
  const lock = await write(path.join(path.dirname(p.userFile), 'trust.json.lock'), '')
  await expect(trustFile(p.projectFile, { env: p.env })).rejects.toMatchObject({
    code: 'STATE_UNWRITABLE',
    details: { path: lock },
  })
  await rename(lock, `${lock}.gone`)
  await trustFile(p.projectFile, { env: p.env })
})

test('many processes that trust at once all count', async () => {
  const p = await place()
  const files = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      write(path.join(p.root, `many/${index}/dotcodex/config.toml`), OPEN_NETWORK),
    ),
  )
  const module = path.resolve(import.meta.dirname, '../../src/config/trust.ts')
  const program = `import { trustFile } from ${JSON.stringify(module)}\nawait trustFile(process.argv[1])`
  await Promise.all(
    files.map(file =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, file], {
        env: { ...p.env },
      }),
    ),
  )
  expect(await Promise.all(files.map(file => isTrusted(file, { env: p.env })))).toEqual(files.map(() => true))
})
