import { execFileSync, spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { scanWorkspace, type WorkspaceScan } from '../../../src/sandbox/guard/guard.ts'
import { project } from './project.ts'

function found(scan: WorkspaceScan): string[] {
  return scan.entries.map(({ path, kind, type }) => `${kind} ${type} ${path}`).sort()
}

/** Git init with its samples left out, so that lists stay short. */
const BARE_INIT = ['init', '-q', '--template=']

describe('git folders', () => {
  test('a repository with its config and hooks', () => {
    const { git, scan, write } = project()
    git('.', ...BARE_INIT)
    write('.git/hooks/pre-commit', '#!/bin/sh\n', 0o755)
    expect(found(scan())).toEqual([
      'git-config file .git/config',
      'git-folder folder .git',
      'git-hook file .git/hooks/pre-commit',
      'git-hooks folder .git/hooks',
    ])
  })

  test('a repository five folders down, and a bare one by any name', () => {
    const { git, scan } = project()
    mkdirSync(join(scan().workspace, 'a/b/c/d/e'), { recursive: true })
    git('a/b/c/d/e', ...BARE_INIT)
    git('a/b', ...BARE_INIT, '--bare', 'innocent')
    expect(found(scan())).toEqual([
      'git-config file a/b/c/d/e/.git/config',
      'git-config file a/b/innocent/config',
      'git-folder folder a/b/c/d/e/.git',
      'git-folder folder a/b/innocent',
    ])
  })

  test('the workspace itself as a bare repository', () => {
    const { git, scan } = project()
    git('.', ...BARE_INIT, '--bare')
    expect(found(scan())).toEqual(['git-config file config', 'git-folder folder '])
  })

  test('one that is only HEAD and commondir, with its other half elsewhere', () => {
    const { scan, write } = project()
    write('half/HEAD', 'ref: refs/heads/main\n')
    write('half/commondir', '../rest\n')
    write('rest/config', '[core]\n\tbare = true\n')
    expect(found(scan())).toEqual([
      'git-config file rest/config',
      'git-folder folder half',
      'git-folder folder rest',
      'git-pointer file half/commondir',
    ])
  })

  test('a .git without HEAD counts: git init would adopt its hooks', () => {
    const { scan, write } = project()
    write('x/.git/hooks/post-checkout', '', 0o755)
    write('y/.GIT/config')
    expect(found(scan())).toContain('git-hook file x/.git/hooks/post-checkout')
    expect(found(scan())).toContain('git-config file y/.GIT/config')
  })

  test('a submodule and a worktree, with where they point', () => {
    const { git, scan, write } = project()
    git('.', ...BARE_INIT, 'library')
    write('library/a')
    git('library', 'add', '-A')
    git('library', 'commit', '-qm', 'a')
    git('.', ...BARE_INIT, 'app')
    git('app', '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '../library', 'lib')
    git('app', 'commit', '-qm', 'a')
    git('app', 'worktree', 'add', '-q', '../tree')
    const pointers = scan().entries.filter(({ kind }) => kind === 'git-pointer')
    expect(pointers.map(({ path, leadsTo }) => [path, leadsTo])).toEqual(
      expect.arrayContaining([
        ['app/lib/.git', 'app/.git/modules/lib'],
        ['tree/.git', 'app/.git/worktrees/tree'],
        ['app/.git/worktrees/tree/commondir', 'app/.git'],
      ]),
    )
    expect(found(scan())).toContain('git-config file app/.git/modules/lib/config')
  })
})

describe('what config leads to', () => {
  test('core.hooksPath, relative to the worktree, and included files, also through each other', () => {
    const { git, scan, write } = project()
    git('.', ...BARE_INIT)
    git('.', 'config', 'include.path', '../one.inc')
    write('one.inc', '[include]\n\tpath = conf/two.inc\n')
    write('conf/two.inc', '[core]\n\thooksPath = tools/hooks\n')
    write('tools/hooks/pre-push', '', 0o755)
    expect(found(scan())).toEqual([
      'git-config file .git/config',
      'git-config file conf/two.inc',
      'git-config file one.inc',
      'git-folder folder .git',
      'git-hook file tools/hooks/pre-push',
      'git-hooks folder tools/hooks',
    ])
  })

  test('a hooksPath of the repository around the workspace', () => {
    const { git, path, write } = project()
    git('.', ...BARE_INIT)
    git('.', 'config', 'core.hooksPath', 'inner/hooks')
    write('inner/hooks/pre-push', '', 0o755)
    expect(found(scanWorkspace(path('inner')))).toEqual([
      'git-hook file hooks/pre-push',
      'git-hooks folder hooks',
    ])
  })

  test('a hooksPath that is the workspace itself is said, not walked', () => {
    const { git, scan, write } = project()
    git('.', ...BARE_INIT)
    git('.', 'config', 'core.hooksPath', '.')
    write('a')
    expect(found(scan())).toEqual(['git-config file .git/config', 'git-folder folder .git'])
    expect(scan().notes).toEqual([
      // Git runs what a push brings about in the git folder, everything else in the worktree.
      '".git/config" leads to ".git", a folder around it: what lies there is not guarded',
      'core.hooksPath leads to "", which holds a repository: hooks there are not guarded',
    ])
  })
})

describe('protected names', () => {
  test('files, folders and links, wherever they lie; only names that match as a whole', () => {
    const { path, scan, write } = project()
    write('.vscode/tasks.json')
    write('a/b/.envrc')
    write('a/opencode.json')
    write('.config/mise.toml')
    write('.hg/hgrc')
    write('hgrc')
    write('config.toml')
    write('.vscode-test/tasks.json')
    write('vscode')
    symlinkSync('nowhere', path('a/.claude'))
    expect(found(scan())).toEqual([
      'protected file .config/mise.toml',
      'protected file .hg/hgrc',
      'protected file a/b/.envrc',
      'protected file a/opencode.json',
      'protected folder .vscode',
      'protected link a/.claude',
      'protected-content file .vscode/tasks.json',
    ])
  })

  test('what a protected link leads to in the workspace, and nothing outside of it', () => {
    const { path, scan, write } = project()
    write('shared/settings.json')
    symlinkSync('shared', path('.vscode'))
    symlinkSync('/usr', path('.idea'))
    symlinkSync('.', path('.zed'))
    expect(found(scan())).toEqual([
      'protected folder shared',
      'protected link .idea',
      'protected link .vscode',
      'protected link .zed',
      'protected-content file shared/settings.json',
    ])
    expect(scan().notes).toEqual(['".zed" leads to "", a folder around it: what lies there is not guarded'])
  })
})

describe('hostile trees', () => {
  test('a folder whose name is not UTF-8 hides nothing, nor does one with a newline', () => {
    const { scan, workspace } = project()
    const odd = Buffer.concat([Buffer.from(`${workspace}/`), Buffer.from([0xff, 0x0a, 0xe9])])
    mkdirSync(odd)
    mkdirSync(Buffer.concat([odd, Buffer.from('/.git')]))
    writeFileSync(Buffer.concat([odd, Buffer.from('/.git/config')]), '')
    expect(scan().entries.map(({ path, bytes }) => [path, bytes])).toEqual([
      ['\uFFFD\n\uFFFD/.git', '\xFF\n\xE9/.git'],
      ['\uFFFD\n\uFFFD/.git/config', '\xFF\n\xE9/.git/config'],
    ])
  })

  test('loops of links end, links out are not followed', () => {
    const { path, scan, write } = project()
    write('a/b/x')
    symlinkSync('../..', path('a/b/up'))
    symlinkSync('/', path('a/root'))
    symlinkSync('me', path('me'))
    symlinkSync('me', path('.git'))
    expect(scan()).toMatchObject({
      entries: [{ path: '.git', type: 'link', leadsTo: null }],
      bound: null,
      unread: [],
    })
  })

  test('a FIFO in the place of config does not block', () => {
    const { path, scan, write } = project()
    write('.git/HEAD')
    for (const name of ['.git/config', '.git/commondir', '.envrc']) execFileSync('mkfifo', [path(name)])
    expect(found(scan())).toEqual([
      'git-config other .git/config',
      'git-folder folder .git',
      'git-pointer other .git/commondir',
      'protected other .envrc',
    ])
  })

  test('what lies past PATH_MAX is said', () => {
    const { scan, workspace } = project()
    const name = 'd'.repeat(250)
    const nest = `for (1..40) { mkdir "${name}" or die; chdir "${name}" or die } mkdir ".git"; open F, ">.git/config"`
    execFileSync('perl', ['-e', nest], { cwd: workspace })
    const { unread, unreadCount, bound } = scan()
    expect([unread.map(({ cause }) => cause), unreadCount, bound]).toEqual([['too-long'], 1, null])
  })

  test('a .git that just fits, with a config that does not, is said', () => {
    const { scan, workspace } = project()
    const room = 4095 - workspace.length - '/.git'.length
    const names: string[] = []
    for (let left = room; left > 0;) {
      const length = left > 252 ? 250 : left - 1
      names.push('d'.repeat(length))
      left -= length + 1
    }
    const nest = `for (@ARGV) { mkdir $_ or die; chdir $_ or die } mkdir ".git"; open F, ">.git/config"`
    execFileSync('perl', ['-e', nest, ...names], { cwd: workspace })
    const result = scan()
    expect(result.entries.map(({ kind }) => kind)).toEqual(['git-folder'])
    expect(result.unread.map(({ path, cause }) => [path.slice(-12), cause])).toEqual([
      ['/.git/config', 'too-long'],
    ])
  })

  test('a folder that keeps us out is said', () => {
    const { path, workspace, write } = project()
    write('shut/.git/config')
    spawnSync('chmod', ['000', path('shut')])
    const program = `
      const { scanWorkspace } = await import(${JSON.stringify(join(import.meta.dirname, '../../../src/sandbox/guard/guard.ts'))})
      console.log(JSON.stringify(scanWorkspace(${JSON.stringify(workspace)})))`
    const scan = JSON.parse(withoutPrivileges(program)) as WorkspaceScan
    expect(scan.entries).toEqual([])
    expect(scan.unread).toMatchObject([{ path: 'shut', cause: 'unreadable' }])
  })
})

/** Root reads everything: without capabilities it is kept out like anybody. */
function withoutPrivileges(program: string): string {
  const node = ['--input-type=module', '--eval', program]
  const argv = [
    '--bind',
    '/',
    '/',
    '--dev',
    '/dev',
    '--unshare-user',
    '--cap-drop',
    'ALL',
    process.execPath,
    ...node,
  ]
  return execFileSync('bwrap', argv, { encoding: 'utf8' })
}

describe('bounds', () => {
  test('the shallow is found first, and the bound is said', () => {
    const { scan, workspace, write } = project()
    write('z/.git/config')
    for (let index = 0; index < 50; index += 1) write(`a/b/c/${index}`)
    expect(scan().bound).toBeNull()
    const cut = scanWorkspace(workspace, { maxEntries: 20 })
    expect(cut.bound).toEqual({ kind: 'entries', scanned: 20 })
    expect(cut.entries.map(({ path }) => path)).toContain('z/.git')
  })

  test('no time at all is a bound too', () => {
    const { workspace, write } = project()
    write('.envrc')
    expect(scanWorkspace(workspace, { maxDurationMs: 0 }).bound).toMatchObject({ kind: 'duration' })
  })

  test('hooksPath still counts when the walk was cut', () => {
    const { git, workspace, write } = project()
    git('.', ...BARE_INIT)
    git('.', 'config', 'core.hooksPath', 'deep/down/hooks')
    write('deep/down/hooks/pre-push', '', 0o755)
    for (let index = 0; index < 50; index += 1) write(`deep/${index}`)
    const cut = scanWorkspace(workspace, { maxEntries: 30 })
    expect(cut.bound).not.toBeNull()
    expect(found(cut)).toContain('git-hook file deep/down/hooks/pre-push')
  })

  test('64,000 files and one repository at the end of them', () => {
    // In memory: to make and remove them on a busy disk takes longer than all other tests.
    const { git, scan, workspace } = project('/dev/shm')
    const fill = `for my $d (0..639) { mkdir "d$d"; for my $f (0..99) { open F, ">d$d/f$f"; close F } }`
    execFileSync('perl', ['-e', fill], { cwd: workspace })
    mkdirSync(join(workspace, 'd639/deep'))
    git('d639/deep', ...BARE_INIT)
    expect(scan()).toMatchObject({ entries: [{ path: 'd639/deep/.git' }, {}], bound: null, unreadCount: 0 })
  })

  test('one folder with 30,000 names is read in a stream', () => {
    const { scan, workspace } = project('/dev/shm')
    execFileSync(
      'perl',
      ['-e', `for (0..29999) { open F, ">some-rather-long-name-$_"; close F } mkdir ".git"`],
      {
        cwd: workspace,
      },
    )
    expect(found(scan())).toEqual(['git-folder folder .git'])
    expect(scanWorkspace(workspace, { maxEntries: 1_000 }).bound).toEqual({ kind: 'entries', scanned: 1_000 })
  })
})

test('the result survives JSON', () => {
  const { git, path, scan, write } = project()
  git('.', 'init', '-q')
  write('.vscode/tasks.json')
  linkSync(path('.vscode/tasks.json'), path('tasks'))
  renameSync(path('tasks'), path('.envrc'))
  const result = scan()
  expect(JSON.parse(JSON.stringify(result))).toEqual(result)
})
