/**
 * Messages out of a stream of bytes: one JSON text a line.
 *
 * A line past the bound is not kept: its beginning and end are, for they tell which request it answers.
 */

const NEWLINE = 0x0a
const HEAD_BYTES = 4096
const TAIL_BYTES = 256

export interface LineSink {
  onLine(line: Buffer): void
  onOversized(head: string, tail: string): void
}

export class LineReader {
  readonly #maxBytes: number
  readonly #sink: LineSink
  #chunks: Buffer[] = []
  #bytes = 0
  #tail: Buffer | null = null

  constructor(maxBytes: number, sink: LineSink) {
    this.#maxBytes = maxBytes
    this.#sink = sink
  }

  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#take(chunk.subarray(start, end))
      this.#finish()
      start = end + 1
    }
    if (start < chunk.length) this.#take(chunk.subarray(start))
  }

  #take(piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#tail === null && this.#bytes <= this.#maxBytes) {
      this.#chunks.push(piece)
      return
    }
    if (this.#tail === null) {
      const whole = Buffer.concat(this.#chunks)
      this.#chunks = [Buffer.from(whole.subarray(0, HEAD_BYTES))]
      this.#tail = Buffer.from(whole.subarray(-TAIL_BYTES))
    }
    this.#tail = Buffer.concat([this.#tail, piece.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES)
  }

  #finish(): void {
    const line = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    const tail = this.#tail
    this.#chunks = []
    this.#bytes = 0
    this.#tail = null
    if (tail !== null) this.#sink.onOversized(line.toString('latin1'), tail.toString('latin1'))
    else if (line.length > 0) this.#sink.onLine(line)
  }
}

/** The id of the request that a message answers, read from its first or last bytes; null where neither has it. */
export function answeredId(head: string, tail: string): number | null {
  const found =
    /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d+)\s*,/.exec(head) ??
    /,\s*"id"\s*:\s*(\d+)\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/.exec(tail)
  return found === null ? null : Number(found[1])
}
