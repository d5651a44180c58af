/** The built site, at a path that is not the root, as any host of files would serve it. */

import { execa } from 'execa'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, relative } from 'node:path'
import { DOCS } from '../generate/repository.ts'

export const BASE = '/some/where/'

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

export interface Site {
  readonly folder: string
  readonly buildMs: number
  /** Paths of its HTML files below the folder. */
  readonly pages: readonly string[]
  readonly read: (file: string) => string
  readonly close: () => void
}

export interface ServedSite extends Site {
  readonly origin: string
  /** What was asked for and is not there. */
  readonly missing: string[]
}

export async function buildSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-site-'))
  const start = performance.now()
  const vitepress = join(DOCS, 'node_modules/vitepress/bin/vitepress.js')
  await execa(process.execPath, [join(DOCS, 'generate/main.ts')])
  await execa(process.execPath, [vitepress, 'build', '--base', BASE, '--outDir', folder], { cwd: DOCS })
  const buildMs = performance.now() - start
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const paths = files.map(entry => relative(folder, join(entry.parentPath, entry.name)))
  return {
    folder,
    buildMs,
    pages: paths.filter(path => path.endsWith('.html')).sort(),
    read: file => readFileSync(join(folder, file), 'utf8'),
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export async function serve(site: Site): Promise<ServedSite> {
  const missing: string[] = []
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    const path = join(site.folder, pathname.slice(BASE.length), pathname.endsWith('/') ? 'index.html' : '')
    if (!pathname.startsWith(BASE) || !existsSync(path) || statSync(path).isDirectory()) {
      missing.push(pathname)
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain' }).end(readFileSync(path))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ...site,
    origin: `http://127.0.0.1:${port}`,
    missing,
    close: () => {
      server.closeAllConnections()
      server.close()
      site.close()
    },
  }
}
