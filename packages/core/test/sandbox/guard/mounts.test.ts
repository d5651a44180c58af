import { mkdirSync, symlinkSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import type { FileType, GuardedEntry, GuardedKind } from '../../../src/sandbox/guard/entries.ts'
import { protectionMounts, type WorkspaceScan } from '../../../src/sandbox/guard/guard.ts'
import { project, UNTOUCHED } from './project.ts'

function entry(kind: GuardedKind, type: FileType, bytes: string, via: string | null = null): GuardedEntry {
  const identity = { ino: 1, size: 1, mode: 0o644, mtimeMs: 0, ctimeMs: 0 }
  const path = Buffer.from(bytes, 'latin1').toString('utf8')
  return { path, bytes, kind, type, identity, sha256: null, content: null, leadsTo: null, via }
}

function scanOf(...entries: GuardedEntry[]): WorkspaceScan {
  return {
    version: 1,
    workspace: '/w',
    startedAtMs: 0,
    entries,
    unread: [],
    unreadCount: 0,
    notes: [],
    bound: null,
  }
}

describe('binds', () => {
  test('nothing to guard, nothing to bind', () => {
    expect(protectionMounts(scanOf())).toEqual({ pin: [], readOnly: [], unprotected: [] })
  })

  test('a nested repository: ancestors and .git pinned, parents first; config and hooks read-only', () => {
    const scan = scanOf(
      entry('git-config', 'file', 'a/b/.git/config'),
      entry('git-hooks', 'folder', 'a/b/.git/hooks'),
      entry('git-hook', 'file', 'a/b/.git/hooks/pre-commit'),
      entry('git-folder', 'folder', 'a/b/.git'),
    )
    expect(protectionMounts(scan)).toEqual({
      pin: ['/w/a', '/w/a/b', '/w/a/b/.git'],
      readOnly: ['/w/a/b/.git/config', '/w/a/b/.git/hooks'],
      unprotected: [],
    })
  })

  test('the workspace as a bare repository: itself is no mount', () => {
    const scan = scanOf(entry('git-folder', 'folder', ''), entry('git-config', 'file', 'config'))
    expect(protectionMounts(scan)).toEqual({ pin: [], readOnly: ['/w/config'], unprotected: [] })
  })

  test('pointers of a worktree', () => {
    const scan = scanOf(
      entry('git-folder', 'folder', '.git'),
      entry('git-folder', 'folder', '.git/worktrees/t'),
      entry('git-pointer', 'file', '.git/worktrees/t/commondir'),
      entry('git-pointer', 'file', 't/.git'),
    )
    expect(protectionMounts(scan)).toEqual({
      pin: ['/w/.git', '/w/t', '/w/.git/worktrees', '/w/.git/worktrees/t'],
      readOnly: ['/w/t/.git', '/w/.git/worktrees/t/commondir'],
      unprotected: [],
    })
  })

  test('nothing is bound below what is read-only as a whole', () => {
    const scan = scanOf(
      entry('protected', 'folder', '.claude'),
      entry('protected-content', 'file', '.claude/settings.json'),
      entry('git-folder', 'folder', '.claude/x/.git'),
      entry('git-config', 'file', '.claude/x/.git/config'),
    )
    expect(protectionMounts(scan)).toEqual({ pin: [], readOnly: ['/w/.claude'], unprotected: [] })
  })

  test('a link is no mount target: its folders are pinned and what it leads to is bound', () => {
    const scan = scanOf(
      entry('git-folder', 'folder', '.git'),
      entry('git-hooks', 'link', '.git/hooks'),
      entry('git-hooks', 'folder', 'tools/hooks', '.git/hooks'),
      entry('protected', 'link', 'a/.envrc'),
      entry('link-target', 'file', 'b/envrc', 'a/.envrc'),
    )
    expect(protectionMounts(scan)).toEqual({
      pin: ['/w/.git', '/w/a', '/w/b', '/w/tools'],
      readOnly: ['/w/b/envrc', '/w/tools/hooks'],
      unprotected: [
        { path: '.git/hooks', reason: 'link' },
        { path: 'a/.envrc', reason: 'link' },
      ],
    })
  })

  test.each([
    ['dependencies', entry('protected', 'folder', 'node_modules/a/.vscode')],
    ['not-utf-8', entry('protected', 'file', '\xFF/.envrc')],
  ] as const)('%s: not bound, and said', (reason, odd) => {
    const { pin, readOnly, unprotected } = protectionMounts(scanOf(odd))
    expect([pin, readOnly, unprotected]).toEqual([[], [], [{ path: odd.path, reason }]])
  })

  test('a link to a folder with a repository: that must stay writable', () => {
    const scan = scanOf(
      entry('git-folder', 'folder', 'sub/.git'),
      entry('protected', 'link', '.vscode'),
      entry('protected', 'folder', 'sub', '.vscode'),
    )
    expect(protectionMounts(scan)).toEqual({
      pin: ['/w/sub', '/w/sub/.git'],
      readOnly: [],
      unprotected: [
        { path: '.vscode', reason: 'link' },
        { path: 'sub', reason: 'holds-repository' },
      ],
    })
  })

  test('the outermost come first when binds run out, and the rest is said', () => {
    const names = ['a', 'b', 'c', 'd'].map(name => entry('protected', 'file', `${name}/.envrc`))
    const scan = scanOf(...names, entry('protected', 'file', '.envrc'))
    expect(protectionMounts(scan, { maxBinds: 5 })).toEqual({
      pin: ['/w/a', '/w/b'],
      readOnly: ['/w/.envrc', '/w/a/.envrc', '/w/b/.envrc'],
      unprotected: [
        { path: 'c/.envrc', reason: 'too-many' },
        { path: 'd/.envrc', reason: 'too-many' },
      ],
    })
    expect(protectionMounts(scan, { maxBindBytes: 60 }).unprotected).toHaveLength(4)
  })
})

describe('in bubblewrap, what is there cannot be changed', () => {
  test.each([
    ['config', 'echo x >> .git/config'],
    ['config by rename', 'cp .git/config x && mv -f x .git/config'],
    ['config by git', 'git config core.fsmonitor x'],
    ['config removed', 'rm -f .git/config'],
    ['a hook', 'echo x > .git/hooks/pre-commit'],
    ['the hooks moved', 'mv .git/hooks .git/old'],
    ['the git folder moved', 'mv .git old'],
    ['the git folder exchanged by Perl', `perl -e 'rename ".git", "old" or exit 1'`],
    ['an ancestor moved', 'mv a old'],
    ['a nested config', 'echo x >> a/b/.git/config'],
    ['a nested ancestor moved', 'mv a/b a/old'],
    ['a protected folder', 'echo x > .vscode/tasks.json'],
    ['a protected folder removed', 'rm -rf .vscode'],
    ['a protected file by rename', 'echo x > y && mv -f y a/.envrc'],
    ['the end of a linked hook', 'echo x > tools/hook.sh'],
    ['the folder of a linked hook moved', 'mv tools old'],
  ])('%s', (_name, attack) => {
    const { git, path, sandboxed, write } = project()
    git('.', 'init', '-q')
    mkdirSync(path('a/b'), { recursive: true })
    git('a/b', 'init', '-q')
    write('.vscode/tasks.json', '{}')
    write('a/.envrc', 'true')
    write('tools/hook.sh', '#!/bin/sh\n', 0o755)
    symlinkSync('../../tools/hook.sh', path('.git/hooks/pre-push'))
    // The folder itself is writable: the attack fails for the right reason.
    const control = sandboxed('touch control a/control a/b/control .git/control')
    expect([control.exitCode, control.output]).toEqual([0, ''])
    const result = sandboxed(attack)
    expect(result.exitCode).not.toBe(0)
    expect(result.verified).toEqual(UNTOUCHED)
  })
})

describe('in bubblewrap, git goes on working', () => {
  test('in a repository that was there: status, add, commit, branch, worktree, stash, gc', () => {
    const { git, sandboxed, write } = project()
    git('.', 'init', '-q')
    write('.vscode/tasks.json', '{}')
    write('one')
    git('.', 'add', '-A')
    git('.', 'commit', '-qm', 'one')
    const result = sandboxed(
      `set -e
      git status --porcelain
      echo 2 > two; git add two; git commit -qm two
      git checkout -q -b side; echo 3 > two; git stash -q; git stash pop -q; git commit -qam three
      git rebase -q HEAD~1; git checkout -q -; git merge -q side
      git worktree add -q tree; echo 4 > tree/four; git -C tree add four; git -C tree commit -qm four
      git gc -q; git fsck --no-progress --no-dangling
      git worktree list | wc -l`,
    )
    expect([result.exitCode, result.output]).toEqual([0, '2\n'])
    expect(result.verified).toEqual(UNTOUCHED)
    expect(git('.', 'status', '--porcelain')).toBe('?? tree/\n')
  })

  test('new ones: init, clone, commit, submodule, worktree', () => {
    const { sandboxed } = project()
    const result = sandboxed(
      `set -e
      git init -q new; cd new; echo 1 > one; git add one; git commit -qm one; git config user.name b; cd ..
      git clone -q new copy; git clone -q "file://$PWD/new" copy2; git clone -q --bare new bare.git
      git -C copy remote add other https://example.org/a.git
      cd copy; git -c protocol.file.allow=always submodule --quiet add ../new sub; git commit -qm sub
      git worktree add -q ../tree; git -C ../tree status --porcelain; git status --porcelain`,
    )
    expect([result.exitCode, result.output]).toEqual([0, ''])
    expect(result.verified).toEqual(UNTOUCHED)
  })

  test('hooks and protected names that are links stop nothing', () => {
    const { git, path, sandboxed, write } = project()
    git('.', 'init', '-q', '--template=')
    symlinkSync('/nonexistent/hooks', path('.git/hooks'))
    symlinkSync('nowhere', path('.vscode'))
    symlinkSync('.', path('.idea'))
    write('settings/a')
    symlinkSync('settings', path('.zed'))
    const result = sandboxed('git status --porcelain >/dev/null && touch x && cat .zed/a')
    expect([result.exitCode, result.output]).toEqual([0, ''])
    expect(result.verified.quarantined).toEqual([])
  })
})
