/**
 * An MCP connection over the stdin and stdout of a program.
 *
 * The SDK's own transport adds variables of this process to the environment, leaves descendants behind, and ends
 * the connection on a message that is too large. This one does none of that: such an answer fails its own call.
 */

import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client'
import { setTimeout as sleep } from 'node:timers/promises'
import { OVERSIZED } from './failure.ts'
import { answeredId, LineReader } from './lines.ts'
import type { ServerProgram } from './program.ts'
import { startWarded, type ServerEnding, type WardedProcess } from './warden.ts'
import { shown, type Redact } from './words.ts'

/** Of one message. A result can stand in it twice: structured, and as text in JSON in JSON. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024

const KEPT_STDERR_BYTES = 8192
const SHOWN_STDERR_LINES = 5
const SHOWN_STDERR_CHARACTERS = 500
/** A server that hears its stdin close may finish what it does. */
const LEAVE_MS = 500
/** The warden gives a second, then kills; it is only given up when the kernel cannot end them. */
const TERMINATE_MS = 12_000

export class StdioTransport implements Transport {
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: Transport['onmessage']
  readonly #program: ServerProgram
  readonly #redact: Redact
  #process: WardedProcess | null = null
  #stderr = ''
  #ending: ServerEnding | null = null
  #closing: Promise<void> | undefined

  constructor(program: ServerProgram, redact: Redact) {
    this.#program = program
    this.#redact = redact
  }

  async start(): Promise<void> {
    const { command, cwd, env } = this.#program
    const child = startWarded(command, { cwd, env })
    this.#process = child
    const reader = new LineReader(MAX_MESSAGE_BYTES, {
      onLine: line => this.#receive(line),
      onOversized: (head, tail) => this.#refuse(answeredId(head, tail)),
    })
    child.stdout.on('data', (chunk: Buffer) => reader.push(chunk))
    // Without its stdout it can answer nobody any more.
    child.stdout.on('end', () => void this.close())
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('latin1')).slice(-KEPT_STDERR_BYTES)
    })
    void this.#announceEnd(child)
    await child.started
  }

  send(message: JSONRPCMessage): Promise<void> {
    const child = this.#process
    if (child === null || this.#ending !== null || child.stdin.writableEnded) {
      return Promise.reject(Object.assign(new Error('the server has ended'), { code: 'NOT_CONNECTED' }))
    }
    return new Promise(resolve => {
      // Also resolves when the server ends first: its end is told to every request by `onclose`.
      child.stdin.write(`${JSON.stringify(message)}\n`, () => resolve())
    })
  }

  /** Resolves when no process of the server is left. */
  close(): Promise<void> {
    return (this.#closing ??= this.#end())
  }

  /** How it ended, and its last words; null while it lives. */
  ending(): string | null {
    if (this.#ending === null) return null
    const { exitCode, signal } = this.#ending
    const how =
      signal !== null
        ? `it was ended by signal ${signal}`
        : exitCode === null
          ? 'it was ended'
          : `it ended with code ${exitCode}`
    const words = this.lastWords()
    return words === '' ? how : `${how}; its last words: ${words}`
  }

  lastWords(): string {
    const text = shown(Buffer.from(this.#stderr, 'latin1').toString(), this.#redact, KEPT_STDERR_BYTES)
    const lines = text.split('\n').filter(line => line.trim() !== '')
    return lines.slice(-SHOWN_STDERR_LINES).join('\n').slice(-SHOWN_STDERR_CHARACTERS)
  }

  async #announceEnd(child: WardedProcess): Promise<void> {
    this.#ending = await child.ended
    this.onclose?.()
  }

  async #end(): Promise<void> {
    const child = this.#process
    if (child === null) return
    const stops = new AbortController()
    const within = (ms: number): Promise<unknown> =>
      Promise.race([child.ended, sleep(ms, null, { signal: stops.signal }).catch(() => null)])
    child.stdin.end()
    await within(LEAVE_MS)
    if (this.#ending === null) {
      child.terminate()
      await within(TERMINATE_MS)
    }
    if (this.#ending === null) {
      child.kill()
      await within(TERMINATE_MS)
    }
    stops.abort()
  }

  /** What is no message is a server that prints to its stdout: said by many, meant by none. */
  #receive(line: Buffer): void {
    let message: unknown
    try {
      message = JSON.parse(line.toString())
    } catch {
      return
    }
    if (typeof message === 'object' && message !== null && 'jsonrpc' in message) {
      this.onmessage?.(message as JSONRPCMessage)
    }
  }

  #refuse(id: number | null): void {
    if (id === null) void this.close()
    else this.onmessage?.({ jsonrpc: '2.0', id, error: { code: -32000, message: OVERSIZED } })
  }
}
