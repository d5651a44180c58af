import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { renderSignatures } from '../../src/tools/mcp/signatures.ts'
import type { SignedTool } from '../../src/tools/mcp/tool.ts'
import { temporaryFolder } from './listening.ts'
import { finance } from './mcp-stage.ts'

const TSC = fileURLToPath(new URL('../../../../node_modules/.bin/tsc', import.meta.url))

const signed = (name: string, inputSchema: object, rest: Partial<SignedTool> = {}): SignedTool => ({
  server: 'finance',
  name,
  title: name,
  description: '',
  effect: 'read',
  inputSchema: { type: 'object', ...inputSchema },
  outputSchema: null,
  ...rest,
})

const EXPENSES = signed(
  'get_expenses',
  {
    properties: {
      team: { type: 'string' },
      limit: { type: ['integer', 'null'] },
      order: { enum: ['asc', 'desc'] },
    },
    required: ['team'],
    additionalProperties: false,
  },
  {
    description: 'Expense lines.\nMore about them.',
    outputSchema: {
      type: 'object',
      properties: {
        lines: { type: 'array', items: { $ref: '#/$defs/Line' } },
        next: { type: ['string', 'null'] },
      },
      required: ['lines'],
      $defs: { Line: { type: 'object', properties: { amount: { type: 'string' } }, required: ['amount'] } },
    },
  },
)

/** Whatever a server may think of. */
const ODD: readonly SignedTool[] = [
  signed('from', {
    properties: { from: { type: 'string' }, 'x-y': {}, name: { type: 'number' }, _name: {} },
  }),
  signed(
    'end*/"""\\',
    { anyOf: [{ required: ['a'] }] },
    { description: 'ends */ """ \\ \u2028 here', effect: 'mutate' },
  ),
  signed('tree', {
    properties: { root: { $ref: '#/properties/node' }, node: { type: 'array', items: { $ref: '#' } } },
  }),
  signed('const', {
    properties: { a: { const: true }, b: { const: 1.5 }, c: { const: null }, d: { enum: [{}] } },
  }),
  signed(
    '9 lives',
    { properties: { ключ: { type: 'boolean' } } },
    {
      outputSchema: {
        type: 'object',
        properties: { 'é "q"': { anyOf: [{ type: 'object' }, { type: 'null' }] }, __proto__: {} },
      },
    },
  ),
  signed('none', {}, { server: '1-st', inputSchema: { type: 'object', additionalProperties: false } }),
]

describe('Python', () => {
  test('an overload of `tool` and `atool` for each tool, and classes for what it returns', () => {
    expect(renderSignatures([EXPENSES], 'py')).toMatchInlineSnapshot(`
      "# MCP tools that a script can call: from srecodex import tool, atool
      from typing import Any, Literal, NotRequired, TypedDict, overload

      FinanceGetExpensesResultLinesItem = TypedDict("FinanceGetExpensesResultLinesItem", {"amount": str})

      FinanceGetExpensesResult = TypedDict("FinanceGetExpensesResult", {"lines": list[FinanceGetExpensesResultLinesItem], "next": NotRequired[str | None]})

      @overload
      def tool(_server: Literal["finance"], _name: Literal["get_expenses"], /, *, team: str, limit: int | None = ..., order: Literal["asc"] | Literal["desc"] = ...) -> FinanceGetExpensesResult:
          "Expense lines. (reads)"

      @overload
      async def atool(_server: Literal["finance"], _name: Literal["get_expenses"], /, *, team: str, limit: int | None = ..., order: Literal["asc"] | Literal["desc"] = ...) -> FinanceGetExpensesResult: ...
      "
    `)
  })

  test('is valid, whatever the names and texts are', () => {
    const stub = join(temporaryFolder(), 'stub.py')
    writeFileSync(stub, renderSignatures([EXPENSES, ...ODD], 'py'))
    // Executed, not only parsed: every name that a signature refers to exists before it.
    const program = `import ast, sys
text = open(sys.argv[1]).read()
tree = ast.parse(text)
exec(compile(tree, "stub", "exec"), {})
print(sum(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in tree.body))`
    const told = execFileSync('python3', ['-c', program, stub], { encoding: 'utf8' })
    expect(told.trim()).toBe(String(2 * (1 + ODD.length)))
  })
})

describe('TypeScript', () => {
  test('an overload of `tool` for each tool', () => {
    expect(renderSignatures([EXPENSES], 'ts')).toMatchInlineSnapshot(`
      "// MCP tools that a script can call: import { tool } from 'srecodex'
      export {}

      declare module 'srecodex' {
        /** Expense lines. (reads) */
        export function tool(server: "finance", name: "get_expenses", args: { team: string; limit?: number | null; order?: "asc" | "desc" }): Promise<{ lines: readonly { amount: string }[]; next?: string | null }>
      }
      "
    `)
  })

  test('is valid whatever the names and texts are, and checks calls', () => {
    const folder = temporaryFolder()
    const files = {
      'srecodex.d.ts': "declare module 'srecodex' { export const version: string }\n",
      'tools.d.ts': renderSignatures([EXPENSES, ...ODD], 'ts'),
      'right.ts': `import { tool } from 'srecodex'
const page = await tool('finance', 'get_expenses', { team: 'a', limit: null })
export const first: string | undefined = page.lines[0]?.amount
`,
      'wrong.ts': `import { tool } from 'srecodex'
await tool('finance', 'get_expenses', { taem: 'a' })
`,
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const options = '--noEmit --strict --ignoreConfig --module esnext --target esnext'.split(' ')
    const { stdout } = spawnSync(TSC, [...options, '--types', '', ...Object.keys(files)], {
      cwd: folder,
      encoding: 'utf8',
    })
    const errors = stdout.split('\n').filter(line => /^\S+\(\d/.test(line))
    expect(errors).toEqual([expect.stringMatching(/^wrong\.ts\(2,.*error TS/)])
  })
})

test('of a real server', async () => {
  const { servers } = finance({ enabledTools: ['get_teams', 'create_ticket'] })
  expect(await servers.signatures('ts')).toMatchInlineSnapshot(`
    "// MCP tools that a script can call: import { tool } from 'srecodex'
    export {}

    declare module 'srecodex' {
      /** Opens a ticket with the controllers. (changes something) */
      export function tool(server: "finance", name: "create_ticket", args: { team: string; text: string; priority?: "low" | "high" }): Promise<unknown>

      /** Lists all teams. (reads) */
      export function tool(server: "finance", name: "get_teams", args?: Record<string, never>): Promise<unknown>
    }
    "
  `)
  expect(await servers.signatures('py')).toContain(
    '_name: Literal["create_ticket"], /, *, team: str, text: str,',
  )
})
