/**
 * The CLI as one code-split bundle: it starts in half the time of separate modules. Type checking is `tsc`'s.
 *
 * What is bundled is other people's work too: their licences go with it.
 */

import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { rolldown, type OutputChunk } from 'rolldown'

rmSync('dist', { recursive: true, force: true })
const bundle = await rolldown({
  input: { bin: 'src/bin.ts' },
  platform: 'node',
  checks: { eval: false }, // gray-matter's, which the one wrapper around it never reaches
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
})
const { output } = await bundle.write({
  dir: 'dist',
  format: 'esm',
  chunkFileNames: '[name]-[hash].js',
  plugins: [
    { name: 'builtin-modules', renderChunk: (code, chunk) => (chunk.isEntry ? null : withBuiltins(code)) },
  ],
})
await bundle.close()
chmodSync('dist/bin.js', 0o755) // a link to it on PATH is a command
cpSync('../core/dist/guest', 'dist/guest', {
  recursive: true,
  filter: path => !/folder\.(js|d\.ts)$|__pycache__/.test(path),
})
for (const path of ['sandbox/supervisor.pl', 'tools/programs/launcher.pl'])
  cpSync(`../core/dist/${path}`, `dist/${basename(path)}`)

/** The page of `runs report`: what runs in a browser goes into the page as text, by its digest. */
const page = await rolldown({ input: 'src/report/page/main.ts', platform: 'browser' })
await page.write({ file: 'dist/report-page.js', format: 'iife', minify: true })
await page.close()
cpSync('src/report/page.css', 'dist/report-page.css')

const modules = output
  .filter((one): one is OutputChunk => one.type === 'chunk')
  .flatMap(chunk => chunk.moduleIds)
const packages = new Map(
  modules.filter(id => id.includes('/node_modules/')).map(id => [packageFolder(id), id]),
)
const notices = [...packages.keys()].sort().map(folder => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? `Licence: ${license}` : readFileSync(join(folder, file), 'utf8').trim()
  return `${name} ${version}\n${'-'.repeat(72)}\n${text}\n`
})
writeFileSync(
  'dist/THIRD-PARTY-NOTICES.txt',
  `srecodex contains the following packages.\n\n${notices.join('\n\n')}`,
)

/**
 * A named import of a module of Node's runs every getter of that module (10 ms for all that are used here); the
 * module itself, asked for, runs none. The entry stays as it is: it must start on any Node, to say which it needs.
 */
function withBuiltins(code: string): string {
  const named = /^import \{([^}]*)\} from "(node:[a-z_/]+)";$/gm
  return code.replaceAll(named, (_whole, names: string, name: string) => {
    const bound = names.replaceAll(/ as /g, ': ')
    return `const {${bound}} = globalThis.process.getBuiltinModule("${name}");`
  })
}

/** The folder of the package that a bundled module belongs to. */
function packageFolder(id: string): string {
  let folder = dirname(id.replace(/^\0/, '').replace(/\?.*$/, ''))
  while (!existsSync(join(folder, 'package.json')) || !isNamed(folder)) folder = dirname(folder)
  return folder
}

/** A package.json inside a package may only say `type`. */
function isNamed(folder: string): boolean {
  return 'version' in JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
