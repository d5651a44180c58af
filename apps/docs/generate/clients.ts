/** What `srecodex init` writes for each client, by running it in an empty project. Their shells have `shell.ts`. */

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join, relative } from 'node:path'
import { commands } from './cli.ts'
import { fence } from './markdown.ts'
import { ROOT } from './repository.ts'

const BIN = realpathSync(join(ROOT, 'packages/cli/dist/bin.js'))

interface WrittenFile {
  readonly file: string
  readonly text: string
}

/** Those that `init` offers. */
function clientNames(): readonly string[] {
  const init = commands().find(({ path }) => path === 'srecodex init')?.command
  return init?.options.find(({ long }) => long === '--client')?.argChoices ?? []
}

/** The client's own config files. */
function writtenFor(name: string): readonly WrittenFile[] {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-docs-')))
  try {
    const [project, home, bin] = ['project', 'home', 'bin'].map(folder => join(root, folder)) as [
      string,
      string,
      string,
    ]
    for (const folder of [project, home, bin]) mkdirSync(folder)
    // As npm leaves it, which makes what it links executable.
    chmodSync(BIN, 0o755)
    symlinkSync(BIN, join(bin, 'srecodex'))
    // One tool, whatever this machine has: the file names the variables of each.
    writeFileSync(join(bin, 'kubectl'), '#!/bin/sh\n', { mode: 0o755 })
    const args = [BIN, 'init', '--client', name, '--yes', '--no-input']
    const env = { PATH: bin, HOME: home, LANG: 'C.UTF-8' }
    const { status, stderr, stdout } = spawnSync(process.execPath, args, {
      cwd: project,
      env,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`srecodex init --client ${name}: ${stderr}${stdout}`)
    const files = readdirSync(project, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && ['.json', '.jsonc', '.toml'].includes(extname(entry.name)))
      .map(entry => join(entry.parentPath, entry.name))
      .map(path => ({ file: relative(project, path), text: readFileSync(path, 'utf8') }))
      .filter(({ file }) => !/\/skills\/|srecodex/.test(file))
      .sort((a, b) => a.file.localeCompare(b.file))
    // srecodex was not found on PATH then: no reader's file looks like that.
    if (files.some(({ text }) => text.includes(BIN))) throw new Error('init writes paths of this machine')
    return files
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

export function clientParts(): readonly (readonly [file: string, text: string])[] {
  return clientNames().map(name => [
    `parts/client-${name}.md`,
    writtenFor(name)
      .map(({ file, text }) => fence(`${extname(file).slice(1)} [${file}]`, text))
      .join('\n\n'),
  ])
}
