/** The page of a run in a real browser: nothing of a script's runs, and people find what they look for. */

import {
  accessibilityFaults,
  project,
  startBrowser,
  type Browser,
  type BrowserContext,
  type Page,
} from '@srecodex/testkit'
import { cpSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { bigRun } from './big-run.ts'
import { callerEnvironment, cluster } from './cluster.ts'
import { HOSTILE, pageOf } from './report-page.ts'

/** Pictures go there, for whoever wants to look. */
const PICTURES = process.env['SRECODEX_TEST_PICTURES']
const SIZES = [1440, 390] as const
const SCHEMES = ['light', 'dark'] as const

let browser: Browser

beforeAll(async () => {
  browser = await startBrowser()
}, 600_000)

afterAll(async () => {
  await browser?.close()
})

type ContextOptions = NonNullable<Parameters<Browser['newContext']>[0]>

/** A window on nothing but one file; whatever else it asks for is a fault. */
async function open(path: string, options: ContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  onTestFinished(() => context.close())
  await context.setOffline(true)
  await listenIn(context)
  const page = await context.newPage()
  const url = pathToFileURL(path).href
  page.on('request', request => {
    if (request.url() !== url) asked.push(request.url())
  })
  page.on('pageerror', error => faults.push(String(error)))
  page.on('dialog', dialog => {
    faults.push(dialog.message())
    void dialog.dismiss()
  })
  const [asked, faults]: [string[], string[]] = [[], []]
  seen.set(page, { asked, faults })
  await page.goto(url)
  return page
}

const seen = new WeakMap<Page, { readonly asked: string[]; readonly faults: string[] }>()

/** Every script that ever runs in the context can say so. */
async function listenIn(context: BrowserContext): Promise<void> {
  await context.addInitScript(
    `globalThis.owned = word => (globalThis.ownedBy ??= []).push(word ?? 'nameless')`,
  )
}

function ownedBy(page: Page): Promise<unknown> {
  return page.evaluate('globalThis.ownedBy ?? []')
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
}

const said = (page: Page): Promise<string | null> => page.locator('#calls .said').textContent()

describe('what a script says stays words', () => {
  test('as it is read, walked through, filtered and printed; also where no policy stands in the way', async () => {
    const place = project({ files: { 'hostile.py': HOSTILE } })
    const { run } = (await place.run('run hostile.py --json')).json()
    await pageOf(place)
    const path = join(place.srecodexHome, 'state', 'runs', run, 'report.html')
    for (const bypassCSP of [false, true]) {
      const page = await open(path, { bypassCSP })
      await page.getByRole('heading', { name: 'hostile.py' }).waitFor()
      const grid = page.getByRole('grid')
      await page.getByRole('checkbox').check()
      for (let row = 0; row < 5; row += 1) await grid.press('ArrowDown')
      await page.getByRole('button', { name: 'Its calls alone' }).click()
      await page.getByLabel('Search', { exact: true }).fill('<script')
      for (const element of await page.locator('main *:visible').all())
        await element.dispatchEvent('mouseover')
      await page.emulateMedia({ media: 'print' })
      await page.waitForTimeout(300)
      expect(await ownedBy(page)).toEqual([])
      expect(seen.get(page)).toEqual({ asked: [], faults: [] })
      expect(await page.locator('img, svg, iframe, b').count()).toBe(0)
      expect(await page.locator('#summary pre').textContent()).toContain('owned("summary")</script>')
    }

    // The same words in a page that takes them for markup: what was looked for above is there to be found.
    const page = await open(path, { bypassCSP: true })
    await page.setContent('<img src=x onerror=owned("control")>')
    await expect.poll(() => ownedBy(page)).toEqual(['control'])
  })

  test('a file that it left behind runs nothing when it is clicked', async () => {
    const place = project({ files: { 'hostile.py': HOSTILE } })
    const { run } = (await place.run('run hostile.py --json')).json()
    await pageOf(place)
    const folder = join(place.srecodexHome, 'state', 'runs', run)
    const page = await open(join(folder, 'report.html'))
    const links = page.locator('#artifacts a')
    expect(await links.allTextContents()).toEqual([
      '<img src=x onerror=owned("file")>.txt',
      'javascript:owned(3).txt',
    ])
    for (const at of [0, 1]) {
      await links.nth(at).click()
      await page.waitForURL(/artifacts/)
      expect(await page.evaluate('document.contentType')).toBe('text/plain')
      expect(await ownedBy(page)).toEqual([])
      await page.goBack()
    }
    // One that is not linked would run.
    await page.goto(pathToFileURL(join(folder, 'artifacts', 'page.html')).href)
    expect(await ownedBy(page)).toEqual(['artifact'])
  })
})

/** Twenty calls: reads, changes, one that fails for good, one item that is tried again, in three waves. */
const ROLL = `
import os, subprocess
from srecodex import each, summary

tries = {}

def kubectl(*words):
    subprocess.run(["kubectl", *words], check=True)

def restart(name):
    tries[name] = tries.get(name, 0) + 1
    if name != "web-7" or tries[name] == 1:
        kubectl("get", "deployment/" + name, "-n", "shop")
    if os.environ["SRECODEX_PHASE"] == "apply":
        if name == "web-2" and tries[name] == 1:
            raise ConnectionError("no route to host")
        if name == "web-7":
            kubectl("get", "deployment/gone", "-n", "shop", "-o", 'jsonpath=<img src=x onerror=owned("argv")>')
    kubectl("rollout", "restart", "deployment/" + name, "-n", "shop")
    print("restarted", name)

names = ["web-%d" % i for i in range(9)]
summary(each(names, restart, at_once=3, waves=[1, 3, "100%"], max_failures=5, retries=1).summary())
`

async function rolled(): Promise<{ readonly path: string; readonly planned: string }> {
  const deployments = Array.from({ length: 9 }, (_, at) => `shop/web-${at}`)
  const place = await cluster({ deployments, files: { 'roll.py': ROLL } })
  const env = await callerEnvironment(place.kubeconfig)
  const { report: planned } = await place.srecodex('run roll.py')
  const { report } = await place.srecodex(`apply ${planned.run} --yes`)
  expect(report).toMatchObject({ status: 'failed', calls: { total: 20 }, items: { ok: 8, failed: 1 } })
  await pageOf(place, planned.run, env)
  await pageOf(place, report.run, env)
  const path = place.runFile(report.run, 'report.html')
  if (PICTURES !== undefined) cpSync(path, join(PICTURES, 'twenty.html'))
  return { path, planned: planned.run }
}

describe('twenty calls', () => {
  test('filters, zoom, keys, search', { timeout: 600_000 }, async () => {
    const { path, planned } = await rolled()
    const page = await open(path)
    expect(await said(page)).toBe('20 of 20 calls')
    const grid = page.getByRole('grid')
    const rows = page.locator('.body .row')
    const clear = (): Promise<void> => page.getByRole('button', { name: 'Clear filters' }).click()

    await page.getByLabel('Effect', { exact: true }).selectOption('change')
    expect(await said(page)).toBe('8 of 20 calls')
    await clear()
    await page.getByLabel('Ended', { exact: true }).selectOption('failed')
    expect(await said(page)).toBe('2 of 20 calls')
    expect(await rows.first().textContent()).toContain('onerror=owned("argv")')
    await clear()
    await page.getByLabel('Item', { exact: true }).fill('web-2')
    expect(await said(page)).toBe('3 of 20 calls')
    await clear()
    await page.getByLabel('Tool', { exact: true }).selectOption('kubectl')
    expect(await said(page)).toBe('20 of 20 calls')
    await page.getByLabel('Wave', { exact: true }).selectOption('1')
    expect(await said(page)).toBe('2 of 20 calls')
    await clear()
    await page.keyboard.press('Escape')
    await page.locator('h1').click()
    await page.keyboard.press('/')
    await page.keyboard.type('shop/deployment/web-4')
    expect(await said(page)).toBe('2 of 20 calls')
    await clear()

    // From a failure to its rows, under their item.
    await page.locator('#failures').getByRole('button', { name: 'Show the calls' }).first().click()
    expect(await said(page)).toBe('3 of 20 calls, of 1 chosen item')
    expect(await rows.first().textContent()).toContain('web-7')
    await clear()
    // Each attempt by how it ended: what got well had one that did not.
    const bars = async (item: string): Promise<(string | null)[]> => {
      await page.getByLabel('Item', { exact: true }).fill(item)
      const all = await page.locator('.row.of-item .bar').all()
      return Promise.all(all.map(bar => bar.getAttribute('class')))
    }
    expect(await bars('web-1')).toEqual(['bar item'])
    expect(await bars('web-2')).toEqual(['bar item bad', 'bar item'])
    expect(await bars('web-7')).toEqual(['bar item bad', 'bar item bad'])
    await grid.press('Home')
    expect(await page.getByRole('region', { name: 'selected row' }).textContent()).toMatch(
      /attempt 1\d.*: failedattempt 2\d.*: failed/,
    )
    await clear()
    await page.getByRole('checkbox').uncheck()

    // By keys alone: into the table, down, in full, zoomed around it, out of it again.
    await page.getByLabel('Text', { exact: true }).focus()
    for (let tab = 0; tab < 20; tab += 1) {
      await page.keyboard.press('Tab')
      if (await page.evaluate(`document.activeElement.getAttribute('role') === 'grid'`)) break
    }
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid')
    await page.keyboard.press('End')
    expect(await grid.getAttribute('aria-activedescendant')).toBe('row-19')
    expect(await page.locator('#row-19').getAttribute('aria-selected')).toBe('true')
    const details = page.getByRole('region', { name: 'selected row' })
    expect(await details.textContent()).toContain('kubectl')
    await page.keyboard.press('Home')
    expect(await grid.getAttribute('aria-activedescendant')).toBe('row-0')
    await page.keyboard.press('+')
    expect(await said(page)).toMatch(/ of 20 calls, from 0\.\d\d s to \d+\.\d\d s$/)
    await page.keyboard.press('ArrowRight')
    expect(await said(page)).not.toMatch(/from 0\.00 s/)
    await page.keyboard.press('0')
    expect(await said(page)).toBe('20 of 20 calls')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Escape')
    expect(await details.isVisible()).toBe(false)

    // By wheel and by drag over the picture.
    const box = (await page.locator('canvas').boundingBox())!
    await page.mouse.move(box.x + box.width / 2, box.y + 20)
    await page.mouse.wheel(0, -300)
    expect(await said(page)).toMatch(/from \d+\.\d\d s to/)
    await page.locator('canvas').dblclick()
    expect(await said(page)).toBe('20 of 20 calls')
    await page.mouse.move(box.x, box.y + 20)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.4, box.y + 20, { steps: 5 })
    await page.mouse.up()
    const some = Number((await said(page))!.split(' ')[0])
    expect(some).toBeGreaterThan(0)
    expect(some).toBeLessThan(20)
    await page.getByRole('button', { name: 'Whole run' }).click()

    await page.getByLabel('Search', { exact: true }).fill('Restarted web-3')
    expect(await page.locator('#output .said').textContent()).toBe('1 line with Restarted web-3')
    expect(await page.locator('#output mark').textContent()).toBe('restarted web-3')
    expect(await page.locator('#plan summary').allTextContents()).toEqual([
      expect.stringContaining('Not done: 1'),
      expect.stringContaining('Done: 8'),
    ])
    expect(await page.locator('#calls').textContent()).toMatch(/Waited [\d.]+ m?s for the approval by/)
    expect(await page.locator('#calls').textContent()).toContain(
      'Tried more than once: 2 items (web-2, web-7)',
    )
    await page.getByRole('link', { name: planned }).click()
    await page.waitForURL(new RegExp(planned))
    expect(await page.locator('.status').textContent()).toContain('planned')
    expect(await ownedBy(page)).toEqual([])
    expect(seen.get(page)!.faults).toEqual([])
  })

  test('a plan that waits says until when, also once that is over', { timeout: 600_000 }, async () => {
    const deployments = Array.from({ length: 9 }, (_, at) => `shop/web-${at}`)
    const place = await cluster({ deployments, files: { 'roll.py': ROLL } })
    const { report } = await place.srecodex('run roll.py')
    await pageOf(place, report.run, await callerEnvironment(place.kubeconfig))
    const page = await open(place.runFile(report.run, 'report.html'))
    const about = page.locator('#plan p').first()
    expect(await about.textContent()).toMatch(
      /^9 changes planned by this run\. It waits for approval until \d{4}-\d\d-\d\d /,
    )
    await page.clock.setFixedTime(Date.now() + 365 * 86_400_000)
    await page.reload()
    expect(await about.textContent()).toMatch(/ It expired \d{4}-.*: run the script again\.$/)
  })

  test(
    'no serious fault of accessibility, light and dark, wide and narrow',
    { timeout: 600_000 },
    async () => {
      const { path } = await rolled()
      for (const colorScheme of SCHEMES) {
        for (const width of SIZES) {
          const page = await open(path, { colorScheme, viewport: { width, height: 900 }, bypassCSP: true })
          await picture(page, `twenty-${colorScheme}-${width}`)
          await page.getByRole('grid').press('End')
          await page.getByRole('checkbox').check()
          await page.getByRole('grid').press('ArrowDown')
          expect({ colorScheme, width, faults: await accessibilityFaults(page) }).toEqual({
            ...{ colorScheme, width },
            faults: [],
          })
          // Nothing is pushed out of the window.
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
          await picture(page, `twenty-${colorScheme}-${width}-items`)
        }
      }
      const [light, dark] = await Promise.all(
        SCHEMES.map(async colorScheme =>
          (await open(path, { colorScheme })).evaluate('getComputedStyle(document.body).backgroundColor'),
        ),
      )
      expect([light, dark]).toEqual(['rgb(255, 255, 255)', 'rgb(20, 23, 28)'])
    },
  )
})

describe('ten thousand calls', () => {
  const MAX_BYTES = 2 * 1024 * 1024

  test('small, there at once, and as easy to walk through', { timeout: 600_000 }, async () => {
    const place = project()
    const run = await bigRun(place, 10_000)
    await pageOf(place, run)
    const path = join(place.srecodexHome, 'state', 'runs', run, 'report.html')
    expect(statSync(path).size).toBeLessThan(MAX_BYTES)
    const renders: number[] = []
    for (const colorScheme of SCHEMES) {
      for (const width of SIZES) {
        const page = await open(path, { colorScheme, viewport: { width, height: 900 }, bypassCSP: true })
        expect(await said(page)).toBe('10,000 of 10,000 calls')
        // The page's script runs before this event, so all is there by then.
        renders.push(
          await page.evaluate<number>(
            `performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd`,
          ),
        )
        expect(await page.locator('.body .row').count()).toBeLessThan(100)
        expect(await accessibilityFaults(page)).toEqual([])
        await picture(page, `ten-thousand-${colorScheme}-${width}`)
      }
    }
    console.info(
      `10,000 calls: ${statSync(path).size} bytes, there after ${renders.map(Math.round).join(', ')} ms`,
    )

    const page = await open(path)
    const grid = page.getByRole('grid')
    await grid.press('End')
    expect(await grid.getAttribute('aria-activedescendant')).toBe('row-9999')
    expect(await page.locator('#row-9999').isVisible()).toBe(true)
    await page.getByLabel('Text', { exact: true }).fill('web-1942')
    expect(await said(page)).toBe('5 of 10,000 calls')
    await page.getByLabel('Text', { exact: true }).fill('')
    await page.getByLabel('Ended', { exact: true }).selectOption('failed')
    expect(await said(page)).toBe('21 of 10,000 calls')
    await page.getByRole('button', { name: 'Clear filters' }).click()
    for (let time = 0; time < 6; time += 1) await grid.press('+')
    const seconds = /from ([\d.]+) s to ([\d.]+) s/.exec((await said(page))!)!
    expect(Number(seconds[2]) - Number(seconds[1])).toBeLessThan(4)
    await grid.press('0')
    await page.getByLabel('Search', { exact: true }).fill('line 8999 ')
    expect(await page.locator('#output mark').count()).toBe(1)
  })

  test('on paper: the first calls, how many there are, nothing to click', { timeout: 600_000 }, async () => {
    const place = project()
    const run = await bigRun(place, 10_000)
    await pageOf(place, run)
    const page = await open(join(place.srecodexHome, 'state', 'runs', run, 'report.html'), {
      colorScheme: 'dark',
    })
    await page.waitForSelector('#printed', { state: 'attached' })
    expect(await page.locator('#printed').isVisible()).toBe(false)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.locator('#printed tbody tr').count()).toBe(200)
    expect(await page.locator('#printed p').textContent()).toBe('The first 200 of 10,000 calls.')
    expect(await page.getByRole('grid').isVisible()).toBe(false)
    expect(await page.locator('button:visible, input:visible').count()).toBe(0)
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
    const pdf = await page.pdf(PICTURES === undefined ? {} : { path: join(PICTURES, 'ten-thousand.pdf') })
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    const pages = pdf.toString('latin1').match(/\/Type \/Page\b(?!s)/g) ?? []
    expect(pages.length).toBeGreaterThan(3)
    expect(pages.length).toBeLessThan(20)
  })
})
