/**
 * A real Alertmanager and its amtool, on any machine with Debian's package tools: taken out of the package, which is
 * not installed, so that no service starts and no root is needed.
 *
 * Kept below node_modules/.cache; apt checks what it downloads. Several processes may do it at once: each works in a
 * folder of its own, and the first one done wins.
 */

import { execa } from 'execa'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGE = 'prometheus-alertmanager'
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/alertmanager', import.meta.url))

export interface AlertmanagerPrograms {
  /** Words that start it: the program looks for its templates at the place where the package would have put them. */
  readonly alertmanager: readonly string[]
  /** Its folder holds nothing else. */
  readonly amtool: string
}

/** @throws {Error} There is no apt, its archive cannot be reached, or that has no such package. */
export async function alertmanagerProgram(cache: string = CACHE): Promise<AlertmanagerPrograms> {
  const folder = join(cache, 'programs')
  const programs = {
    alertmanager: [
      ...['bwrap', '--dev-bind', '/', '/', '--ro-bind', join(folder, 'share'), '/usr/share'],
      ...['--unshare-pid', '--die-with-parent', '--', join(folder, 'sbin', 'alertmanager')],
    ],
    amtool: join(folder, 'bin', 'amtool'),
  }
  if (existsSync(programs.amtool)) return programs
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'partial-'))
  try {
    const archive = await download(work)
    await execa('dpkg-deb', ['-x', archive, join(work, 'unpacked')])
    const done = join(work, 'done')
    for (const part of ['bin', 'sbin']) mkdirSync(join(done, part), { recursive: true })
    renameSync(join(work, 'unpacked/usr/bin/amtool'), join(done, 'bin', 'amtool'))
    renameSync(join(work, 'unpacked/usr/bin/prometheus-alertmanager'), join(done, 'sbin', 'alertmanager'))
    renameSync(join(work, 'unpacked/usr/share'), join(done, 'share'))
    try {
      renameSync(done, folder)
    } catch (error) {
      if (!existsSync(programs.amtool)) throw error
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return programs
}

/** By the machine's own lists of packages; where it has none, by lists of our own. */
async function download(work: string): Promise<string> {
  const own = ['lists/partial', 'archives/partial'].map(part => join(work, 'apt', part))
  for (const part of own) mkdirSync(part, { recursive: true })
  const places = [`Dir::State::lists=${join(work, 'apt/lists')}`, `Dir::Cache=${join(work, 'apt')}`]
  const options = places.flatMap(place => ['-o', place])
  const first = await execa('apt-get', ['download', PACKAGE], { cwd: work, reject: false })
  if (first.failed) {
    try {
      await execa('apt-get', [...options, 'update'], { cwd: work })
      await execa('apt-get', [...options, 'download', PACKAGE], { cwd: work })
    } catch (error) {
      throw new Error(`${PACKAGE} comes from Debian's archive by apt-get, which failed`, { cause: error })
    }
  }
  const archive = readdirSync(work).find(name => name.endsWith('.deb'))
  if (archive === undefined) throw new Error(`apt-get downloaded no ${PACKAGE}`)
  return join(work, archive)
}
