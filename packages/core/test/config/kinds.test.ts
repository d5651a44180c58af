import { isIP } from 'node:net'
import { expect, test } from 'vitest'
import { NAMED_SECTIONS, SECTIONS } from '../../src/config/schema.ts'
import type { Kind } from '../../src/config/kinds.ts'

const read = (kind: Kind<unknown>, value: unknown): unknown => {
  const refusals: string[] = []
  const result = kind.read(value, {
    home: '/home/ada',
    refuse: (message, _hint, within = []) => {
      refusals.push(`${within.join('.')} ${message}`.trim())
      return undefined
    },
  })
  return refusals.length === 0 ? result : { refusals }
}

const { limits, scripts, mutations, execution_environment: environment, summary } = SECTIONS
const { tools, mcp_servers: servers } = NAMED_SECTIONS
const memory = limits.fields.memory.kind
const timeout = scripts.fields.execution_timeout.kind
const rate = tools.fields.rate.kind
const network = environment.fields.network.kind
const readable = environment.fields.readable.kind

test.each<[string, Kind<unknown>, unknown, unknown]>([
  ['a size with a binary unit', memory, '2GiB', 2 ** 31],
  ['a size with a decimal unit', memory, '500MB', 500_000_000],
  ['a size with a fraction', memory, '1.5 GiB', 1.5 * 2 ** 30],
  ['a size in bytes', memory, 33_554_432, 33_554_432],
  ['a number of seconds', timeout, 300, 300_000],
  ['a part of a second', servers.fields.startup_timeout_sec.kind, 0.5, 500],
  ['a part of a second of a script', timeout, 0.5, 500],
  ['a duration', mutations.fields.plan_life.kind, '15m', 900_000],
  ['a duration in hours', timeout, '1.5h', 5_400_000],
  ['a rate a second', rate, '20/s', 20],
  ['a rate a minute', rate, '600/m', 10],
  ['a rate an hour', rate, '36/h', 0.01],
  ['no network', network, 'none', 'none'],
  [
    'domains, in one spelling',
    network,
    ['API.example.com', '*.Example.org'],
    ['api.example.com', '*.example.org'],
  ],
  ['blocks', network, ['10.0.0.0/8', 'fd00::/8'], ['10.0.0.0/8', 'fd00::/8']],
  ['an empty list of domains', network, [], 'none'],
  ['a path in the home', readable, ['~/logs/'], ['/home/ada/logs']],
  ['a path with dots', readable, ['/var/log/../spool'], ['/var/spool']],
  ['fractions of a processor', limits.fields.cpus.kind, 1.5, 1.5],
  ['headers of any name', servers.fields.http_headers.kind, { constructor: 'a' }, { constructor: 'a' }],
])('%s is taken', (_name, kind, value, expected) => {
  expect(read(kind, value)).toEqual(expected)
})

test.each<[string, Kind<unknown>, unknown, string[]]>([
  ['a unit that could mean two things', memory, '2G', ['is "2G", not a size such as "2GiB"']],
  ['a negative size', memory, '-2GiB', ['is "-2GiB", not a size such as "2GiB"']],
  ['not a number', memory, NaN, ['is NaN, not a size such as "2GiB"']],
  ['too little memory', memory, 1, ['is 1; it must lie between 16777216 and 1125899906842624 bytes']],
  ['no time at all', timeout, 0, ['is 0; it must lie between 0.1 and 604800 seconds']],
  ['endless time', timeout, Infinity, ['is Infinity, not a number of seconds or a duration such as "15m"']],
  ['seconds as text', timeout, '300', ['is "300", not a number of seconds or a duration such as "15m"']],
  ['no calls at all', rate, '0/s', ['is "0/s"; it must be more than 0 and at most 10000/s']],
  ['a rate without a unit', rate, 20, ['is 20, not a rate such as "20/s"']],
  ['a fraction of a process', limits.fields.processes.kind, 1.5, ['is 1.5, not a whole number']],
  [
    'a summary too long for MCP',
    summary.fields.max_chars.kind,
    100_001,
    ['is 100001; it must lie between 80 and 100000'],
  ],
  ['a truth in words', scripts.fields.cleanup_after_run.kind, 'yes', ['is "yes", not true or false']],
  ['the star', network, ['a.com', '*'], ['1 has "*", which is not a domain']],
  ['a date', network, new Date(0), ['is a date, not "none", "host" or a list of domains and CIDR blocks']],
  [
    'what only looks like a domain, each one',
    network,
    [
      'https://a.com',
      'a.com:70000',
      'a.com/x',
      '10.0.0.1',
      '0x7f.1',
      '127.1',
      'a..b',
      'fe80::1%eth0/64',
      '10.0.0.0/33',
    ],
    [
      'https://a.com',
      'a.com:70000',
      'a.com/x',
      '10.0.0.1',
      '0x7f.1',
      '127.1',
      'a..b',
      'fe80::1%eth0/64',
      '10.0.0.0/33',
    ].map(
      (text, index) =>
        `${index} is "${text}", not a domain such as "api.example.com" or a block such as "10.0.0.0/8"`,
    ),
  ],
  [
    'a relative path',
    readable,
    ['logs', '~ada/x'],
    ['0 is "logs", not an absolute path', '1 is "~ada/x", not an absolute path'],
  ],
  ['a path with a zero byte', readable, ['/a\0b'], ['0 is "/a\\u0000b", not an absolute path']],
  [
    'a helper that climbs',
    tools.fields.helpers.kind,
    ['../sh'],
    ['0 is "../sh", not the name or the absolute path of a program'],
  ],
  [
    'a variable with a value',
    tools.fields.env.kind,
    ['A=b'],
    ['0 is not the name of an environment variable'],
  ],
  [
    'escapes of a terminal',
    mutations.fields.default.kind,
    '\u001b[2Jx\u202e',
    ['is "\\u001b[2Jx\\u202e", not one of "deny", "plan", "allow"'],
  ],
])('%s is refused', (_name, kind, value, refusals) => {
  expect(read(kind, value)).toEqual({ refusals })
})

test('an address in a block is what the system calls an address', () => {
  const addresses =
    '0.0.0.0 255.255.255.255 256.1.1.1 1.2.3 1.2.3.4. 1.2.3.4.5 .1.2.3 1.2..3 0x7f.0.0.1 1.2.3.04 01.2.3.4 ' +
    ':: ::1 fd00:: 1::2::3 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:8:9 ::ffff:10.0.0.1 g:: : 12345:: ::1] [::1 ' +
    'fe80::1%eth0 ::1.2.3 ::256.1.1.1 ::01.2.3.4 1:2:3:4:5:6:1.2.3.4 1:2:3:4:5:6:7:1.2.3.4 ::00001'
  const taken = addresses.split(' ').filter(address => Array.isArray(read(network, [`${address}/8`])))
  expect(taken).toEqual(addresses.split(' ').filter(address => isIP(address) > 0 && !address.includes('%')))
})
