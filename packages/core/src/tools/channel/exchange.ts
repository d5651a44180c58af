/**
 * All connections of one channel: who is there, whose turn it is, what they hold together.
 *
 * Promises: each connection that wants a turn gets one before any gets two, and timers and other work get
 * theirs every few milliseconds; what stands still for too long is ended.
 */

import type { Socket } from 'node:net'
import type { CommandHandler } from '../calls.ts'
import { Commands } from './commands.ts'
import { Connection, type CallHandler, type ConnectionOwner } from './connection.ts'
import type { ChannelLimits } from './limits.ts'

/** How long calls are answered before timers and other work get their turn. */
const TURN_MS = 4

export interface ExchangeOptions {
  readonly limits: ChannelLimits
  readonly handlers: ReadonlyMap<string, CallHandler>
  /** Null where no commands are taken. */
  readonly commands: { readonly handler: CommandHandler; readonly spoolFolder: string } | null
  readonly reportFault: (fault: unknown) => void
}

export class Exchange implements ConnectionOwner {
  readonly limits: ChannelLimits
  readonly handlers: ReadonlyMap<string, CallHandler>
  readonly reportFault: (fault: unknown) => void
  readonly startCommand: ConnectionOwner['startCommand']
  readonly commands: Commands | null
  readonly #connections = new Set<Connection>()
  /** In the order of their turns. */
  readonly #ready = new Set<Connection>()
  #scheduled = false
  #bufferedBytes = 0
  #unsentBytes = 0
  /** Counts anything that happens, so that `drain` can tell when nothing does. */
  #events = 0
  #closed = false
  readonly #sweep: NodeJS.Timeout

  constructor({ limits, handlers, commands, reportFault }: ExchangeOptions) {
    this.limits = limits
    this.handlers = handlers
    this.reportFault = reportFault
    const account = (changeBytes: number): boolean => this.account(changeBytes, 0)
    const taken = commands && new Commands({ ...commands, limits, account, reportFault })
    this.commands = taken
    this.startCommand = taken && ((socket, decoder, payload) => taken.start(socket, decoder, payload))
    this.#sweep = setInterval(() => this.#endStalled(), Math.min(1000, limits.stallTimeoutMs)).unref()
  }

  accept(socket: Socket): void {
    this.#events += 1
    if (this.#closed) socket.destroy()
    else this.#connections.add(new Connection(socket, this))
  }

  wantsTurn(connection: Connection): void {
    this.#events += 1
    this.#ready.add(connection)
    this.#schedule()
  }

  leave(connection: Connection): void {
    this.#events += 1
    this.#connections.delete(connection)
  }

  get unsentBytes(): number {
    return this.#unsentBytes
  }

  account(changeBytes: number, unsentChangeBytes: number): boolean {
    this.#bufferedBytes += changeBytes
    this.#unsentBytes += unsentChangeBytes
    return this.#bufferedBytes <= this.limits.maxBufferedBytes
  }

  /**
   * A script that ended has sent its last calls, but they may still lie in the kernel, on connections that were
   * not accepted yet. Each turn of the loop looks at the sockets once.
   */
  async drain(): Promise<void> {
    const deadline = performance.now() + this.limits.drainTimeoutMs
    let quietTurns = 0
    while (quietTurns < 3 && performance.now() < deadline) {
      const before = this.#events
      await new Promise(resolve => setImmediate(resolve))
      quietTurns = this.#events === before && this.#ready.size === 0 ? quietTurns + 1 : 0
    }
  }

  /** Commands are no callers any more: they have an end of their own. */
  hangUp(): void {
    this.#closed = true
    clearInterval(this.#sweep)
    for (const connection of this.#connections) connection.destroy()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#takeTurns())
  }

  #takeTurns(): void {
    this.#scheduled = false
    if (this.#closed) return
    const until = performance.now() + TURN_MS
    // A connection that wants another turn goes to the end of the set, which this loop still reaches.
    for (const connection of this.#ready) {
      this.#ready.delete(connection)
      connection.takeTurn()
      if (performance.now() >= until) break
    }
    if (this.#ready.size > 0) this.#schedule()
  }

  #endStalled(): void {
    const before = performance.now() - this.limits.stallTimeoutMs
    for (const connection of this.#connections) if (connection.stalledSince < before) connection.destroy()
    this.commands?.endStalled(before)
  }
}
