import { describe, expect, test } from 'vitest'
import {
  decideAddress,
  decideHost,
  parseAllowlist,
  parseHost,
  type AllowEntry,
} from '../../../src/sandbox/network/allowlist.ts'

describe('entries', () => {
  test.each<[string, AllowEntry]>([
    ['api.example.com', { kind: 'domain', name: 'api.example.com', port: null }],
    ['API.Example.COM.', { kind: 'domain', name: 'api.example.com', port: null }],
    ['localhost', { kind: 'domain', name: 'localhost', port: null }],
    ['_dmarc.my_host.example', { kind: 'domain', name: '_dmarc.my_host.example', port: null }],
    ['host.example:8443', { kind: 'domain', name: 'host.example', port: 8443 }],
    ['bücher.example', { kind: 'domain', name: 'xn--bcher-kva.example', port: null }],
    ['*.Bücher.example', { kind: 'subdomains', of: 'xn--bcher-kva.example', port: null }],
    ['*.example.org', { kind: 'subdomains', of: 'example.org', port: null }],
    ['*.example.org:8443', { kind: 'subdomains', of: 'example.org', port: 8443 }],
    ['*.internal', { kind: 'subdomains', of: 'internal', port: null }],
    ['10.0.0.0/8', { kind: 'range', address: '10.0.0.0', prefix: 8, port: null }],
    ['10.0.0.0/8:22', { kind: 'range', address: '10.0.0.0', prefix: 8, port: 22 }],
    ['10.1.2.3', { kind: 'range', address: '10.1.2.3', prefix: 32, port: null }],
    ['10.1.2.3:8443', { kind: 'range', address: '10.1.2.3', prefix: 32, port: 8443 }],
    ['0.0.0.0/0', { kind: 'range', address: '0.0.0.0', prefix: 0, port: null }],
    ['fd00::/8', { kind: 'range', address: 'fd00::', prefix: 8, port: null }],
    ['FD00:0:0::1', { kind: 'range', address: 'fd00::1', prefix: 128, port: null }],
    ['[fd00::1]:8443', { kind: 'range', address: 'fd00::1', prefix: 128, port: 8443 }],
    ['[fd00::/8]:8443', { kind: 'range', address: 'fd00::', prefix: 8, port: 8443 }],
    ['[fd00::1]', { kind: 'range', address: 'fd00::1', prefix: 128, port: null }],
  ])('%s', (text, entry) => {
    const { allow, problems } = parseAllowlist([text])
    expect(problems).toEqual([])
    expect(allow.entries).toEqual([entry])
  })

  test('every problem is reported in one pass, with what to write in its place', () => {
    const { allow, problems } = parseAllowlist([
      'https://api.example.com/v1',
      'good.example.com',
      'api.example.com/v1',
      '*',
      '*.com',
      'api.*.com',
      'a..example.com',
      '.example.com',
      '',
      'two words.example',
      'user@example.com',
      'example.com:http',
      'example.com:0',
      'example.com:65536',
      'example.com:080',
      '-a.example.com',
      `${'a'.repeat(64)}.example.com`,
      '10.1.2.3/8',
      '10.0.0.0/33',
      '10.0.0.0/08',
      'fd00::/129',
      '0x7f.1',
      '2130706433',
      '0177.0.0.1',
      '127.1',
      '１２７.0.0.1',
      '1.2.3.4.5',
      'fe80::1%eth0',
      '::ffff:127.0.0.1',
      '::ffff:0:0/96',
      'a:b:c',
      '[example.com]:443',
    ])
    expect(allow.entries).toEqual([{ kind: 'domain', name: 'good.example.com', port: null }])
    expect(problems.map(one => (one.hint === undefined ? one.message : `${one.message} | ${one.hint}`)))
      .toMatchInlineSnapshot(`
        [
          "network entry "https://api.example.com/v1" has a scheme | name the host alone: api.example.com",
          "network entry "api.example.com/v1" has a path | paths cannot be told apart: name the host",
          "network entry "*" is not a domain | network = "host" opens everything",
          "network entry "*.com" opens every name that anyone can register | name a domain, such as *.example.com",
          "network entry "api.*.com" has a \`*\` that is not its first label | such as *.example.org",
          "network entry "a..example.com" has an empty label",
          "network entry ".example.com" has an empty label",
          "network entry "" is empty",
          "network entry "two words.example" has a space or a control character",
          "network entry "user@example.com" has credentials | name the host alone",
          "network entry "example.com:http" has a port that is not a number from 1 to 65535",
          "network entry "example.com:0" has a port that is not a number from 1 to 65535",
          "network entry "example.com:65536" has a port that is not a number from 1 to 65535",
          "network entry "example.com:080" has a port that is not a number from 1 to 65535",
          "network entry "-a.example.com" is not a domain name",
          "network entry "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com" is not a domain name",
          "network entry "10.1.2.3/8" names an address inside the range, not the range | write 10.0.0.0/8 for the range or 10.1.2.3 for the address",
          "network entry "10.0.0.0/33" has a prefix longer than 32",
          "network entry "10.0.0.0/08" has a prefix that is no number",
          "network entry "fd00::/129" has a prefix longer than 128",
          "network entry "0x7f.1" is not an address in its plain spelling | such as 10.1.2.3, 10.0.0.0/8 or fd00::/8",
          "network entry "2130706433" is not an address in its plain spelling | such as 10.1.2.3, 10.0.0.0/8 or fd00::/8",
          "network entry "0177.0.0.1" is not an address in its plain spelling | such as 10.1.2.3, 10.0.0.0/8 or fd00::/8",
          "network entry "127.1" is not an address in its plain spelling | such as 10.1.2.3, 10.0.0.0/8 or fd00::/8",
          "network entry "１２７.0.0.1" is not an address in its plain spelling | such as 10.1.2.3, 10.0.0.0/8 or fd00::/8",
          "network entry "1.2.3.4.5" is not an address in its plain spelling | such as 10.1.2.3, 10.0.0.0/8 or fd00::/8",
          "network entry "fe80::1%eth0" has a zone id | a zone is a link of the host: name the address alone",
          "network entry "::ffff:127.0.0.1" is an IPv4 address written as IPv6 | write the IPv4 address or range",
          "network entry "::ffff:0:0/96" is an IPv4 address written as IPv6 | write the IPv4 address or range",
          "network entry "a:b:c" is not an address in its plain spelling | such as 10.1.2.3, 10.0.0.0/8 or fd00::/8",
          "network entry "[example.com]:443" is not a domain name",
        ]
      `)
  })

  test.each([
    ['127.0.0.0/8', true],
    ['127.0.0.5', true],
    ['127.0.0.1:8080', true],
    ['0.0.0.0/0', true],
    ['::1', true],
    ['::/0', true],
    ['10.0.0.0/8', false],
    ['fd00::/8', false],
    ['localhost', false],
  ])('%s reaches the loopback of the host: %s', (entry, reaches) => {
    expect(parseAllowlist([entry]).allow.reachesLoopback).toBe(reaches)
  })
})

describe('hosts', () => {
  const list = parseAllowlist([
    'api.example.com',
    '*.example.org',
    'host.example:8443',
    'both.example',
    'both.example:22',
    '10.0.0.0/8',
    '192.168.7.7:22',
    'fd00::/8',
    '203.0.113.0/24',
    '::/0',
  ]).allow

  test.each([
    ['api.example.com', 443],
    ['api.example.com', 80],
    ['API.EXAMPLE.COM.', 443],
    ['a.example.org', 443],
    ['a.b.c.example.org', 80],
    ['host.example', 8443],
    ['both.example', 443],
    ['both.example', 22],
    ['10.0.0.0', 443],
    ['10.255.255.255', 80],
    ['192.168.7.7', 22],
    ['[fd00::1]', 443],
    ['203.0.113.9', 443],
  ])('%s:%d is open', (text, port) => {
    expect(decideHost(list, parseHost(text)!, port).kind).not.toBe('refuse')
  })

  test.each([
    ['example.com', 443, 'example.com'],
    ['xapi.example.com', 443, 'xapi.example.com'],
    ['api.example.com.evil.test', 443, 'api.example.com.evil.test'],
    ['a.api.example.com', 443, 'a.api.example.com'],
    ['example.org', 443, 'example.org'],
    ['notexample.org', 443, 'notexample.org'],
    ['api.example.com', 22, 'api.example.com:22'],
    ['api.example.com', 25, 'api.example.com:25'],
    ['api.example.com', 8443, 'api.example.com:8443'],
    ['host.example', 443, 'host.example'],
    ['10.0.0.1', 22, '10.0.0.1:22'],
    ['11.0.0.1', 443, '11.0.0.1'],
    ['9.255.255.255', 443, '9.255.255.255'],
    ['192.168.7.7', 443, '192.168.7.7'],
    ['127.0.0.1', 443, '127.0.0.1'],
    ['8.8.8.8', 443, '8.8.8.8'],
    ['[fd00::1]', 22, '[fd00::1]:22'],
    ['[::ffff:10.0.0.1]', 443, '::ffff:a00:1'],
  ])('%s:%d is refused, and %s would open it', (text, port, allow) => {
    expect(decideHost(list, parseHost(text)!, port)).toEqual({ kind: 'refuse', allow })
  })

  test('an empty list opens nothing', () => {
    const none = parseAllowlist([]).allow
    expect(decideHost(none, parseHost('example.com')!, 443)).toEqual({ kind: 'refuse', allow: 'example.com' })
  })

  test.each([
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '127.1',
    '127.0.1',
    '127.0.0.01',
    '127.0.0.1.',
    '[::1%25eth0]',
    '[fe80::1%eth0]',
    '[127.0.0.1]',
    '[::1',
    '::1',
    '[]',
    '[::ffff:0x7f.1]',
    '',
    '.',
    'a..b',
    'a b',
    'a\tb',
    'a\0b',
    'a%2eb',
    'a@b',
    'a/b',
    'a\\b',
    'a:b',
    'bücher.example',

    '１２７.0.0.1',
    '①.example',
    'example。com',
    '-a.example',
    'a-.example',
    `${'a'.repeat(250)}.com`,
    '*',
  ])('%j is no host', text => {
    expect(parseHost(text)).toBeNull()
  })
})

describe('addresses that a name leads to', () => {
  const none = parseAllowlist([]).allow

  test.each([
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'carrier-grade NAT'],
    ['100.100.100.200', 'carrier-grade NAT'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['168.63.129.16', 'metadata service'],
    ['192.0.0.192', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['203.0.113.1', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::7f00:1', 'reserved'],
    ['::ffff:127.0.0.1', 'IPv4-mapped'],
    ['::ffff:8.8.8.8', 'IPv4-mapped'],
    ['::ffff:0:127.0.0.1', 'NAT64'],
    ['64:ff9b::7f00:1', 'NAT64'],
    ['64:ff9b:1::7f00:1', 'NAT64'],
    ['2002:7f00:1::', '6to4'],
    ['2001::1', 'Teredo'],
    ['2001:db8::1', 'reserved'],
    ['3fff::1', 'reserved'],
    ['fc00::1', 'private'],
    ['fd00:ec2::254', 'private'],
    ['fe80::1', 'link-local'],
    ['fec0::1', 'reserved'],
    ['ff02::1', 'multicast'],
    ['4000::1', 'reserved'],
    ['fe80::1%eth0', 'not an address in its plain spelling'],
    ['0177.0.0.1', 'not an address in its plain spelling'],
    ['127.1', 'not an address in its plain spelling'],
    ['example.com', 'not an address in its plain spelling'],
    ['', 'not an address in its plain spelling'],
  ])('%s is refused: %s', (address, range) => {
    expect(decideAddress(none, address, 443)).toEqual({ kind: 'refuse', range })
  })

  test.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00::1'])(
    '%s is public',
    address => {
      expect(decideAddress(none, address, 443)).toEqual({ kind: 'allow' })
    },
  )

  test.each([
    ['10.0.0.0/8', '10.1.2.3', 443, 'allow'],
    ['10.0.0.0/8', '10.1.2.3', 8443, 'allow'],
    ['10.0.0.0/8', '192.168.0.1', 443, 'refuse'],
    ['10.0.0.0/8:8443', '10.1.2.3', 8443, 'allow'],
    ['10.0.0.0/8:8443', '10.1.2.3', 443, 'refuse'],
    ['169.254.169.254', '169.254.169.254', 80, 'allow'],
    ['169.254.169.253', '169.254.169.254', 80, 'refuse'],
    ['fd00::/8', 'fd00:ec2::254', 80, 'allow'],
    ['64:ff9b::/96', '64:ff9b::808:808', 443, 'allow'],
    ['127.0.0.0/8', '::ffff:127.0.0.1', 443, 'refuse'],
    ['::/0', '::ffff:127.0.0.1', 443, 'refuse'],
    ['::/0', '127.0.0.1', 443, 'refuse'],
    ['0.0.0.0/0', '::1', 443, 'refuse'],
    ['0.0.0.0/0', '127.0.0.1', 443, 'allow'],
    ['168.63.129.16', '168.63.129.16', 80, 'allow'],
  ])('with %s, %s on port %d: %s', (entry, address, port, kind) => {
    expect(decideAddress(parseAllowlist([entry]).allow, address, port).kind).toBe(kind)
  })
})
