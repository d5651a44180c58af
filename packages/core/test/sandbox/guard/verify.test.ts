import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { scanWorkspace, verifyWorkspace } from '../../../src/sandbox/guard/guard.ts'
import { movesOf, project, remove, UNTOUCHED } from './project.ts'

const HOOK = '#!/bin/sh\ntouch /tmp/evil\n'
const EVIL_CONFIG = '[core]\n\trepositoryformatversion = 0\n\tfsmonitor = ./evil\n'

describe('planted hooks', () => {
  test('in a repository that was there, keeping its path in the quarantine, unarmed', () => {
    const { git, has, quarantine, run, write } = project()
    git('.', 'init', '-q')
    const result = run(() => write('.git/hooks/pre-commit', HOOK, 0o755))
    expect(result).toEqual({
      quarantined: [
        {
          path: '.git/hooks/pre-commit',
          reason: 'new: a hook: git runs it',
          nested: true,
          movedTo: join(quarantine, '.git/hooks/pre-commit.quarantined'),
        },
      ],
      notices: [],
      bound: null,
    })
    expect(has('.git/hooks/pre-commit')).toBe(false)
    expect(readFileSync(join(quarantine, '.git/hooks/pre-commit.quarantined'), 'utf8')).toBe(HOOK)
  })

  test('five folders down, in a bare repository by another name, and where git only may come later', () => {
    const { run, write } = project()
    const result = run(() => {
      write('a/b/c/d/e/.git/hooks/post-checkout', HOOK, 0o755)
      write('x/HEAD', 'ref: refs/heads/main\n')
      write('x/refs/keep')
      write('x/objects/keep')
      write('x/hooks/pre-auto-gc', HOOK, 0o755)
    })
    expect(movesOf(result)).toEqual([
      'x/hooks/pre-auto-gc: new: a hook: git runs it',
      'a/b/c/d/e/.git/hooks/post-checkout: new: a hook: git runs it',
    ])
  })

  test('without an x bit, as a link, as a hard link, as a FIFO, in place of a sample', () => {
    const { git, has, path, run, write } = project()
    git('.', 'init', '-q')
    write('tool', HOOK, 0o755)
    const result = run(() => {
      write('.git/hooks/pre-push', HOOK)
      symlinkSync('../../tool', path('.git/hooks/pre-commit'))
      linkSync(path('tool'), path('.git/hooks/post-merge'))
      execFileSync('mkfifo', [path('.git/hooks/post-commit')])
      write('.git/hooks/pre-commit.sample', HOOK, 0o755)
    })
    expect(result.quarantined.map(({ path: planted }) => planted).sort()).toEqual([
      '.git/hooks/post-commit',
      '.git/hooks/post-merge',
      '.git/hooks/pre-commit',
      '.git/hooks/pre-push',
    ])
    expect([has('tool'), has('.git/hooks/pre-commit.sample')]).toEqual([true, true])
  })

  test('a hooks folder replaced by a link: the link goes, what it leads to stays', () => {
    const { git, has, path, quarantine, run, write } = project()
    git('.', 'init', '-q')
    write('bin/pre-commit', HOOK, 0o755)
    const result = run(() => {
      remove(path('.git/hooks'))
      symlinkSync('../bin', path('.git/hooks'))
    })
    expect(movesOf(result)).toEqual(['.git/hooks: changed: a link in place of the hooks of git'])
    expect(has('bin/pre-commit')).toBe(true)
    expect(readlinkSync(join(quarantine, '.git/hooks.quarantined'))).toBe('../bin')
  })

  test('in a folder that core.hooksPath named and that was not there', () => {
    const { git, run, write } = project()
    git('.', 'init', '-q')
    git('.', 'config', 'core.hooksPath', 'my-hooks')
    expect(movesOf(run(() => write('my-hooks/pre-commit', HOOK, 0o755)))).toEqual([
      'my-hooks/pre-commit: new: a hook: git runs it',
    ])
  })

  test('what a linked hook leads to', () => {
    const { git, path, run, write } = project()
    git('.', 'init', '-q')
    write('tools/hook.sh', '#!/bin/sh\n', 0o755)
    symlinkSync('../../tools/hook.sh', path('.git/hooks/pre-push'))
    expect(movesOf(run(() => write('tools/hook.sh', HOOK, 0o755)))).toEqual([
      'tools/hook.sh: changed: ".git/hooks/pre-push" leads to it',
    ])
  })

  test('a changed hook whose size and mtime are as before', () => {
    const { git, path, run, write } = project()
    git('.', 'init', '-q')
    write('.git/hooks/pre-push', '#!/bin/a\n', 0o755)
    const { mtimeMs } = lstatSync(path('.git/hooks/pre-push'))
    const result = run(() => {
      write('.git/hooks/pre-push', '#!/bin/b\n', 0o755)
      utimesSync(path('.git/hooks/pre-push'), mtimeMs / 1000, mtimeMs / 1000)
    })
    expect(movesOf(result)).toEqual(['.git/hooks/pre-push: changed: a hook: git runs it'])
  })
})

describe('planted config', () => {
  test('in new repositories, nested ones, config.worktree', () => {
    const { git, has, run, write, workspace } = project()
    const result = run(() => {
      git('.', 'init', '-q')
      mkdirSync(join(workspace, 'a/b'), { recursive: true })
      git('a/b', 'init', '-q')
      git('a/b', 'config', 'core.fsmonitor', './evil')
      write('.git/config.worktree', '[core]\n\tpager = evil\n')
    })
    expect(movesOf(result)).toEqual([
      '.git/config.worktree: new: git config: "core.pager" can name a program',
      'a/b/.git/config: new: git config: "core.fsmonitor" can name a program',
    ])
    expect([has('.git/config'), has('a/b/.git/HEAD')]).toEqual([true, true])
    // And git does not run it any more.
    write('a/b/evil', '#!/bin/sh\ntouch ran\n', 0o755)
    git('a/b', 'status')
    expect(has('a/b/ran')).toBe(false)
  })

  test('the control: left alone, that config does run a program', () => {
    const { git, has, write } = project()
    git('.', 'init', '-q')
    git('.', 'config', 'core.fsmonitor', './evil')
    write('evil', '#!/bin/sh\ntouch ran\n', 0o755)
    git('.', 'status')
    expect(has('ran')).toBe(true)
  })

  test('what git cannot parse, what is too large, what is no plain file', () => {
    const { path, run, write } = project()
    const result = run(() => {
      write('a/.git/config', '[core\n')
      write('b/.git/config', `# ${'x'.repeat(300_000)}\n`)
      mkdirSync(path('c/.git'), { recursive: true })
      execFileSync('mkfifo', [path('c/.git/config')])
      mkdirSync(path('d/.git'), { recursive: true })
      symlinkSync('/etc/hostname', path('d/.git/config'))
      mkdirSync(path('e/.git/config'), { recursive: true })
    })
    expect(movesOf(result)).toEqual([
      'a/.git/config: new: git config: git cannot read it',
      'b/.git/config: new: git config: it is too large to judge',
      'c/.git/config: new: git config: it is no plain file',
      'd/.git/config: new: a link in place of git config',
    ])
  })

  test('a worktree outside of the workspace, or by a link out of it', () => {
    const { path, run, write } = project()
    mkdirSync(path('inside'))
    const result = run(() => {
      symlinkSync('/usr', path('out'))
      write('a/.git/config', '[core]\n\tworktree = /usr\n')
      write('b/.git/config', '[core]\n\tworktree = ../../out/bin\n')
      write('c/.git/config', '[core]\n\tworktree = ../../../..\n')
      write('d/.git/config', '[core]\n\tworktree = ../../inside\n')
    })
    expect(result.quarantined.map(({ path: planted }) => planted)).toEqual([
      'a/.git/config',
      'b/.git/config',
      'c/.git/config',
    ])
  })

  test('a changed config goes only for what it gained', () => {
    const { git, path, run } = project()
    git('.', 'init', '-q', 'a')
    git('.', 'init', '-q', 'b')
    for (const repository of ['a', 'b']) git(repository, 'config', 'filter.lfs.clean', 'git-lfs clean -- %f')
    const result = run(() => {
      appendFileSync(path('a/.git/config'), '[branch "main"]\n\tremote = origin\n')
      appendFileSync(path('b/.git/config'), '[filter "lfs"]\n\tclean = evil\n')
    })
    expect(movesOf(result)).toEqual([
      'b/.git/config: changed: git config: "filter.lfs.clean" can name a program',
    ])
  })

  test('an included file, changed or newly there', () => {
    const { git, run, write } = project()
    git('.', 'init', '-q')
    git('.', 'config', 'include.path', '../one.inc')
    git('.', 'config', '--add', 'include.path', '../two.inc')
    write('one.inc', '[user]\n\tname = a\n')
    const result = run(() => {
      write('one.inc', '[alias]\n\tst = !evil\n')
      write('two.inc', '[user]\n\tname = b\n')
    })
    expect(movesOf(result)).toEqual(['one.inc: changed: git config: "alias.st" can name a program'])
  })

  test('many files, some alike: git reads each content once, and time is bounded', () => {
    const { quarantine, workspace, write } = project()
    const before = scanWorkspace(workspace)
    for (let index = 0; index < 300; index += 1) write(`r${index}/.git/config`, `# ${index % 3}\n`)
    const options = { quarantineFolder: quarantine }
    expect(verifyWorkspace(before, options).quarantined).toEqual([])
    const late = verifyWorkspace(before, { ...options, maxConfigDurationMs: -1 })
    expect(late.quarantined).toHaveLength(300)
    expect(late.quarantined[0]?.reason).toBe('new: git config: there were too many to read')
  })

  test('legacy remotes', () => {
    const { git, run, write } = project()
    git('.', 'init', '-q')
    const result = run(() => write('.git/remotes/origin', 'URL: ext::evil\n'))
    expect(result.quarantined.map(({ path }) => path)).toEqual(['.git/remotes/origin'])
  })
})

describe('pointers', () => {
  test('a .git file or link that leads out, nowhere, or to what is no git folder', () => {
    const { path, run, write } = project()
    write('plain/config', EVIL_CONFIG)
    mkdirSync(path('link'))
    const result = run(() => {
      write('a/.git', `gitdir: ${path('../elsewhere')}\n`)
      write('b/.git', 'gitdir: ../missing\n')
      write('c/.git', 'gitdir: ../plain\n')
      write('d/.git', 'nonsense')
      symlinkSync('../plain', path('link/.git'))
    })
    expect(movesOf(result)).toEqual([
      'a/.git: new: a pointer to a git folder that is not one of the workspace',
      'b/.git: new: a pointer to a git folder that is not one of the workspace',
      'c/.git: new: a pointer to a git folder that is not one of the workspace',
      'd/.git: new: a pointer to a git folder that is not one of the workspace',
      'link/.git: new: a link in place of a git folder',
    ])
  })

  test('a commondir that turns a worktree to other config', () => {
    const { git, path, run, write } = project()
    git('.', 'init', '-q', 'app')
    write('app/a')
    git('app', 'add', 'a')
    git('app', 'commit', '-qm', 'a')
    git('app', 'worktree', 'add', '-q', '../tree')
    const result = run(() => {
      write('evil/config', EVIL_CONFIG)
      mkdirSync(path('evil/objects'))
      mkdirSync(path('evil/refs'))
      write('app/.git/worktrees/tree/commondir', '../../../../evil\n')
    })
    expect(movesOf(result)).toEqual([
      'app/.git/worktrees/tree/commondir: changed: a pointer to a git folder that is not one of the workspace',
    ])
  })

  test('the folder behind a pointer that was there', () => {
    const { run, write } = project()
    write('a/.git', 'gitdir: ../later\n')
    const result = run(() => write('later/config', EVIL_CONFIG))
    expect(movesOf(result)).toEqual(['later/config: new: git config: "core.fsmonitor" can name a program'])
  })
})

describe('an interrupted rebase', () => {
  test.each([
    ['git-rebase-todo', 'pick 0123 a\nexec evil\n', 1],
    ['git-rebase-todo', '  x evil\n', 1],
    ['git-rebase-todo', 'pickaxe 0123\n', 1],
    [
      'git-rebase-todo',
      '# a\n\npick 0123 a\nfixup -C 4567 b\nupdate-ref refs/heads/a\nmerge -C 89 b # c\nnoop\n',
      0,
    ],
    ['strategy', '../evil\n', 1],
    ['strategy', 'ort\n', 0],
  ])('rebase-merge/%s %j', (name, content, count) => {
    const { git, run, write } = project()
    git('.', 'init', '-q')
    expect(run(() => write(`.git/rebase-merge/${name}`, content)).quarantined).toHaveLength(count)
  })

  test.each([
    ['[options]\n\tstrategy = ../evil\n', 1],
    ['[options]\n\tedit = true\n\tstrategy = ort\n', 0],
  ])('sequencer/opts %j', (content, count) => {
    const { git, run, write } = project()
    git('.', 'init', '-q')
    expect(run(() => write('.git/sequencer/opts', content)).quarantined).toHaveLength(count)
  })
})

describe('protected names', () => {
  test('new ones go, as file, folder and link; nested ones are marked', () => {
    const { has, path, quarantine, quarantined, run, write } = project()
    const result = run(() => {
      write('.vscode/tasks.json', '{}')
      write('a/.envrc', 'evil')
      write('node_modules/p/.vscode/settings.json')
      write('ordinary')
      symlinkSync('/etc', path('.claude'))
      write('.CODEX/config.toml')
    })
    expect(result.quarantined.map(({ path: planted, nested }) => [planted, nested])).toEqual([
      ['.CODEX', false],
      ['.claude', false],
      ['.vscode', false],
      ['a/.envrc', true],
      ['node_modules/p/.vscode', true],
    ])
    expect(result.quarantined[0]?.reason).toMatch(/^new: Codex starts/)
    expect(quarantined()).toContain('.vscode.quarantined/tasks.json')
    expect(existsSync(join(quarantine, '.vscode'))).toBe(false)
    expect([has('ordinary'), has('a'), has('.vscode')]).toEqual([true, true, false])
  })

  test('in a folder that was there only what is new or changed goes', () => {
    const { has, read, run, write } = project()
    write('.vscode/settings.json', 'a')
    write('.vscode/launch.json', 'a')
    const result = run(() => {
      write('.vscode/settings.json', 'b')
      write('.vscode/sub/tasks.json')
    })
    expect(result.quarantined.map(({ path }) => path)).toEqual([
      '.vscode/settings.json',
      '.vscode/sub/tasks.json',
    ])
    expect([has('.vscode/settings.json'), read('.vscode/launch.json')]).toEqual([false, 'a'])
  })

  test('one that turned from folder to link', () => {
    const { has, path, run, write } = project()
    write('.vscode/settings.json')
    write('other/settings.json', 'evil')
    const result = run(() => {
      renameSync(path('.vscode'), path('old'))
      symlinkSync('other', path('.vscode'))
    })
    expect(result.quarantined.map(({ path: planted }) => planted)).toEqual(['.vscode'])
    expect(has('other/settings.json')).toBe(true)
    expect(result.notices).toEqual(['guarded files are gone: ".vscode/settings.json"'])
  })

  test('a copy at the end of the same path stays, one that differs goes', () => {
    const { git, path, run, write } = project()
    git('.', 'init', '-q')
    write('.vscode/tasks.json', '{}')
    write('.envrc', 'true')
    write('deep/.zed/tasks.json', 'operator')
    git('.', 'add', '-A')
    git('.', 'commit', '-qm', 'a')
    const result = run(() => {
      git('.', 'worktree', 'add', '-q', 'tree')
      git('.', 'worktree', 'add', '-q', 'other')
      write('other/.envrc', 'evil')
      write('other/.vscode/more.json')
      // Not a copy of the project: it would arm in the root what lay deep in the tree.
      cpSync(path('deep/.zed'), path('.zed'), { recursive: true })
      mkdirSync(path('node_modules'))
      symlinkSync('../.vscode', path('node_modules/.vscode'))
      symlinkSync('../.vscode', path('node_modules/.idea'))
    })
    expect(result.quarantined.map(({ path: planted }) => planted)).toEqual([
      '.zed',
      'node_modules/.idea',
      'other/.envrc',
      'other/.vscode',
    ])
  })
})

describe('tricks on the way out', () => {
  test('a name that is not UTF-8 is moved as it is', () => {
    const { quarantine, run, workspace } = project()
    const folder = Buffer.concat([Buffer.from(`${workspace}/`), Buffer.from([0xff])])
    const result = run(() => {
      mkdirSync(folder)
      writeFileSync(Buffer.concat([folder, Buffer.from('/.envrc')]), 'evil')
    })
    expect(result.quarantined.map(({ path }) => path)).toEqual(['\uFFFD/.envrc'])
    const moved = Buffer.concat([
      Buffer.from(`${quarantine}/`),
      Buffer.from([0xff]),
      Buffer.from('/.envrc.quarantined'),
    ])
    expect(readFileSync(moved, 'utf8')).toBe('evil')
  })

  test('a second quarantine overwrites nothing', () => {
    const { quarantine, run, write } = project()
    run(() => write('.envrc', 'one'))
    const result = run(() => write('.envrc', 'two'))
    expect(result.quarantined[0]?.movedTo).toBe(join(quarantine, '.envrc.quarantined.2'))
    expect(readFileSync(join(quarantine, '.envrc.quarantined'), 'utf8')).toBe('one')
  })

  test('a link in the quarantine folder is not followed: the thing is disarmed where it lies, and that is said', () => {
    const { has, path, quarantine, run, write } = project()
    mkdirSync(quarantine)
    mkdirSync(path('../victim'))
    symlinkSync(path('../victim'), join(quarantine, 'a'))
    const result = run(() => write('a/.envrc', 'evil'))
    expect(result.quarantined[0]?.movedTo).toBe(path('a/.envrc.quarantined'))
    expect(result.notices).toEqual([
      expect.stringMatching(/^"a\/\.envrc" .*renamed in place, not moved: ENOTDIR/),
    ])
    expect([has('a/.envrc'), existsSync(path('../victim/.envrc'))]).toEqual([false, false])
  })

  test('across devices everything is copied, links as links, a FIFO as an empty file', () => {
    const { has, path, workspace, write } = project('/dev/shm')
    const away = project().quarantine
    expect(lstatSync('/dev/shm').dev).not.toBe(lstatSync(join(away, '..')).dev)
    const before = scanWorkspace(workspace)
    write('.vscode/tasks.json', '{}', 0o755)
    symlinkSync('/etc/passwd', path('.vscode/link'))
    execFileSync('mkfifo', [path('.vscode/fifo')])
    const result = verifyWorkspace(before, { quarantineFolder: away })
    expect([result.notices, result.quarantined[0]?.movedTo]).toEqual([[], join(away, '.vscode.quarantined')])
    expect(readFileSync(join(away, '.vscode.quarantined/tasks.json'), 'utf8')).toBe('{}')
    expect(readlinkSync(join(away, '.vscode.quarantined/link'))).toBe('/etc/passwd')
    expect(lstatSync(join(away, '.vscode.quarantined/fifo')).size).toBe(0)
    expect(has('.vscode')).toBe(false)
  })

  test('a path with no room below the quarantine', () => {
    const { quarantine, run, workspace } = project()
    const names = Array.from({ length: 15 }, () => 'd'.repeat(250))
    const result = run(() => {
      const nest = `for (@ARGV) { mkdir $_ or die; chdir $_ or die } open F, ">.envrc" or die`
      execFileSync('perl', ['-e', nest, ...names, 'e'.repeat(240)], { cwd: workspace })
    })
    expect(result.quarantined[0]?.movedTo).toBe(join(quarantine, 'long-paths/.envrc.quarantined'))
    expect(existsSync(join(quarantine, 'long-paths/.envrc.quarantined'))).toBe(true)
  })

  test('a folder that was shut is opened, looked into, and shut again', () => {
    const { path, quarantine, workspace, write } = project()
    const guard = JSON.stringify(join(import.meta.dirname, '../../../src/sandbox/guard/guard.ts'))
    write('always/.envrc', 'the operator’s')
    chmodSync(path('always'), 0o000)
    const before = runWithoutPrivileges(
      `console.log(JSON.stringify((await import(${guard})).scanWorkspace(${JSON.stringify(workspace)})))`,
    )
    write('shut/in/.envrc', 'evil')
    write('half/.git/config', EVIL_CONFIG)
    chmodSync(path('half'), 0o400)
    chmodSync(path('shut/in'), 0o555)
    chmodSync(path('shut'), 0o000)
    const options = JSON.stringify({ quarantineFolder: quarantine })
    const result: unknown = JSON.parse(
      runWithoutPrivileges(
        `console.log(JSON.stringify((await import(${guard})).verifyWorkspace(${before}, ${options})))`,
      ),
    )
    expect(result).toMatchObject({
      quarantined: [{ path: 'half/.git/config' }, { path: 'shut/in/.envrc' }],
      notices: [],
    })
    const modes = ['always', 'half', 'shut', 'shut/in'].map(name => lstatSync(path(name)).mode & 0o777)
    expect(modes).toEqual([0o000, 0o400, 0o000, 0o555])
  })
})

/** Root reads everything: without capabilities it is kept out like anybody. */
function runWithoutPrivileges(program: string): string {
  const argv = ['--bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--unshare-user', '--unshare-pid']
  argv.push('--cap-drop', 'ALL', process.execPath, '--input-type=module', '--eval', program)
  const { status, stdout, stderr } = spawnSync('bwrap', argv, { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  return stdout
}

describe('bounds', () => {
  test('one that was hit is in the notices; what was there before is still looked at', () => {
    const { git, quarantine, workspace, write } = project()
    git('.', 'init', '-q', 'deep/down')
    const before = scanWorkspace(workspace)
    write('deep/down/.git/hooks/pre-push', HOOK, 0o755)
    for (let index = 0; index < 200; index += 1) write(`heap/${index}`)
    const result = verifyWorkspace(before, { quarantineFolder: quarantine, maxEntries: 60 })
    expect(result.quarantined.map(({ path }) => path)).toEqual(['deep/down/.git/hooks/pre-push'])
    expect(result.bound).toEqual({ kind: 'entries', scanned: 60 })
    expect(result.notices).toEqual([
      'the workspace was not looked through to the end after the run: 60 entries in all were looked at',
    ])
  })

  test('what the first look did not reach is not new if it is older than the run', () => {
    const { path, quarantine, workspace, write } = project()
    write('z/.envrc', 'the operator’s')
    const before = { ...scanWorkspace(workspace, { maxEntries: 1 }), startedAtMs: Date.now() + 5_000 }
    expect(before.entries).toEqual([])
    expect(verifyWorkspace(before, { quarantineFolder: quarantine }).quarantined).toEqual([])
    const early = { ...before, startedAtMs: 0 }
    utimesSync(path('z/.envrc'), 0, 0)
    expect(verifyWorkspace(early, { quarantineFolder: quarantine }).quarantined).toHaveLength(1)
  })

  test('a .git past PATH_MAX is in the notices', () => {
    const { run, workspace } = project()
    const result = run(() => {
      const nest = `$n = "d" x 250; for (1..40) { mkdir $n or die; chdir $n or die } mkdir ".git"`
      execFileSync('perl', ['-e', nest], { cwd: workspace })
    })
    expect(result.notices).toEqual([expect.stringMatching(/^1 places could not be looked into: "d{200}…"$/)])
  })
})

test('a run that touches none of it leaves no trace', () => {
  const { git, quarantine, run, write } = project()
  git('.', 'init', '-q')
  write('.vscode/tasks.json', '{}')
  const result = run(() => {
    write('out/report.txt', 'x')
    write('AGENTS.md', 'x')
    write('package.json', '{}')
    git('.', 'add', '-A')
    git('.', 'commit', '-qm', 'a')
  })
  expect(result).toEqual(UNTOUCHED)
  expect(existsSync(quarantine)).toBe(false)
})
