import { expect, it } from 'vitest'
import { toldEnding } from '../../../src/tools/programs/outcome.ts'

const closed = { ownOnly: true, sent: [] }
const open = { ownOnly: false, sent: [] }

it.each([
  ['an exit code', { exitCode: 3, signal: null }, closed, { exitCode: 3, signal: null }],
  [
    'a signal, of a tool that has no such code',
    { exitCode: 139, signal: null },
    closed,
    { exitCode: null, signal: 'SIGSEGV' },
  ],
  [
    'the code of a program that it ran for somebody',
    { exitCode: 137, signal: null },
    open,
    { exitCode: 137, signal: null },
  ],
  [
    '130, which tools end with by themselves',
    { exitCode: 130, signal: null },
    closed,
    { exitCode: 130, signal: null },
  ],
  ['a code that is no signal', { exitCode: 255, signal: null }, closed, { exitCode: 255, signal: null }],
  [
    'a signal that we sent',
    { exitCode: 143, signal: null },
    { ownOnly: false, sent: ['SIGTERM'] },
    { exitCode: null, signal: 'SIGTERM' },
  ],
  [
    'its own end after a signal that we sent',
    { exitCode: 1, signal: null },
    { ownOnly: true, sent: ['SIGTERM'] },
    { exitCode: 1, signal: null },
  ],
  [
    'the end of the sandbox itself',
    { exitCode: null, signal: 'SIGKILL' },
    open,
    { exitCode: null, signal: 'SIGKILL' },
  ],
] as const)('tells %s', (_name, ended, codes, told) => {
  expect(toldEnding(ended, codes)).toEqual(told)
})
