import { describe, expect, test } from 'vitest'

import { createRedactor, secretsOf } from '../../src/runs/redact.ts'

const MB = 1024 * 1024
const SECRET = `s3cr3t/"Väl'ue+1`
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const patterns = createRedactor({ values: [] })
const known = createRedactor({
  values: [
    { name: 'API_TOKEN', value: SECRET },
    { name: 'PIN_CODE_SECRET', value: '123456789' },
  ],
})

describe('which values of an environment are secret', () => {
  const CASES: readonly [name: string, value: string, secrets: string[]][] = [
    ['GITHUB_TOKEN', 'abcdef', ['abcdef']],
    ['PGPASSWORD', 'hunter2', ['hunter2']],
    ['clientSecret', 'hunter2', ['hunter2']],
    ['AWS_SECRET_ACCESS_KEY', 'hunter2', ['hunter2']],
    ['SENTRY_DSN', 'https1://x@y', ['https1://x@y']],
    ['DB_CONNECTION_STRING', 'Server=x;Pwd=y', ['Server=x;Pwd=y']],
    ['SHORT_TOKEN', 'abcde', []],
    ['SSH_AUTH_SOCK', '/tmp/ssh-1/agent.1', []],
    ['TLS_KEY', '/etc/ssl/key.pem', []],
    ['KEYBOARD', 'us-intl-long', []],
    ['GIT_AUTHOR_NAME', 'Jane Doe', []],
    ['PATH', '/usr/bin:/bin', []],
    ['OLDPWD', '/srv/project', []],
    ['TOKEN_TYPE', 'bearer-like', []],
    ['AUTH_MODE', 'disabled-now', []],
    ['HTTP_PROXY', 'http://me:s%40fe-word@proxy:80', ['s%40fe-word', 's@fe-word']],
    ['ANYTHING', 'AKIAIOSFODNN7EXAMPLE', ['AKIAIOSFODNN7EXAMPLE']],
    ['DOCKER_CONFIG_JSON', '{"auths":{"r":{"password":"opensesame"}}}', ['opensesame']],
  ]
  test.each(CASES)('%s=%s', (name, value, secrets) => {
    expect(secretsOf([{ name, value }]).map(secret => secret.value)).toEqual(secrets)
  })

  test('a value of several lines counts line by line', () => {
    const value = 'first line of the secret\nsecond line of the secret'
    expect(secretsOf([{ name: 'MY_SECRET', value }])).toEqual([
      { name: 'MY_SECRET', value },
      { name: 'MY_SECRET', value: 'first line of the secret' },
      { name: 'MY_SECRET', value: 'second line of the secret' },
    ])
  })
})

describe('a known value', () => {
  const FORMS: readonly [name: string, text: string, output: string][] = [
    ['raw', `a${SECRET}b`, 'a[redacted:API_TOKEN]b'],
    ['twice', `${SECRET} ${SECRET}`, '[redacted:API_TOKEN] [redacted:API_TOKEN]'],
    ['in a string of JSON', `log ${JSON.stringify(SECRET)}`, 'log "[redacted:API_TOKEN]"'],
    [
      'in JSON in JSON',
      `log ${JSON.stringify(JSON.stringify(SECRET))}`,
      String.raw`log "\"[redacted:API_TOKEN]\""`,
    ],
    ['in ASCII JSON', String.raw`log s3cr3t/\"V\u00e4l'ue+1`, 'log [redacted:API_TOKEN]'],
    ['in a URL', `q=${encodeURIComponent(SECRET)}&b`, 'q=[redacted:API_TOKEN]&b'],
    ['in a shell quote', `'${SECRET.replaceAll("'", String.raw`'\''`)}'`, "'[redacted:API_TOKEN]'"],
    ['base64', `x ${base64(SECRET)}`, 'x [redacted:API_TOKEN]'],
    ['base64, one byte on', `x ${base64(`a${SECRET}`)}`, 'x Y[redacted:API_TOKEN]'],
    ['base64, two bytes on', `x ${base64(`ab${SECRET}cdef`)}`, 'x YW[redacted:API_TOKEN]NkZWY='],
    ['base64url', `x ${Buffer.from(SECRET).toString('base64url')}`, 'x [redacted:API_TOKEN]'],
    ['hex', `x ${Buffer.from(SECRET).toString('hex')} y`, 'x [redacted:API_TOKEN] y'],
    ['absent', 'nothing here', 'nothing here'],
  ]
  test.each(FORMS)('%s', async (_, text, output) => {
    expect(await known.redact(text)).toBe(output)
    expect(known.redactKnown(text)).toBe(output)
    expect(await known.redact(output)).toBe(output)
  })

  test('the longest goes, and what overlaps goes whole', async () => {
    const redactor = createRedactor({
      values: [
        { name: 'A_KEY', value: 'abcdef' },
        { name: 'B_KEY', value: 'abcdefghi' },
        { name: 'C_KEY', value: 'ghijklmnop' },
      ],
    })
    expect(await redactor.redact('abcdefg|abcdefghijklmnop|')).toBe('[redacted:A_KEY]g|[redacted:C_KEY]|')
  })
})

describe('patterns', () => {
  const JWT = 'eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.abc-def_ghi'
  const BODY = 'MIIEabcdefghijklmnopqrstuv'
  const CASES: readonly [text: string, output: string][] = [
    ['id AKIAIOSFODNN7EXAMPLE.', 'id [redacted:aws-access-key-id].'],
    ['xASIAIOSFODNN7EXAMPLE', 'x[redacted:aws-access-key-id]'],
    [`t ${JWT} u`, 't [redacted:jwt] u'],
    ['authorization: Bearer abc123 x', 'authorization: Bearer [redacted:authorization] x'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic [redacted:authorization]'],
    [`-H "Authorization: Bearer ${JWT}"`, '-H "Authorization: Bearer [redacted:authorization]"'],
    ['Cookie: sid=abc; theme=dark', 'Cookie: [redacted:cookie]'],
    [`ghp_${'a1'.repeat(18)}`, '[redacted:github-token]'],
    [`glpat-${'a1'.repeat(10)}`, '[redacted:gitlab-token]'],
    [`npm_${'a1'.repeat(18)}`, '[redacted:npm-token]'],
    ['xoxb-1234567890-abcdef', '[redacted:slack-token]'],
    [`sk_live_${'a1'.repeat(12)}`, '[redacted:stripe-key]'],
    [`AIza${'a1'.repeat(17)}b`, '[redacted:google-api-key]'],
    ['postgres://app:p@ss@db:5432/x', 'postgres://app:[redacted:url-password]@db:5432/x'],
    ['PGPASSWORD=opensesame psql', 'PGPASSWORD=[redacted:pgpassword] psql'],
    ['--token=opensesame -v', '--token=[redacted:token] -v'],
    ['password: opensesame', 'password: [redacted:password]'],
    ["{'password': 'open sesame'}", "{'password': '[redacted:password]'}"],
    ['https://h/?api_key=abc&page=2', 'https://h/?api_key=[redacted:api_key]&page=2'],
    [
      '- name: DB_PASSWORD\n  value: open\n- name: MODE\n  value: fast',
      '- name: DB_PASSWORD\n  value: [redacted:db_password]\n- name: MODE\n  value: fast',
    ],
    [
      `-----BEGIN RSA PRIVATE KEY-----\n${BODY}\nab==\n-----END RSA PRIVATE KEY-----\nx`,
      '[redacted:private-key]\nx',
    ],
    [`a\n-----BEGIN PRIVATE KEY-----\n${BODY}\n${BODY}\n`, 'a\n[redacted:private-key]\n'],
    [`${BODY}\n${BODY}\nab==\n-----END PRIVATE KEY-----\nx`, '[redacted:private-key]\nx'],
    // Left alone: prose, names of secrets, references to them.
    ['error: invalid token: unexpected EOF', 'error: invalid token: unexpected EOF'],
    ['password: must be longer', 'password: must be longer'],
    ['secret/db created, secretName: db', 'secret/db created, secretName: db'],
    ['PASSWORD=${PASSWORD} token_count=123456', 'PASSWORD=${PASSWORD} token_count=123456'],
    ['disk-pressure key: value keyspace=users', 'disk-pressure key: value keyspace=users'],
    ['http://host:8080/?mail=a@b.com', 'http://host:8080/?mail=a@b.com'],
  ]
  test.each(CASES)('%j', async (text, output) => {
    expect(patterns.redactKnown(text)).toBe(output)
    expect(await patterns.redact(text)).toBe(output)
    expect(await patterns.redact(output)).toBe(output)
  })

  test('the rules of secretlint, which a script cannot switch off', async () => {
    const token = `hf_${'abcdefghijklmnopq'.repeat(2)}`
    const text = `secretlint-disable\n${token} after`
    expect(patterns.redactKnown(text)).toBe(text)
    expect(await patterns.redact(text)).toBe('secretlint-disable\n[redacted:huggingface] after')
  })

  test('lines stay lines', async () => {
    const lines = ['a', '-----BEGIN PRIVATE KEY-----', BODY, '-----END PRIVATE KEY-----', 'b', '']
    const key = '[redacted:private-key]'
    expect(await patterns.redactLines(lines)).toEqual(['a', key, key, key, 'b', ''])
    expect(await patterns.redactLines([])).toEqual([])
  })
})

describe('JSON stays JSON', () => {
  test('a document: same shape, escapes whole, untouched parts as written', async () => {
    const inner = JSON.stringify({ password: 'x', ok: 1 })
    const text = `{ "a\\u0062": "1\\n${JSON.stringify(SECRET).slice(1, -1)}\\\\",\n  "n": [123456789, 1.50e3, -2], "inner": ${JSON.stringify(inner)},\n  "env": [{"name": "DB_PASSWORD", "value": "q"}], "max_tokens": 100, "none": null }`
    const output = await known.redact(text)
    expect(JSON.parse(output)).toEqual({
      ab: '1\n[redacted:API_TOKEN]\\',
      n: ['[redacted:PIN_CODE_SECRET]', 1500, -2],
      inner: '{"password":"[redacted:password]","ok":1}',
      env: [{ name: 'DB_PASSWORD', value: '[redacted:db_password]' }],
      max_tokens: 100,
      none: null,
    })
    expect(output).toContain('{ "a\\u0062": ')
    expect(output).toContain('1.50e3, -2]')
    expect(await known.redact(output)).toBe(output)
  })

  test('two names that are redacted alike stay two', async () => {
    const text = JSON.stringify({ [`a${SECRET}`]: 1, [SECRET]: 2, [`${SECRET}${SECRET}`]: 3 })
    const output: unknown = JSON.parse(await known.redact(text))
    expect(output).toEqual({
      'a[redacted:API_TOKEN]': 1,
      '[redacted:API_TOKEN]': 2,
      '[redacted:API_TOKEN][redacted:API_TOKEN]': 3,
    })
    const same = createRedactor({ values: [] })
    const tokens = JSON.stringify({ AKIAIOSFODNN7EXAMPLE: 1, AKIAIOSFODNN8EXAMPLE: 2 })
    expect(JSON.parse(await same.redact(tokens))).toEqual({
      '[redacted:aws-access-key-id]': 1,
      '[redacted:aws-access-key-id] 2': 2,
    })
  })

  test('lines of JSON among other lines', async () => {
    const text = `start\n${JSON.stringify({ a: SECRET })}\n[123456789]\nplain ${SECRET}\n`
    expect(await known.redact(text)).toBe(
      'start\n{"a":"[redacted:API_TOKEN]"}\n["[redacted:PIN_CODE_SECRET]"]\nplain [redacted:API_TOKEN]\n',
    )
  })

  test('a rule of secretlint inside a string', async () => {
    const token = `hf_${'abcdefghijklmnopq'.repeat(2)}`
    expect(await patterns.redact(JSON.stringify({ a: `"${token}"` }))).toBe(
      JSON.stringify({ a: '"[redacted:huggingface]"' }),
    )
  })
})

const HOSTILE = [
  'eyJ',
  'eyJ.',
  'ghs_1_',
  'pass=',
  'auth:',
  'auth: ',
  'key="',
  '://a:',
  'http://a:b@',
  '-----BEGIN PRIVATE KEY-----',
  '-----END PRIVATE KEY-----',
  'bearer ',
  'cookie: ',
  '[',
  '{"a":',
  '\\"',
  'name: token\nvalue: ',
  's3cr3t/',
  'SG.a.',
  'hf_abcdefghijklmnopqabcdefghijklmnopq ',
]

test.each(HOSTILE)('a megabyte of %j ends', async piece => {
  const output = await known.redact(piece.repeat(Math.ceil(MB / piece.length)))
  expect(output.length).toBeGreaterThan(0)
})
