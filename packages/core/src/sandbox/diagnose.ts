/** What srecodex needs of this machine, checked one by one, and how to get what is missing. */

import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createControlGroup } from './cgroup.ts'
import { findBubblewrap, probeSandbox } from './detect.ts'
import { resolveInterpreter, type Interpreter } from './interpreters.ts'

export interface Check {
  readonly id: string
  readonly state: 'ok' | 'warn' | 'fail'
  /** What was found, in a few words. */
  readonly found: string
  /** What follows from it, where it is not `ok`. */
  readonly hint: string | null
  /** A package that would mend it, by the name that system package managers know it by. */
  readonly missingPackage: 'bubblewrap' | 'perl' | null
}

export interface DiagnoseOptions {
  readonly environment: NodeJS.ProcessEnv
  readonly cacheFolder: string
  readonly stateFolder: string
}

const PERL = '/usr/bin/perl'

export async function diagnose(options: DiagnoseOptions): Promise<Check[]> {
  return [
    checkNode(),
    checkPlatform(),
    checkPerl(),
    checkBubblewrap(options),
    await checkSandbox(options),
    checkLimits(),
    ...(['python', 'shell', 'javascript'] as const).map(language => checkInterpreter(language, options)),
    checkGit(options.environment),
    checkState(options.stateFolder),
  ]
}

function ok(id: string, found: string): Check {
  return { id, state: 'ok', found, hint: null, missingPackage: null }
}

function bad(state: 'warn' | 'fail', id: string, found: string, hint: string): Check {
  return { id, state, found, hint, missingPackage: null }
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 12)
    ? ok('node', process.version)
    : bad('fail', 'node', process.version, 'install Node 22.12 or later')
}

function checkPlatform(): Check {
  const found = `${process.platform} ${process.arch}`
  return process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')
    ? ok('platform', found)
    : bad('fail', 'platform', found, 'srecodex isolates scripts on x86-64 and arm64 Linux')
}

function checkPerl(): Check {
  return isExecutable(PERL)
    ? ok('perl', PERL)
    : {
        ...bad('fail', 'perl', `no ${PERL}`, 'the supervisor of each run is a Perl program'),
        missingPackage: 'perl',
      }
}

function checkBubblewrap(options: DiagnoseOptions): Check {
  try {
    const found = findBubblewrap({ path: options.environment.PATH ?? '', cacheFolder: options.cacheFolder })
    const text = `${found.version} (${found.path})`
    return found.boundsTmpfs
      ? ok('bubblewrap', text)
      : bad('warn', 'bubblewrap', text, 'older than 0.6: the private /tmp has no size limit of its own')
  } catch {
    return {
      ...bad('fail', 'bubblewrap', 'not installed', 'it is what isolates scripts'),
      missingPackage: 'bubblewrap',
    }
  }
}

async function checkSandbox(options: DiagnoseOptions): Promise<Check> {
  const failure = await probeSandbox({
    path: options.environment.PATH ?? '',
    cacheFolder: options.cacheFolder,
  })
  if (failure === null) return ok('sandbox', 'namespaces, mounts and a private /proc work')
  return bad('fail', 'sandbox', failure.message, failure.hint ?? 'see the message')
}

function checkLimits(): Check {
  const group = createControlGroup(`doctor-${process.pid}`, { memoryBytes: 2 ** 26, processes: 16, cpus: 1 })
  const bounds = group?.bounds ?? []
  void group?.remove()
  const rest = ['memory', 'processes', 'cpus'].filter(bound => !bounds.includes(bound))
  if (rest.length === 0) return ok('limits', 'memory, processes and cpus of a whole run by cgroup')
  const found = bounds.length === 0 ? 'no cgroup' : `${bounds.join(', ')} by cgroup`
  return bad(
    'warn',
    'limits',
    `${found}; ${rest.join(', ')} by rlimit and watchdog`,
    'each process is bounded, and the sum is looked at ten times a second; as root, or with a delegated cgroup, the kernel bounds the sum',
  )
}

function checkInterpreter(language: Interpreter, options: DiagnoseOptions): Check {
  try {
    const found = resolveInterpreter(language, {
      environment: options.environment,
      workspace: '/nonexistent',
      cacheFolder: options.cacheFolder,
    })
    return ok(language, found.program)
  } catch {
    return bad('warn', language, 'not found', `scripts in ${language} cannot run until it is installed`)
  }
}

function checkGit(environment: NodeJS.ProcessEnv): Check {
  const folder = (environment.PATH ?? '')
    .split(delimiter)
    .find(entry => entry !== '' && isExecutable(join(entry, 'git')))
  return folder === undefined
    ? bad(
        'warn',
        'git',
        'not found',
        'without it every new git config in a workspace is quarantined, harmless or not',
      )
    : ok('git', join(folder, 'git'))
}

function checkState(folder: string): Check {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.W_OK)
    return ok('store', folder)
  } catch (error) {
    return bad(
      'fail',
      'store',
      `cannot write ${folder}: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`,
      'set XDG_STATE_HOME or SRECODEX_HOME to a folder that you may write',
    )
  }
}

/** One way to install packages: a command line, and what must go before it. */
export interface Repair {
  readonly packages: readonly string[]
  /** Run in order. */
  readonly commands: readonly (readonly string[])[]
  /** Whether this process may run them without asking for a password. */
  readonly allowed: boolean
}

const MANAGERS: readonly { program: string; prepare: readonly string[][]; install: readonly string[] }[] = [
  {
    program: 'apt-get',
    prepare: [['apt-get', 'update', '-q']],
    install: ['apt-get', 'install', '-q', '-y', '--no-install-recommends'],
  },
  { program: 'dnf', prepare: [], install: ['dnf', 'install', '-y'] },
  { program: 'yum', prepare: [], install: ['yum', 'install', '-y'] },
  { program: 'apk', prepare: [], install: ['apk', 'add'] },
  { program: 'zypper', prepare: [], install: ['zypper', '--non-interactive', 'install'] },
  { program: 'pacman', prepare: [], install: ['pacman', '-S', '--noconfirm'] },
]

/** What would mend the failed checks; null where no package would, or no package manager is known here. */
export function planRepair(checks: readonly Check[]): Repair | null {
  const packages = checks.flatMap(check => (check.missingPackage === null ? [] : [check.missingPackage]))
  const manager = MANAGERS.find(
    candidate => isExecutable(`/usr/bin/${candidate.program}`) || isExecutable(`/sbin/${candidate.program}`),
  )
  if (packages.length === 0 || manager === undefined) return null
  const root = process.getuid?.() === 0
  const sudo = root ? [] : ['sudo', '-n']
  const commands = [...manager.prepare, [...manager.install, ...packages]].map(command => [
    ...sudo,
    ...command,
  ])
  return { packages, commands, allowed: root || mayUseSudo() }
}

/** Runs the repair; what the package manager prints goes to `onOutput`. @returns the exit code of what failed, or 0. */
export async function repair(plan: Repair, onOutput: (text: string) => void): Promise<number> {
  for (const [program, ...args] of plan.commands) {
    const code = await new Promise<number>(resolve => {
      const child = spawn(program!, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      })
      child.stdout.setEncoding('utf8').on('data', onOutput)
      child.stderr.setEncoding('utf8').on('data', onOutput)
      child.once('error', error => {
        onOutput(`${error.message}\n`)
        resolve(127)
      })
      child.once('close', exitCode => resolve(exitCode ?? 1))
    })
    if (code !== 0) return code
  }
  return 0
}

function mayUseSudo(): boolean {
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
