import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { listening } from './listening.ts'
import { growthOf, perlShim } from './reading.ts'

const GIB = 1024 * 1024 * 1024

/** What two pipes take for as much. */
async function catMs(): Promise<number> {
  const started = performance.now()
  const child = spawn('bash', ['-c', `head -c ${GIB} /dev/zero | cat | cat >/dev/null`], { stdio: 'ignore' })
  await new Promise(resolve => child.on('close', resolve))
  return performance.now() - started
}

test.each([64 * 1024, 1024 * 1024])(
  '1 GiB in chunks of %d: flat memory, near two pipes',
  async chunkBytes => {
    const chunk = Buffer.alloc(chunkBytes, 'x')
    const { socketPath } = await listening({
      commands: async (_call, peer) => {
        for (let sent = 0; sent < GIB; sent += chunkBytes) await peer.write('stdout', chunk)
        return { exitCode: 0, signal: null }
      },
    })
    const pipesMs = await catMs()
    const { result, grownBytes, ms } = await growthOf(() => perlShim(socketPath, {}))
    expect(result).toBe(`${(GIB / 65_536) * (65_536 + 5) + 15} {"code":0}\n`)
    expect(grownBytes).toBeLessThan(128 * 1024 * 1024)
    // Two cores that others may use as well.
    expect(ms).toBeLessThan(Math.max(3 * pipesMs, 3000))
  },
)
