import { describe, expect, test } from 'vitest'
import { parseAbsoluteTarget, parseConnectTarget } from '../../../src/sandbox/network/target.ts'

const domain = (name: string, port: number, authority: string) => ({
  host: { kind: 'domain', name },
  port,
  authority,
})
const address = (text: string, port: number, authority: string) => ({
  host: { kind: 'address', address: text },
  port,
  authority,
})

describe('CONNECT', () => {
  test.each([
    ['example.com:443', domain('example.com', 443, 'example.com:443')],
    ['EXAMPLE.com.:443', domain('example.com', 443, 'example.com:443')],
    ['10.0.0.1:80', address('10.0.0.1', 80, '10.0.0.1')],
    ['[FD00::0:1]:8443', address('fd00::1', 8443, '[fd00::1]:8443')],
  ])('%s', (text, target) => {
    expect(parseConnectTarget(text)).toEqual(target)
  })

  test.each([
    'example.com',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:0443',
    ':443',
    '',

    'example.com:443:22',
    'user@example.com:443',
    'example.com@evil.test:443',
    'example.com:443@evil.test:443',

    'http://example.com:443',
    '/example.com:443',
    'example.com:443/',
    'example.com:443?x',
    'example.com:+443',

    '0x7f.1:443',
    '2130706433:443',
    '0177.0.0.1:443',
    '::1:443',
    '[::1%25lo]:443',
    '[::1]',
    '%6cocalhost:443',
    'evil.test\\.example.com:443',
    'evil.test#.example.com:443',
    'evil.test\0.example.com:443',
    '*:443',
  ])('%j is no target', text => {
    expect(parseConnectTarget(text)).toBeNull()
  })
})

describe('absolute form', () => {
  test.each([
    ['http://example.com', domain('example.com', 80, 'example.com'), '/'],
    ['HTTP://Example.com/A?b=c', domain('example.com', 80, 'example.com'), '/A?b=c'],
    ['http://example.com?b', domain('example.com', 80, 'example.com'), '/?b'],
    ['http://example.com:8080//x#y', domain('example.com', 8080, 'example.com:8080'), '//x'],
    [
      'http://example.com/http://evil.test@x',
      domain('example.com', 80, 'example.com'),
      '/http://evil.test@x',
    ],
    ['http://[fd00::1]/', address('fd00::1', 80, '[fd00::1]'), '/'],
  ])('%s', (text, target, path) => {
    expect(parseAbsoluteTarget(text)).toEqual({ target, path })
  })

  test.each([
    '/',
    '*',
    '',
    'example.com',
    '//example.com/',
    'http:/example.com',
    'http:example.com',
    'http:///example.com',

    'https://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'ws://example.com/',
    ' http://a.test/',
    'http://user:pass@example.com/',
    'http://example.com@evil.test/',
    'http://example.com\\@evil.test/',
    'http://example.com:80@evil.test/',
    'http://%65xample.com/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://[::ffff:127.0.0.1%25lo]/',
    'http://example.com:/',
    'http://example.com:99999/',
  ])('%j is no target', text => {
    expect(parseAbsoluteTarget(text)).toBeNull()
  })
})
