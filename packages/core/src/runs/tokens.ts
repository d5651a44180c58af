/**
 * Estimates how many tokens of a model's context a text would take.
 *
 * An estimate, within some 13% of a real tokeniser: whoever shows it says "≈". tokenx loads in 2 ms, so there
 * is no rougher path for small text; it is imported when first asked for. Raw output of gigabytes is never
 * read whole: a bounded sample stands for it.
 */

import { open } from 'node:fs/promises'

/** Part of a stream, and how large the stream is. */
export interface StreamSample {
  readonly sample: Buffer
  readonly totalBytes: number
}

/**
 * Enough for the mix of a log's text to show, and a few milliseconds of work.
 *
 * @default 32 KiB
 */
export const SAMPLE_BYTES = 32 * 1024

export async function estimateTokens(text: string): Promise<number> {
  if (text === '') return 0
  const { estimateTokenCount } = await import('tokenx')
  return estimateTokenCount(text)
}

/**
 * Tokens of a whole stream, from the tokens of a sample of it.
 *
 * A sample that is the whole stream is counted as it is. No sample of a stream that is not empty (its file is
 * gone) counts four bytes to a token.
 */
export async function estimateRawTokens({ sample, totalBytes }: StreamSample): Promise<number> {
  if (totalBytes === 0) return 0
  if (sample.length === 0) return Math.ceil(totalBytes / 4)
  const sampled = await estimateTokens(sample.toString('utf8'))
  return sample.length >= totalBytes ? sampled : Math.ceil((sampled / sample.length) * totalBytes)
}

/**
 * Reads the first and the last bytes of a file, half of `maxBytes` each; the whole file if it is no larger.
 *
 * @returns null when there is no such file; an empty file gives an empty sample.
 */
export async function readSample(
  path: string,
  maxBytes: number = SAMPLE_BYTES,
): Promise<StreamSample | null> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  try {
    const { size } = await file.stat()
    const sample = Buffer.alloc(Math.min(size, maxBytes))
    const head = size <= maxBytes ? sample.length : Math.floor(maxBytes / 2)
    const first = await file.read(sample, 0, head, 0)
    const last = await file.read(sample, head, sample.length - head, size - (sample.length - head))
    return { sample: sample.subarray(0, first.bytesRead + last.bytesRead), totalBytes: size }
  } finally {
    await file.close()
  }
}
