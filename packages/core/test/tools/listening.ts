import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openChannel, type Channel, type ChannelOptions, type Progress } from '../../src/tools/channel.ts'
import { boundsOf, encodeFrame, FRAME_TYPE, FrameDecoder } from '../../src/tools/protocol.ts'

export interface Listening {
  readonly folder: string
  readonly socketPath: string
  readonly artifactsPath: string
  readonly spoolFolder: string
  readonly summaries: string[]
  readonly progress: Progress[]
  readonly artifacts: string[]
  readonly faults: unknown[]
  readonly channel: Channel
}

/** A real channel in a folder of its own; both go when the test ends. */
export async function listening(
  options: Partial<ChannelOptions> & { readonly socketName?: string } = {},
): Promise<Listening> {
  const { socketName = 'socket', ...overrides } = options
  const folder = temporaryFolder()
  const artifactsPath = join(folder, 'artifacts')
  mkdirSync(artifactsPath)
  const spoolFolder = join(folder, 'spool')
  if (options.commands !== undefined) mkdirSync(spoolFolder, { mode: 0o700 })
  const socketPath = join(folder, socketName)
  const summaries: string[] = []
  const progress: Progress[] = []
  const artifacts: string[] = []
  const faults: unknown[] = []
  const channel = await openChannel({
    listenPath: socketPath,
    artifactsPath,
    spoolFolder,
    recorder: {
      onSummary: text => summaries.push(text),
      onProgress: step => progress.push(step),
      onArtifact: name => artifacts.push(name),
      onFault: error => faults.push(error),
    },
    ...overrides,
  })
  onTestFinished(() => channel.close())
  return { folder, socketPath, artifactsPath, spoolFolder, summaries, progress, artifacts, faults, channel }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Response {
  readonly id: number | string | null
  readonly result?: unknown
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string | null }
}

/** A caller that sends whatever it likes. */
export interface Caller {
  readonly socket: Socket
  readonly responses: Response[]
  send(request: unknown): void
  /** The next response that nobody took yet; null once the host hung up. */
  next(): Promise<Response | null>
  call(method: string, params?: unknown): Promise<Response | null>
  readonly closed: Promise<void>
}

export async function caller(socketPath: string): Promise<Caller> {
  const socket = connect(socketPath)
  const responses: Response[] = []
  const decoder = new FrameDecoder(boundsOf('response'))
  let wake: (() => void) | undefined
  let gone = false
  let taken = 0
  let lastId = 0
  socket.on('data', chunk => {
    decoder.write(chunk)
    for (let frame = decoder.read(); frame !== null; frame = decoder.read()) {
      const response: Response = JSON.parse(frame.payload.toString())
      responses.push(response)
    }
    wake?.()
  })
  socket.on('error', () => {})
  const closed = new Promise<void>(resolve => {
    socket.on('close', () => {
      gone = true
      wake?.()
      resolve()
    })
  })
  onTestFinished(() => void socket.destroy())
  await new Promise(resolve => {
    socket.on('connect', resolve).on('error', resolve)
  })
  const next = async (): Promise<Response | null> => {
    while (responses.length <= taken) {
      if (gone) return null
      await new Promise<void>(resolve => (wake = resolve))
    }
    return responses[taken++] ?? null
  }
  const send = (request: unknown): void => void socket.write(requestFrame(request))
  return {
    socket,
    responses,
    closed,
    send,
    next,
    call: (method, params = {}) => {
      send({ v: 1, id: (lastId += 1), method, params })
      return next()
    },
  }
}

export function requestFrame(request: unknown): Buffer {
  return encodeFrame(
    FRAME_TYPE.request,
    Buffer.from(typeof request === 'string' ? request : JSON.stringify(request)),
  )
}

export async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition.toString()}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
