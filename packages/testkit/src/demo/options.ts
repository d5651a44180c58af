/** The command line of the demo, read purely: what to do, or what is wrong with it. */
import { parseArgs } from 'node:util'
import { MIN_LOG_BYTES } from './log.ts'

export type DemoCommand =
  | { readonly kind: 'demo'; readonly bytes: number; readonly seed: number; readonly keep: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }

export const USAGE = `Usage: node packages/testkit/src/demo/main.ts [--size SIZE] [--seed NUMBER] [--keep]

Makes a log, lets srecodex run one script over it, and compares the summary with the truth.

  --size SIZE    of the log: 200MB (default), 1GiB, 512KiB; at least 64KiB
  --seed NUMBER  the same seed and size make the same log (default 7)
  --keep         leave the folder with the log and the script behind
`

const MAX_LOG_BYTES = 64 * 1024 ** 3

export function parseDemoCommand(argv: readonly string[]): DemoCommand {
  let values
  try {
    ;({ values } = parseArgs({
      args: [...argv],
      options: {
        size: { type: 'string', default: '200MB' },
        seed: { type: 'string', default: '7' },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }))
  } catch (error) {
    return { kind: 'wrong', message: error instanceof Error ? error.message : String(error) }
  }
  if (values.help) return { kind: 'help' }
  const bytes = parseSize(values.size)
  if (bytes === undefined || bytes < MIN_LOG_BYTES || bytes > MAX_LOG_BYTES) {
    return {
      kind: 'wrong',
      message: `--size is a size from 64KiB to 64GiB, such as 200MB, not "${values.size}"`,
    }
  }
  const seed = /^\d{1,9}$/.test(values.seed) ? Number(values.seed) : undefined
  if (seed === undefined) {
    return { kind: 'wrong', message: `--seed is a whole number of at most 9 digits, not "${values.seed}"` }
  }
  return { kind: 'demo', bytes, seed, keep: values.keep }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
}

function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,3})?) ?([a-z]*)$/i.exec(text)
  const unit = UNITS[match?.[2]?.toLowerCase() ?? '?']
  return match && unit !== undefined ? Math.floor(Number(match[1]) * unit) : undefined
}
