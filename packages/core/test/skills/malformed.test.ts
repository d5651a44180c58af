import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { loadRegistry } from '../../src/skills/registry.ts'
import { skillText, temporaryFolder, write } from './fixture.ts'

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))))

const REST = 'description: Restart many pods\n---\n# Body\n'

const language = (label: string, sentinel: string): string =>
  `---${label}\nrequire("fs").writeFileSync(${JSON.stringify(sentinel)}, "ran")\n---\n${skillText()}`

const bomb = (): string => {
  const levels = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh'])
    levels.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]`)
  return levels.join('\n')
}

/** name, content, what is found as `rule:line`, and the name under which it is served; null: it is not. */
const cases = (sentinel: string): [string, string | Buffer, string[], string | null][] => [
  // What would run code.
  ['js-fence', language('js', sentinel), ['front-matter/language:1'], null],
  ['javascript-fence', language('javascript', sentinel), ['front-matter/language:1'], null],
  ['js-fence-spaced', language(' js', sentinel), ['front-matter/language:1'], null],
  ['coffee-fence', language('coffee', sentinel), ['front-matter/language:1'], null],
  ['json-fence', '---json\n{"name": "X"}\n---\n', ['front-matter/language:1'], null],
  ['toml-fence', '---toml\nname = "X"\n---\n', ['front-matter/language:1'], null],
  ['yaml-fence', `---yaml\nname: X\n${REST}`, ['front-matter/language:1'], null],
  [
    'js-behind-mark',
    `\uFEFF${language('js', sentinel)}`,
    ['file/byte-order-mark:1', 'front-matter/language:1'],
    null,
  ],
  ['js-behind-comment', `<!-- x -->\n${language('js', sentinel)}`, ['front-matter/language:2'], null],
  ['js-tag', `---\nname: !!js/function "function () {}"\n${REST}`, ['front-matter/tag:2'], 'function () {}'],
  // What is not text.
  ['empty', '', ['file/empty:1'], null],
  ['blank', ' \n\t\n', ['file/empty:1'], null],
  ['only-mark', '\uFEFF', ['file/empty:1'], null],
  ['nul', `---\nname: X\0\n${REST}`, ['file/nul:2'], null],
  ['nul-in-body', `---\nname: X\n${REST}\0`, ['file/nul:6'], null],
  [
    'utf16',
    Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`---\nname: X\n${REST}`, 'utf16le')]),
    ['file/encoding:1'],
    null,
  ],
  ['utf16-big', bytes([0xfe, 0xff, 0, 0x2d]), ['file/encoding:1'], null],
  ['latin1', bytes('---\nname: caf', [0xe9], `\n${REST}`), ['file/encoding:2'], 'caf\uFFFD'],
  ['latin1-body', bytes(`---\nname: X\n${REST}`, [0xff, 0x0a]), ['file/encoding:6'], 'X'],
  [
    'binary',
    Buffer.from(Array.from({ length: 512 }, (_, index) => (index * 37) % 256)),
    ['file/nul:1'],
    null,
  ],
  ['huge', `---\nname: X\n${REST}${'x'.repeat(2 * 2 ** 20)}`, ['file/too-large:1'], null],
  ['mark', `\uFEFF---\nname: X\n${REST}`, ['file/byte-order-mark:1'], 'X'],
  ['crlf', `---\nname: X\n${REST}`.replaceAll('\n', '\r\n'), ['file/line-ends:1'], 'X'],
  ['cr', `---\nname: X\n${REST}`.replaceAll('\n', '\r'), ['file/line-ends:1'], 'X'],
  ['one-cr', `---\nname: X\n${REST}a\r\nb\n`, ['file/line-ends:6'], 'X'],
  // Where the front matter should be.
  ['none', '# Restart Pods\n\nRestart many pods.\n', ['front-matter/absent:1'], 'Restart Pods'],
  ['none-no-heading', 'Restart many pods.\n', ['front-matter/absent:1'], 'none-no-heading'],
  ['blank-first', `\n\n---\nname: X\n${REST}`, ['front-matter/not-first:3'], 'X'],
  ['comment-first', `<!-- licence\nof it -->\n---\nname: X\n${REST}`, ['front-matter/not-first:3'], 'X'],
  ['comment-unclosed', `<!-- licence\n---\nname: X\n${REST}`, ['front-matter/absent:1'], 'Body'],
  ['heading-first', `# Title\n\n---\nname: no\n---\n`, ['front-matter/absent:1'], 'Title'],
  [
    'fence-in-code',
    '# Title\n\nHow to:\n\n```yaml\n---\nname: no\n---\n```\n',
    ['front-matter/absent:1'],
    'Title',
  ],
  ['four-dashes', `----\nname: X\n${REST}`, ['front-matter/absent:1'], 'Body'],
  ['plus-fence', '+++\nname = "X"\n+++\nRestart.\n', ['front-matter/absent:1'], 'plus-fence'],
  ['fence-with-space', `--- \nname: X\n${REST}`, ['front-matter/fence:1'], 'X'],
  ['indented-fence', ` ---\nname: X\n${REST}`, ['front-matter/absent:1'], 'Body'],
  ['unclosed', '---\nname: X\ndescription: Restart\n\n# Body\n', ['front-matter/unclosed:1'], 'X'],
  ['unclosed-to-the-end', '---\nname: X\ndescription: Restart', ['front-matter/unclosed:1'], 'X'],
  ['fence-inside', `---\nname: X\n--- more\n${REST}`, ['front-matter/fence:3'], 'X'],
  ['empty-front-matter', '---\n---\nRestart.\n', ['field/name:1'], 'empty-front-matter'],
  ['only-comment', '---\n# nothing\n---\nRestart.\n', ['field/name:1'], 'only-comment'],
  ['text', '---\nonly words\n---\nRestart.\n', ['front-matter/not-a-map:2', 'field/name:1'], 'text'],
  ['list', '---\n- name: X\n---\nRestart.\n', ['front-matter/not-a-map:2', 'field/name:1'], 'list'],
  ['two-documents', `---\nname: X\n...\nname: Y\n${REST}`, ['front-matter/yaml:4'], 'Y'],
  // What strict YAML refuses.
  [
    'colon',
    `---\nname: X\ndescription: Use when: pods crash\ntags: [a, "b"]\n---\n`,
    ['front-matter/yaml:3'],
    'X',
  ],
  ['open-quote', `---\nname: "X\n${REST}`, ['front-matter/yaml:2'], 'X'],
  ['star', `---\nname: *X* marks\n${REST}`, ['front-matter/yaml:2'], '*X* marks'],
  ['alias-of-nothing', `---\nname: *X\n${REST}`, ['front-matter/anchor:2'], '*X'],
  ['at', `---\nname: @x\n${REST}`, ['front-matter/yaml:2'], '@x'],
  ['backtick', '---\nname: `x`\n' + REST, ['front-matter/yaml:2'], '`x`'],
  ['percent', `---\nname: %x\n${REST}`, ['front-matter/yaml:2'], '%x'],
  ['tab', `---\nname: X\n\ttags: [a]\n${REST}`, ['front-matter/yaml:3'], 'X'],
  ['open-list', `---\nname: X\ntags: [a, b\n${REST}`, ['front-matter/yaml:3'], 'X'],
  ['bad-indent', `---\nname: X\n  tags: [a]\n${REST}`, ['front-matter/yaml:2'], 'X'],
  ['duplicate-key', `---\nname: A\nname: X\n${REST}`, ['front-matter/duplicate-key:3'], 'X'],
  [
    'nested-duplicate',
    `---\nname: X\ninputs:\n  type: object\n  type: array\n${REST}`,
    ['front-matter/duplicate-key:5'],
    'X',
  ],
  ['anchor', `---\nname: &n X\nintent: *n\n${REST}`, ['front-matter/anchor:2'], 'X'],
  ['alias-bomb', `---\n${bomb()}\nname: X\n${REST}`, ['front-matter/anchor:2'], 'X'],
  ['merge-key', `---\nbase: &b { name: no }\n<<: *b\nname: X\n${REST}`, ['front-matter/anchor:2'], 'X'],
  ['list-key', `---\n? [a, b]\n: c\nname: X\n${REST}`, ['front-matter/yaml:2'], 'X'],
  ['deep', `---\nname: X\nz: ${'['.repeat(10_000)}\n${REST}`, ['front-matter/yaml:3'], 'X'],
  [
    'long-front-matter',
    `---\nname: X\nz: "${'y'.repeat(40_000)}"\n${REST}`,
    ['front-matter/too-long:2'],
    'X',
  ],
  [
    'many-keys',
    `---\nname: X\nz: {${Array.from({ length: 5000 }, (_, index) => index.toString(36)).join(',')}}\n${REST}`,
    [],
    'X',
  ],
  ['name-is-a-map', `---\nname: { a: b }\n${REST}`, ['field/name:2', 'field/name:1'], 'Body'],
  ['nothing-said', '---\nname: X\n---\n', ['field/description:1'], 'X'],
]

test('each malformed file has its own clear problem, runs nothing, and hides no other', async () => {
  const root = await temporaryFolder()
  const skills = path.join(root, 'skills')
  const sentinel = path.join(root, 'sentinel')
  const table = cases(sentinel)
  for (const [name, content] of table) {
    await write(path.join(skills, 'bad', name, 'SKILL.md'), content)
    await write(path.join(skills, 'good', `beside-${name}`, 'SKILL.md'), skillText())
  }
  // What no file content can be.
  await write(path.join(skills, 'bad/folder/SKILL.md/x'), '')
  execFileSync('mkfifo', [path.join(await write(path.join(skills, 'bad/pipe/x'), ''), '../SKILL.md')])
  await write(path.join(skills, 'bad/dangling/x'), '')
  await symlink('nowhere', path.join(skills, 'bad/dangling/SKILL.md'))
  await write(path.join(skills, 'bad/circle/x'), '')
  await symlink('SKILL.md', path.join(skills, 'bad/circle/SKILL.md'))
  await symlink('..', path.join(skills, 'bad/loop'))
  await write(path.join(skills, 'bad/lower/skill.md'), skillText())

  const registry = await loadRegistry({ folders: [skills], cacheFolder: null })

  expect(existsSync(sentinel)).toBe(false)
  expect(table.length).toBeGreaterThanOrEqual(60)
  const served = new Map(registry.skills.map(skill => [skill.id, skill]))
  for (const [name] of table) expect(served.get(`good/beside-${name}`)?.problems).toEqual([])

  const found = (name: string): string[] =>
    registry.problems
      .filter(({ at }) => at?.file === path.join(skills, 'bad', name, 'SKILL.md'))
      .map(({ rule, at }) => `${rule}:${at?.line}`)
  expect(table.map(([name]) => [name, found(name)])).toEqual(
    table.map(([name, , expected]) => [name, expected]),
  )
  expect(table.map(([name]) => [name, served.get(`bad/${name}`)?.name.slice(0, 39) ?? null])).toEqual(
    table.map(([name, , , expected]) => [name, expected]),
  )

  const others = registry.problems
    .map(
      ({ rule, at, message }) =>
        [path.relative(path.join(skills, 'bad'), at?.file ?? ''), rule, message] as const,
    )
    .filter(([file]) => !table.some(([name]) => file === `${name}/SKILL.md`))
  expect(others.sort(([a], [b]) => (a < b ? -1 : 1))).toEqual([
    ['circle/SKILL.md', 'file/unreadable', 'the file cannot be read: its symlinks go in a circle'],
    ['dangling/SKILL.md', 'file/unreadable', 'the file cannot be read: it leads nowhere'],
    ['folder/SKILL.md', 'file/unreadable', 'the file cannot be read: it is not a regular file'],
    ['loop', 'folder/loop', 'the link leads to a folder above it; it is not followed'],
    ['lower/skill.md', 'file/name', '`skill.md` is not read'],
    ['pipe/SKILL.md', 'file/unreadable', 'the file cannot be read: it is not a regular file'],
  ])
  expect(registry.problems.every(({ message }) => message.length > 10 && !message.includes('\n'))).toBe(true)
})

test('positive control: the same sentinel is touched by gray-matter as it comes', async () => {
  const root = await temporaryFolder()
  const sentinel = path.join(root, 'sentinel')
  const { default: matter } = await import('gray-matter')
  try {
    matter(language('js', sentinel).replace('require("fs")', 'process.getBuiltinModule("fs")'))
  } catch {
    // What it returns is no object; it has run all the same.
  }
  expect(existsSync(sentinel)).toBe(true)
})

test('what is readable of broken front matter is read: description, tags and intent with the name', async () => {
  const root = await temporaryFolder()
  await write(
    path.join(root, 'x/SKILL.md'),
    '---\nname: "Pods\ndescription: >-\n  Restart: many pods\n  in waves\ntags:\n  - k8s\n  - "restart"\nintent: Use this when: it crashes\nscript_first: true  # bulk\nrisk_level: high\n---\n',
  )
  const { skills } = await loadRegistry({ folders: [root], cacheFolder: null })
  expect(skills[0]).toMatchObject({
    name: 'Pods',
    description: 'Restart: many pods in waves',
    tags: ['k8s', 'restart'],
    intent: 'Use this when: it crashes',
    scriptFirst: true,
    riskLevel: 'high',
  })
})
