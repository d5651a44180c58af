import { expect, test } from 'vitest'

import { sanitise } from '../../src/runs/sanitise.ts'

const MB = 1024 * 1024

const TEXTS: readonly [name: string, input: string, output: string][] = [
  ['plain text stays', 'a\tb\nc', 'a\tb\nc'],
  ['colours go', '\x1b[1;31mred\x1b[0m', 'red'],
  ['an 8-bit CSI goes', 'a\u009b31mb', 'ab'],
  ['a link keeps its text', '\x1b]8;;http://evil\x1b\\here\x1b]8;;\x07!', 'here!'],
  ['a clipboard write goes', 'a\x1b]52;c;cm0gLXJm\x07b', 'ab'],
  ['an unterminated OSC hides no further line', 'a\x1b]0;title\nnext', 'a\nnext'],
  ['an unterminated OSC at the end', 'a\x1b]0;title', 'a'],
  ['DCS, SOS, PM and APC', '\x1bPq#0\x1b\\1\x1bXs\x1b\\2\x1b^p\x1b\\3\x1b_a\x1b\\4', '1234'],
  ['8-bit strings', 'a\u009d0;t\u009cb\u0090q\u009cc', 'abc'],
  ['a tmux passthrough', '\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\end', 'end'],
  ['two-character and charset escapes', '\x1b7a\x1b(Bb\x1bMc', 'abc'],
  ['a cut CSI', 'a\x1b[12', 'a'],
  ['a CSI broken by a line end', 'a\x1b[1\nb', 'a\nb'],
  ['other controls go', 'a\0b\x07c\x08d\x7fe\x0bf\u0085g', 'abcdefg'],
  ['line ends of Windows', 'a\r\nb\r\r\nc', 'a\nb\nc'],
  ['a progress bar keeps its last state', '10%\r50%\r100%\ndone', '100%\ndone'],
  ['what is overwritten by nothing stays', 'kept\r\nkept too\r   \nlast\r', 'kept\nkept too\nlast'],
  ['a cleared line keeps what follows', 'old\x1b[2K\rnew', 'new'],
  ['a zero-width space does not save an overwritten line', 'seen\r\u200b\n', 'seen\n'],
  ['bidi controls go', 'a\u202eb\u2066c\u2069\u200fd', 'abcd'],
  ['zero-width and tags go', 'gh\u200bp_\ufeffx\u2060y\u{e0041}z\u00ad', 'ghp_xyz'],
  ['smuggled variation selectors go', 'a\ufe0fb\u{e0101}c\ufe00', 'abc'],
  ['an emoji stays whole', '👨‍👩‍👧 ❤️ 1️⃣', '👨‍👩‍👧 ❤️ 1️⃣'],
  ['a joiner elsewhere goes', 'a\u200db x\ufe0f\u200d👩', 'ab x👩'],
  ['line and paragraph separators', 'a\u2028b\u2029c', 'a b c'],
  ['lone surrogates', 'a\ud800b', 'a\ufffdb'],
  ['piled-up marks', `a${'\u0301'.repeat(50)}b`, `a${'\u0301'.repeat(8)}b`],
]

test.each(TEXTS)('%s', (_, input, output) => {
  expect(sanitise(input)).toBe(output)
  expect(sanitise(output)).toBe(output)
})

const BYTES: readonly [name: string, input: Buffer, output: string][] = [
  ['cut inside the first character', Buffer.from('€a€').subarray(1), 'a€'],
  ['cut inside the last character', Buffer.from('a😀').subarray(0, 4), 'a'],
  ['broken inside', Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x62]), 'a\ufffd\ufffd(b'],
  ['only a piece', Buffer.from([0x80]), ''],
  ['an overlong form', Buffer.from([0x61, 0xc0, 0xaf, 0x62]), 'a\ufffd\ufffdb'],
  ['empty', Buffer.alloc(0), ''],
]

test.each(BYTES)('bytes: %s', (_, input, output) => {
  expect(sanitise(input)).toBe(output)
})

test('random bytes: idempotent, no line lost, no control left', () => {
  let seed = 7
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  const alphabet = [
    '\x1b',
    '[',
    ']',
    '\\',
    '\n',
    '\r',
    '\x07',
    '\u200d',
    '\ufe0f',
    '👩',
    'a',
    ' ',
    '1',
    ';',
    '\u009b',
  ]
  for (let round = 0; round < 2000; round++) {
    const input = Array.from({ length: random(20) }, () => alphabet[random(alphabet.length)]).join('')
    const output = sanitise(input)
    expect(sanitise(output)).toBe(output)
    expect(output.split('\n').length).toBe(input.split('\n').length)
    expect(output.split('').filter(char => char < ' ' && char !== '\n')).toEqual([])
  }
})

test.each([
  '\x1b[',
  '\x1b]',
  '\x1b',
  '\x1bP\x07',
  '\x1b[1;',
  '\r',
  'a\r',
  '\u200d',
  '\ufe0f',
  '\u0301',
  '\u009d',
])('a megabyte of %j ends', piece => {
  const output = sanitise(piece.repeat(Math.ceil(MB / piece.length)))
  expect(sanitise(output)).toBe(output)
})
