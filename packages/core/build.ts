/** Beside what `tsc` emits: the files that are not TypeScript, unchanged. */

import { cpSync } from 'node:fs'

cpSync('src/guest', 'dist/guest', {
  recursive: true,
  // Python leaves byte code beside modules that are run from here.
  filter: path => !path.includes('__pycache__') && (!path.endsWith('.ts') || path.endsWith('.d.ts')),
})
for (const path of ['sandbox/supervisor.pl', 'tools/programs/launcher.pl'])
  cpSync(`src/${path}`, `dist/${path}`)
