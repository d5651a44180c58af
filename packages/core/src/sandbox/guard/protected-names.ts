/**
 * The names in a workspace that a program of the host acts on by itself, each with the program that does.
 *
 * "By itself" is the line: opening an editor, starting an agent, entering a folder, running git. What a person
 * runs on purpose (`make`, `npm test`, a script in the tree) is the workspace's own content and is not listed,
 * nor are texts that an agent reads as instructions (AGENTS.md, CLAUDE.md): any file can hold those.
 *
 * Names are compared after folding ASCII letters to lower case. On a case-sensitive file system that protects a
 * few odd names more (`.GIT`); on a case-insensitive one (drvfs, casefolded ext4) it is what makes the list hold.
 */

/** Protected wherever they lie, as file, folder or link. */
export const PROTECTED_NAMES: ReadonlyMap<string, string> = new Map([
  // Agents.
  ['.agents', 'agents load the skills in it, and run what they bring'],
  ['.codex', 'Codex starts the MCP servers, hooks and notifiers that its config names'],
  ['.claude', 'Claude Code runs the hooks, status lines and MCP servers of its settings'],
  ['.mcp.json', 'Claude Code and other agents start the MCP servers that it names'],
  ['.cursor', 'Cursor starts the MCP servers and hooks that it names'],
  ['.gemini', 'Gemini CLI starts the MCP servers and hooks of its settings'],
  ['.qwen', 'Qwen Code starts the MCP servers of its settings'],
  ['.opencode', 'opencode loads the plugins, tools and commands in it'],
  ['opencode.json', 'opencode starts the MCP servers, formatters and language servers that it names'],
  ['opencode.jsonc', 'opencode starts the MCP servers, formatters and language servers that it names'],
  ['.crush.json', 'Crush starts the MCP and language servers that it names'],
  ['crush.json', 'Crush starts the MCP and language servers that it names'],
  ['.windsurf', 'Windsurf runs the workflows and hooks in it'],
  ['.continue', 'Continue starts the MCP servers that it names'],
  ['.kiro', 'Kiro starts the MCP servers and hooks that it names'],
  ['.amazonq', 'Amazon Q starts the MCP servers and agent hooks that it names'],
  ['.roo', 'Roo Code starts the MCP servers that it names'],
  ['.kilocode', 'Kilo Code starts the MCP servers that it names'],
  ['.junie', 'Junie starts the MCP servers that it names'],
  ['.aider.conf.yml', 'aider runs its lint, test and notification commands'],
  ['dotcodex', 'srecodex reads its config and skills from it'],
  // Editors.
  ['.vscode', 'VS Code runs its tasks and the programs that its settings name'],
  ['.devcontainer', 'editors run its initializeCommand on the host'],
  ['.devcontainer.json', 'editors run its initializeCommand on the host'],
  ['.idea', 'JetBrains editors run its start-up tasks and file watchers'],
  ['.fleet', 'Fleet runs the programs that its settings name'],
  ['.zed', 'Zed runs its tasks and the language servers that its settings name'],
  ['.exrc', 'Vim and Neovim run it as commands (option exrc)'],
  ['.vimrc', 'Vim runs it as commands (option exrc)'],
  ['.nvimrc', 'Neovim runs it as commands (option exrc)'],
  ['.nvim.lua', 'Neovim runs it (option exrc)'],
  ['.dir-locals.el', 'Emacs sets variables from it and may evaluate it'],
  ['.dir-locals-2.el', 'Emacs sets variables from it and may evaluate it'],
  ['.gdbinit', 'gdb runs it as commands'],
  ['.lldbinit', 'lldb runs it as commands'],
  // Shells.
  ['.envrc', 'direnv runs it on entering the folder'],
  ['.direnv', 'direnv runs what is cached in it'],
  ['mise.toml', 'mise runs its hooks and templates on entering the folder'],
  ['.mise.toml', 'mise runs its hooks and templates on entering the folder'],
  ['mise.local.toml', 'mise runs its hooks and templates on entering the folder'],
  ['.mise.local.toml', 'mise runs its hooks and templates on entering the folder'],
  ['.mise', 'mise runs the tasks and hooks in it'],
  // Git hooks by another name.
  ['.husky', 'git runs the hooks in it where husky is set up'],
  ['.githooks', 'git runs the hooks in it where core.hooksPath names it, also from the user’s own config'],
  ['.pre-commit-config.yaml', 'pre-commit runs its commands from git hooks'],
  ['.overcommit.yml', 'overcommit runs its commands from git hooks'],
  ['lefthook.yml', 'lefthook runs its commands from git hooks'],
  ['lefthook.yaml', 'lefthook runs its commands from git hooks'],
  ['lefthook.toml', 'lefthook runs its commands from git hooks'],
  ['lefthook.json', 'lefthook runs its commands from git hooks'],
  ['.lefthook.yml', 'lefthook runs its commands from git hooks'],
  ['.lefthook.yaml', 'lefthook runs its commands from git hooks'],
  ['.lefthook.toml', 'lefthook runs its commands from git hooks'],
  ['.lefthook.json', 'lefthook runs its commands from git hooks'],
  ['lefthook-local.yml', 'lefthook runs its commands from git hooks'],
  ['lefthook-local.yaml', 'lefthook runs its commands from git hooks'],
  ['.lefthook-local.yml', 'lefthook runs its commands from git hooks'],
  ['.lefthook-local.yaml', 'lefthook runs its commands from git hooks'],
  ['.lefthook', 'lefthook runs the scripts in it from git hooks'],
  ['.lefthook-local', 'lefthook runs the scripts in it from git hooks'],
])

/** Protected where a path ends in them: config inside a folder that as a whole must stay writable. */
export const PROTECTED_ENDINGS: ReadonlyMap<string, string> = new Map([
  ['.hg/hgrc', 'Mercurial runs its hooks, aliases and extensions'],
  ['.hg/hgrc-not-shared', 'Mercurial runs its hooks, aliases and extensions'],
  ['.hg/sharedpath', 'Mercurial reads the config of the repository that it names'],
  ['.sl/config', 'Sapling runs its hooks, aliases and extensions'],
  ['.git/sl/config', 'Sapling runs its hooks, aliases and extensions'],
  ['.jj/repo/config.toml', 'Jujutsu runs its tools and aliases'],
  ['.jj/workspace-config.toml', 'Jujutsu runs its tools and aliases'],
  ['.config/mise.toml', 'mise runs its hooks and templates on entering the folder'],
  ['.config/mise', 'mise runs its hooks and templates on entering the folder'],
])

/**
 * Folders that installers fill and replace as a whole.
 *
 * Nothing in them is mounted: a pinned folder cannot be renamed or removed, and `npm ci` does just that. They are
 * looked into after the run like everything else, because a link elsewhere can lead into them, only last.
 */
export const DEPENDENCY_FOLDERS: ReadonlySet<string> = new Set([
  'node_modules',
  'bower_components',
  'site-packages',
  '.venv',
  'venv',
  '.tox',
  '.nox',
  '.pnpm-store',
  '.yarn',
  '.cargo',
  '.gradle',
  '.terraform',
])

/** What makes a folder a git folder whatever its name: git asks for HEAD, and for these beside it or in commondir. */
export const GIT_MARKS: ReadonlySet<string> = new Set(['head', 'objects', 'refs', 'commondir'])

/** Files in a git folder that git parses as config. */
export const GIT_CONFIG_NAMES: ReadonlySet<string> = new Set(['config', 'config.worktree'])

/** Folders in a git folder whose files name remotes, the way of 2005. Git still reads them and never writes them. */
export const GIT_REMOTE_FOLDERS: ReadonlySet<string> = new Set(['remotes', 'branches'])

/** Folders in a git folder that say how an interrupted rebase, cherry-pick or revert goes on. */
export const GIT_STATE_FOLDERS: ReadonlySet<string> = new Set(['rebase-merge', 'sequencer'])

/** The files in those that can name a program: `exec` lines, and a merge strategy that git looks up as a command. */
export const GIT_STATE_NAMES: ReadonlySet<string> = new Set(['git-rebase-todo', 'strategy', 'opts'])

/** ASCII only, as a case-insensitive file system would fold these names. */
export function foldName(name: string): string {
  return name.toLowerCase()
}

/** Why the path is protected by its name, or null. */
export function protectionReason(path: string): string | null {
  const folded = foldName(path)
  const byName = PROTECTED_NAMES.get(folded.slice(folded.lastIndexOf('/') + 1))
  if (byName !== undefined) return byName
  for (const [ending, reason] of PROTECTED_ENDINGS) {
    if (folded === ending || folded.endsWith(`/${ending}`)) return reason
  }
  return null
}
