/**
 * What one script may take of the host through its socket.
 *
 * Promises: every limit has a default that holds when whoever opens the channel says nothing.
 */

export interface ChannelLimits {
  /** @default 512 */
  readonly maxConnections: number
  /** Over all connections, received and unsent; whoever crosses it is cut off. @default 96 MiB */
  readonly maxBufferedBytes: number
  /** Unsent answers over all connections; the call whose answer crosses it fails. @default 64 MiB */
  readonly maxUnsentBytes: number
  /** Calls of one connection that are worked on together. @default 64 */
  readonly maxCallsAtOnce: number
  /** Commands at once, each until its caller is gone and its handler has settled. @default 256 */
  readonly maxCommands: number
  /** Input of one command, on disk. @default 256 MiB */
  readonly maxSpoolBytes: number
  /** Input of all commands that run, on disk. @default 2 GiB */
  readonly maxSpoolBytesAtOnce: number
  /** How long a frame, or more of a file, may take to arrive, or an answer to be read. @default 30_000 */
  readonly stallTimeoutMs: number
  /** @default 100 */
  readonly progressIntervalMs: number
  /** @default 10_000 */
  readonly maxArtifacts: number
  /** How long `close`, or a command that has ended, goes on reading what was sent before. @default 250 */
  readonly drainTimeoutMs: number
  /** How long `close` waits for commands that run. @default 10_000 */
  readonly commandGraceMs: number
}

const MIB = 1024 * 1024

export const DEFAULT_LIMITS: ChannelLimits = {
  maxConnections: 512,
  maxBufferedBytes: 96 * MIB,
  maxUnsentBytes: 64 * MIB,
  maxCallsAtOnce: 64,
  maxCommands: 256,
  maxSpoolBytes: 256 * MIB,
  maxSpoolBytesAtOnce: 2048 * MIB,
  stallTimeoutMs: 30_000,
  progressIntervalMs: 100,
  maxArtifacts: 10_000,
  drainTimeoutMs: 250,
  commandGraceMs: 10_000,
}
