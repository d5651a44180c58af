/**
 * Shows a file with the program that the desktop has for it.
 *
 * It never guesses a browser: where the desktop has no opener, or there is no desktop, it says so.
 */

import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** An opener that has not failed by then has handed the file over; some stay for as long as the window does. */
const PATIENCE_MS = 2000

/** @returns null: it is opened; else why it is not, in words. */
export async function openOnDesktop(
  path: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | null> {
  const isMac = process.platform === 'darwin'
  if (!isMac && !environment.DISPLAY && !environment.WAYLAND_DISPLAY) return 'there is no desktop here'
  const name = isMac ? 'open' : 'xdg-open'
  const program = onPath(name, environment)
  if (program === null) return `there is no ${name} here`
  return new Promise(resolve => {
    const opener = spawn(program, [path], { env: environment, stdio: 'ignore', detached: true })
    opener.unref()
    const patience = setTimeout(() => resolve(null), PATIENCE_MS)
    const end = (why: string | null): void => {
      clearTimeout(patience)
      resolve(why)
    }
    opener.on('error', error => end(`${name} cannot be started: ${error.message}`))
    opener.on('exit', code => end(code === 0 ? null : `${name} failed (exit ${code ?? 'by a signal'})`))
  })
}

function onPath(name: string, environment: NodeJS.ProcessEnv): string | null {
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    if (!folder.startsWith('/')) continue // never a program of the folder that one happens to stand in
    try {
      accessSync(join(folder, name), constants.X_OK)
      return join(folder, name)
    } catch {
      // not in this one
    }
  }
  return null
}
