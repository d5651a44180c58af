import { symlinkSync, writeFileSync, chmodSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { programForm } from '../../../src/tools/programs/elf.ts'
import { findProgram, type FoundProgram } from '../../../src/tools/programs/find.ts'
import { createBench, type Bench } from './bench.ts'
import { staticProgram } from './static-program.ts'

let bench: Bench
beforeEach(() => {
  bench = createBench()
})
afterEach(() => bench.clear())

const SH = '#!/bin/sh\n'
const find = (name: string): FoundProgram | null =>
  findProgram(name, {
    environment: { PATH: `${bench.bin}:/usr/bin:/bin`, HOME: bench.home },
    workspace: bench.workspace,
    home: bench.home,
  })
const place = (path: string): string => bench.write(path, SH, 0o755)

it('looks through a shim of asdf, by the version that the operator chose', () => {
  const one = place('home/.asdf/installs/lister/1.0/bin/lister')
  const two = place('home/.asdf/installs/lister/2.0/bin/lister')
  bench.tool(
    'lister',
    '#!/usr/bin/env bash\n# asdf-plugin: lister 1.0\n# asdf-plugin: lister 2.0\nexec /opt/asdf/bin/asdf exec "lister" "$@"\n',
  )
  expect(find('lister')?.program).toBe(one)
  bench.write('home/.tool-versions', 'nodejs 20.1.0\nlister 2.0 1.0.1\n')
  bench.write('workspace/.tool-versions', 'lister 1.0\n')
  expect(find('lister')?.program).toBe(two)
})

it('looks through a shim of mise', () => {
  const program = place('home/.local/share/mise/installs/lister/latest/bin/lister')
  symlinkSync(place('home/.local/bin/mise'), join(bench.bin, 'lister'))
  expect(find('lister')?.program).toBe(program)
})

it('goes on along PATH where a shim starts nothing', () => {
  const root = join(bench.root, 'pyenv')
  const shim = `#!/usr/bin/env bash\nexport PYENV_ROOT="${root}"\nexec "${root}/libexec/pyenv" exec "$program" "$@"\n`
  bench.write('pyenv/version', 'system\n')
  bench.tool('cat', shim)
  expect(find('cat')?.program).toMatch(/^\/usr\/bin\/(cat|coreutils|busybox)$/)
})

it('takes a file that brings all it needs alone, and another with its folder', () => {
  const alone = join(bench.root, 'opt/one/bin/alone')
  bench.write('opt/one/bin/alone', '', 0o755)
  writeFileSync(alone, staticProgram())
  chmodSync(alone, 0o755)
  symlinkSync(alone, join(bench.bin, 'alone'))
  expect(find('alone')).toEqual({
    name: 'alone',
    program: alone,
    standalone: true,
    readable: [alone],
    folders: [],
  })
  const other = place('opt/two/bin/other')
  symlinkSync(other, join(bench.bin, 'other'))
  expect(find('other')).toMatchObject({
    standalone: false,
    readable: [bench.bin, join(bench.root, 'opt/two')],
  })
})

it('takes a program in HOME or beside the workspace without what lies around it', () => {
  const own = place('home/bin/own')
  const beside = place('bin-of/tool')
  expect(find(own)?.readable).toEqual([join(bench.home, 'bin')])
  expect(find(beside)?.readable).toEqual([join(bench.root, 'bin-of')])
  const above = place('above')
  // the folder holds the workspace and HOME
  expect(find(above)?.readable).toEqual([above])
})

it('tells how a file starts', () => {
  expect(programForm('/usr/bin/perl')).toEqual({ kind: 'dynamic' })
  expect(programForm(bench.tool('script', '#!/usr/bin/env  python3 -I\n'))).toEqual({
    kind: 'script',
    interpreter: ['/usr/bin/env', 'python3', '-I'],
  })
  expect(programForm(bench.write('text', 'no program'))).toBeNull()
  expect(programForm(bench.write('empty', ''))).toBeNull()
  expect(programForm(join(bench.root, 'absent'))).toBeNull()
})
