/**
 * Real pipes for a tool's output.
 *
 * What Node calls a pipe is a pair of sockets, and a program that opens `/dev/stdout` then fails with ENXIO. FIFOs
 * are pipes by name: made some at a time by one `mkfifo`, and used again once their stream has ended.
 */

import { execFile } from 'node:child_process'
import { constants, mkdirSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

const BATCH = 16

/** What one call needs: two pipes, and a file for what bubblewrap reports. */
export interface Channel {
  /** Paths of FIFOs. Both are opened anew each time. */
  readonly stdout: string
  readonly stderr: string
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
      const statusPath = join(folder, `${number}.status`)
      const channel: Channel = {
        stdout: join(folder, `${number}.out`),
        stderr: join(folder, `${number}.err`),
        statusPath,
        giveBack: () => {
          rmSync(statusPath, { force: true }) // a process that it names is nobody's of the next call
          free.push(channel)
        },
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

/** Does not wait for a writer; ends once there was one and nobody holds that end any more. */
export function openReader(path: string): Socket {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return new Socket({ fd, readable: true, writable: false })
}
