/**
 * All commands of one channel: how many run, what they spool together, how they end with the run.
 *
 * Promises: a command counts until its caller is gone and its handler has settled, so nobody runs more than the
 * limit by hanging up. `stop` tells every command that the run is over and starts no other; `settled` waits for
 * those that run, for a mutation in flight must be recorded, but not for ever.
 */

import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { CommandHandler } from '../calls.ts'
import { CallError, type FrameDecoder } from '../protocol.ts'
import type { SpoolFolder } from './command-input.ts'
import { CommandSession, type SessionOwner } from './command-session.ts'
import type { ChannelLimits } from './limits.ts'

interface CommandsOptions {
  readonly handler: CommandHandler
  readonly spoolFolder: string
  readonly limits: ChannelLimits
  readonly account: (changeBytes: number) => boolean
  readonly reportFault: (fault: unknown) => void
}

/** How long a flood of tiny frames, of all commands together, is taken before other work gets its turn. */
const TURN_MS = 4

export class Commands implements SessionOwner {
  readonly limits: ChannelLimits
  readonly handler: CommandHandler
  readonly spools: SpoolFolder
  readonly account: (changeBytes: number) => boolean
  readonly reportFault: (fault: unknown) => void
  readonly #sessions = new Set<CommandSession>()
  #turnUntil: number | null = null
  #deadline = Infinity
  #emptied: () => void = () => {}

  constructor({ handler, spoolFolder, limits, account, reportFault }: CommandsOptions) {
    this.handler = handler
    this.limits = limits
    this.account = account
    this.reportFault = reportFault
    let spooledBytes = 0
    let spooled = 0
    this.spools = {
      nextPath: () => join(spoolFolder, `input-${(spooled += 1)}`),
      account: changeBytes => {
        spooledBytes += changeBytes
        return spooledBytes <= limits.maxSpoolBytesAtOnce
      },
    }
  }

  /** Takes over a connection whose first frame was a command. */
  start(socket: Socket, decoder: FrameDecoder, payload: Buffer): void {
    const session = new CommandSession(socket, decoder, this)
    const refusal = this.#refusal()
    this.#sessions.add(session)
    session.start(payload, refusal)
  }

  mayGoOn(): boolean {
    const now = performance.now()
    if (this.#turnUntil === null) {
      this.#turnUntil = now + TURN_MS
      setImmediate(() => (this.#turnUntil = null))
    }
    return now < this.#turnUntil
  }

  leave(session: CommandSession): void {
    this.#sessions.delete(session)
    if (this.#sessions.size === 0) this.#emptied()
  }

  endStalled(before: number): void {
    for (const session of this.#sessions) if (session.stalledSince < before) session.destroy()
  }

  stop(): void {
    this.#deadline = performance.now() + this.limits.commandGraceMs
    for (const session of this.#sessions) session.interrupt()
  }

  /** After `stop`, when nothing more can start: no file, no caller and no session is left. */
  async settled(): Promise<void> {
    if (this.#sessions.size === 0) return
    const overdue = setTimeout(() => this.#emptied(), Math.max(0, this.#deadline - performance.now()))
    // Who prints to a caller that does not read would not settle, and nobody reads any more.
    const sweep = setInterval(() => {
      const before = performance.now() - this.limits.drainTimeoutMs
      for (const session of this.#sessions) if (session.unsentSince < before) session.destroy()
    }, 20)
    await new Promise<void>(resolve => (this.#emptied = resolve))
    clearTimeout(overdue)
    clearInterval(sweep)
    const running = [...this.#sessions].filter(session => !session.settled).length
    if (running > 0) {
      const graceMs = this.limits.commandGraceMs
      this.reportFault(new Error(`${running} commands still ran ${graceMs} ms after the end of their run`))
    }
    const removed = await Promise.allSettled([...this.#sessions].map(session => session.abandon()))
    for (const each of removed) if (each.status === 'rejected') this.reportFault(each.reason)
  }

  #refusal(): CallError | null {
    if (this.#deadline !== Infinity) {
      return new CallError('SKIPPED', 'the run is ending: no command is started any more')
    }
    if (this.#sessions.size >= this.limits.maxCommands) {
      return new CallError(
        'LIMIT_EXCEEDED',
        `a run has at most ${this.limits.maxCommands} commands at once`,
        {
          hint: 'call fewer at once, such as each(…, at_once=8)',
        },
      )
    }
    return null
  }
}
