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

import { chmodSync, closeSync, constants, openSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { SrecodexError } from '../errors.ts'
import {
  CallError,
  encodeFailure,
  encodeResult,
  FRAME_TYPE,
  FrameDecoder,
  MAX_JSON_BYTES,
  parseRequest,
  type CallParams,
  type CallRequest,
} from './protocol.ts'

export interface Progress {
  readonly done: number
  /** Null where the script does not know. */
  readonly total: number | null
  readonly note: string
}

/** Hears what a script reports. What it throws fails the call, never the channel. */
export interface CallRecorder {
  /** The last one is the run's. Valid Unicode, unsanitised, at most `MAX_SUMMARY_BYTES`. */
  onSummary(text: string): void
  /** At most every `progressIntervalMs`; the last one always arrives. */
  onProgress(progress: Progress): void
  /** Once for each name: a path relative to the artifacts folder that the script may write, or not. */
  onArtifact(name: string): void
  /** A fault of srecodex that the script was told of only as `INTERNAL`. */
  onFault?(error: unknown): void
}

export interface CallContext {
  /** Aborted when the caller hangs up or the channel closes: its answer goes nowhere. */
  readonly signal: AbortSignal
}

/** Gives the JSON result of one call, or throws a `CallError` with words for the script. */
export type CallHandler = (params: CallParams, context: CallContext) => unknown

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

export const MAX_SUMMARY_BYTES = 256 * 1024
export const MAX_ARTIFACT_NAME_BYTES = 200
const MAX_NOTE_CHARS = 500

const DEFAULT_LIMITS: ChannelLimits = {
  maxConnections: 512,
  maxBufferedBytes: 32 * 1024 * 1024,
  maxUnsentBytes: 4 * 1024 * 1024,
  maxCallsAtOnce: 64,
  stallTimeoutMs: 30_000,
  progressIntervalMs: 100,
  maxArtifacts: 10_000,
  drainTimeoutMs: 250,
}

/** How long calls are answered before timers and other work get their turn. */
const TURN_MS = 4

const REQUESTS: ReadonlyMap<number, number> = new Map([[FRAME_TYPE.request, MAX_JSON_BYTES]])

/**
 * Listens until closed.
 *
 * @throws {SrecodexError} STATE_UNWRITABLE: there is no place for the socket.
 */
export async function openChannel(options: ChannelOptions): Promise<Channel> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const progress = coalesced(limits.progressIntervalMs, options.recorder)
  const handlers = new Map(
    Object.entries({ ...recordingHandlers(options, limits, progress.push), ...options.handlers }),
  )
  const exchange = new Exchange(limits, handlers, options.recorder)
  const server = createServer({ allowHalfOpen: true }, socket => exchange.accept(socket))
  server.maxConnections = limits.maxConnections
  const release = await listen(server, options.listenPath)
  server.on('error', error => reportFault(options.recorder, error))

  const close = async (): Promise<void> => {
    await exchange.drain()
    exchange.hangUp()
    progress.flush()
    await new Promise(resolve => server.close(resolve))
    release()
  }
  let closing: Promise<void> | undefined
  return { close: () => (closing ??= close()) }
}

/**
 * Binds the socket; a path that is too long for a socket address by way of a descriptor of its folder.
 *
 * @returns What to call once the server is closed: it removes its file through that descriptor.
 */
async function listen(server: Server, path: string): Promise<() => void> {
  let folder: number | null = null
  const release = (): void => {
    if (folder !== null) closeSync(folder)
  }
  try {
    let address = path
    if (Buffer.byteLength(path) > 107) {
      folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
      address = `/proc/self/fd/${folder}/${basename(path)}`
    }
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: address, exclusive: true }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    chmodSync(path, 0o600)
    return release
  } catch (cause) {
    server.close()
    release()
    throw new SrecodexError('STATE_UNWRITABLE', `cannot listen at ${path}`, {
      hint: 'the folder of the socket must exist, be writable and hold no file of that name',
      details: { path },
      cause,
    })
  }
}

/** All connections of one channel, and whose turn it is. */
class Exchange {
  readonly limits: ChannelLimits
  readonly handlers: ReadonlyMap<string, CallHandler>
  readonly #recorder: CallRecorder
  readonly #connections = new Set<Connection>()
  /** In the order of their turns. */
  readonly #ready = new Set<Connection>()
  #scheduled = false
  #bufferedBytes = 0
  /** Counts anything that happens, so that `drain` can tell when nothing does. */
  #events = 0
  #closed = false
  readonly #sweep: NodeJS.Timeout

  constructor(limits: ChannelLimits, handlers: ReadonlyMap<string, CallHandler>, recorder: CallRecorder) {
    this.limits = limits
    this.handlers = handlers
    this.#recorder = recorder
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

  /** False when all connections together now hold too much. */
  account(changeBytes: number): boolean {
    this.#bufferedBytes += changeBytes
    return this.#bufferedBytes <= this.limits.maxBufferedBytes
  }

  report(fault: unknown): void {
    reportFault(this.#recorder, fault)
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
  }
}

/** One caller. It reads on only once everything read before is answered. */
class Connection {
  readonly #socket: Socket
  readonly #exchange: Exchange
  readonly #decoder = new FrameDecoder(REQUESTS)
  readonly #hangUp = new AbortController()
  #callsInFlight = 0
  #countedBytes = 0
  /** Nothing that it sent counts any more. A socket that merely closed may still have requests in the decoder. */
  #cutOff = false
  #ended = false
  #frameSince = Infinity
  #unsentSince = Infinity

  constructor(socket: Socket, exchange: Exchange) {
    this.#socket = socket
    this.#exchange = exchange
    // A reset or a broken pipe: 'close' follows, and says all there is to say.
    socket.on('error', () => {})
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('drain', () => this.#proceed())
    socket.on('end', () => this.#heardAll())
    socket.on('close', () => {
      this.#hangUp.abort()
      this.#release()
      this.#exchange.leave(this)
    })
  }

  /** When the frame or the answer that is under way began; `Infinity` where none is. */
  get stalledSince(): number {
    return Math.min(this.#frameSince, this.#unsentSince)
  }

  /** Answers one request. */
  takeTurn(): void {
    if (this.#cutOff || !this.#mayAnswer()) return
    let frame
    try {
      frame = this.#decoder.read()
      if (frame !== null) {
        this.#frameSince = Infinity
        this.#answer(parseRequest(frame.payload))
      }
    } catch (error) {
      this.#refuse(error)
    }
    this.#account()
    if (frame === null) this.#listenOn()
    else this.#proceed()
  }

  destroy(): void {
    this.#cutOff = true
    this.#hangUp.abort()
    this.#socket.destroy()
    this.#release()
  }

  #receive(chunk: Buffer): void {
    this.#socket.pause()
    this.#decoder.write(chunk)
    this.#account()
    this.#proceed()
  }

  #proceed(): void {
    if (!this.#cutOff && this.#socket.isPaused() && this.#mayAnswer()) this.#exchange.wantsTurn(this)
  }

  /** Not while the caller leaves its answers unread, nor while enough of its calls are worked on. */
  #mayAnswer(): boolean {
    return !this.#socket.writableNeedDrain && this.#callsInFlight < this.#exchange.limits.maxCallsAtOnce
  }

  /** All that came is answered. The clock of a frame in parts runs from its first byte, however it dribbles. */
  #listenOn(): void {
    if (this.#ended) {
      this.#leave()
      return
    }
    if (this.#decoder.partial) this.#frameSince = Math.min(this.#frameSince, performance.now())
    this.#socket.resume()
  }

  #answer(request: CallRequest): void {
    const { id, method, params } = request
    const handler = this.#exchange.handlers.get(method)
    if (handler === undefined) {
      const message = `srecodex has no method ${JSON.stringify(method.slice(0, 80))}`
      const hint = `methods: ${[...this.#exchange.handlers.keys()].join(', ')}`
      this.#send(id, new CallError('UNKNOWN_METHOD', message, { hint }))
      return
    }
    let result: unknown
    try {
      result = handler(params, { signal: this.#hangUp.signal })
    } catch (error) {
      this.#send(id, this.#failure(error))
      return
    }
    if (result instanceof Promise) void this.#answerLater(id, result)
    else this.#send(id, result)
  }

  async #answerLater(id: CallRequest['id'], pending: Promise<unknown>): Promise<void> {
    this.#callsInFlight += 1
    let result: unknown
    try {
      result = await pending
    } catch (error) {
      result = this.#failure(error)
    }
    this.#callsInFlight -= 1
    this.#send(id, result)
    this.#proceed()
  }

  #failure(error: unknown): CallError {
    if (error instanceof CallError) return error
    this.#exchange.report(error)
    return new CallError('INTERNAL', 'srecodex failed at this call', {
      hint: 'the fault is in srecodex, not in the script; the run goes on',
    })
  }

  #send(id: CallRequest['id'], result: unknown): void {
    if (id === null || this.#socket.destroyed || this.#socket.writableEnded) return
    let frame: Buffer
    try {
      frame = result instanceof CallError ? encodeFailure(id, result) : encodeResult(id, result)
    } catch (error) {
      frame = encodeFailure(id, this.#failure(error))
    }
    this.#write(frame)
  }

  /** After bytes that are not the protocol nothing that follows has a meaning; a mere bad request does no harm. */
  #refuse(error: unknown): void {
    const failure = this.#failure(error)
    const goesOn = failure.id !== null
    if (!this.#socket.writableEnded) this.#write(encodeFailure(failure.id, failure))
    if (goesOn) return
    this.#cutOff = true
    this.#socket.end(() => this.destroy())
    this.#unsentSince = Math.min(this.#unsentSince, performance.now())
  }

  #write(frame: Buffer): void {
    if (this.#socket.writableLength === 0) this.#unsentSince = performance.now()
    this.#socket.write(frame, () => {
      if (this.#socket.writableLength === 0 && !this.#cutOff) this.#unsentSince = Infinity
      this.#account()
    })
    this.#account()
  }

  /**
   * The end of what a caller sends is a hang-up: it keeps its side open for as long as it wants an answer. It is
   * heard while the connection is paused as well, before the last requests had their turn.
   */
  #heardAll(): void {
    this.#ended = true
    this.#hangUp.abort()
    if (this.#socket.isPaused()) this.#proceed()
    else this.#leave()
  }

  #leave(): void {
    if (this.#decoder.partial) this.destroy()
    else this.#socket.end()
  }

  #account(): void {
    if (this.#socket.destroyed) return
    const bytes = this.#decoder.heldBytes + this.#socket.writableLength
    const fits = this.#exchange.account(bytes - this.#countedBytes)
    this.#countedBytes = bytes
    if (!fits || this.#socket.writableLength > this.#exchange.limits.maxUnsentBytes) this.destroy()
  }

  #release(): void {
    this.#exchange.account(-this.#countedBytes)
    this.#countedBytes = 0
  }
}

/** The calls that every run takes. They are checked by hand: a schema library costs more than a short run. */
function recordingHandlers(
  options: ChannelOptions,
  limits: ChannelLimits,
  pushProgress: (progress: Progress) => void,
): Readonly<Record<string, CallHandler>> {
  const artifacts = new Set<string>()
  return {
    summary: params => {
      options.recorder.onSummary(parseSummary(params))
    },
    progress: params => pushProgress(parseProgress(params)),
    artifact: params => {
      const name = parseArtifactName(params['name'])
      if (!artifacts.has(name)) {
        if (artifacts.size >= limits.maxArtifacts) {
          throw new CallError('LIMIT_EXCEEDED', `a run keeps at most ${limits.maxArtifacts} artifacts`, {
            hint: 'write many results into one file',
          })
        }
        options.recorder.onArtifact(name)
        artifacts.add(name)
      }
      return { path: join(options.artifactsPath, name) }
    },
  }
}

function parseSummary({ text }: CallParams): string {
  if (typeof text !== 'string') throw new CallError('INVALID_PARAMS', 'the text of a summary is a string')
  const wellFormed = text.toWellFormed()
  const bytes = Buffer.byteLength(wellFormed)
  if (bytes > MAX_SUMMARY_BYTES) {
    throw new CallError(
      'TOO_LARGE',
      `the summary has ${bytes} bytes, and at most ${MAX_SUMMARY_BYTES} are taken`,
      {
        hint: 'write the whole of it to the path that artifact(name) gives, and summarise it',
      },
    )
  }
  return wellFormed
}

function parseProgress({ done, total = null, note = '' }: CallParams): Progress {
  if (!isCount(done)) throw new CallError('INVALID_PARAMS', 'done is a number, zero or more')
  if (total !== null && !isCount(total)) {
    throw new CallError('INVALID_PARAMS', 'total is a number, zero or more, or null')
  }
  if (typeof note !== 'string') throw new CallError('INVALID_PARAMS', 'the note of progress is a string')
  return { done, total, note: note.slice(0, MAX_NOTE_CHARS).toWellFormed() }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/** Controls would act on a terminal that lists the name; the others make it look like another one. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

function parseArtifactName(name: unknown): string {
  if (typeof name !== 'string') throw badName('is a string')
  if (name === '') throw badName('is not empty')
  if (Buffer.byteLength(name) > MAX_ARTIFACT_NAME_BYTES) {
    throw badName(`has at most ${MAX_ARTIFACT_NAME_BYTES} bytes`)
  }
  if (UNPRINTABLE.test(name)) throw badName('has no control characters')
  if (name.startsWith('/')) throw badName('is relative')
  if (name.split('/').some(part => part === '' || part === '.' || part === '..')) {
    throw badName('has no empty, "." or ".." parts')
  }
  return name
}

function badName(why: string): CallError {
  return new CallError('INVALID_PARAMS', `the name of an artifact ${why}`, {
    hint: 'such as failed/pods.json',
  })
}

/** Passes the first on at once, then the latest at most once an interval. */
function coalesced(
  intervalMs: number,
  recorder: CallRecorder,
): { push: (progress: Progress) => void; flush: () => void } {
  let latest: Progress | null = null
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const progress = latest
    if (progress === null) return
    latest = null
    try {
      recorder.onProgress(progress)
    } catch (error) {
      reportFault(recorder, error)
    }
  }
  const flushAndWait = (): void => {
    const any = latest !== null
    flush()
    if (any) timer = setTimeout(flushAndWait, intervalMs).unref()
  }
  return {
    push: progress => {
      latest = progress
      if (timer === undefined) flushAndWait()
    },
    flush,
  }
}

function reportFault(recorder: CallRecorder, fault: unknown): void {
  try {
    recorder.onFault?.(fault)
  } catch {
    // A recorder that cannot even hear of its fault has nowhere left to report to.
  }
}
