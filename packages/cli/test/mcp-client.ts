/**
 * A plain MCP client of the built server. It keeps every byte that it was sent, and holds each result to its bound on
 * the wire: what a test looks at is what a model could have seen.
 */

import { Client } from '@modelcontextprotocol/client'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

export const REVISIONS = ['2025-11-25', '2026-07-28'] as const
export type Revision = (typeof REVISIONS)[number]

/** What the person at the client does with a question; `wait` says nothing at all. */
export type Person = 'accept' | 'decline' | 'cancel' | 'wait'

interface Place {
  readonly workspace: string
  readonly home: string
  readonly srecodexHome: string
}

export interface ClientOptions {
  readonly revision?: Revision
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Absent: the client cannot ask anybody. */
  readonly person?: Person | ((message: string) => Person)
  /** Folders that the client works in. */
  readonly roots?: readonly string[]
}

export interface Result {
  readonly isError: boolean
  readonly text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asserts the shape that a type would only claim
  readonly report: any
  /** Characters of the result as JSON, as it came over the wire. */
  readonly chars: number
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** @default 120_000 */
  readonly timeoutMs?: number
  readonly onProgress?: (progress: {
    readonly progress: number
    readonly total?: number | undefined
    readonly message?: string | undefined
  }) => void
}

export interface Connected {
  readonly client: Client
  readonly pid: number
  /** What the person was asked. */
  readonly questions: string[]
  readonly call: (tool: string, input?: Record<string, unknown>, options?: CallOptions) => Promise<Result>
  /** Everything that the server wrote. */
  readonly received: () => string
  readonly stderr: () => string
  /** The client goes away: the server's stdin ends. Resolves with its exit code. */
  readonly leave: () => Promise<number | null>
  readonly kill: (signal: NodeJS.Signals) => Promise<number | null>
}

/** To be called inside a test, whose end closes it. */
export async function connect(place: Place, options: ClientOptions = {}): Promise<Connected> {
  const { revision = REVISIONS[0], args = [], env = {}, person, roots } = options
  const child = spawn(process.execPath, [BIN, 'mcp', ...args], {
    cwd: place.workspace,
    env: {
      PATH: process.env.PATH,
      HOME: place.home,
      SRECODEX_HOME: place.srecodexHome,
      LANG: 'C.UTF-8',
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const exited = new Promise<number | null>(resolve => void child.once('exit', code => resolve(code)))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  let [received, stderr, rest] = ['', '', '']
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const wire = {
    onmessage: undefined as ((message: never) => void) | undefined,
    onclose: undefined as (() => void) | undefined,
    start: () => Promise.resolve(),
    send: (message: unknown) => {
      child.stdin.write(`${JSON.stringify(message)}\n`)
      return Promise.resolve()
    },
    close: () => {
      child.stdin.end()
      return Promise.resolve()
    },
  }
  const results = new Map<string, number>()
  child.stdin.on('error', () => {})
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    received += text
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const message = JSON.parse(line) as { result?: { content?: unknown } }
      const { result } = message
      if (Array.isArray(result?.content)) {
        results.set(JSON.stringify(result.content), JSON.stringify(result).length)
      }
      wire.onmessage?.(message as never)
    }
  })
  child.once('exit', () => wire.onclose?.())

  const client = new Client(
    { name: 'test', version: '1' },
    {
      capabilities: {
        ...(person === undefined ? {} : { elicitation: { form: {} } }),
        ...(roots === undefined ? {} : { roots: {} }),
      },
      versionNegotiation: { mode: revision === '2026-07-28' ? { pin: revision } : 'legacy' },
    },
  )
  const questions: string[] = []
  if (person !== undefined) {
    client.setRequestHandler('elicitation/create', ({ params }) => {
      questions.push(params.message)
      const says = typeof person === 'function' ? person(params.message) : person
      if (says === 'wait') return new Promise(() => {})
      return { action: says, ...(says === 'accept' ? { content: {} } : {}) }
    })
  }
  if (roots !== undefined) {
    client.setRequestHandler('roots/list', () => ({ roots: roots.map(path => ({ uri: `file://${path}` })) }))
  }
  await client.connect(wire as never)
  return {
    client,
    pid: child.pid!,
    questions,
    call: async (name, input = {}, { signal, timeoutMs = 120_000, onProgress } = {}) => {
      const result = await client.callTool(
        { name, arguments: input },
        {
          timeout: timeoutMs,
          ...(signal === undefined ? {} : { signal }),
          ...(onProgress === undefined ? {} : { onprogress: onProgress }),
        },
      )
      const [block, ...more] = result.content as { type: string; text: string }[]
      if (block?.type !== 'text' || more.length > 0) throw new Error('a result is one block of text')
      const chars = results.get(JSON.stringify(result.content)) ?? Infinity
      return { isError: result.isError === true, text: block.text, report: result.structuredContent, chars }
    },
    received: () => received,
    stderr: () => stderr,
    leave: () => {
      child.stdin.end()
      return exited
    },
    kill: signal => {
      child.kill(signal)
      return exited
    },
  }
}
