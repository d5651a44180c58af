import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { readPlainYaml } from '../../src/skills/plain-yaml.ts'

const KEYS = [
  'name',
  'tags',
  'script_first',
  'allowed-tools',
  '_x',
  'k8s',
  'true',
  'null',
  '1st',
  'a b',
  '"q"',
  '',
]
const VALUES = [
  'plain text', 'text: with colon', 'text with # no comment', 'text #no comment', 'ends with colon:', 'a:b', 'http://x.y/z',
  '"double"', '"with \\" escape"', '"with: colon # and hash"', "'single'", "'it''s'", '"open', "'open", '"a" b',
  'true', 'True', 'TRUE', 'false', 'null', 'Null', '~', 'yes', 'no', 'on', '0', '7', '007', '0x1f', '0o17', '1.0', '1e3', '-1', '+1', '.inf',
  '12345678901234567890', '2026-01-01', '[a, b]', '["a", \'b\']', '[a, "b, c"]', '[]', '[ ]', '[a,]', '[a, [b]]', '[true, x]', '[1]', '[a: b]',
  '[a, b', 'a]', '{a: b}', '*alias', '&anchor x', '!tag x', '@at', '`tick`', '%percent', '|', '>', '> text', '- item', '? x', '# comment', 'text # comment',
  'a\tb', 'é à', 'naïve', '日本', '“quoted”', '…', "don't", 'a, b', 'a [b] {c}', 'x  ', '  x', '---', '...', 'a - b', 'end -', 'Use when: x',
  '\u00a0x', 'x\u2028y', '"', "'", '""', "''", '[""]', "['']", '[a b]', '[a/b, c-d, e.f]', '[-]', '[~]', '[null]', '[a #b]', 'a\\nb',
] // prettier-ignore

/** Null: YAML refuses it, or it needs more than plain reading. */
const strictly = (text: string): unknown => {
  try {
    return parse(text, { version: '1.2', schema: 'core', uniqueKeys: true, logLevel: 'error' }) as unknown
  } catch {
    return null
  }
}

test('whatever is read as plain, YAML reads alike', () => {
  const texts = [
    ...KEYS.flatMap(key =>
      VALUES.flatMap(value => [`${key}: ${value}`, `${key}:${value}`, `name: x\n${key}: ${value}\nz: "y"`]),
    ),
    ...VALUES.flatMap(value => [
      `a: ${value}\n  more`,
      `a: ${value}\n- more`,
      `a: ${value}\n\nb: c`,
      `a: x\na: ${value}`,
      `\n# c\na: ${value}\n`,
    ]),
  ]
  const plain = texts.map(text => [text, readPlainYaml(text)] as const).filter(([, read]) => read !== null)
  expect(plain.map(([text, read]) => [text, { ...read?.fields }])).toEqual(
    plain.map(([text]) => [text, strictly(text)]),
  )
  // Otherwise the comparison would say nothing.
  expect(plain.length).toBeGreaterThan(200)
})

test('ordinary front matter is plain', () => {
  const text =
    '\nname: "Bulk Restart"\ndescription: Restart many; use when needed\ntags: ["k8s", restart]\nscript_first: true\ntimeout: 60'
  expect(readPlainYaml(text)?.fields).toEqual({
    name: 'Bulk Restart',
    description: 'Restart many; use when needed',
    tags: ['k8s', 'restart'],
    script_first: true,
    timeout: 60,
  })
})
