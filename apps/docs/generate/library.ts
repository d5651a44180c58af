/** The API for programs and for JavaScript scripts, from the declarations that editors read. */

import { join } from 'node:path'
import { readDeclarations, type Declared, type Tag } from './declarations.ts'
import { cell, code, fence, page, prose, table } from './markdown.ts'
import { CORE } from './repository.ts'

const SUMMARY: Readonly<Record<Declared['kind'], string>> = {
  function: 'Functions',
  class: 'Classes',
  value: 'Values',
  type: 'Types',
}

const library = () => readDeclarations(join(CORE, 'dist/index.d.ts'))
const scriptModule = () => readDeclarations(join(CORE, 'src/guest/javascript/index.d.ts'))

export function libraryPage(): string {
  const { exports, named } = library()
  return page(
    'Library',
    'What @srecodex/core exports: run scripts, read runs, load config, search skills from a program.',
    [
      'Everything that the command line does is `@srecodex/core` underneath. It needs Node 22.12 or later, has types of its own, and is ES modules only.',
      fence('js [audit.js]', EXAMPLE),
      'A script that fails is a report, not an error; what is thrown is a `SrecodexError` with a `code` and a `hint`.',
      ...grouped(exports),
      '## Types that these name',
      'Not exported by name; they are reached by what returns them.',
      ...named.flatMap(declared => entry(declared, '###')),
    ],
  )
}

const EXAMPLE = `import { runScript } from '@srecodex/core'

const report = await runScript({
  script: { text: 'print(sum(range(10)))', language: 'python' },
  workspace: process.cwd(),
})
console.log(report.status, report.summary)`

export function javascriptPage(): string {
  const { exports, named } = scriptModule()
  return page('JavaScript', 'What a JavaScript script imports from srecodex inside the sandbox.', [
    'Nothing is installed: the module is there in every sandbox, for `import` and for `require`, with types. Each function gives a promise.',
    fence(
      'js [disks.js]',
      `import { readFile, writeFile } from 'node:fs/promises'
import { artifact, progress, summary } from 'srecodex'

const hosts = JSON.parse(await readFile('hosts.json', 'utf8'))
const full = []
for (const [index, host] of hosts.entries()) {
  progress(index + 1, hosts.length, host.name)
  if (host.used > 0.9) full.push(host.name)
}
await writeFile(await artifact('full.json'), JSON.stringify(full))
await summary(\`\${full.length} of \${hosts.length} disks are more than 90% full: \${full.join(', ')}\`)`,
    ),
    ...grouped(exports),
    ...(named.length === 0 ? [] : ['## Types that these name', ...named.flatMap(one => entry(one, '###'))]),
  ])
}

function grouped(all: readonly Declared[]): string[] {
  return (Object.keys(SUMMARY) as Declared['kind'][]).flatMap(kind => {
    const ofKind = all.filter(declared => declared.kind === kind)
    return ofKind.length === 0 ? [] : [`## ${SUMMARY[kind]}`, ...ofKind.flatMap(one => entry(one, '###'))]
  })
}

function entry({ name, text, comment, tags }: Declared, heading: string): string[] {
  const shown = tags.filter(tag => tag.name !== 'default')
  return [
    `${heading} ${name}`,
    comment === '' ? '' : prose(comment),
    fence('ts', text),
    shown.length === 0 ? '' : table(['', ''], shown.map(tagRow)),
  ]
}

const tagRow = ({ name, of, text }: Tag): string[] => [
  of === '' ? name : code(of),
  cell(text.replace(/^- /, '')),
]
