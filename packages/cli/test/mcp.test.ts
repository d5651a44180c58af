/** The agent's door, by a plain client in both revisions of the protocol: what is offered, taken, refused, bounded. */

import { project } from '@srecodex/testkit'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connect, REVISIONS, type CallOptions } from './mcp-client.ts'

/** Each starts processes, a cluster or several servers. */
const LONG_MS = 120_000

const SAY = (text: string): string => `from srecodex import summary\nsummary(${JSON.stringify(text)})\n`

const python = (script: string, more: Record<string, unknown> = {}) => ({
  script,
  language: 'python',
  ...more,
})

describe.for(REVISIONS)('revision %s', { timeout: LONG_MS }, revision => {
  test('eight tools, each with strict input, a shape of its result, and all four hints', async () => {
    const { client, received } = await connect(project(), { revision })
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual([
      ...['find_skills', 'read_skill', 'run_script', 'run_status'],
      ...['apply_plan', 'resume_run', 'cancel_run', 'read_output'],
    ])
    for (const { description, inputSchema, outputSchema, annotations } of tools) {
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
      expect(outputSchema).toMatchObject({ type: 'object' })
      expect(Object.keys(annotations ?? {}).sort()).toEqual([
        ...['destructiveHint', 'idempotentHint', 'openWorldHint', 'readOnlyHint'],
      ])
      expect(description!.split(/\. /)[0]!.length).toBeLessThan(160)
      expect(description!).toMatch(/\b(not|Not|Only)\b/)
    }
    const destructive = tools
      .filter(({ annotations }) => annotations?.destructiveHint)
      .map(({ name }) => name)
    expect(destructive).toEqual(['apply_plan', 'resume_run'])
    expect(tools.find(({ name }) => name === 'run_script')?.description).toContain(
      '// @exec: {"yield_time_ms": 300000}',
    )
    expect(received().length).toBeLessThan(16_000)
  })

  test('the first 250 characters of the instructions stand alone', async () => {
    const { client } = await connect(project(), { revision })
    const first = client.getInstructions()!.split('\n')[0]!
    expect(first.length).toBeLessThanOrEqual(250)
    expect(first).toMatchInlineSnapshot(
      `"For a job on many items or much data (pods, hosts, logs, rows), write ONE Python, Bash or JavaScript script and call run_script once: kubectl, aws, psql work inside it, and only summary(text) comes back. Do not loop over tool calls."`,
    )
  })

  test('a script runs, and its summary is the same text for clients of either habit', async () => {
    const { workspace, ...place } = project()
    const { call, received, leave } = await connect({ ...place, workspace }, { revision })
    const script = `import sys\nprint("RAW" * 100_000)\nopen("made.txt", "w").write(sys.argv[1])\n${SAY('all is well')}`
    const { isError, report, text } = await call('run_script', python(script, { args: ['two words'] }))
    expect(isError).toBe(false)
    expect(report).toMatchObject({ status: 'succeeded', summary: 'all is well', exitCode: 0, next: null })
    expect(text).toMatch(/^all is well\n\nsucceeded: run \w{26} · .* · 293 KiB printed, kept on disk$/)
    expect(received()).not.toContain('RAWRAW')
    expect(place.read('made.txt')).toBe('two words')
    expect(readdirSync(workspace)).toEqual(['made.txt'])
    expect(await leave()).toBe(0)
  })

  test('all three languages', async () => {
    const { call } = await connect(project(), { revision })
    const scripts = {
      python: SAY('hello'),
      shell: 'summary hello',
      javascript: "import { summary } from 'srecodex'\nawait summary('hello')",
    }
    for (const [language, script] of Object.entries(scripts)) {
      const { report } = await call('run_script', { script, language })
      expect(report).toMatchObject({ status: 'succeeded', summary: 'hello', script: { language } })
    }
  })

  test('a run goes on after waitSeconds, is looked at, waited for, and cancelled', async () => {
    const { call } = await connect(project(), { revision })
    const script = `import time\nfrom srecodex import progress\nprogress(1, 3, "first of three")\ntime.sleep(2)\n${SAY('done')}`
    const { report: begun, text } = await call('run_script', python(script, { waitSeconds: 1 }))
    expect(begun).toMatchObject({
      status: 'running',
      next: `run_status {"run":"${begun.run}","waitSeconds":240}`,
    })
    expect(text).toContain('1 of 3 done')
    expect(text).not.toContain('first of three')
    expect((await call('run_status', { run: begun.run })).report.status).toBe('running')
    const { report } = await call('run_status', { run: begun.run, waitSeconds: 20 })
    expect(report).toMatchObject({ run: begun.run, status: 'succeeded', summary: 'done' })

    const { report: long } = await call(
      'run_script',
      python('import time; time.sleep(60)', { waitSeconds: 0 }),
    )
    expect(long.status).toBe('running')
    expect((await call('cancel_run', { run: long.run })).report).toMatchObject({ status: 'cancelled' })
    expect((await call('run_status', { run: long.run })).report).toMatchObject({ status: 'cancelled' })
  })

  test('output is read a bounded slice at a time', async () => {
    const { call } = await connect(project(), { revision })
    const script = 'for n in range(5000): print(f"line {n} " + "\\"x\\\\" * 20)'
    const { report } = await call('run_script', python(script))
    const { report: slice, chars } = await call('read_output', { run: report.run, offset: 100 })
    expect(slice.text).toMatch(/^101: line 100 /)
    expect(slice.nextOffset).toBeGreaterThan(102)
    expect(chars).toBeLessThanOrEqual(2500)
    const found = await call('read_output', { run: report.run, grep: 'line 4999' })
    expect(found.report.text).toMatch(/^5000: line 4999 /)
    expect((await call('read_output', { run: report.run, grep: 'nothing' })).text).toBe(
      'no line of stdout matches',
    )
    const bad = await call('read_output', { run: report.run, grep: '(' })
    expect(bad).toMatchObject({ isError: true, text: expect.stringMatching(/^error\[USAGE\]/) })
  })

  test('progress comes from the script, grows, and comes while nothing moves', async () => {
    const { call } = await connect(project(), { revision })
    const script = `import time
from srecodex import progress
for n in range(3):
    progress(n, 3, "step")
    time.sleep(0.8)
time.sleep(4)
`
    const heard: Parameters<NonNullable<CallOptions['onProgress']>>[0][] = []
    await call('run_script', python(script), { onProgress: one => void heard.push(one) })
    expect(heard.length).toBeGreaterThanOrEqual(3)
    const numbers = heard.map(({ progress }) => progress)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    expect(heard.at(-1)).toMatchObject({ total: 3, message: expect.stringContaining('step') })
  })

  test('artifacts are resources', async () => {
    const { call, client } = await connect(project(), { revision })
    const script = `import os
folder = os.environ["SRECODEX_ARTIFACTS"]
open(folder + "/found things.txt", "w").write("three")
open(folder + "/raw.bin", "wb").write(bytes([255, 0]))
os.symlink("/etc/passwd", folder + "/link")
os.symlink("/etc", folder + "/etc")
`
    const { report } = await call('run_script', python(script))
    const { resources } = await client.listResources()
    expect(resources.map(({ name, size }) => [name, size])).toEqual([
      [`${report.run}/found things.txt`, 5],
      [`${report.run}/raw.bin`, 2],
    ])
    const { contents } = await client.readResource({ uri: resources[0]!.uri })
    expect(contents).toMatchObject([{ text: 'three' }])
    expect((await client.readResource({ uri: resources[1]!.uri })).contents).toMatchObject([{ blob: '/wA=' }])
    for (const name of ['link', 'etc/passwd', '../run.json', '..%2Frun.json', 'raw.bin/../../run.json']) {
      const uri = `srecodex://runs/${report.run}/artifacts/${name}`
      await expect(client.readResource({ uri })).rejects.toThrow(/not found/i)
    }
  })

  test('an artifact that holds a secret, or is named by one, is redacted, or withheld where it is no text', async () => {
    const env = { BILLING_API_KEY: 'kJ8sQ2mXv0pLr4Tz', OTHER_PASSWORD: 'pässwörd-geheim' }
    const { call, client } = await connect(project(), { revision, env })
    const script = `import os
folder = os.environ["SRECODEX_ARTIFACTS"]
secret = "kJ8s" + "Q2mXv0pLr4Tz"
open(folder + "/a.txt", "w").write("key: " + secret + "\\nrows: 3\\n")
open(folder + "/b.bin", "wb").write(bytes([255, 0]) + secret.encode())
open(folder + "/b16.bin", "wb").write(bytes([255]) + secret.encode("utf-16-be"))
open(folder + "/b8.bin", "wb").write(bytes([255]) + "p\\u00e4ssw\\u00f6rd-geheim".encode())
open(folder + "/of " + secret + ".txt", "w").write("rows: 4")
`
    const { text: told, report } = await call('run_script', python(script))
    const { resources } = await client.listResources()
    expect(`${told} ${JSON.stringify([report, resources])}`).not.toContain('kJ8s')
    const [text, ...others] = await Promise.all(
      resources.map(async ({ uri }) => (await client.readResource({ uri })).contents[0]),
    )
    expect(text).toMatchObject({ text: expect.stringMatching(/^key: \[redacted[^\n]*\]\nrows: 3\n$/) })
    for (const binary of others.slice(0, 3))
      expect(binary).toMatchObject({ text: expect.stringContaining('is no text and holds a secret') })
    expect(resources[4]!.name).toMatch(/\/of \[redacted.*\]\.txt$/)
    expect(others[3]).toMatchObject({ text: 'rows: 4' })
  })

  test('skills are found with their signature, and read', async () => {
    const { call } = await connect(project(), { revision })
    const { report, text, chars } = await call('find_skills', { query: 'restart all deployments that crash' })
    expect(report.skills[0]).toMatchObject({
      id: 'k8s/bulk-restart',
      risk: 'medium, always planned',
      signature: expect.stringMatching(
        /^skill\("k8s\/bulk-restart", workloads: list\[str\] = None, namespace: str = None, /,
      ),
    })
    expect(text).toContain(report.skills[0].signature)
    expect(chars).toBeLessThanOrEqual(2500)
    const one = await call('find_skills', { query: 'restart all deployments that crash', limit: 1 })
    expect(one.report.skills[0].signature).toMatch(
      / max_failures: int = 3, .* -> \{summary: str, total: int, /,
    )
    expect((await call('find_skills', { query: 'qwertz uiop' })).report).toEqual({ skills: [] })

    const { report: skill } = await call('read_skill', { id: 'k8s/bulk-restart' })
    expect(skill.text).toMatch(/^Bulk Restart \(k8s\/bulk-restart\), risk medium\n/)
    const unknown = await call('read_skill', { id: 'k8s/bulk-restrat' })
    expect(unknown).toMatchObject({
      isError: true,
      text: 'error[SKILL_NOT_FOUND]: there is no skill `k8s/bulk-restrat`\nhint: did you mean k8s/bulk-restart?',
    })
  })

  test('the workspace lies below the server’s folder or a root of the client, and never on a protected path', async () => {
    const place = project({
      files: { 'sub/a.txt': '', '.git/hooks/x': '', '.vscode/x': '', '~/root/b.txt': '' },
    })
    const { workspace, home, path } = place
    symlinkSync(home, join(workspace, 'away'))
    mkdirSync(path('bare/objects'), { recursive: true })
    for (const name of ['bare/refs', 'bare/HEAD', 'bare/hooks']) mkdirSync(path(name))
    const where = 'import os\nfrom srecodex import summary\nsummary(os.getcwd())'
    const plain = await connect(place, { revision })
    const inSub = await plain.call('run_script', python(where, { workspace: 'sub' }))
    expect(inSub.report).toMatchObject({ status: 'succeeded', summary: join(workspace, 'sub') })
    const refused = ['..', '/', home, 'away', join(home, 'root'), 'sub/../..', 'nowhere']
    for (const folder of refused) {
      const result = await plain.call('run_script', python(where, { workspace: folder }))
      expect(`${folder}: ${result.text}`).toMatch(/: error\[WORKSPACE_INVALID\]/)
    }
    for (const folder of ['.git', '.git/hooks', '.vscode', 'bare/hooks']) {
      const result = await plain.call('run_script', python(where, { workspace: folder }))
      expect(`${folder}: ${result.text}`).toMatch(/: error\[WORKSPACE_INVALID\]: \S+ cannot be a workspace: /)
    }
    const rooted = await connect(place, { revision, roots: [join(home, 'root'), '/nowhere'] })
    const atRoot = await rooted.call('run_script', python(where, { workspace: join(home, 'root') }))
    expect(atRoot.report).toMatchObject({ status: 'succeeded', summary: join(home, 'root') })
    const past = await rooted.call('run_script', python(where, { workspace: home }))
    expect(past.text).toMatch(/^error\[WORKSPACE_INVALID\]/)
  })

  test('what cannot be taken is an error of that call, and the server goes on', async () => {
    const { call, received, stderr } = await connect(project(), { revision })
    const cases: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
      ['run_script', {}, /^error\[USAGE\]: run_script: `script` is needed; `language` is needed\n/],
      ['run_script', python(SAY('x'), { shell: true }), /there is no input `shell`/],
      ['run_script', { script: 1, language: 'perl' }, /^error\[USAGE\]: .*must be/],
      ['run_script', python(''), /^error\[SCRIPT_EMPTY\]/],
      ['run_script', python('x'.repeat(10 * 1024 * 1024)), /^error\[SCRIPT_TOO_LARGE\]/],
      ['run_script', python(SAY('x'), { waitSeconds: -1 }), /must be at least 0/],
      ['run_script', python(SAY('x'), { timeoutSeconds: 90_000 }), /`timeoutSeconds` is 90000/],
      ['run_script', python(SAY('x'), { args: 'all' }), /`args` must be of type array/],
      ['run_script', python(SAY('x'), { workspace: '\0' }), /^error\[/],
      ['run_script', python(SAY('x'), { mutations: 'allow' }), /^error\[REFUSED\]: `mutations` is allow/],
      ['run_status', { run: '../../etc/passwd' }, /^error\[USAGE\]/],
      ['run_status', { run: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }, /^error\[RUN_NOT_FOUND\]/],
      ['apply_plan', { plan: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }, /^error\[RUN_NOT_FOUND\]/],
      ['resume_run', { run: 'last' }, /^error\[USAGE\]/],
      ['read_skill', { id: '../../etc/passwd' }, /^error\[SKILL_NOT_FOUND\]/],
      ['read_skill', { id: 'x'.repeat(190) }, /^error\[SKILL_NOT_FOUND\]/],
      ['find_skills', { query: 'x'.repeat(5000) }, /^error\[USAGE\]/],
      ['run_scirpt', {}, /^error\[USAGE\]: there is no tool `run_scirpt`\nhint: did you mean run_script\?/],
      ['x'.repeat(5000), {}, /^error\[USAGE\]: there is no tool `x/],
    ]
    for (const [tool, input, expected] of cases) {
      const { isError, text, chars } = await call(tool, input)
      expect(text).toMatch(expected)
      expect(isError).toBe(true)
      expect(chars).toBeLessThanOrEqual(1000)
    }
    expect((await call('run_script', python(SAY('still here')))).report.summary).toBe('still here')
    expect(received().length).toBeLessThan(20_000)
    expect(stderr()).toBe('')
  })

  test('a result is bounded whatever a script says, and lists are cut before the summary', async () => {
    const { call } = await connect(project(), { revision })
    const loud = `import os
from srecodex import summary, each
for n in range(40): open(os.environ["SRECODEX_ARTIFACTS"] + "/" + "a" * 150 + str(n), "w").close()
def fail(item): raise RuntimeError("class %d %s" % (item % 20, "\\"" * 300))
each(range(400), fail, key=lambda n: "\\\\" * 100 + str(n), max_failures=1000)
summary("\\"\\\\\\n" * 5000)
`
    const { report, text, chars } = await call('run_script', python(loud))
    expect(chars).toBeLessThanOrEqual(2500)
    expect(report).toMatchObject({ status: 'failed', items: { total: 400, failed: 400 } })
    expect(report.artifacts.at(-1).name).toBe(`… ${40 - (report.artifacts.length - 1)} more`)
    expect(text.startsWith(report.summary)).toBe(true)
    expect(report.summary.length).toBeGreaterThan(100)
    const wide = `from srecodex import summary\nsummary("word " * 1000)`
    expect((await call('run_script', python(wide))).chars).toBeLessThanOrEqual(2500)
  })
})

test(
  '200 calls that mean no good: each a clear error that is bounded, and the server goes on',
  { timeout: LONG_MS },
  async () => {
    const place = project({ files: { '.git/config': '', 'file.txt': '' } })
    symlinkSync('/etc', join(place.workspace, 'link'))
    const { call, stderr } = await connect(place)
    const values = [
      ...[
        null,
        true,
        0,
        -1,
        1e308,
        [],
        ['x'],
        {},
        { run: {} },
        '',
        ' ',
        '.git',
        'file.txt',
        'link',
        'link/ssl',
      ],
      ...[
        '../../etc',
        '/etc/passwd',
        '/proc/self',
        '%2e%2e%2f',
        '\0',
        'a\nb',
        '\ud800',
        '__proto__',
        '~',
        '$(id)',
      ],
      ...['x'.repeat(100_000), '01ARZ3NDEKTSV4RRFFQ69G5FAV/../x'],
    ]
    const shapes: Readonly<Record<string, (value: unknown) => Record<string, unknown>>> = {
      run_script: workspace => python(SAY('ran'), { workspace }),
      run_status: run => ({ run }),
      apply_plan: plan => ({ plan }),
      resume_run: run => ({ run, script: 'x' }),
      cancel_run: run => ({ run }),
      read_output: run => ({ run, stream: 'stdout' }),
      read_skill: id => ({ id }),
      find_skills: limit => ({ query: 'pods', limit }),
    }
    let calls = 0
    for (const [tool, shape] of Object.entries(shapes)) {
      for (const value of values) {
        const { isError, text, chars } = await call(tool, shape(value))
        calls += 1
        expect(`${tool} ${JSON.stringify(value).slice(0, 80)}: ${text}`).toMatch(/: error\[/)
        expect(isError).toBe(true)
        expect(text).not.toContain('INTERNAL')
        expect(chars).toBeLessThanOrEqual(1000)
      }
    }
    expect(calls).toBeGreaterThanOrEqual(200)
    expect((await call('run_script', python(SAY('still here')))).report.summary).toBe('still here')
    expect(stderr()).toBe('')
  },
)

test('stdout carries the protocol alone, from its first byte', async () => {
  const { received, call, stderr } = await connect(project())
  await call('run_script', { script: 'echo out; echo err >&2', language: 'shell' })
  for (const line of received().trimEnd().split('\n')) {
    expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' })
  }
  expect(stderr()).toBe('')
})

test('--skills-dir: only these skills; one that is not there is said at once', async () => {
  const skill =
    '---\nname: Own\ndescription: greets the moon\ntags: [moon]\nintent: greet the moon\n---\n# Own\n'
  const place = project({ files: { 'mine/moon/greet/SKILL.md': skill } })
  const { call } = await connect(place, { args: ['--skills-dir', 'mine'] })
  const { report } = await call('find_skills', { query: 'greet the moon' })
  expect(report.skills.map(({ id }: { id: string }) => id)).toEqual(['moon/greet'])
  const { exitCode, stderr } = await place.run('mcp --skills-dir nowhere')
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--skills-dir') })
})

test(
  'what the operator allows decides how honest a hint is, and what a client may ask for',
  { timeout: LONG_MS },
  async () => {
    const place = project()
    const configure = async (toml: string) => {
      place.write('~/../srecodex/config/config.toml', toml)
      const connected = await connect(place)
      const { tools } = await connected.client.listTools()
      const { annotations } = tools.find(({ name }) => name === 'run_script')!
      const told = async (mutations: string): Promise<string> =>
        (await connected.call('run_script', python(SAY('ran'), { mutations }))).text.split(/[\n:]/)[0]!
      return { hint: annotations?.destructiveHint, allow: await told('allow'), plan: await told('plan') }
    }
    expect(await configure('[mutations]\nclients_may_allow = true\n')).toEqual({
      hint: true,
      allow: 'ran',
      plan: 'ran',
    })
    expect(await configure('[mutations]\ndefault = "allow"\n')).toEqual({
      hint: true,
      allow: 'ran',
      plan: 'ran',
    })
    expect(await configure('')).toEqual({ hint: false, allow: 'error[REFUSED]', plan: 'ran' })
    expect(await configure('[mutations]\ndefault = "deny"\n')).toEqual({
      ...{ hint: false, allow: 'error[REFUSED]', plan: 'error[REFUSED]' },
    })
  },
)
