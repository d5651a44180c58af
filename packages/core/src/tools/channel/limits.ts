/**
 * What one script may take of the host through its socket.
 *
 * Promises: every limit has a default that holds when whoever opens the channel says nothing.
 */

export interface ChannelLimits {
  /** @default 512 */
  readonly maxConnections: number
  /** Over all connections, received and unsent; whoever crosses it is cut off. @default 32 MiB */
  readonly maxBufferedBytes: number
  /** Unsent answers of one connection past which it is cut off. @default 4 MiB */
  readonly maxUnsentBytes: number
  /** Calls of one connection that are worked on together. @default 64 */
  readonly maxCallsAtOnce: number
  /** How long a frame may take to arrive, or an answer to be read. @default 30_000 */
  readonly stallTimeoutMs: number
  /** @default 100 */
  readonly progressIntervalMs: number
  /** @default 10_000 */
  readonly maxArtifacts: number
  /** How long `close` goes on reading what was sent before. @default 250 */
  readonly drainTimeoutMs: number
}

export const DEFAULT_LIMITS: ChannelLimits = {
  maxConnections: 512,
  maxBufferedBytes: 32 * 1024 * 1024,
  maxUnsentBytes: 4 * 1024 * 1024,
  maxCallsAtOnce: 64,
  stallTimeoutMs: 30_000,
  progressIntervalMs: 100,
  maxArtifacts: 10_000,
  drainTimeoutMs: 250,
}
