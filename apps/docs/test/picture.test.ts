import { expect, test } from 'vitest'
import { typed } from '../.vitepress/theme/copy-commands.ts'
import { screenOf, textOf } from '../picture/screen.ts'
import { terminalSvg } from '../picture/svg.ts'

const ESC = '\u001B'

test('a terminal shows what was written last on each line, in its colours', () => {
  const sent = `10%\r${ESC}[K20%\r${ESC}[Kdone\r\n⠋ ${ESC}[36mwork${ESC}[39m\r${ESC}[2K${ESC}[32mok${ESC}[39m 3 items\r\n`
  expect(screenOf(sent)).toEqual([
    [{ text: 'done', colour: 'plain' }],
    [
      { text: 'ok', colour: 'green' },
      { text: ' 3 items', colour: 'plain' },
    ],
    [],
  ])
})

test('its picture escapes what it shows, and keeps columns', () => {
  const svg = terminalSvg([[{ text: 'a  <b> & c', colour: 'red' }]], 20, 'x < y')
  expect(svg).toContain('<title>x &lt; y</title>')
  expect(svg).toContain('class="red">&lt;b&gt; &amp; c</tspan>')
  const [first, second] = [...svg.matchAll(/<tspan x="([\d.]+)"/g)].map(([, x]) => Number(x))
  expect(second! - first!).toBeCloseTo(3 * 7.8, 1)
  expect(svg).not.toMatch(/https?:\/\/(?!www\.w3\.org)|<script/)
})

test('an empty line takes its place', () => {
  expect(textOf([])).toBe('')
  expect(terminalSvg([[], []], 10, '')).toContain('height="82"')
})

test('copying a console block copies what is typed', () => {
  expect(typed('$ srecodex run a.py\nplanned\n$ srecodex apply last \\\n  --yes\n3 ok\n')).toBe(
    'srecodex run a.py\nsrecodex apply last \\\n  --yes',
  )
})
