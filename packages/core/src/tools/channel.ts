/**
 * The host's end of the socket that one run calls.
 *
 * A script is hostile: it may open thousands of connections, send anything, read nothing. What it does to one
 * connection stays there; nothing it sends ends this process, fills its memory, or keeps its timers waiting (a
 * run's timeout is one of them). Calls are answered in turns, one request of each connection at a time, a few
 * milliseconds in a row. A connection that begins with a command serves that command alone.
 *
 * This room only records. What a summary may show, and how large an artifact became, is decided elsewhere.
 */

import { createServer } from 'node:net'
import { listen } from '../sandbox/listen.ts'
import type { CommandHandler } from './calls.ts'
import type { CallHandler } from './channel/connection.ts'
import { Exchange, type ExchangeOptions } from './channel/exchange.ts'
import { DEFAULT_LIMITS, type ChannelLimits } from './channel/limits.ts'
import { record, type CallRecorder } from './channel/recording.ts'

export type { CallHandler } from './channel/connection.ts'
export type { ChannelLimits } from './channel/limits.ts'
export { MAX_SUMMARY_BYTES, type CallRecorder, type Progress } from './channel/recording.ts'

export interface ChannelOptions {
  /** May be longer than the 107 bytes that a socket address holds. Its folder exists and is private. */
  readonly listenPath: string
  /** `SRECODEX_ARTIFACTS` as the script sees it. */
  readonly artifactsPath: string
  readonly recorder: CallRecorder
  /** More methods, by name. @default none */
  readonly handlers?: Readonly<Record<string, CallHandler>>
  /** Runs the commands that shims tell of. @default none: a command is no frame that is taken */
  readonly commands?: CommandHandler
  /** Where the input of commands is kept while they run. Private, and used by nothing else. Needed with `commands`. */
  readonly spoolFolder?: string
  readonly limits?: Partial<ChannelLimits>
}

export interface Channel {
  /**
   * Takes the requests that were sent before, then hangs up on everyone and removes the socket. Commands that run
   * are told, and waited for; no other is started. Never throws.
   */
  close(): Promise<void>
}

/**
 * Listens until closed.
 *
 * @throws {SrecodexError} STATE_UNWRITABLE: there is no place for the socket.
 */
export async function openChannel(options: ChannelOptions): Promise<Channel> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const reportFault = (fault: unknown): void => {
    try {
      options.recorder.onFault?.(fault)
    } catch {
      // A recorder that cannot even hear of its fault has nowhere left to report to.
    }
  }
  const recording = record(options, limits, reportFault)
  const handlers = new Map(Object.entries({ ...recording.handlers, ...options.handlers }))
  const commands = commandsOf(options)
  const exchange = new Exchange({ limits, handlers, commands, reportFault })
  const server = createServer({ allowHalfOpen: true }, socket => exchange.accept(socket))
  server.maxConnections = limits.maxConnections
  const release = await listen(server, options.listenPath)
  server.on('error', reportFault)

  const close = async (): Promise<void> => {
    exchange.commands?.stop()
    await exchange.drain()
    exchange.hangUp()
    recording.flush()
    const closed = new Promise(resolve => server.close(resolve))
    await exchange.commands?.settled()
    await closed
    release()
  }
  let closing: Promise<void> | undefined
  return { close: () => (closing ??= close()) }
}

function commandsOf({ commands, spoolFolder }: ChannelOptions): ExchangeOptions['commands'] {
  if (commands === undefined) return null
  if (spoolFolder === undefined) throw new TypeError('a channel that takes commands has a spoolFolder')
  return { handler: commands, spoolFolder }
}
