/** What tests of the AWS skills share: a payload run by hand, with the real CLI, against the stand-in. */

import { execa } from 'execa'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { awsProgram } from '../src/aws-program.ts'
import { startAws, type Aws, type AwsOptions } from '../src/aws/aws.ts'

const SKILLS = fileURLToPath(new URL('../../../dotcodex/skills', import.meta.url))
const GUEST = fileURLToPath(new URL('../../core/src/guest/python', import.meta.url))

/** A call of the CLI costs a second of a processor, and the first one in a tree installs it. */
export const SLOW_MS = 180_000

/** To be called inside a test, whose end removes it. */
export async function cloud(options: AwsOptions = {}): Promise<Aws> {
  const aws = await startAws(options)
  onTestFinished(() => aws.stop())
  return aws
}

export interface Payload {
  /** A file that it wrote as an artifact. */
  readonly read: (name: string) => string
  readonly start: (aws: Aws, inputs: Record<string, unknown>) => ReturnType<typeof start>
  /** It succeeds, and this is its result. */
  readonly run: (aws: Aws, inputs: Record<string, unknown>) => Promise<Record<string, unknown>>
}

/** @param script Below `dotcodex/skills`. */
export async function payload(script: string): Promise<Payload> {
  const program = await awsProgram()
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-aws-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const begin: Payload['start'] = (aws, inputs) => start({ script, program, folder, aws, inputs })
  return {
    read: name => readFileSync(join(folder, name), 'utf8'),
    start: begin,
    run: async (aws, inputs) => {
      const { exitCode, stdout, stderr } = await begin(aws, inputs)
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
      return JSON.parse(stdout) as Record<string, unknown>
    },
  }
}

interface Start {
  readonly script: string
  readonly program: string
  readonly folder: string
  readonly aws: Aws
  readonly inputs: Record<string, unknown>
}

function start({ script, program, folder, aws, inputs }: Start) {
  const { config, credentials } = aws.profiles(folder)
  return execa('python3', [join(SKILLS, script)], {
    input: JSON.stringify(inputs),
    cwd: folder,
    env: {
      PATH: `${dirname(program)}:${process.env.PATH}`,
      HOME: folder,
      AWS_ENDPOINT_URL: aws.url,
      AWS_CONFIG_FILE: config,
      AWS_SHARED_CREDENTIALS_FILE: credentials,
      PYTHONPATH: GUEST,
    },
    extendEnv: false,
    reject: false,
  })
}
