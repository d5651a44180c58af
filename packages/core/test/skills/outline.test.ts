import { expect, test } from 'vitest'
import { outline } from '../../src/skills/outline.ts'

test('headings, code and links of a text', () => {
  const text = [
    '# One',
    'see [a](a.md "title"), ![b](<b c.png>) and `[no](no.md)`',
    '```md',
    '## not a heading [no](no.md)',
    '~~~',
    '```',
    '<!-- ## neither',
    'here -->',
    '## Two ##',
    '- ````sh',
    '  ```',
    '  ````',
    '[ref]: ref.md',
    '### Three',
    '# Four',
  ].join('\n')
  const { headings, links, codeBlocks } = outline(text)
  expect(headings).toEqual([
    { level: 1, text: 'One', line: 1, endLine: 14 },
    { level: 2, text: 'Two', line: 9, endLine: 14 },
    { level: 3, text: 'Three', line: 14, endLine: 14 },
    { level: 1, text: 'Four', line: 15, endLine: 15 },
  ])
  expect(links).toEqual([
    { target: 'a.md', line: 2 },
    { target: 'b c.png', line: 2 },
    { target: 'ref.md', line: 13 },
  ])
  expect(codeBlocks).toEqual([3, 10])
})
