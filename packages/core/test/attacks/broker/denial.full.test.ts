/** Input of a size that takes its time. */

import { expect, test } from 'vitest'
import { attempt, changed, makeArena } from './arena.ts'

test(
  'a device, and a file that only seems large, in the place of a manifest',
  { timeout: 180_000 },
  async () => {
    const arena = await makeArena()
    await arena.run(
      `import os\nos.symlink('/dev/zero', 'to-zero')\nopen('sparse', 'w').truncate(1 << 30)\nopen('small', 'w').write('x')\n`,
      { name: 'make.py' },
    )
    const argv = (file: string): string[] =>
      ['kubectl', 'create', 'cm', 'x', '-n', 'shop', `--from-file=${file}`, '--dry-run=client'].flat()
    const { tried } = await attempt(
      arena,
      ['to-zero', 'sparse', 'small'].map(id => ({ id, argv: argv(id) })),
    )
    for (const id of ['to-zero', 'sparse']) {
      expect(tried[id]).toMatchObject({ code: 126, stderr: expect.stringContaining('TOO_LARGE') })
    }
    expect(tried['small']).toMatchObject({ code: 0 })
    expect(changed(arena.kubernetes)).toEqual([])
  },
)
