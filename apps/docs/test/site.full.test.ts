/** The site as it is built and as a person meets it: links, search, copy buttons, both schemes, narrow and wide. */

import {
  accessibilityFaults,
  startBrowser,
  type Browser,
  type BrowserContext,
  type Page,
} from '@srecodex/testkit'
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { linkedPages } from '../.vitepress/markdown/guide-links.ts'
import { generatedPages } from '../generate/pages.ts'
import { PAGES } from '../generate/repository.ts'
import { writtenPages } from './page.ts'
import { BASE, buildSite, serve, type ServedSite } from './served.ts'

let site: ServedSite
let browser: Browser

beforeAll(async () => {
  const [built, started] = await Promise.all([buildSite(), startBrowser()])
  site = await serve(built)
  browser = started
  console.log(`the site was built in ${(site.buildMs / 1000).toFixed(1)} s`)
}, 900_000)

afterAll(async () => {
  await browser?.close()
  site?.close()
})

describe('as files', () => {
  test('every page is there', async () => {
    const linked = [...linkedPages().values()].map(path => relative(PAGES, path))
    const made = [...(await generatedPages()).keys()].filter(file => !file.startsWith('parts/'))
    const all = [...writtenPages(), ...made, ...linked].map(file => file.replace(/\.md$/, '.html'))
    expect(site.pages.filter(file => file !== '404.html')).toEqual(all.sort())
  })

  test('every link leads somewhere, and so does its anchor', () => {
    const ids = new Map(
      site.pages.map(file => [
        file,
        new Set([...site.read(file).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id!)),
      ]),
    )
    const dead: string[] = []
    let seen = 0
    for (const file of site.pages.filter(name => name !== '404.html')) {
      for (const [, raw = ''] of site
        .read(file)
        .matchAll(/<(?:a|link|script|img)\b[^>]*?\s(?:href|src)="([^"]*)"/g)) {
        const href = raw.replaceAll('&amp;', '&')
        if (/^(https?:|data:|mailto:)/.test(href)) continue
        seen += 1
        const target = targetOf(file, href)
        const anchor = decodeURIComponent(href.split('#')[1] ?? '')
        if (target === null || !existsSync(join(site.folder, target))) dead.push(`${file}: ${href}`)
        else if (anchor !== '' && ids.get(target)?.has(anchor) !== true)
          dead.push(`${file}: ${href} (anchor)`)
      }
    }
    expect(dead).toEqual([])
    expect(seen).toBeGreaterThan(1000)
  })

  test('diagrams are drawn, and nothing is left to draw', () => {
    expect(site.read('concepts/plan-and-apply.html')).toMatch(/<figure class="diagram"[^>]*><svg/)
    const odd = /language-mermaid|fonts\.googleapis/
    expect(site.pages.filter(file => odd.test(site.read(file)))).toEqual([])
  })

  test('llms.txt lists the pages, and each is there as Markdown', () => {
    const list = site.read('llms.txt')
    const links = [...list.matchAll(/\]\(([^)]+\.md)\)/g)].map(([, href]) => href!)
    expect(links.length).toBeGreaterThan(30)
    expect(links.filter(link => !link.startsWith('./') || !existsSync(join(site.folder, link)))).toEqual([])
    expect(site.read('llms-full.txt')).toContain('k8s/bulk-restart')
  })
})

const PLACES = [
  '',
  'start.html',
  'guides/jobs.html',
  'skills/',
  'skills/k8s/bulk-restart.html',
  'reference/cli.html',
  'security.html',
]
const WIDTHS = [390, 1440] as const

describe.each(['light', 'dark'] as const)('%s', colorScheme => {
  describe.each(WIDTHS)('%i px', width => {
    let context: BrowserContext
    let page: Page
    const heard: string[] = []

    beforeAll(async () => {
      context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true })
      page = await context.newPage()
      page.on('console', message => {
        if (['error', 'warning'].includes(message.type())) heard.push(message.text())
      })
      page.on('pageerror', error => heard.push(error.message))
      page.on('request', request => {
        const { origin, protocol } = new URL(request.url())
        if (origin !== site.origin && protocol !== 'data:') heard.push(`asked ${origin}`)
      })
    })
    afterAll(() => context?.close())

    test.each(PLACES)('/%s: no serious fault for axe, nothing to scroll sideways', async place => {
      await page.goto(`${site.origin}${BASE}${place}`)
      await page.waitForFunction(() => document.fonts.status === 'loaded')
      expect(await page.evaluate(() => document.documentElement.classList.contains('dark'))).toBe(
        colorScheme === 'dark',
      )
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0)
      expect(await accessibilityFaults(page)).toEqual([])
    })

    test('search finds by what a person would say, and leads there', async () => {
      await page.goto(`${site.origin}${BASE}start.html`)
      await page.locator('.DocSearch-Button, .VPNavBarSearch button').first().click()
      await page.locator('.VPLocalSearchBox input').fill('pods keep dying')
      const first = page.locator('.VPLocalSearchBox .result').first()
      await first.waitFor()
      await expect.poll(() => first.innerText()).toContain('CrashLoop Triage')
      expect(await accessibilityFaults(page)).toEqual([])
      await page.keyboard.press('Enter')
      await page.waitForURL(/\/skills\/k8s\/crashloop-triage/)
      await expect.poll(() => page.locator('h1').innerText()).toContain('CrashLoop Triage')
    })

    test('nothing was missing, and nothing was asked of anybody else', () => {
      expect(heard).toEqual([])
      expect(site.missing).toEqual([])
    })
  })
})

describe('copy buttons', () => {
  let context: BrowserContext
  let page: Page

  beforeAll(async () => {
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: site.origin })
    page = await context.newPage()
    await page.goto(`${site.origin}${BASE}start.html`)
  })
  afterAll(() => context?.close())

  const copied = async (block: string): Promise<string> => {
    const place = page.locator(block).first()
    await place.hover()
    await place.locator('button.copy').click()
    return page.evaluate(() => navigator.clipboard.readText())
  }

  test('of a console copies what is typed', async () => {
    expect(await copied('.language-console')).toBe('npm install --global srecodex\nsrecodex doctor --fix')
  })

  test('of a script copies the script', async () => {
    const text = await copied('.language-python')
    expect(text).toContain('from srecodex import artifact, summary\n')
    expect(text).toContain("print(f\"{host['name']} {host['used']:.0%}\")")
  })
})

/** A file below the folder; null: it leads out of the site. */
function targetOf(file: string, href: string): string | null {
  const [path = ''] = href.split(/[#?]/)
  if (path === '') return file
  if (path.startsWith('/') && !path.startsWith(BASE)) return null
  const target = path.startsWith('/') ? path.slice(BASE.length) : join(dirname(file), path)
  return target === '' || target.endsWith('/') ? `${target}index.html` : target
}
