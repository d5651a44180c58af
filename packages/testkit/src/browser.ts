/**
 * A real browser for what people look at: Debian's Chromium, driven by Playwright, and axe for what it finds wrong for
 * those who see, hear or move differently.
 *
 * Where it is missing and this is root, it is installed; else the test fails and says what to install. It reaches no
 * network: what a page needs is a file, or a server on the loopback.
 */

import axe from 'axe-core'
import { execa } from 'execa'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium, type Browser, type Page } from 'playwright-core'

export type { Browser, BrowserContext, Page } from 'playwright-core'

const PROGRAM = '/usr/bin/chromium'
const PACKAGES = ['chromium', 'fonts-dejavu-core']
const ATTEMPTS = 40
const PAUSE_MS = 3000

/** @throws {Error} There is no Chromium, and none can be installed. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = await chromiumProgram()
  return chromium.launch({
    executablePath,
    chromiumSandbox: process.getuid?.() !== 0, // which Chromium refuses to root
    args: [
      '--disable-dev-shm-usage',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  })
}

/** @throws {Error} There is no Chromium, and none can be installed. */
export async function chromiumProgram(): Promise<string> {
  let said = ''
  for (let attempt = 1; !existsSync(PROGRAM); attempt += 1) {
    if (process.getuid?.() !== 0) throw new Error(`there is no ${PROGRAM}: install Debian's package chromium`)
    if (attempt > ATTEMPTS)
      throw new Error(`there is no ${PROGRAM}, and apt-get does not install it:\n${said}`)
    // Other tests may be doing the same: one at a time gets the lock.
    await execa('apt-get', ['update', '-q'], { reject: false })
    const words = ['install', '-q', '-y', '--no-install-recommends', ...PACKAGES]
    const { failed, stderr } = await execa('apt-get', words, {
      reject: false,
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    })
    said = stderr
    if (failed) await sleep(PAUSE_MS)
  }
  return PROGRAM
}

/**
 * What axe finds that is serious or worse, a line each. The page's context is made with `bypassCSP`: axe is a script
 * that a strict page would not let in.
 */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ resultTypes: ['violations'] }),
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, impact, help, nodes }) =>
        `${impact} ${id}: ${help}: ${nodes.map(node => node.html).join(' | ')}`,
    )
}
