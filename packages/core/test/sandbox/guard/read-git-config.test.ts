import { symlinkSync } from 'node:fs'

import { expect, test } from 'vitest'

import { findGit } from '../../../src/sandbox/guard/read-git-config.ts'
import { project } from './project.ts'

test('git of the host is found', () => {
  expect(findGit('/srv/none')).toBe('/usr/bin/git')
})

test('a git in the workspace is never asked, nor one that PATH reaches by a link or relatively', () => {
  const { workspace, path, write } = project()
  write('node_modules/.bin/git', '#!/bin/sh\n', 0o755)
  symlinkSync(path('node_modules/.bin'), path('../bin'))
  const searchPath = [path('node_modules/.bin'), path('../bin'), 'node_modules/.bin', '.'].join(':')
  expect(findGit(workspace, searchPath, [])).toBeNull()
  // The same file is taken where it is nobody's workspace.
  expect(findGit('/srv/none', searchPath, [])).toBe(path('node_modules/.bin/git'))
})
