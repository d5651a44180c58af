import { execFileSync } from 'node:child_process'

import { describe, expect, test } from 'vitest'

import { isPlainAddress, offendingKeys } from '../../../src/sandbox/guard/harmless-git-config.ts'
import { listGitConfig } from '../../../src/sandbox/guard/read-git-config.ts'

const options = { worktreeStays: (value: string) => value === '../../../sub' }

function offending(config: string): string[] | null {
  const pairs = listGitConfig('/usr/bin/git', Buffer.from(config))
  return pairs === null ? null : offendingKeys(pairs, options).map(({ key }) => key)
}

describe('config that git itself writes is harmless', () => {
  test.each([
    ['empty', ''],
    [
      'init',
      '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n',
    ],
    [
      'clone',
      '[remote "origin"]\n\turl = https://example.org/a.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n' +
        '[branch "main"]\n\tremote = origin\n\tmerge = refs/heads/main\n',
    ],
    [
      'submodule',
      '[submodule "a.b/c"]\n\turl = git@example.org:a/b.git\n\tactive = true\n\tupdate = rebase\n',
    ],
    ['submodule worktree', '[core]\n\tworktree = ../../../sub\n'],
    ['identity', '[user]\n\tname = A B\n\temail = a@example.org\n[commit]\n\tgpgsign = false\n'],
    ['key without a value', '[core]\n\tbare\n'],
    ['old spelling of a subsection', '[branch.main]\nremote = origin\n'],
    [
      'colours',
      '[color]\n\tui = auto\n\tdiff = false\n[color "diff"]\n\tmeta = yellow\n[advice]\n\tdetachedHead = false\n',
    ],
    ['a subsection with dots', '[color "x.y"]\n\tz = 1\n'],
    ['fsmonitor switched off', '[core]\n\tfsmonitor = false\n'],
  ])('%s', (_name, config) => {
    expect(offending(config)).toEqual([])
  })
})

describe('config that can name a program is not', () => {
  test.each([
    ['core.fsmonitor', '[core]\n\tfsmonitor = ./evil\n'],
    ['core.fsmonitor', '[CORE]\nFSMonitor = "./evil" # comment\n'],
    ['core.fsmonitor', '[core]fsmonitor=./evil'],
    ['core.fsmonitor', '\uFEFF[core]\r\n\tfsmonitor = ./evil\r\n'],
    ['core.sshcommand', '[core]\n\tsshCommand = evil\n'],
    ['core.hookspath', '[core]\n\thooksPath = /tmp\n'],
    ['core.pager', '[core]\n\tpager = \\\n evil\n'],
    ['core.editor', '[core]\n\teditor = evil\n'],
    ['core.gitproxy', '[core]\n\tgitProxy = evil\n'],
    ['core.askpass', '[core]\n\taskPass = evil\n'],
    ['core.alternaterefscommand', '[core]\n\talternateRefsCommand = evil\n'],
    ['core.attributesfile', '[core]\n\tattributesFile = x\n'],
    ['core.worktree', '[core]\n\tworktree = /home\n'],
    ['pager.log', '[pager]\n\tlog = evil\n'],
    ['credential.helper', '[credential]\n\thelper = !evil\n'],
    ['credential.https://example.org.helper', '[credential "https://example.org"]\n\thelper = !evil\n'],
    ['filter.x.clean', '[filter "x"]\n\tclean = evil\n'],
    ['diff.external', '[diff]\n\texternal = evil\n'],
    ['diff.x.command', '[diff "x"]\n\tcommand = evil\n'],
    ['diff.x.textconv', '[diff "x"]\n\ttextconv = evil\n'],
    ['merge.x.driver', '[merge "x"]\n\tdriver = evil\n'],
    ['mergetool.x.cmd', '[mergetool "x"]\n\tcmd = evil\n'],
    ['alias.status', '[alias]\n\tstatus = !evil\n'],
    ['include.path', '[include]\n\tpath = ../evil\n'],
    ['includeif.gitdir:/.path', '[includeIf "gitdir:/"]\n\tpath = ../evil\n'],
    ['gpg.program', '[gpg]\n\tprogram = evil\n'],
    ['gpg.ssh.defaultkeycommand', '[gpg "ssh"]\n\tdefaultKeyCommand = evil\n'],
    ['commit.gpgsign', '[commit]\n\tgpgSign = true\n'],
    ['commit.gpgsign', '[commit]\n\tgpgSign\n'],
    ['gc.recentobjectshook', '[gc]\n\trecentObjectsHook = evil\n'],
    ['uploadpack.packobjectshook', '[uploadpack]\n\tpackObjectsHook = evil\n'],
    ['remote.origin.uploadpack', '[remote "origin"]\n\tuploadpack = evil\n'],
    ['remote.origin.vcs', '[remote "origin"]\n\tvcs = evil\n'],
    ['remote.a.b.url.uploadpack', '[remote "a.b.url"]\n\tuploadpack = evil\n'],
    ['remote.origin.url', '[remote "origin"]\n\turl = ext::sh -c evil\n'],
    ['remote.origin.url', '[remote "origin"]\n\turl\n'],
    ['branch.main.remote', '[branch "main"]\n\tremote = ext::sh -c evil\n'],
    ['branch.main.mergeoptions', '[branch "main"]\n\tmergeOptions = -s evil\n'],
    ['pull.twohead', '[pull]\n\ttwohead = evil\n'],
    ['submodule.a.update', '[submodule "a"]\n\tupdate = !evil\n'],
    ['protocol.ext.allow', '[protocol "ext"]\n\tallow = always\n'],
    ['url.ext::evil.insteadof', '[url "ext::evil"]\n\tinsteadOf = https://\n'],
    ['trailer.x.command', '[trailer "x"]\n\tcommand = evil\n'],
    ['tar.x.command', '[tar "x"]\n\tcommand = evil\n'],
    ['sequence.editor', '[sequence]\n\teditor = evil\n'],
    ['interactive.difffilter', '[interactive]\n\tdiffFilter = evil\n'],
    ['a.key-of-tomorrow', '[a]\n\tkey-of-tomorrow = x\n'],
  ])('%s in %j', (key, config) => {
    expect(offending(config)).toEqual([key])
  })
})

test('what git cannot parse has no listing', () => {
  expect(offending('[core\nfsmonitor = x')).toBeNull()
  expect(offending('not config')).toBeNull()
})

test('a value with newlines does not end early', () => {
  const pairs = listGitConfig(
    '/usr/bin/git',
    Buffer.from('[branch "a"]\n\tdescription = "x\\ncore.fsmonitor=y"\n'),
  )
  expect(pairs).toEqual([['branch.a.description', 'x\ncore.fsmonitor=y']])
})

test('the listing is what git itself makes of the file', () => {
  const config = '[core]\n\tbare = false\n[remote "o"]\n\turl = "a b" ; comment\n'
  const direct = execFileSync('git', ['config', '--file', '-', '--list'], { input: config, encoding: 'utf8' })
  const pairs = listGitConfig('/usr/bin/git', Buffer.from(config))
  expect(pairs?.map(([key, value]) => `${key}=${value}\n`).join('')).toBe(direct)
})

describe('addresses', () => {
  test.each([
    'https://example.org/a.git',
    'http://user:token@example.org:8080/a',
    'ssh://git@example.org/a',
    'git@example.org:a/b.git',
    'file:///srv/a.git',
    '/srv/a.git',
    '../a.git',
    './a',
    '.',
    'origin',
    'host:path/with-dash',
    '[::1]:a',
    'ssh://[::1]:22/a',
  ])('%s is plain', address => {
    expect(isPlainAddress(address)).toBe(true)
  })

  test.each([
    '',
    '-oProxyCommand=evil',
    'ext::sh -c evil',
    'EXT::evil',
    'fd::17',
    'a.b+c::x',
    'ssh://-oProxyCommand=evil/a',
    'ssh://git@-oProxyCommand=evil/a',
    'ssh://%2doProxyCommand=evil/a',
    'git@-oProxyCommand=evil:a',
    'host:-upload-pack',
    'evil://example.org/a',
    'https://a\nb',
  ])('%j is not', address => {
    expect(isPlainAddress(address)).toBe(false)
  })
})
