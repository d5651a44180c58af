import { expect, it } from 'vitest'
import { regionOf } from '../../../src/tools/programs/identity.ts'
import { namedPaths, operatorFlag, withoutFlag } from '../../../src/tools/programs/operator-args.ts'

it.each([
  [['--context', 'prod'], ['--context'], 'prod'],
  [['--context=prod'], ['--context'], 'prod'],
  [['--context=a=b'], ['--context'], 'a=b'],
  [['-n', 'one', '--namespace=two'], ['-n', '--namespace'], 'two'],
  [['--contexts', 'prod'], ['--context'], null],
  [['--context'], ['--context'], null],
  [[], ['--context'], null],
] as const)('reads a flag of %j', (args, names, value) => {
  expect(operatorFlag(args, names)).toBe(value)
})

it('takes a flag away with its value', () => {
  expect(withoutFlag(['--a', '1', '--b', '2', '--b=3', '--c'], '--b')).toEqual(['--a', '1', '--c'])
})

it('finds the files that words name', () => {
  const words = [
    '--cacert',
    '/ca.pem',
    '--netrc-file=/home/n',
    '-H',
    '@/headers',
    'https://x/y',
    'a=/no',
    '--on',
  ]
  expect(namedPaths(words)).toEqual(['/ca.pem', '/home/n', '/headers'])
})

it('reads the region of a profile', () => {
  const text = '[default]\nregion = one\n[profile "two words"]\nregion=two\n[profile x]\noutput = json\n'
  expect(regionOf(text, 'default')).toBe('one')
  expect(regionOf(text, 'two words')).toBe('two')
  expect(regionOf(text, 'x')).toBeNull()
  expect(regionOf(null, 'default')).toBeNull()
})
