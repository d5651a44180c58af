import { expect, test } from 'vitest'
import { parseDemoCommand } from '../../src/demo/options.ts'

const demo = { kind: 'demo', bytes: 200_000_000, seed: 7, keep: false }

test.each([
  [[], demo],
  [['--size', '1GiB'], { ...demo, bytes: 1024 ** 3 }],
  [['--size=64KiB'], { ...demo, bytes: 65_536 }],
  [['--size', '1.5mb'], { ...demo, bytes: 1_500_000 }],
  [['--size', '100000'], { ...demo, bytes: 100_000 }],
  [['--seed', '0', '--keep'], { ...demo, seed: 0, keep: true }],
  [['--help', '--size', 'x'], { kind: 'help' }],
])('%j', (argv, command) => {
  expect(parseDemoCommand(argv)).toEqual(command)
})

test.each([
  [['--sise', '1GB'], "Unknown option '--sise'"],
  [['app.log'], "Unexpected argument 'app.log'"],
  [['--size'], "Option '--size <value>' argument missing"],
  [['--size', '10KB'], '--size is a size from 64KiB to 64GiB'],
  [['--size', '65GiB'], '--size is a size from 64KiB to 64GiB'],
  [['--size', '5parsecs'], '--size is a size from 64KiB to 64GiB'],
  [['--size', 'MB'], '--size is a size from 64KiB to 64GiB'],
  [['--seed', '1.5'], '--seed is a whole number'],
  [['--seed', ''], '--seed is a whole number'],
  [['--keep=yes'], "Option '--keep' does not take an argument"],
])('%j is wrong', (argv, message) => {
  expect(parseDemoCommand(argv)).toEqual({ kind: 'wrong', message: expect.stringContaining(message) })
})
