/**
 * The site. Its base path is given to the build (`--base /srecodex/`); nothing in the pages depends on it.
 *
 * A link that leads nowhere fails the build.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type UserConfig } from 'vitepress'
import llms from 'vitepress-plugin-llms'
import { PAGES } from '../generate/repository.ts'
import { accessible } from './accessible.ts'
import { typedLines } from './markdown/typed-lines.ts'
import { diagrams } from './markdown/diagrams.ts'
import { fileNames } from './markdown/file-names.ts'
import { guideLinks } from './markdown/guide-links.ts'
import { sidebar } from './sidebar.ts'

const DESCRIPTION =
  'Agents write one script; srecodex runs it in a sandbox, asks once, and returns a short summary.'

/**
 * A guide is a link to the file that ships with the skills, and keeps its place among the pages. For packages links are
 * followed all the same: they are laid out by links.
 */
const linkedPlugins = [
  {
    name: 'srecodex:linked-pages',
    enforce: 'pre' as const,
    resolveId: (id: string) => (id.startsWith(`${PAGES}/`) && id.endsWith('.md') ? id : null),
  },
  {
    name: 'srecodex:linked-packages',
    enforce: 'post' as const,
    config: () => ({ resolve: { preserveSymlinks: false } }),
  },
]

type Plugins = NonNullable<NonNullable<UserConfig['vite']>['plugins']>

/** llms.txt, and each page as Markdown beside its HTML. Its types are those of another Vite. */
const pagesForModels = llms({
  description: DESCRIPTION,
  stripHTML: false,
  // It would be HTML in a page, where placeholders such as <name> are text.
  injectLLMHint: false,
  ignoreFiles: ['parts/**'],
}) as unknown as Plugins

const slugify = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

/** Lists for models lie at the root of the site, wherever that is: their links begin there. */
function makeRelative(folder: string): void {
  for (const name of ['llms.txt', 'llms-full.txt']) {
    const file = join(folder, name)
    const text = readFileSync(file, 'utf8')
    writeFileSync(
      file,
      text.replaceAll(/\]\(\/(?=[^)]*\.md)/g, '](./').replaceAll(/^url: (['"]?)\//gm, 'url: $1./'),
    )
  }
}

export default defineConfig({
  lang: 'en',
  title: 'srecodex',
  description: DESCRIPTION,
  srcDir: 'pages',
  srcExclude: ['parts/**'],
  outDir: 'dist',
  metaChunk: true,
  buildEnd: ({ outDir }) => makeRelative(outDir),
  transformHead: ({ siteData }) => [
    ['link', { rel: 'icon', type: 'image/svg+xml', href: `${siteData.base}mark.svg` }],
    ['meta', { name: 'color-scheme', content: 'light dark' }],
  ],
  markdown: {
    // Placeholders such as <name> are text, not elements.
    html: false,
    // As GitHub makes them: the guides are read there as well.
    anchor: { slugify },
    codeTransformers: [typedLines],
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: md => {
      guideLinks(md)
      diagrams(md)
      fileNames(md)
    },
  },
  vite: {
    plugins: [accessible, ...linkedPlugins, pagesForModels],
    // Read by VitePress alone: see `linkedPlugins`.
    resolve: { preserveSymlinks: true },
    build: { chunkSizeWarningLimit: 2000 },
  },
  themeConfig: {
    logo: { src: '/mark.svg', alt: '' },
    search: { provider: 'local', options: { detailedView: true } },
    outline: { level: [2, 3], label: 'On this page' },
    externalLinkIcon: true,
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Concepts', link: '/concepts/script-first', activeMatch: '/concepts/' },
      { text: 'Guides', link: '/guides/jobs', activeMatch: '/(guides|clients)/' },
      { text: 'Skills', link: '/skills/', activeMatch: '/skills/' },
      { text: 'Reference', link: '/reference/cli', activeMatch: '/reference/' },
      { text: 'Security', link: '/security' },
    ],
    sidebar: sidebar(),
    docFooter: { prev: 'Before', next: 'Next' },
    footer: { message: 'MIT licence' },
  },
})
