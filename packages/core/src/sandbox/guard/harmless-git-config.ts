/**
 * Which git config a script may leave behind.
 *
 * Git has dozens of keys that name a program, and each release adds some (`gc.recentObjectsHook` came with 2.42).
 * So the list is of what cannot: a key that is not here, or has a value that is not allowed for it, condemns the
 * file. Keys are as `git config --list` prints them: section and name in lower case.
 */

/** A key and its value; `null` is a key without `=`, which git reads as true. */
export type ConfigPair = readonly [key: string, value: string | null]

type ValueRule = 'any' | 'address' | 'worktree' | RegExp

interface HarmlessKeys {
  readonly keys: readonly string[]
  /** @default 'any' */
  readonly value?: ValueRule
  readonly reason: string
}

const SWITCH_OFF = /^(?:false|no|off|0)?$/i

/** `*` stands for any subsection, newlines and dots included. */
export const HARMLESS_GIT_CONFIG: readonly HarmlessKeys[] = [
  {
    keys: [
      'core.repositoryformatversion',
      'core.filemode',
      'core.bare',
      'core.logallrefupdates',
      'core.ignorecase',
      'core.symlinks',
      'core.precomposeunicode',
      'core.hidedotfiles',
      'core.sharedrepository',
    ],
    reason: 'git init and git clone write them: what the file system can do',
  },
  {
    keys: [
      'core.autocrlf',
      'core.eol',
      'core.safecrlf',
      'core.whitespace',
      'core.quotepath',
      'core.abbrev',
      'core.checkstat',
      'core.trustctime',
      'core.untrackedcache',
      'core.preloadindex',
      'core.splitindex',
      'core.sparsecheckout',
      'core.sparsecheckoutcone',
      'core.protecthfs',
      'core.protectntfs',
      'core.commitgraph',
      'core.multipackindex',
      'core.warnambiguousrefs',
    ],
    reason: 'how files are compared, listed and written',
  },
  {
    keys: [
      'core.compression',
      'core.loosecompression',
      'core.bigfilethreshold',
      'core.packedgitwindowsize',
      'core.packedgitlimit',
      'core.deltabasecachelimit',
      'core.fsync',
      'core.fsyncmethod',
      'core.fsyncobjectfiles',
      'index.version',
      'index.threads',
      'feature.manyfiles',
      'feature.experimental',
    ],
    reason: 'speed and durability',
  },
  {
    keys: ['core.worktree'],
    value: 'worktree',
    reason: 'submodules have it; one that leads out of the workspace makes `git checkout` write there',
  },
  {
    keys: ['core.fsmonitor', 'commit.gpgsign', 'tag.gpgsign', 'push.gpgsign'],
    value: SWITCH_OFF,
    reason: 'only switched off: their other values start a program',
  },
  {
    keys: [
      'extensions.objectformat',
      'extensions.compatobjectformat',
      'extensions.refstorage',
      'extensions.partialclone',
      'extensions.worktreeconfig',
      'extensions.relativeworktrees',
      'extensions.preciousobjects',
      'extensions.noop',
    ],
    reason: 'the format of the repository; config.worktree is judged like config',
  },
  {
    keys: [
      'remote.*.url',
      'remote.*.pushurl',
      'submodule.*.url',
      'branch.*.remote',
      'branch.*.pushremote',
      'remote.pushdefault',
    ],
    value: 'address',
    reason: 'an address, unless it asks for a helper program (`ext::`, `x::`) or passes for an option',
  },
  {
    keys: [
      'remote.*.fetch',
      'remote.*.push',
      'remote.*.mirror',
      'remote.*.prune',
      'remote.*.prunetags',
      'remote.*.tagopt',
      'remote.*.promisor',
      'remote.*.partialclonefilter',
      'remote.*.skipdefaultupdate',
      'remote.*.skipfetchall',
      'remote.*.followremotehead',
      'remote.*.gh-resolved',
    ],
    reason: 'which refs travel',
  },
  {
    keys: [
      'branch.*.merge',
      'branch.*.rebase',
      'branch.*.description',
      'branch.*.vscode-merge-base',
      'branch.*.gh-merge-base',
      'branch.*.github-pr-owner-number',
      'branch.autosetupmerge',
      'branch.autosetuprebase',
      'branch.sort',
    ],
    reason: 'what a branch follows; mergeOptions is left out, it can name a strategy and so a command',
  },
  {
    keys: [
      'submodule.*.active',
      'submodule.*.branch',
      'submodule.*.ignore',
      'submodule.*.shallow',
      'submodule.*.fetchrecursesubmodules',
      'submodule.active',
      'submodule.recurse',
      'submodule.fetchjobs',
    ],
    reason: 'which submodules are wanted',
  },
  {
    keys: ['submodule.*.update'],
    value: /^(?:checkout|rebase|merge|none)$/,
    reason: 'a way to update; `!command` is a program',
  },
  {
    keys: [
      'user.name',
      'user.email',
      'user.useconfigonly',
      'author.name',
      'author.email',
      'committer.name',
      'committer.email',
    ],
    reason: 'who commits',
  },
  {
    keys: ['init.defaultbranch', 'init.defaultobjectformat', 'init.defaultrefformat'],
    reason: 'new repositories; templateDir is left out',
  },
  {
    keys: [
      'gc.auto',
      'gc.autodetach',
      'gc.autopacklimit',
      'gc.pruneexpire',
      'gc.worktreepruneexpire',
      'gc.reflogexpire',
      'gc.reflogexpireunreachable',
      'gc.packrefs',
      'gc.cruftpacks',
      'maintenance.auto',
      'maintenance.autodetach',
      'maintenance.strategy',
    ],
    reason: 'when git tidies up; recentObjectsHook is a program',
  },
  {
    keys: [
      'pull.rebase',
      'pull.ff',
      'push.default',
      'push.autosetupremote',
      'push.followtags',
      'push.recursesubmodules',
    ],
    reason: 'how to pull and push; pull.twohead can name a strategy and so a command',
  },
  {
    keys: [
      'fetch.prune',
      'fetch.prunetags',
      'fetch.parallel',
      'fetch.fsckobjects',
      'fetch.unpacklimit',
      'fetch.writecommitgraph',
      'fetch.recursesubmodules',
      'fetch.showforcedupdates',
      'transfer.fsckobjects',
      'protocol.version',
      'receive.denycurrentbranch',
      'receive.denynonfastforwards',
      'receive.denydeletes',
      'receive.fsckobjects',
      'uploadpack.allowfilter',
      'uploadpack.allowanysha1inwant',
      'uploadpack.allowtipsha1inwant',
      'uploadpack.allowreachablesha1inwant',
    ],
    reason: 'what is taken and given; protocol.allow and packObjectsHook are left out',
  },
  {
    keys: [
      'merge.ff',
      'merge.conflictstyle',
      'merge.log',
      'merge.renames',
      'merge.renamelimit',
      'merge.directoryrenames',
      'merge.stat',
      'merge.autostash',
      'rebase.autostash',
      'rebase.autosquash',
      'rebase.updaterefs',
      'rebase.rebasemerges',
      'rebase.stat',
      'rebase.missingcommitscheck',
      'rerere.enabled',
      'rerere.autoupdate',
      'diff.renames',
      'diff.renamelimit',
      'diff.algorithm',
      'diff.context',
      'diff.mnemonicprefix',
      'diff.noprefix',
      'diff.submodule',
      'diff.colormoved',
      'diff.wserrorhighlight',
      'apply.whitespace',
    ],
    reason: 'how to merge and compare; drivers, tools and external commands are left out',
  },
  {
    keys: [
      'commit.verbose',
      'commit.cleanup',
      'commit.status',
      'checkout.guess',
      'checkout.defaultremote',
      'worktree.guessremote',
      'worktree.userelativepaths',
      'status.showuntrackedfiles',
      'status.relativepaths',
      'status.branch',
      'status.short',
      'log.date',
      'log.decorate',
      'log.abbrevcommit',
      'i18n.commitencoding',
      'i18n.logoutputencoding',
      'pack.threads',
      'pack.window',
      'pack.depth',
      'pack.compression',
      'pack.windowmemory',
      'pack.packsizelimit',
      'repack.writebitmaps',
      'repack.usedeltabaseoffset',
      'lfs.repositoryformatversion',
    ],
    reason: 'how things are shown and packed',
  },
  {
    keys: ['color.*', 'color.*.*', 'advice.*'],
    reason: 'colours and hints: no key of these sections names a program',
  },
]

export interface OffendingKey {
  readonly key: string
  readonly value: string | null
}

export interface JudgeOptions {
  /** Whether a `core.worktree` of this value stays in the workspace. */
  readonly worktreeStays: (value: string) => boolean
}

/** The pairs that are not known to be harmless, in the order of the file. */
export function offendingKeys(pairs: readonly ConfigPair[], options: JudgeOptions): OffendingKey[] {
  return pairs
    .filter(([key, value]) => !isHarmless(key, value, options))
    .map(([key, value]) => ({ key, value }))
}

function isHarmless(key: string, value: string | null, options: JudgeOptions): boolean {
  const rule = RULES.get(patternOf(key)) ?? RULES.get(sectionPatternOf(key))
  if (rule === undefined) return false
  if (rule === 'any') return true
  if (rule === 'address') return value !== null && isPlainAddress(value)
  if (rule === 'worktree') return value !== null && options.worktreeStays(value)
  return value !== null && rule.test(value)
}

const RULES: ReadonlyMap<string, ValueRule> = new Map(
  HARMLESS_GIT_CONFIG.flatMap(({ keys, value }) => keys.map(key => [key, value ?? 'any'] as const)),
)

/** `remote.a.b.url` becomes `remote.*.url`: the subsection is what lies between the first and the last dot. */
function patternOf(key: string): string {
  const first = key.indexOf('.')
  const last = key.lastIndexOf('.')
  return first === last ? key : `${key.slice(0, first)}.*${key.slice(last)}`
}

function sectionPatternOf(key: string): string {
  const first = key.indexOf('.')
  return `${key.slice(0, first)}${first === key.lastIndexOf('.') ? '.*' : '.*.*'}`
}

const KNOWN_SCHEMES = new Set(['https', 'http', 'ssh', 'git', 'file', 'git+ssh', 'ssh+git', 'ftp', 'ftps'])

/**
 * Whether git reaches the address by its own means: a path, `host:path`, or a scheme that it knows.
 *
 * `name::rest` runs `git-remote-name`, so does a scheme that git does not know; a dash at the start of the whole,
 * of the host or of the path can reach ssh or git as an option.
 */
export function isPlainAddress(value: string): boolean {
  if (value === '' || value.startsWith('-') || /[\0\n\r]/.test(value)) return false
  if (/^[A-Za-z0-9][A-Za-z0-9+.-]*::/.test(value)) return false
  const url = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/]*)/.exec(value)
  if (url !== null) {
    const [, scheme = '', authority = ''] = url
    return KNOWN_SCHEMES.has(scheme.toLowerCase()) && !/(?:^|@|%40)(?:-|%2d)/i.test(authority)
  }
  return !/^[^/]*(?:@-|:-)/.test(value)
}
