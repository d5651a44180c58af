/** Beside what `tsc` emits: the files that are not TypeScript, unchanged. */

import { cpSync } from 'node:fs'

cpSync('src/guest', 'dist/guest', {
  recursive: true,
  filter: path => !path.endsWith('.ts') || path.endsWith('.d.ts'),
})
cpSync('src/sandbox/supervisor.pl', 'dist/sandbox/supervisor.pl')
