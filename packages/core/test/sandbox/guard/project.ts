/** A workspace of its own for each test, with real git in it and no config of the machine. */

import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { onTestFinished } from 'vitest'

import {
  protectionMounts,
  type ProtectionMounts,
  scanWorkspace,
  type VerifyResult,
  verifyWorkspace,
  type WorkspaceScan,
} from '../../../src/sandbox/guard/guard.ts'

export interface Project {
  readonly workspace: string
  readonly quarantine: string
  readonly path: (path: string) => string
  readonly write: (path: string, content?: string, mode?: number) => void
  readonly read: (path: string) => string
  readonly has: (path: string) => boolean
  /** Runs git in a folder of the workspace, as the operator would on the host. */
  readonly git: (folder: string, ...args: string[]) => string
  readonly scan: () => WorkspaceScan
  /** Runs `script` in between two looks; the scan goes through JSON, as after a crash. */
  readonly run: (script: () => void) => VerifyResult
  /** Runs a shell script in bubblewrap with the binds of the guard. */
  readonly sandboxed: (script: string) => SandboxedRun
  readonly quarantined: () => string[]
}

export interface SandboxedRun {
  readonly exitCode: number | null
  readonly output: string
  readonly mounts: ProtectionMounts
  readonly verified: VerifyResult
}

/** A busy machine must not turn a test into one of the bound; those set their own. */
const PATIENT = { maxDurationMs: 60_000 } as const

const GIT_ENV = {
  PATH: '/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
  GIT_ALLOW_PROTOCOL: 'file',
} as const

export function project(base: string = tmpdir()): Project {
  const folder = realpathSync(mkdtempSync(join(base, 'guard-')))
  onTestFinished(() => {
    // Some tests nest too deep or shut folders: rm knows how, also past PATH_MAX.
    spawnSync('chmod', ['-R', 'u+rwx', folder])
    execFileSync('rm', ['-rf', folder])
  })
  const workspace = join(folder, 'workspace')
  const quarantine = join(folder, 'quarantine')
  mkdirSync(workspace)
  const path = (relative: string): string => join(workspace, relative)
  const scan = (): WorkspaceScan => scanWorkspace(workspace, PATIENT)
  const verify = (before: WorkspaceScan): VerifyResult =>
    verifyWorkspace(JSON.parse(JSON.stringify(before)) as WorkspaceScan, {
      ...PATIENT,
      quarantineFolder: quarantine,
    })
  return {
    workspace,
    quarantine,
    path,
    write: (relative, content = '', mode = 0o644) => {
      mkdirSync(dirname(path(relative)), { recursive: true })
      writeFileSync(path(relative), content)
      chmodSync(path(relative), mode)
    },
    read: relative => readFileSync(path(relative), 'utf8'),
    has: relative => existsSync(path(relative)),
    git: (cwd, ...args) =>
      execFileSync('git', args, { cwd: path(cwd), env: GIT_ENV, encoding: 'utf8', stdio: 'pipe' }),
    scan,
    run: script => {
      const before = scan()
      script()
      return verify(before)
    },
    sandboxed: script => {
      const before = scan()
      const mounts = protectionMounts(before)
      const argv = ['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--bind', workspace, workspace]
      for (const pinned of mounts.pin) argv.push('--bind-try', pinned, pinned)
      for (const shut of mounts.readOnly) argv.push('--ro-bind-try', shut, shut)
      argv.push('--unshare-all', '--die-with-parent', '--chdir', workspace, '--', '/bin/sh', '-c', script)
      const { status, stdout, stderr } = spawnSync('bwrap', argv, { env: GIT_ENV, encoding: 'utf8' })
      return { exitCode: status, output: stdout + stderr, mounts, verified: verify(before) }
    },
    quarantined: () =>
      existsSync(quarantine) ? readdirSync(quarantine, { recursive: true, encoding: 'utf8' }).sort() : [],
  }
}

export function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

/** `path: reason` of everything that was quarantined, for comparison. */
export function movesOf(result: VerifyResult): string[] {
  return result.quarantined.map(({ path, reason }) => `${path}: ${reason}`)
}

export const UNTOUCHED = { quarantined: [], notices: [], bound: null } as const
