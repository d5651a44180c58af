/** A host that speaks the `command` conversation, one test at a time, over a real unix socket. */

import { symlinkSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { encodeFrame, FrameDecoder } from '../../src/tools/protocol.ts'
import { temporaryFolder } from '../tools/listening.ts'
import { GUEST } from './running.ts'

const MAX_BYTES = new Map([
  [16, 2 * 1024 * 1024],
  [18, 65_536],
  [19, 1024 * 1024],
])

export interface Answer {
  readonly bytes: Buffer
  readonly end: Record<string, unknown>
}

/** The host's end of one command. */
export interface Command {
  readonly call: Record<string, unknown>
  readonly socket: Socket
  readonly want: (path: string) => Promise<Answer>
  /** Resolves once the shim took it, or hung up. */
  readonly out: (bytes: Uint8Array | string, stream?: 'stdout' | 'stderr') => Promise<void>
  readonly exit: (how: Record<string, unknown>) => void
  readonly hungUp: Promise<void>
}

export interface ShimHost {
  readonly socketPath: string
  /** Holds `tool` as a link to the shim. */
  readonly folder: string
  readonly calls: Record<string, unknown>[]
}

export async function shimHost(serve: (command: Command) => unknown, tool = 'kubectl'): Promise<ShimHost> {
  const folder = temporaryFolder()
  const socketPath = join(folder, 'socket')
  const calls: Record<string, unknown>[] = []
  symlinkSync(join(GUEST, 'shim.pl'), join(folder, tool))
  const server = createServer(socket => {
    const decoder = new FrameDecoder(MAX_BYTES)
    const frames: { type: number; payload: Buffer }[] = []
    let wake: (() => void) | undefined
    let gone = false
    const hungUp = new Promise<void>(resolve => {
      socket.on('error', () => {})
      socket.on('close', () => {
        gone = true
        wake?.()
        resolve()
      })
    })
    socket.on('data', chunk => {
      decoder.write(chunk)
      for (let frame = decoder.read(); frame !== null; frame = decoder.read()) frames.push(frame)
      wake?.()
    })
    const next = async (): Promise<{ type: number; payload: Buffer }> => {
      for (;;) {
        const frame = frames.shift()
        if (frame !== undefined) return frame
        if (gone) throw new Error('the shim hung up')
        await new Promise<void>(resolve => (wake = resolve))
      }
    }
    const json = (type: number, value: unknown): void => {
      socket.write(encodeFrame(type, Buffer.from(JSON.stringify(value))))
    }
    const converse = async (): Promise<void> => {
      const first = await next()
      if (first.type !== 16) throw new Error(`the first frame is a ${first.type}`)
      const call: Record<string, unknown> = JSON.parse(first.payload.toString())
      calls.push(call)
      await serve({
        call,
        socket,
        hungUp,
        want: async path => {
          json(17, { path })
          const pieces: Buffer[] = []
          for (;;) {
            const { type, payload } = await next()
            if (type === 19) return { bytes: Buffer.concat(pieces), end: JSON.parse(payload.toString()) }
            if (type !== 18) throw new Error(`a frame of type ${type} answers a want`)
            pieces.push(payload)
          }
        },
        out: async (bytes, stream = 'stdout') => {
          const all = Buffer.from(bytes)
          for (let start = 0; start < all.length && !socket.destroyed; start += 65_536) {
            const frame = encodeFrame(stream === 'stdout' ? 20 : 21, all.subarray(start, start + 65_536))
            await Promise.race([new Promise<void>(resolve => socket.write(frame, () => resolve())), hungUp])
          }
        },
        exit: how => json(22, how),
      })
    }
    // What goes wrong here shows as a hang-up, and so as the shim's exit code.
    converse().catch(() => socket.destroy())
  })
  await new Promise<void>(resolve => server.listen(socketPath, resolve))
  onTestFinished(() => void server.close())
  return { socketPath, folder, calls }
}
