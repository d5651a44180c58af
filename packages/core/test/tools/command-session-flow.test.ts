import { execFile } from 'node:child_process'
import { expect, test } from 'vitest'
import { listening } from './listening.ts'
import { digestOf, growthOf, perlShim } from './reading.ts'

const MIB = 1024 * 1024
const FRAMED_64K = 64 * 1024 + 5
const EXIT_BYTES = '{"code":0}'.length + 5

test('256 MiB of output reach another process, in flat memory', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const { socketPath } = await listening({
    commands: async (_call, peer) => {
      for (let each = 0; each < 4096; each += 1) await peer.write('stdout', chunk)
      return { exitCode: 0, signal: null }
    },
  })
  const { result, grownBytes } = await growthOf(() => perlShim(socketPath, {}))
  expect(result).toBe(`${4096 * FRAMED_64K + EXIT_BYTES} {"code":0}\n`)
  expect(grownBytes).toBeLessThan(128 * MIB)
})

test('a slow reader slows the command down to its pace, in flat memory', async () => {
  let written = 0
  const { socketPath } = await listening({
    commands: async (_call, peer) => {
      const chunk = Buffer.alloc(MIB, 'x')
      for (; written < 64; written += 1) await peer.write('stdout', chunk)
      return { exitCode: 0, signal: null }
    },
  })
  const { result, ms, grownBytes } = await growthOf(() => perlShim(socketPath, { pauseMs: 15 }))
  expect(result).toBe(`${64 * 16 * FRAMED_64K + EXIT_BYTES} {"code":0}\n`)
  expect(ms).toBeGreaterThan(64 * 15)
  expect(grownBytes).toBeLessThan(64 * MIB)
})

test('the output of a real process passes byte by byte as it was', async () => {
  const { socketPath } = await listening({
    commands: async (_call, peer) => {
      const child = execFile('head', ['-c', `${64 * MIB}`, '/dev/zero'], {
        encoding: 'buffer',
        maxBuffer: Infinity,
      })
      let bytes = 0
      for await (const chunk of child.stdout ?? []) {
        bytes += chunk.length
        await peer.write('stderr', chunk)
      }
      return { exitCode: bytes === 64 * MIB ? 0 : 1, signal: null }
    },
  })
  expect(await perlShim(socketPath, {})).toMatch(/^67\d{6} {"code":0}\n$/)
})

test('256 MiB of input reach the disk, in flat memory', async () => {
  const seen: unknown[] = []
  const { socketPath } = await listening({
    commands: async (_call, peer) => {
      const input = await peer.read('-')
      if (input.kind === 'file') seen.push(input.bytes, input.sha256 === (await digestOf(input.spool)))
      return { exitCode: 0, signal: null }
    },
  })
  const { result, grownBytes } = await growthOf(() => perlShim(socketPath, { given: 256 * MIB }))
  expect(result).toBe(`${EXIT_BYTES} {"code":0}\n`)
  expect(seen).toEqual([256 * MIB, true])
  expect(grownBytes).toBeLessThan(128 * MIB)
})

test('a shim that sends more than is taken, and never looks, reads why once its write fails', async () => {
  const { socketPath } = await listening({
    limits: { maxSpoolBytes: MIB },
    commands: async (_call, peer) => {
      await peer.read('-')
      return { exitCode: 0, signal: null }
    },
  })
  expect(await perlShim(socketPath, { given: 2 ** 50 })).toMatch(/^\d+ {"code":126}\n$/)
})
