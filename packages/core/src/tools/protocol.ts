/**
 * The bytes between a script and srecodex: frames, requests, responses. Pure; `guest/PROTOCOL.md` is the text.
 *
 * Whoever writes these bytes may be hostile, so a frame of an unknown type or past its bound is refused from its
 * header alone, and what a half-received frame holds in memory grows with the bytes that came, not with the
 * length that was promised.
 */

export const PROTOCOL_VERSION = 1

export const HEADER_BYTES = 5

/** From 16 on: a connection that serves one command. */
export const FRAME_TYPE = {
  request: 1,
  response: 2,
  command: 16,
  want: 17,
  piece: 18,
  end: 19,
  stdout: 20,
  stderr: 21,
  exit: 22,
} as const

/** Payload bound of each type. */
export const MAX_PAYLOAD_BYTES: Readonly<Record<keyof typeof FRAME_TYPE, number>> = {
  request: 1024 * 1024,
  response: 16 * 1024 * 1024,
  command: 2 * 1024 * 1024,
  want: 64 * 1024,
  piece: 64 * 1024,
  end: 1024 * 1024,
  stdout: 64 * 1024,
  stderr: 64 * 1024,
  exit: 64 * 1024,
}

/** What a `FrameDecoder` takes: frames of these types, up to their bounds. */
export function boundsOf(...names: readonly (keyof typeof FRAME_TYPE)[]): ReadonlyMap<number, number> {
  return new Map(names.map(name => [FRAME_TYPE[name], MAX_PAYLOAD_BYTES[name]]))
}

export interface Frame {
  readonly type: number
  readonly payload: Buffer
}

/** `id` null asks for no response. */
export interface CallRequest {
  readonly id: number | string | null
  readonly method: string
  readonly params: CallParams
}

export type CallParams = Readonly<Record<string, unknown>>

export interface CallFailure {
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

/**
 * A call that cannot be answered, in words meant for the script.
 *
 * - `PROTOCOL`: the bytes are not this protocol; the connection ends.
 * - `UNKNOWN_METHOD`, `INVALID_PARAMS`: the call is not one that srecodex takes.
 * - `TOO_LARGE`, `LIMIT_EXCEEDED`: more than a call, or a run, may carry.
 * - `INTERNAL`: a fault of srecodex.
 *
 * Handlers may add codes of their own.
 */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: string
  readonly hint: string | null
  /** The request that it answers, where that could be read. */
  readonly id: number | string | null

  constructor(
    code: string,
    message: string,
    options: { readonly hint?: string; readonly id?: number | string | null } = {},
  ) {
    super(message)
    this.code = code
    this.hint = options.hint ?? null
    this.id = options.id ?? null
  }
}

export function encodeHeader(type: number, payloadBytes: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeUInt8(type, 0)
  header.writeUInt32BE(payloadBytes, 1)
  return header
}

export function encodeFrame(type: number, payload: Uint8Array): Buffer {
  return Buffer.concat([encodeHeader(type, payload.byteLength), payload])
}

/** @throws {CallError} INTERNAL | TOO_LARGE: `result` is no JSON, or does not fit into a frame. */
export function encodeResult(id: number | string, result: unknown): Buffer {
  let text: string
  try {
    text = JSON.stringify({ id, result: result ?? null })
  } catch {
    throw new CallError('INTERNAL', 'the answer to this call is not JSON', { id })
  }
  const payload = Buffer.from(text)
  if (payload.length > MAX_PAYLOAD_BYTES.response) {
    throw new CallError(
      'TOO_LARGE',
      `the answer has ${payload.length} bytes, and a call carries at most ${MAX_PAYLOAD_BYTES.response}`,
      { id, hint: 'ask for less at once' },
    )
  }
  return encodeFrame(FRAME_TYPE.response, payload)
}

/** `id` null: the answer to bytes that are no request. */
export function encodeFailure(id: number | string | null, failure: CallFailure): Buffer {
  const { code, message, hint } = failure
  return encodeFrame(
    FRAME_TYPE.response,
    Buffer.from(JSON.stringify({ id, error: { code, message: message.slice(0, 4000), hint } })),
  )
}

/** @throws {CallError} PROTOCOL, with `id` null when no request could be read at all. */
export function parseRequest(payload: Buffer): CallRequest {
  const request = parseObject(payload, 'a request')
  const { v, id, method, params = {} } = request
  if (id !== null && !isCallId(id)) {
    throw new CallError('PROTOCOL', 'the id of a request is an integer, a string of at most 64, or null')
  }
  if (v !== PROTOCOL_VERSION) {
    throw new CallError('PROTOCOL', `this srecodex speaks version ${PROTOCOL_VERSION} of the protocol`, {
      id,
      hint: 'use the srecodex library that the sandbox provides',
    })
  }
  if (typeof method !== 'string')
    throw new CallError('PROTOCOL', 'the method of a request is a string', { id })
  if (!isRecord(params))
    throw new CallError('INVALID_PARAMS', 'the params of a request are an object', { id })
  return { id, method, params }
}

/**
 * Takes chunks as they arrive, gives frames one at a time, and holds no frame that nobody asked for yet.
 *
 * @param maxBytes Payload bound for each type that is taken; any other type is refused.
 */
export class FrameDecoder {
  #maxBytes: ReadonlyMap<number, number>
  #chunks: Buffer[] = []
  #next = 0
  #offset = 0
  #unreadBytes = 0
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerFilled = 0
  #payload: Buffer = EMPTY
  #payloadFilled = 0

  constructor(maxBytes: ReadonlyMap<number, number>) {
    this.#maxBytes = maxBytes
  }

  /** What is taken from the next frame on. */
  expect(maxBytes: ReadonlyMap<number, number>): void {
    this.#maxBytes = maxBytes
  }

  /** True inside a frame: an end of the stream here is a torn frame. */
  get partial(): boolean {
    return this.#headerFilled > 0
  }

  /** Memory that is held for bytes not given out yet. */
  get heldBytes(): number {
    return this.#unreadBytes + this.#payload.length
  }

  write(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#unreadBytes += chunk.length
  }

  /**
   * The next whole frame, or null when more bytes are needed.
   *
   * @throws {CallError} PROTOCOL | TOO_LARGE. The stream has no meaning after that, and the error repeats.
   */
  read(): Frame | null {
    if (!this.#fillHeader()) return null
    const type = this.#header.readUInt8(0)
    const length = this.#header.readUInt32BE(1)
    const maxBytes = this.#maxBytes.get(type)
    if (maxBytes === undefined) {
      throw new CallError('PROTOCOL', `no frame of type ${type} is taken here`, {
        hint: 'frames are described in PROTOCOL.md; SRECODEX_SOCKET speaks nothing else',
      })
    }
    if (length > maxBytes) {
      throw new CallError(
        'TOO_LARGE',
        `a frame of ${length} bytes was sent, and at most ${maxBytes} are taken`,
      )
    }
    const payload = this.#takePayload(length)
    if (payload === null) return null
    this.#headerFilled = 0
    this.#payload = EMPTY
    this.#payloadFilled = 0
    return { type, payload }
  }

  #fillHeader(): boolean {
    while (this.#headerFilled < HEADER_BYTES) {
      const piece = this.#take(HEADER_BYTES - this.#headerFilled)
      if (piece === null) return false
      this.#header.set(piece, this.#headerFilled)
      this.#headerFilled += piece.length
    }
    return true
  }

  #takePayload(length: number): Buffer | null {
    if (length === 0) return EMPTY
    while (this.#payloadFilled < length) {
      const piece = this.#take(length - this.#payloadFilled)
      if (piece === null) return null
      if (piece.length === length) return piece
      this.#reserve(this.#payloadFilled + piece.length, length)
      this.#payload.set(piece, this.#payloadFilled)
      this.#payloadFilled += piece.length
    }
    return this.#payload
  }

  /** Doubles: a frame that dribbles in byte by byte is copied twice over, not once for each byte. */
  #reserve(needed: number, length: number): void {
    if (this.#payload.length >= needed) return
    const grown = Buffer.allocUnsafeSlow(Math.min(length, Math.max(needed, this.#payload.length * 2, 4096)))
    grown.set(this.#payload.subarray(0, this.#payloadFilled))
    this.#payload = grown
  }

  #take(atMost: number): Buffer | null {
    const chunk = this.#chunks[this.#next]
    if (chunk === undefined) return null
    const piece = chunk.subarray(this.#offset, this.#offset + atMost)
    this.#offset += piece.length
    this.#unreadBytes -= piece.length
    if (this.#offset === chunk.length) {
      this.#chunks[this.#next] = EMPTY
      this.#next += 1
      this.#offset = 0
    }
    if (this.#next === this.#chunks.length) {
      this.#chunks = []
      this.#next = 0
    }
    return piece
  }
}

const EMPTY = Buffer.alloc(0)

/** @throws {CallError} PROTOCOL, in words that begin with `what`. */
export function parseObject(payload: Buffer, what: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(payload.toString('utf8'))
  } catch {
    throw new CallError('PROTOCOL', `${what} is JSON in UTF-8`)
  }
  if (!isRecord(value)) throw new CallError('PROTOCOL', `${what} is a JSON object`)
  return value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCallId(id: unknown): id is number | string {
  return typeof id === 'number' ? Number.isSafeInteger(id) : typeof id === 'string' && id.length <= 64
}
