/**
 * Real pipes for a tool's output.
 *
 * What Node calls a pipe is a pair of sockets, and a program that opens `/dev/stdout` then fails with ENXIO. FIFOs
 * are pipes by name: made some at a time by one `mkfifo`, and used again once their stream has ended.
 */

import { execFile } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

const BATCH = 16

export interface OutputPipe {
  /** Our end; it ends once nobody holds the other. */
  readonly reader: Socket
  /** The tool's end: to be inherited, and closed here as soon as it is. */
  readonly writer: number
}

/** What one call needs: two pipes, and a file for what bubblewrap reports. */
export interface Channel {
  /** Both are opened anew each time. */
  open(): { readonly stdout: OutputPipe; readonly stderr: OutputPipe }
  readonly statusPath: string
  /** Only once both of its streams have ended by themselves: a writer that is left would write to the next call. */
  giveBack(): void
}

export interface ChannelPool {
  take(): Promise<Channel>
}

/** @param folder private, not there yet. */
export function createChannelPool(folder: string): ChannelPool {
  const free: Channel[] = []
  let made = 0
  let making: Promise<void> | null = null

  const makeMore = async (): Promise<void> => {
    if (made === 0) mkdirSync(folder, { recursive: true, mode: 0o700 })
    const numbers = Array.from({ length: BATCH }, (_, index) => made + index)
    made += BATCH
    const paths = numbers.flatMap(number => [join(folder, `${number}.out`), join(folder, `${number}.err`)])
    await promisify(execFile)('mkfifo', ['-m', '0600', ...paths], { env: { PATH: '/usr/bin:/bin' } })
    for (const number of numbers) {
      const channel: Channel = {
        statusPath: join(folder, `${number}.status`),
        open: () => {
          const stdout = openPipe(join(folder, `${number}.out`))
          return { stdout, stderr: openPipe(join(folder, `${number}.err`)) }
        },
        giveBack: () => void free.push(channel),
      }
      free.push(channel)
    }
  }

  return {
    take: async () => {
      for (;;) {
        const channel = free.pop()
        if (channel !== undefined) return channel
        making ??= makeMore().finally(() => {
          making = null
        })
        await making
      }
    },
  }
}

function openPipe(path: string): OutputPipe {
  // The reader first, without waiting for a writer; then the writer need not wait for a reader.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const writer = openSync(path, constants.O_WRONLY)
    return { reader: new Socket({ fd, readable: true, writable: false }), writer }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
