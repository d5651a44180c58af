import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { boundsOf, encodeFrame, FRAME_TYPE, FrameDecoder } from '../../src/tools/protocol.ts'

/** What a shim has at a path: its contents, the names in a folder, or why it cannot be read. */
export type Place = Buffer | readonly string[] | string

export interface ShimOptions {
  readonly tool?: string
  readonly argv?: readonly string[]
  readonly item?: string | null
  /** Answers to wants; without it, wants are noted and nothing is sent. */
  readonly places?: Readonly<Record<string, Place>>
}

export interface Ending {
  readonly stdout: Buffer
  readonly stderr: string
  /** The exit frame; null: the host hung up without one. */
  readonly exit: unknown
}

/** A shim that also does what no shim should. */
export interface Shim {
  readonly socket: Socket
  readonly wants: string[]
  /** The types of all frames, in order. */
  readonly frames: number[]
  piece(bytes: Uint8Array): void
  end(end: unknown): void
  readonly closed: Promise<void>
  /** Settles when the connection is over. */
  readonly ended: Promise<Ending>
}

export const command = (fields: Readonly<Record<string, unknown>> = {}): Buffer =>
  encodeFrame(
    FRAME_TYPE.command,
    Buffer.from(
      JSON.stringify({ v: 1, tool: 'kubectl', argv: [], cwd: '/srv', item: null, stdin: true, ...fields }),
    ),
  )

/** A shim that has sent its command. */
export async function shim(socketPath: string, options: ShimOptions = {}): Promise<Shim> {
  const connected = await silent(socketPath, options)
  const { tool = 'kubectl', argv = [], item = null } = options
  connected.socket.write(command({ tool, argv, item }))
  return connected
}

/** A shim that has sent nothing yet. */
export async function silent(socketPath: string, { places }: ShimOptions = {}): Promise<Shim> {
  const socket = connect(socketPath)
  const decoder = new FrameDecoder(boundsOf('want', 'stdout', 'stderr', 'exit', 'response'))
  const printed: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  const wants: string[] = []
  const frames: number[] = []
  let exit: unknown = null
  const piece = (bytes: Uint8Array): void => void socket.write(encodeFrame(FRAME_TYPE.piece, bytes))
  const end = (value: unknown): void =>
    void socket.write(encodeFrame(FRAME_TYPE.end, Buffer.from(JSON.stringify(value))))
  const answer = (place: Place | undefined): void => {
    if (place === undefined) end({ kind: 'failed', error: 'ENOENT' })
    else if (typeof place === 'string') end({ kind: 'failed', error: place })
    else if (Buffer.isBuffer(place)) {
      for (let at = 0; at < place.length; at += 65_536) piece(place.subarray(at, at + 65_536))
      end({ kind: 'file' })
    } else end({ kind: 'folder', entries: place })
  }
  socket.on('data', chunk => {
    decoder.write(chunk)
    for (let frame = decoder.read(); frame !== null; frame = decoder.read()) {
      frames.push(frame.type)
      if (frame.type === FRAME_TYPE.stdout) printed.stdout.push(frame.payload)
      else if (frame.type === FRAME_TYPE.stderr) printed.stderr.push(frame.payload)
      else if (frame.type === FRAME_TYPE.exit) exit = JSON.parse(frame.payload.toString())
      else if (frame.type === FRAME_TYPE.want) {
        const { path }: { path: string } = JSON.parse(frame.payload.toString())
        wants.push(path)
        if (places !== undefined) answer(places[path])
      }
    }
  })
  socket.on('error', () => {})
  const closed = new Promise<void>(resolve => void socket.on('close', () => resolve()))
  onTestFinished(() => void socket.destroy())
  await new Promise<void>(resolve => void socket.on('connect', resolve).on('error', () => resolve()))
  const ended = closed.then(() => ({
    stdout: Buffer.concat(printed.stdout),
    stderr: Buffer.concat(printed.stderr).toString(),
    exit,
  }))
  return { socket, wants, frames, piece, end, closed, ended }
}
