import { describe, expect, test } from 'vitest'
import {
  describeFailure,
  encodeExit,
  encodeWant,
  MAX_ARGUMENTS,
  parseCommand,
  parseEnd,
} from '../../src/tools/channel/command-frames.ts'
import { CallError } from '../../src/tools/protocol.ts'

const whole = { v: 1, tool: 'kubectl', argv: ['get', 'pods'], cwd: '/srv', item: null, stdin: false }
const json = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    return error.code
  }
  return 'none'
}

describe('a command', () => {
  test.each([
    [{}, {}],
    [{ tool: 'psql-15.2_x+y' }, {}],
    [{ argv: [] }, {}],
    [{ argv: ['', '-', '--', 'ä 😀\n\t\u0001\u2028', '__proto__'] }, {}],
    [{ argv: Array.from({ length: MAX_ARGUMENTS }, () => 'x') }, {}],
    [{ cwd: '/' }, {}],
    [{ cwd: '/srv/../ä b' }, {}],
    [{ item: 'x'.repeat(512) }, {}],
    [{ item: undefined }, { item: null }],
    [{ more: { deep: [1] } }, { more: undefined }],
  ])('%j', (fields, expected) => {
    const { tool, argv, cwd, item } = { ...whole, ...fields, ...expected }
    expect(parseCommand(json({ ...whole, ...fields }))).toEqual({ tool, argv, cwd, item, hasStdin: false })
  })

  test.each([
    ['', 'PROTOCOL'],
    ['{', 'PROTOCOL'],
    ['[]', 'PROTOCOL'],
    ['null', 'PROTOCOL'],
    ['['.repeat(500_000), 'PROTOCOL'],
    [{ ...whole, v: 2 }, 'PROTOCOL'],
    [{ ...whole, v: '1' }, 'PROTOCOL'],
    [{ __proto__: whole }, 'PROTOCOL'],
    [{ ...whole, tool: '' }, 'INVALID_PARAMS'],
    [{ ...whole, tool: '.' }, 'INVALID_PARAMS'],
    [{ ...whole, tool: '..' }, 'INVALID_PARAMS'],
    [{ ...whole, tool: '/bin/sh' }, 'INVALID_PARAMS'],
    [{ ...whole, tool: 'a b' }, 'INVALID_PARAMS'],
    [{ ...whole, tool: 'kubectl\n' }, 'INVALID_PARAMS'],
    [{ ...whole, tool: 'kübectl' }, 'INVALID_PARAMS'],
    [{ ...whole, tool: 'x'.repeat(256) }, 'INVALID_PARAMS'],
    [{ ...whole, tool: ['kubectl'] }, 'INVALID_PARAMS'],
    [{ ...whole, argv: 'get pods' }, 'INVALID_PARAMS'],
    [{ ...whole, argv: { length: 1, 0: 'x' } }, 'INVALID_PARAMS'],
    [{ ...whole, argv: [1] }, 'INVALID_PARAMS'],
    [{ ...whole, argv: [null] }, 'INVALID_PARAMS'],
    [{ ...whole, argv: ['a\0'] }, 'INVALID_PARAMS'],
    [{ ...whole, argv: ['\uFFFD'] }, 'INVALID_PARAMS'],
    [{ ...whole, argv: ['\ud800'] }, 'INVALID_PARAMS'],
    [{ ...whole, argv: Array.from({ length: MAX_ARGUMENTS + 1 }, () => '') }, 'TOO_LARGE'],
    [{ ...whole, cwd: 'work' }, 'INVALID_PARAMS'],
    [{ ...whole, cwd: '' }, 'INVALID_PARAMS'],
    [{ ...whole, cwd: '/\0' }, 'INVALID_PARAMS'],
    [{ ...whole, cwd: '/\uFFFD' }, 'INVALID_PARAMS'],
    [{ ...whole, cwd: `/${'ä'.repeat(2048)}` }, 'INVALID_PARAMS'],
    [{ ...whole, cwd: null }, 'INVALID_PARAMS'],
    [{ ...whole, item: 'x'.repeat(513) }, 'INVALID_PARAMS'],
    [{ ...whole, item: 7 }, 'INVALID_PARAMS'],
    [{ ...whole, stdin: 1 }, 'INVALID_PARAMS'],
    [{ ...whole, stdin: undefined }, 'INVALID_PARAMS'],
  ])('refused: %j', (value, code) => {
    expect(codeOf(() => parseCommand(json(value)))).toBe(code)
  })

  test('refused: an argument whose bytes are not UTF-8', () => {
    const [before = '', after = ''] = JSON.stringify({ ...whole, argv: ['@'] }).split('@')
    const payload = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)])
    expect(codeOf(() => parseCommand(payload))).toBe('INVALID_PARAMS')
  })
})

describe('the end of an input', () => {
  test.each([
    [{ kind: 'file' }],
    [{ kind: 'folder', entries: [] }],
    [{ kind: 'folder', entries: ['a', '-rf', '...', 'ä\n', '\uFFFD'] }],
    [{ kind: 'failed', error: 'ENOENT' }],
    [{ kind: 'failed', error: 'Permission denied' }],
  ])('%j', end => {
    expect(parseEnd(json({ ...end, more: 1 }))).toEqual(end)
  })

  test.each([
    ['{'],
    [{}],
    [{ kind: 'socket' }],
    [{ kind: 'folder' }],
    [{ kind: 'folder', entries: 'a' }],
    [{ kind: 'folder', entries: [1] }],
    [{ kind: 'folder', entries: [''] }],
    [{ kind: 'folder', entries: ['.'] }],
    [{ kind: 'folder', entries: ['..'] }],
    [{ kind: 'folder', entries: ['../../etc'] }],
    [{ kind: 'folder', entries: ['/etc'] }],
    [{ kind: 'folder', entries: ['a\0'] }],
    [{ kind: 'folder', entries: ['\ud800'] }],
    [{ kind: 'folder', entries: ['a', 'a'] }],
    [{ kind: 'failed' }],
    [{ kind: 'failed', error: '' }],
    [{ kind: 'failed', error: 'E\n' }],
    [{ kind: 'failed', error: '\x1b[2J' }],
    [{ kind: 'failed', error: 'E'.repeat(201) }],
  ])('refused: %j', value => {
    expect(codeOf(() => parseEnd(json(value)))).toBe('PROTOCOL')
  })
})

test('what a shim is told', () => {
  const text = (frame: Buffer): string => `${frame[0]} ${frame.toString('utf8', 5)}`
  expect(text(encodeWant('/ä "b"'))).toBe('17 {"path":"/ä \\"b\\""}')
  expect(text(encodeExit({ exitCode: 255, signal: null }))).toBe('22 {"code":255}')
  expect(text(encodeExit({ exitCode: null, signal: 'SIGRTMIN+1' }))).toBe('22 {"signal":"SIGRTMIN+1"}')
  expect(() => encodeExit({ exitCode: -1, signal: null })).toThrow(TypeError)
  expect(() => encodeExit({ exitCode: 1.5, signal: null })).toThrow(TypeError)
  expect(() => encodeExit({ exitCode: null, signal: 'TERM' })).toThrow(TypeError)
  const failure = new CallError('REFUSED', 'no', { hint: 'ask' })
  expect(describeFailure(failure).toString()).toBe('error[REFUSED]: no\n\nhint: ask\n')
  expect(describeFailure(new CallError('SKIPPED', 'no')).toString()).toBe('error[SKIPPED]: no\n')
})
