/**
 * The host's end of the socket that one run calls.
 *
 * A script is hostile: it may open thousands of connections, send anything, read nothing. What it does to one
 * connection stays there; nothing it sends ends this process, fills its memory, or keeps its timers waiting (a
 * run's timeout is one of them). Calls are answered in turns, one request of each connection at a time, a few
 * milliseconds in a row.
 *
 * This room only records. What a summary may show, and how large an artifact became, is decided elsewhere.
 */

import { createServer } from 'node:net'
import type { CallHandler } from './channel/connection.ts'
import { Exchange } from './channel/exchange.ts'
import { DEFAULT_LIMITS, type ChannelLimits } from './channel/limits.ts'
import { listen } from './channel/listen.ts'
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
  readonly limits?: Partial<ChannelLimits>
}

export interface Channel {
  /** Takes what was sent before, then hangs up on everyone and removes the socket. Never throws. */
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
  const exchange = new Exchange(limits, handlers, reportFault)
  const server = createServer({ allowHalfOpen: true }, socket => exchange.accept(socket))
  server.maxConnections = limits.maxConnections
  const release = await listen(server, options.listenPath)
  server.on('error', reportFault)

  const close = async (): Promise<void> => {
    await exchange.drain()
    exchange.hangUp()
    recording.flush()
    await new Promise(resolve => server.close(resolve))
    release()
  }
  let closing: Promise<void> | undefined
  return { close: () => (closing ??= close()) }
}
