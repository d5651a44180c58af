import { describe, expect, test } from 'vitest'
import { toolEffect } from '../../src/tools/mcp/effect.ts'
import { answeredId, LineReader } from '../../src/tools/mcp/lines.ts'
import { resultValue, type ToolResult } from '../../src/tools/mcp/result.ts'
import { argumentsCheck } from '../../src/tools/mcp/validate.ts'
import { plain, redactor } from '../../src/tools/mcp/words.ts'

describe('effects', () => {
  test.each([
    [undefined, 'mutate', false],
    [{}, 'mutate', false],
    [{ title: 'Get' }, 'mutate', false],
    [{ destructiveHint: false }, 'mutate', false],
    [{ idempotentHint: true }, 'mutate', true],
    [{ readOnlyHint: false, idempotentHint: true }, 'mutate', true],
    [{ readOnlyHint: true }, 'read', true],
    [{ readOnlyHint: true, destructiveHint: false }, 'read', true],
    [{ readOnlyHint: true, destructiveHint: true }, 'mutate', false],
  ])('%j is a %s', (annotations, effect, idempotent) => {
    expect(toolEffect(annotations)).toMatchObject({ effect, idempotent })
  })
})

describe('results', () => {
  const context = { server: 's', tool: 't', redact: (text: string) => text }
  const text = (...texts: string[]): ToolResult => ({
    content: texts.map(one => ({ type: 'text', text: one })),
  })
  test.each<[ToolResult, unknown]>([
    [{ content: [], structuredContent: { a: 1 } }, { a: 1 }],
    [{ ...text('other'), structuredContent: [1] }, [1]],
    [{ content: [], structuredContent: null }, null],
    [{ content: [] }, null],
    [{}, null],
    [text(''), ''],
    [text('[1, 2]'), [1, 2]],
    [text('null'), null],
    [text(' 12 '), 12],
    // An id of 20 digits is no number that this language has, and 1.50 is an amount.
    [text('12345678901234567890'), '12345678901234567890'],
    [text('1.50'), '1.50'],
    [text('{"a":'), '{"a":'],
    [text('one', 'two'), 'one\ntwo'],
    [
      {
        content: [
          { type: 'image', data: 'AA==' },
          { type: 'text', text: 'see' },
        ],
      },
      'see',
    ],
    [
      { content: [{ type: 'resource', resource: { uri: 'a:b', blob: 'AAAA' } }] },
      [{ type: 'resource', uri: 'a:b', mimeType: null, bytes: 3, base64: 'AAAA' }],
    ],
    [{ content: [{ type: 'hologram', data: 'x' }] }, [{ type: 'hologram' }]],
  ])('%j', (result, value) => {
    expect(resultValue(result, context)).toEqual(value)
  })

  test('an error without words', () => {
    expect(() => resultValue({ content: [], isError: true }, context)).toThrow(
      '`t` of MCP server `s`: it failed, and did not say why',
    )
  })
})

describe('lines of a server', () => {
  const read = (maxBytes: number, chunks: readonly string[]): unknown[] => {
    const seen: unknown[] = []
    const reader = new LineReader(maxBytes, {
      onLine: line => seen.push(line.toString()),
      onOversized: (head, tail) => seen.push({ answered: answeredId(head, tail) }),
    })
    for (const chunk of chunks) reader.push(Buffer.from(chunk))
    return seen
  }

  test('in any pieces', () => {
    expect(read(10, ['ab', 'c\nd', '\n\n', 'e'])).toEqual(['abc', 'd'])
    expect(read(3, ['abc\nabcd\nab\n'])).toEqual(['abc', { answered: null }, 'ab'])
  })

  test.each([
    [`{"jsonrpc":"2.0","id":7,"result":{"x":"${'y'.repeat(9000)}"}}`, 7],
    [`{"result":{"x":"${'y'.repeat(9000)}"},"jsonrpc":"2.0","id":8}`, 8],
    [`{"result":{"x":"${'y'.repeat(9000)}"},"id":9,"jsonrpc":"2.0"}`, 9],
    [`{"id":10,"result":{"x":"${'y'.repeat(9000)}"}}`, 10],
    [`{"result":{"x":"${'y'.repeat(9000)}","id":11}}`, null],
  ])('that are too long still tell whom they answer', (line, id) => {
    const pieces = line.match(/.{1,700}/gs) ?? []
    expect(read(1000, [...pieces, '\n', 'next\n'])).toEqual([{ answered: id }, 'next'])
  })
})

describe('arguments', () => {
  const refusal = async (
    schema: Record<string, unknown>,
    args: Record<string, unknown>,
  ): Promise<string | null> => {
    const check = await argumentsCheck('s', 't', schema)
    try {
      check(args)
      return null
    } catch (error) {
      return (error as Error).message
    }
  }

  test('the place of each problem, however deep', async () => {
    const schema = {
      type: 'object',
      properties: {
        filter: { type: 'object', properties: { teams: { type: 'array', items: { type: 'string' } } } },
      },
    }
    expect(await refusal(schema, { filter: { teams: ['a', 7] } })).toBe(
      'the arguments of `t` of MCP server `s` do not fit: filter.teams[1]: Instance type "number" is invalid. Expected "string".',
    )
    expect(await refusal(schema, { filter: { teams: ['a'] } })).toBeNull()
  })

  test('an end, where the arguments make a pattern backtrack for ever', async () => {
    const schema = { type: 'object', properties: { id: { type: 'string', pattern: '^(a+)+$' } } }
    const started = performance.now()
    expect(await refusal(schema, { id: `${'a'.repeat(60)}!` })).toContain('take too long to be checked')
    expect(performance.now() - started).toBeLessThan(2000)
    expect(await refusal(schema, { id: 'aaa' })).toBeNull()
  })

  test.each([
    ['^(a|a)*$', `${'a'.repeat(60)}!`],
    ['a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?b', 'a'.repeat(40)],
    ['^a*a*a*a*a*a*b$', 'a'.repeat(1000)],
    ['a*b', 'a'.repeat(400_000)], // tried from each place
    ['a{100000}b', 'a'.repeat(400_000)],
    [String.raw`^(\w+)\1*x$`, 'a'.repeat(100_000)],
  ])('an end of %j', async (pattern, id) => {
    const schema = { type: 'object', properties: { id: { type: 'string', pattern } } }
    expect(await refusal(schema, { id })).toContain('take too long to be checked')
  })

  test.each([
    [String.raw`^\d{4}-Q[1-4]$`, '2026-Q3', '2026-Q5'],
    ['^[a-z0-9-]+$', 'checkout-api', 'Checkout'],
    [String.raw`^arn:aws:iam::\d{12}:.*$`, 'arn:aws:iam::123456789012:role/x', 'arn:aws:iam::1:role/x'],
    [String.raw`^[^\]]{1,3}$`, 'abc', 'ab]'],
    ['prod', 'eu-prod-1', 'staging'],
  ])('%j is checked', async (pattern, right, wrong) => {
    const schema = { type: 'object', properties: { id: { type: 'string', pattern } } }
    expect(await refusal(schema, { id: right })).toBeNull()
    expect(await refusal(schema, { id: wrong })).toContain('do not fit')
  })

  test('a refusal, where they are nested too deep', async () => {
    const schema = { type: 'object', properties: { a: { $ref: '#' } } }
    let deep: Record<string, unknown> = {}
    for (let depth = 0; depth < 100_000; depth += 1) deep = { a: deep }
    expect(await refusal(schema, deep)).toContain('nested too deep')
  })

  test('a schema that is broken is left to the server', async () => {
    expect(await refusal({ type: 'object', properties: { a: { $ref: '#/nowhere' } } }, { a: 1 })).toBeNull()
    expect(
      await refusal({ type: 'object', properties: { a: { type: 'string', pattern: '(' } } }, { a: 'x' }),
    ).toBeNull()
  })
})

describe('words', () => {
  test('are shown without control sequences and invisible characters', () => {
    expect(plain('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007x\u202ey\u0000z\r\nnext\u200b')).toBe(
      'red xyz\nnext',
    )
  })

  test('lose secrets in every form, the longest first, and nothing short', () => {
    const redact = redactor(['secret-1', 'secret-1-longer', 'a/b c"d', 'no'])
    expect(redact('secret-1-longer secret-1 a%2Fb%20c%22d a/b c\\"d no')).toBe(
      '[redacted] [redacted] [redacted] [redacted] no',
    )
  })
})
