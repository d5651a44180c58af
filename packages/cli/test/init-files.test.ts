/** How `init` writes the files of a project: all or none, nothing through a link, and each with its mode. */

import { project, type Project } from '@srecodex/testkit'
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, statSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { writeAll, type FileChange } from '../src/init/files.ts'
import { fileError, replaceFile } from '../src/write-file.ts'
import { snapshot } from './init-project.ts'

function change(at: Project, file: string, before: string | null, after: string | null): FileChange {
  return { path: at.path(file), file, before, after }
}

test.for(['.codex', '.codex/config.toml'])(
  'attack: a link is put in the place of %s between the question and the answer',
  link => {
    const at = project({ files: { '.codex/config.toml': 'a\n', 'AGENTS.md': 'b\n' } })
    const changes = [
      change(at, 'AGENTS.md', 'b\n', 'B\n'),
      change(at, '.codex/config.toml', 'a\n', null),
      change(at, '.codex/sub/new.toml', null, 'c\n'),
    ]
    mkdirSync(at.path('../elsewhere'))
    renameSync(at.path(link), at.path('../elsewhere/x'))
    symlinkSync(at.path('../elsewhere/x'), at.path(link))
    const before = snapshot(at.path('..'))
    const file = '`.codex/config.toml` has changed since it was read'
    expect(() => writeAll(changes)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: file }),
    )
    expect(snapshot(at.path('..'))).toEqual(before)
  },
)

test('without the link all of it is written', () => {
  const at = project({ files: { '.codex/config.toml': 'a\n', 'AGENTS.md': 'b\n' } })
  writeAll([
    change(at, 'AGENTS.md', 'b\n', 'B\n'),
    change(at, '.codex/config.toml', 'a\n', null),
    change(at, '.codex/sub/new.toml', null, 'c\n'),
  ])
  expect(snapshot(at.workspace)).toEqual({
    ...{ 'AGENTS.md': 'B\n', '.codex/': '' },
    ...{ '.codex/sub/': '', '.codex/sub/new.toml': 'c\n' },
  })
})

test('a mode stays, whatever the umask says', () => {
  const at = project({ files: { open: 'a\n', private: 'a\n' } })
  chmodSync(at.path('open'), 0o666)
  chmodSync(at.path('private'), 0o600)
  const umask = process.umask(0o027)
  onTestFinished(() => void process.umask(umask))
  const files = ['open', 'private', 'new']
  writeAll(files.map(file => change(at, file, file === 'new' ? null : 'a\n', 'b\n')))
  expect(files.map(file => statSync(at.path(file)).mode & 0o777)).toEqual([0o666, 0o600, 0o640])
})

test('a file is replaced whole: a link at its place goes, and nothing is left beside it', () => {
  const at = project({ files: { target: 'kept\n' } })
  symlinkSync('target', at.path('page'))
  replaceFile(at.path('page'), 'new\n')
  expect(snapshot(at.workspace)).toEqual({ page: 'new\n', target: 'kept\n' })
  expect(lstatSync(at.path('page')).isFile()).toBe(true)
  mkdirSync(at.path('folder'))
  expect(() => replaceFile(at.path('folder'), 'new\n')).toThrow('EISDIR')
  expect(readdirSync(dirname(at.path('page'))).sort()).toEqual(['folder', 'page', 'target'])
})

test('what the system refuses is told with its file, its reason and what to do; a fault stays one', () => {
  const at = { path: '/srv/app/.mcp.json', file: '.mcp.json' }
  const refusal = (code: string, reason: string): Error =>
    Object.assign(new Error(`${code}: ${reason}, open '/srv/app/.mcp.json'`), { code })
  const told = (error: unknown): unknown => {
    const { code, message, hint, details } = error as Record<string, unknown>
    return { code, message, hint, details }
  }
  expect(told(fileError(at, 'write', refusal('EROFS', 'read-only file system')))).toEqual({
    code: 'STATE_UNWRITABLE',
    message: 'cannot write `.mcp.json`: read-only file system',
    hint: 'see that you may write it, then run this again',
    details: { path: '/srv/app/.mcp.json' },
  })
  for (const code of ['ENOSPC', 'EDQUOT']) {
    expect(told(fileError(null, 'write', refusal(code, 'no room')))).toEqual({
      code: 'DISK_FULL',
      message: 'cannot write a file: no room',
      hint: 'make room on its disk, then run this again',
      details: { path: null },
    })
  }
  for (const fault of [refusal('ERR_INVALID_ARG_TYPE', 'x'), new TypeError('x'), 'x', null])
    expect(fileError(at, 'read', fault)).toBe(fault)
})
