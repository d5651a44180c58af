/** The attacks that need a run of their own; what each does, and how it is judged, stands in `probes.ts`. */

import { execFile, execFileSync, spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  appendFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { runScript, SrecodexError, type RunEvent, type RunReport } from '../../src/index.ts'
import { CANARY, write } from './arena.ts'

export interface LoneResult {
  /** The same action succeeded without the sandbox. */
  readonly control: boolean
  /** The sandbox held. */
  readonly held: boolean
  readonly said: string
}

interface Place {
  readonly folder: string
  readonly isRoot: boolean
}

interface Ran {
  readonly report: RunReport | null
  readonly error: SrecodexError | null
  readonly stdout: string
  readonly stdoutBytes: number
  readonly stderr: string
}

interface Setup {
  /** @default FOLDER/ws */
  readonly workspace?: string
  /** A script of the workspace's, or any other file. */
  readonly path?: string
  readonly settings?: Readonly<Record<string, unknown>>
  readonly args?: readonly string[]
  readonly caller?: NodeJS.ProcessEnv
  readonly environment?: Readonly<Record<string, string>>
  readonly onEvent?: (event: RunEvent) => void
}

const PYTHON = '/usr/bin/python3'
const PATH = '/usr/local/bin:/usr/bin:/bin'
const MEBIBYTE = 1 << 20

async function run(folder: string, program: string, setup: Setup = {}): Promise<Ran> {
  const workspace = setup.workspace ?? join(folder, 'ws')
  mkdirSync(workspace, { recursive: true })
  const home = join(folder, 'home')
  write(join(home, '.ssh/id_ed25519'), CANARY)
  let started = ''
  const read = (name: string): string => {
    const path = join(started, name)
    return started !== '' && existsSync(path) && statSync(path).size < 4 * MEBIBYTE
      ? readFileSync(path, 'utf8')
      : ''
  }
  let report: RunReport | null = null
  let error: SrecodexError | null = null
  try {
    report = await runScript({
      script: setup.path === undefined ? { text: program, language: 'python' } : { path: setup.path },
      workspace,
      callerEnvironment: setup.caller ?? { PATH, HOME: home, SRECODEX_HOME: join(folder, 'own') },
      settings: { 'scripts.execution_timeout': 60, ...setup.settings },
      args: setup.args ?? [],
      environment: setup.environment ?? {},
      onEvent: event => {
        if (event.kind === 'started') started = event.folder
        setup.onEvent?.(event)
      },
    })
  } catch (thrown) {
    if (!(thrown instanceof SrecodexError)) throw thrown
    error = thrown
  }
  const stdoutPath = join(started, 'stdout')
  return {
    report,
    error,
    stdout: read('stdout'),
    stderr: read('stderr'),
    stdoutBytes: started !== '' && existsSync(stdoutPath) ? statSync(stdoutPath).size : 0,
  }
}

/** The same program without a sandbox. */
async function bare(
  folder: string,
  program: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const workspace = join(folder, 'bare')
  mkdirSync(workspace, { recursive: true })
  const out = openSync(join(folder, 'bare.out'), 'w')
  const child = spawn(PYTHON, ['-c', program, ...args], {
    cwd: workspace,
    env: { PATH, HOME: join(folder, 'home'), ...environment },
    stdio: ['ignore', out, out],
  })
  await new Promise(resolve => child.once('exit', resolve))
  return readFileSync(join(folder, 'bare.out'), 'utf8')
}

function tell(ran: Ran): string {
  return JSON.stringify({
    report: ran.report,
    error: ran.error?.message,
    details: ran.error?.details,
    stdout: ran.stdout.slice(-500),
    stderr: ran.stderr.slice(-500),
  })
}

/** Process ids whose command line holds the mark, read from the host; zombies do not count. */
function marked(mark: string): number[] {
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return []
    try {
      const isMarked = readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(mark)
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      return isMarked && !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1)) ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

function endAll(mark: string): number {
  const pids = marked(mark)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  return pids.length
}

async function until(condition: () => boolean): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (condition()) return true
    await sleep(50)
  }
  return false
}

const STUBBORN = `import signal,time
for s in range(1, 32):
    try: signal.signal(s, signal.SIG_IGN)
    except OSError: pass
time.sleep(100)`

const SURVIVORS = `
import subprocess, sys, time
stubborn = ['/usr/bin/python3', '-c', '''${STUBBORN}''']; mark = sys.argv[1]; quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
subprocess.Popen(stubborn + [mark + '-setsid'], start_new_session=True, **quiet)
subprocess.Popen(['sh', '-c', '( "$@" & ) & wait', 'sh'] + stubborn + [mark + '-double'], start_new_session=True, **quiet)
subprocess.Popen(['nohup'] + stubborn + [mark + '-nohup'], **quiet)
subprocess.Popen(stubborn + [mark + '-term'], **quiet)
subprocess.Popen(stubborn + [mark + '-pipe'])
time.sleep(0.8); print('left')`

const PLANTERS = `
import os, signal, subprocess, sys, time
for s in range(1, 32):
    try: signal.signal(s, signal.SIG_IGN)
    except OSError: pass
planter = "import os,signal\\nfor s in range(1, 32):\\n    try: signal.signal(s, signal.SIG_IGN)\\n    except OSError: pass\\nwhile True: open('.envrc', 'w')"
for _ in range(4): subprocess.Popen(['/usr/bin/python3', '-c', planter, sys.argv[1]], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while True: time.sleep(1)`

const TAKE_MEMORY = `
import sys, time
kept = bytearray(int(sys.argv[1]) << 20)
for i in range(0, len(kept), 4096): kept[i] = 1
time.sleep(0.8); print('WON')`

const TAKE_MEMORY_MANY = `
import os, sys, time
pids = []
for _ in range(6):
    pid = os.fork()
    if pid == 0:
        kept = bytearray((int(sys.argv[1]) // 6) << 20)
        for i in range(0, len(kept), 4096): kept[i] = 1
        time.sleep(1); os._exit(0)
    pids.append(pid)
if all([os.waitpid(p, 0)[1] == 0 for p in pids]): print('WON')
else: sys.exit(1)`

const TAKE_MEMORY_FILES = `
import os, sys, time
folders = sys.argv[2:]
for folder in folders:
    with open(folder + '/srecodex-memory', 'wb') as file:
        for _ in range(int(sys.argv[1]) // len(folders)): file.write(b'x' * (1 << 20))
time.sleep(0.8); print('WON')
for folder in folders: os.unlink(folder + '/srecodex-memory')`

const TAKE_MEMORY_SHARED = `
import mmap, sys, time
kept = mmap.mmap(-1, int(sys.argv[1]) << 20)
for i in range(0, len(kept), 4096): kept[i] = 1
time.sleep(0.8); print('WON')`

function memory(
  program: string,
  inSandbox: readonly string[] = ['192'],
  outside: readonly string[] = inSandbox,
) {
  return async ({ folder }: Place): Promise<LoneResult> => {
    const ran = await run(folder, program, { args: inSandbox, settings: { 'limits.memory': '128MiB' } })
    return {
      control: (await bare(folder, program, outside)).includes('WON'),
      held: !ran.stdout.includes('WON') && ran.report?.status === 'failed',
      said: tell(ran),
    }
  }
}

const OWN_CONFIG = `
import os, sys
try:
    os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True); open(sys.argv[1], 'a').write('[execution_environment]\\nsandbox_mode = "danger-full-access"\\n')
except OSError as error: print(error)`

const FLIPPER = `
import ctypes, os, time
libc = ctypes.CDLL(None); end = time.time() + 3
while time.time() < end:
    if libc.syscall(316, -100, b'.vscode', -100, b'link', 2) != 0:
        try:
            if not os.path.lexists('link'): os.symlink('../home', 'link')
            if not os.path.lexists('.vscode'): os.mkdir('.vscode')
        except OSError: pass
    if os.path.islink('.vscode') and os.path.islink('link'): os.unlink('.vscode')`

const LOOK_FOR_SECRET = `
import os, sys
for start in ('.', sys.argv[1]):
    for folder, _, files in os.walk(start):
        for name in files:
            try:
                if '${CANARY}' in open(os.path.join(folder, name)).read(): print('WON')
            except OSError: pass`

/** By the id in `LONE_ATTACKS`. */
export const LONE: Readonly<Record<string, (place: Place) => Promise<LoneResult>>> = {
  async planted({ folder }) {
    const program = `
import os, subprocess
subprocess.run(['git', 'init', '-q', 'n/ested'], check=True)
open('n/ested/.git/hooks/pre-commit', 'w').write('x'); open('n/ested/.git/config', 'a').write('[core]\\n\\tfsmonitor = /bin/evil\\n')
for p in ('.envrc', 'sub/.mcp.json', 'sub/.vscode/tasks.json', '.claude/settings.json', '.codex/config.toml', '.cursor/mcp.json', '.devcontainer.json', 'node_modules/x/.envrc', 'dotcodex/config.toml', '.githooks/pre-push', '.hg/hgrc'):
    os.makedirs(os.path.dirname(p) or '.', exist_ok=True); open(p, 'w').write('x')
os.makedirs('bare/objects'); os.makedirs('bare/refs'); open('bare/HEAD', 'w').write('ref: refs/heads/x'); open('bare/config', 'w').write('[core]\\n\\tsshCommand = evil\\n')
os.makedirs('real'); os.symlink('real', '.idea'); print('planted')`
    const planted = [
      'n/ested/.git/hooks/pre-commit',
      'n/ested/.git/config',
      '.envrc',
      'sub/.mcp.json',
      'sub/.vscode',
      '.claude',
      '.codex',
      '.cursor',
      '.devcontainer.json',
      'node_modules/x/.envrc',
      'dotcodex',
      '.githooks',
      '.hg/hgrc',
      'bare/config',
      '.idea',
    ]
    const left = (place: string): string[] => planted.filter(path => existsSync(join(folder, place, path)))
    const ran = await run(folder, program)
    await bare(folder, program)
    return {
      control: left('bare').length === planted.length,
      held: ran.stdout.includes('planted') && left('ws').length === 0,
      said: `${left('ws').join()} ${tell(ran)}`,
    }
  },

  async survivors({ folder }) {
    const mark = `survivor-${process.pid}-${Date.now()}`
    const ran = await run(folder, SURVIVORS, { args: [mark] })
    const left = endAll(mark)
    await bare(folder, SURVIVORS, [`bare-${mark}`])
    return {
      control: endAll(`bare-${mark}`) >= 5,
      held: ran.stdout.includes('left') && left === 0,
      said: `${left} ${tell(ran)}`,
    }
  },

  async 'timeout-planters'({ folder }) {
    const mark = `planter-${process.pid}-${Date.now()}`
    const ran = await run(folder, PLANTERS, { args: [mark], settings: { 'scripts.execution_timeout': 1 } })
    const left = endAll(mark)
    await sleep(300)
    const isPlanted = existsSync(join(folder, 'ws/.envrc'))
    mkdirSync(join(folder, 'bare'), { recursive: true })
    const child = spawn(PYTHON, ['-c', PLANTERS, `bare-${mark}`], {
      cwd: join(folder, 'bare'),
      stdio: 'ignore',
    })
    await until(() => existsSync(join(folder, 'bare/.envrc')))
    child.kill('SIGKILL')
    await sleep(100)
    return {
      control: endAll(`bare-${mark}`) > 0,
      held: ran.report?.status === 'timed-out' && left === 0 && !isPlanted,
      said: `${left} ${isPlanted} ${tell(ran)}`,
    }
  },

  async 'srecodex-killed'({ folder }) {
    const mark = `orphan-${process.pid}-${Date.now()}`
    const kill = async (argv: readonly string[], own: string): Promise<boolean> => {
      const child = spawn(process.execPath, argv, { stdio: 'ignore' })
      const began = await until(() => marked(own).some(pid => pid !== child.pid))
      child.kill('SIGKILL')
      return began
    }
    write(join(folder, 'mark'), mark)
    const began = await kill([process.argv[1]!, 'child', folder], mark)
    const held = await until(() => marked(mark).length === 0)
    endAll(mark)
    const bareBegan = await kill(
      [
        '-e',
        `require('child_process').spawn('${PYTHON}', ['-c', 'import time; time.sleep(100)', 'bare-${mark}'], { stdio: 'ignore' })`,
      ],
      `bare-${mark}`,
    )
    await sleep(500)
    return { control: bareBegan && endAll(`bare-${mark}`) > 0, held: began && held, said: `began ${began}` }
  },

  async 'kill-pid-1'({ folder }) {
    const program = `
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN); target = int(sys.argv[1])
for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGSTOP, signal.SIGQUIT, signal.SIGSEGV, signal.SIGKILL):
    try: os.kill(target, s)
    except OSError: pass
time.sleep(0.2); print('still'); sys.exit(7)`
    const ran = await run(folder, program, { args: ['1'] })
    const victim = spawn('/usr/bin/sleep', ['60'])
    const died = new Promise<boolean>(resolve => victim.once('exit', () => resolve(true)))
    await bare(folder, program, [String(victim.pid)])
    return {
      control: await died,
      held: ran.report?.exitCode === 7 && ran.stdout.includes('still'),
      said: tell(ran),
    }
  },

  async 'fork-bomb'({ folder }) {
    const program = `
import os, sys, time
pids = []
try:
    while len(pids) < int(sys.argv[1]):
        pid = os.fork()
        if pid == 0: time.sleep(30); os._exit(0)
        pids.append(pid)
except OSError as error: print(error, file=sys.stderr)
print(len(pids))
for pid in pids: os.kill(pid, 9)`
    const ran = await run(folder, program, { args: ['500'], settings: { 'limits.processes': 64 } })
    const count = Number(ran.stdout)
    return {
      control: Number(await bare(folder, program, ['80'])) === 80,
      held: ran.report !== null && count < 64 && (count > 20 || ran.stdout === ''),
      said: tell(ran),
    }
  },

  'memory-one': memory(TAKE_MEMORY),
  'memory-many': memory(TAKE_MEMORY_MANY),
  'memory-tmpfs': ({ folder, isRoot }) =>
    memory(
      TAKE_MEMORY_FILES,
      ['200', '/tmp', '/var/tmp', '/dev/shm', '/run', join(folder, 'home')],
      ['192', '/dev/shm'],
    )({ folder, isRoot }),
  'memory-shared': memory(TAKE_MEMORY_SHARED),

  async 'large-file'({ folder }) {
    const program = `
file = open('large', 'wb')
for _ in range(32): file.write(bytes(1 << 20))
file.close(); print('WON')`
    const ran = await run(folder, program, { settings: { 'limits.file_size': '8MiB' } })
    return {
      control: (await bare(folder, program)).includes('WON'),
      held: !ran.stdout.includes('WON') && statSync(join(folder, 'ws/large')).size <= 8 * MEBIBYTE,
      said: tell(ran),
    }
  },

  async 'fill-disk'({ folder }) {
    const program = `
import os, sys, time
for i in range(int(sys.argv[1])):
    with open(f'f{i}', 'wb') as file: os.posix_fallocate(file.fileno(), 0, 1 << 20)
    if i % 32 == 0: time.sleep(0.02)
time.sleep(0.8); print('WON')`
    const disk = statfsSync(folder)
    const ran = await run(folder, program, {
      args: ['1500'],
      settings: { 'limits.min_free_space': disk.bavail * disk.bsize - 48 * MEBIBYTE },
    })
    const result = {
      control: (await bare(folder, program, ['96'])).includes('WON'),
      held: ran.report?.error?.code === 'LIMIT_EXCEEDED' && !ran.stdout.includes('WON'),
      said: tell(ran),
    }
    for (const place of ['ws', 'bare']) rmSync(join(folder, place), { recursive: true })
    return result
  },

  async 'output-flood'({ folder }) {
    const program = `
import os, sys
for _ in range(int(sys.argv[1])):
    chunk = b'x' * 1048575 + b'\\n'
    while chunk: chunk = chunk[os.write(1, chunk):]
os.write(2, b'went on')`
    const ran = await run(folder, program, { args: ['256'], settings: { 'limits.output': MEBIBYTE + 7 } })
    const { stdout } = ran.report?.output ?? { stdout: { bytes: 0, lines: 0 } }
    return {
      control: (await bare(folder, program, ['4'])).length === 4 * MEBIBYTE + 'went on'.length,
      held:
        stdout.bytes === 256 * MEBIBYTE &&
        stdout.lines === 256 &&
        ran.stdoutBytes === MEBIBYTE + 7 &&
        ran.stderr === 'went on',
      said: tell({ ...ran, stdout: '' }),
    }
  },

  async 'terminal-escapes'({ folder }) {
    const program = String.raw`
import os, sys
evil = '\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b5m\x08\u202e'
d = os.environ.get('SRECODEX_ARTIFACTS', '.'); open(d + '/a' + evil, 'w').write('x')
os.makedirs('n' + evil + '\nsucceeded'); open('n' + evil + '\nsucceeded/.envrc', 'w').write('x')
print(evil + 'printed'); print(evil + 'failed', file=sys.stderr); sys.exit(3)`
    const ran = await run(folder, program)
    // oxlint-disable-next-line no-control-regex -- these are what is looked for
    const escapes = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/
    const texts: string[] = []
    JSON.stringify(ran.report, (_key, value: unknown) => {
      if (typeof value === 'string') texts.push(value)
      return value
    })
    const notices = ran.report?.notices ?? []
    return {
      control: escapes.test(await bare(folder, program)),
      held:
        ran.report?.exitCode === 3 &&
        !texts.some(text => escapes.test(text)) &&
        notices.some(notice => notice.includes('.envrc')) &&
        !notices.some(notice => notice.includes('\n')),
      said: tell(ran),
    }
  },

  async 'socket-misuse'({ folder }) {
    const program = `
import json, os, socket, struct
def talk(raw):
    s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(os.environ['SRECODEX_SOCKET']); s.sendall(raw)
    try:
        head = s.recv(5, socket.MSG_WAITALL)
        return json.loads(s.recv(struct.unpack('>BI', head)[1], socket.MSG_WAITALL)) if len(head) == 5 else None
    except (OSError, ValueError): return None
def ask(name):
    body = json.dumps({'v': 1, 'id': 1, 'method': 'artifact', 'params': {'name': name}}).encode()
    return talk(struct.pack('>BI', 1, len(body)) + body)
for name in ('../x', '/etc/x', 'a/../../x', 'a//b', '.', 'x' * 300, 'a\\0b', 7, None, '..', 'a/./b'):
    if 'result' in (ask(name) or {}): print('WON', name)
for raw in (struct.pack('>BI', 1, 0xffffffff), struct.pack('>BI', 255, 5) + b'hello', b'\\0' * 64, struct.pack('>BI', 1, 4) + b'\\xff{}['):
    if 'result' in (talk(raw) or {}): print('WON', raw)
print(ask('fine/name')['result']['path'])`
    const ran = await run(folder, program)
    return {
      control: ran.stdout.includes('/run/srecodex/artifacts/fine/name'),
      held: !ran.stdout.includes('WON') && ran.report?.status === 'succeeded',
      said: tell(ran),
    }
  },

  async 'artifact-links'({ folder }) {
    const secret = join(folder, 'home/.ssh/id_ed25519')
    const program = `
import os
os.chdir(os.environ['SRECODEX_ARTIFACTS']); os.symlink('${secret}', 'secret'); os.symlink('/', 'root'); os.mkfifo('pipe'); open('regular', 'w').write('x')`
    const ran = await run(folder, program)
    const names = ran.report?.artifacts.map(({ name }) => name) ?? []
    return { control: names.includes('regular'), held: names.length === 1, said: tell(ran) }
  },

  async 'temporary-script'({ folder }) {
    const program = `
import os, sys
place, victims = sys.argv[1:3]
for act in (lambda: (os.unlink(place + '/job.py'), os.symlink(victims + '/job.py', place + '/job.py')),
            lambda: (os.rename(place, place + '2'), os.symlink(victims, place)),
            lambda: (os.rename(os.path.dirname(place), os.path.dirname(place) + '2'), os.symlink(os.path.dirname(victims), os.path.dirname(place)))):
    try: act(); print('WON')
    except OSError as error: print(error)`
    const stage = (place: string): string => {
      write(join(folder, place, '.srecodex/tmp/job.py'), program)
      return join(folder, place, '.srecodex/tmp')
    }
    const victims = join(folder, 'victims/tmp')
    write(join(victims, 'job.py'), 'victim')
    const place = stage('ws')
    const ran = await run(folder, program, { path: join(place, 'job.py'), args: [place, victims] })
    const control = (await bare(folder, program, [stage('bare'), victims])).includes('WON')
    return {
      control,
      held:
        !ran.stdout.includes('WON') &&
        existsSync(join(victims, 'job.py')) &&
        !existsSync(join(place, 'job.py')),
      said: tell(ran),
    }
  },

  async 'planted-interpreters'({ folder }) {
    const bin = join(folder, 'ws/.venv/bin')
    const shims = join(folder, 'shims')
    const markers = (): string[] => readdirSync(folder).filter(name => name.startsWith('marker-'))
    for (const name of [
      'bash',
      'sh',
      'env',
      'python3',
      'python',
      'node',
      'git',
      'bwrap',
      'perl',
      'dirname',
      'readlink',
    ]) {
      write(
        join(bin, name),
        `#!/bin/sh\n: >'${folder}/marker-${name}'\nPATH=/usr/bin:/bin exec ${name} "$@"\n`,
      )
    }
    write(join(shims, 'python3'), '#!/usr/bin/env bash\nexec /usr/bin/python3 "$@"\n')
    write(join(shims, 'node'), `#!/usr/bin/env bash\nexec '${process.execPath}' "$@"\n`)
    const path = `${bin}:${shims}:${PATH}`
    const caller = { PATH: path, HOME: join(folder, 'home'), SRECODEX_HOME: join(folder, 'own') }
    const before = process.env['PATH']
    process.env['PATH'] = path // the guard looks for git there
    const ran = await run(
      folder,
      `import subprocess\nsubprocess.run(['/usr/bin/git', 'init', '-q', 'g'], check=True); print('ran')`,
      { caller },
    )
    process.env['PATH'] = before
    const ranOnHost = markers()
    execFileSync(join(shims, 'python3'), ['--version'], { env: { PATH: path } })
    return {
      control: markers().includes('marker-bash'),
      held: ran.stdout.includes('ran') && ranOnHost.length === 0,
      said: `${ranOnHost.join()} ${tell(ran)}`,
    }
  },

  async 'interpreter-link'({ folder }) {
    const tool = join(folder, 'private/tool')
    mkdirSync(dirname(tool), { recursive: true })
    copyFileSync('/usr/bin/true', tool)
    appendFileSync(tool, CANARY)
    chmodSync(tool, 0o755)
    const bin = join(folder, 'ws/.venv/bin')
    mkdirSync(bin, { recursive: true })
    symlinkSync(tool, join(bin, 'node'))
    const program = `print('WON' if b'${CANARY}' in open('${tool}', 'rb').read() else 'no')`
    const caller = { PATH: `${bin}:${PATH}`, HOME: join(folder, 'home'), SRECODEX_HOME: join(folder, 'own') }
    const ran = await run(folder, program, { caller })
    return {
      control: (await bare(folder, program)).includes('WON'),
      held: !ran.stdout.includes('WON') && ran.report !== null,
      said: tell(ran),
    }
  },

  async 'plant-config'({ folder }) {
    const config = join(folder, 'ws/srecodex/config.toml')
    const caller = {
      PATH,
      HOME: join(folder, 'home'),
      XDG_CONFIG_HOME: join(folder, 'ws'),
      XDG_STATE_HOME: join(folder, 'state'),
      XDG_CACHE_HOME: join(folder, 'cache'),
    }
    const ran = await run(folder, OWN_CONFIG, { caller, args: [config] })
    const held = ran.report !== null && !existsSync(config)
    await bare(folder, OWN_CONFIG, [config])
    return { control: existsSync(config), held, said: tell(ran) }
  },

  async 'linked-config'({ folder }) {
    const dotfiles = join(folder, 'ws')
    const home = join(folder, 'home')
    mkdirSync(join(dotfiles, 'srecodex'), { recursive: true })
    mkdirSync(join(home, '.config'), { recursive: true })
    symlinkSync('../../ws/srecodex', join(home, '.config/srecodex'))
    const file = join(dotfiles, 'kept/config.toml')
    write(file, '[summary]\nmax_chars = 500\n')
    symlinkSync(file, join(dotfiles, 'srecodex/config.toml'))
    const caller = { PATH, HOME: home }
    const ran = await run(folder, OWN_CONFIG, { caller, args: [file] })
    const other = await run(folder, OWN_CONFIG, { caller, args: [join(dotfiles, 'srecodex/trust.json')] })
    const held =
      ran.report !== null &&
      !readFileSync(file, 'utf8').includes('danger') &&
      !existsSync(join(dotfiles, 'srecodex/trust.json'))
    await bare(folder, OWN_CONFIG, [file])
    return { control: readFileSync(file, 'utf8').includes('danger'), held, said: tell(ran) + tell(other) }
  },

  async 'script-beside-socket'({ folder }) {
    const runtime = `/dev/shm/${basename(folder)}-${process.pid}`
    mkdirSync(runtime)
    const server = createServer(socket => socket.destroy()).listen(join(runtime, 'docker.sock'))
    try {
      const program = `
import socket
s = socket.socket(socket.AF_UNIX)
try: s.connect('${runtime}/docker.sock'); print('WON')
except OSError as error: print(error)`
      write(join(runtime, 'job.py'), program)
      const ran = await run(folder, program, { path: join(runtime, 'job.py') })
      return {
        control: (await bare(folder, program)).includes('WON'),
        held: ran.report?.status === 'succeeded' && !ran.stdout.includes('WON'),
        said: tell(ran),
      }
    } finally {
      server.close()
      rmSync(runtime, { recursive: true })
    }
  },

  async 'runtime-workspace'({ folder, isRoot }) {
    if (!isRoot) return { control: true, held: true, said: 'only root can make such a folder' }
    const runtime = `/run/user/${900_000 + process.pid}`
    mkdirSync(runtime, { recursive: true })
    const ran = await run(folder, 'print(1)', { workspace: runtime })
    rmSync(runtime, { recursive: true })
    const ordinary = await run(folder, 'print(1)')
    return {
      control: ordinary.report?.status === 'succeeded',
      held: ran.error?.code === 'WORKSPACE_INVALID',
      said: tell(ran),
    }
  },

  async 'swapped-mount'({ folder }) {
    const workspace = join(folder, 'ws')
    const agent = join(workspace, '.vscode')
    mkdirSync(agent, { recursive: true })
    const swap = (): void => {
      renameSync(agent, join(workspace, 'aside'))
      symlinkSync('../home', agent)
    }
    const ran = await run(folder, LOOK_FOR_SECRET, {
      args: [join(folder, 'home')],
      onEvent: event => event.kind === 'started' && swap(),
    })
    if (!existsSync(join(workspace, 'aside')))
      return { control: false, held: false, said: `no swap ${tell(ran)}` }
    rmSync(agent, { recursive: true, force: true })
    symlinkSync('../home', agent) // the run's end may have put it into the quarantine
    const home = join(folder, 'home')
    const { stdout } = await promisify(execFile)('bwrap', [
      '--dev-bind',
      '/',
      '/',
      '--tmpfs',
      home,
      '--ro-bind',
      agent,
      agent,
      'cat',
      join(home, '.ssh/id_ed25519'),
    ])
    return {
      control: stdout.includes(CANARY),
      held:
        !ran.stdout.includes('WON') &&
        (ran.error?.details['cause'] === 'workspace-changed' || ran.report === null),
      said: tell(ran),
    }
  },

  async 'swap-race'({ folder }) {
    const flippingState = { isOver: false }
    const flipping = run(folder, FLIPPER).finally(() => (flippingState.isOver = true))
    await sleep(500)
    const seen: Ran[] = []
    for (let count = 0; count < 10 && !flippingState.isOver; count++)
      seen.push(await run(folder, LOOK_FOR_SECRET, { args: [join(folder, 'home')] }))
    const flipped = await flipping
    return {
      control: flipped.report?.exitCode === 0,
      held: !seen.some(ran => ran.stdout.includes('WON')),
      said: seen.map(ran => ran.error?.message ?? ran.report?.status).join('; ') + tell(flipped),
    }
  },

  async 'nul-argument'({ folder }) {
    const program = `import sys, resource\nprint(sys.argv[1:], resource.getrlimit(resource.RLIMIT_FSIZE))`
    const ran = await run(folder, program, { args: ['x\0N39,39,39\0Ay'] })
    const plain = await run(folder, program, { args: ['xN39,39,39Ay'] })
    return {
      control: plain.stdout.includes('xN39,39,39Ay'),
      held: ran.error?.code === 'REFUSED',
      said: tell(ran),
    }
  },

  async 'symlinked-workspace'({ folder }) {
    mkdirSync(join(folder, 'real/ws'), { recursive: true })
    write(join(folder, 'real/secret'), CANARY)
    symlinkSync('real/ws', join(folder, 'ws'))
    const program = `
import os
for path in ('../secret', '${folder}/real/secret', '${folder}/ws/../secret', os.path.realpath('.') + '/../secret'):
    try:
        if '${CANARY}' in open(path).read(): print('WON')
    except OSError: pass
open('here', 'w').write('x')`
    const ran = await run(folder, program)
    return {
      control: (await bare(folder, program)).includes('WON'),
      held: !ran.stdout.includes('WON') && existsSync(join(folder, 'real/ws/here')),
      said: tell(ran),
    }
  },

  async 'symlinked-script'({ folder }) {
    const program = `
import os, sys
try: open(sys.argv[1], 'a').write('# rewritten'); print('WON')
except OSError as error: print(error)`
    const real = join(folder, 'elsewhere/job.py')
    write(real, program)
    mkdirSync(join(folder, 'ws'))
    symlinkSync(real, join(folder, 'ws/job.py'))
    const ran = await run(folder, program, { path: join(folder, 'ws/job.py'), args: [real] })
    const held = ran.report?.status === 'succeeded' && readFileSync(real, 'utf8') === program
    return { control: (await bare(folder, program, [real])).includes('WON'), held, said: tell(ran) }
  },

  async 'odd-workspace'({ folder }) {
    const workspace = join(folder, `--bind\n, "we'ird" \\0 $(touch x) ünï\t%s`)
    write(join(folder, 'secret'), CANARY)
    const program = `
open('here', 'w').write('x')
try:
    if '${CANARY}' in open('../secret').read(): print('WON')
except OSError: print('held')`
    const ran = await run(folder, program, { workspace })
    return {
      control: (await bare(folder, program)).includes('WON'),
      held: ran.stdout.includes('held') && existsSync(join(workspace, 'here')),
      said: tell(ran),
    }
  },

  async 'read-only'({ folder }) {
    const program = `
try: open('file', 'w').write('x'); print('WON')
except OSError as error: print(error)`
    const ran = await run(folder, program, {
      settings: { 'execution_environment.sandbox_mode': 'read-only' },
    })
    const allowed = await run(folder, program)
    return {
      control: allowed.stdout.includes('WON'),
      held: ran.report?.status === 'succeeded' && !ran.stdout.includes('WON'),
      said: tell(ran),
    }
  },
}

/** For `srecodex-killed`: a run that does not end by itself. */
export async function runForever(folder: string): Promise<void> {
  const mark = readFileSync(join(folder, 'mark'), 'utf8')
  await run(
    folder,
    `import subprocess, time\nsubprocess.Popen(['/usr/bin/python3', '-c', 'import time; time.sleep(100)', '${mark}'], start_new_session=True)\ntime.sleep(100)`,
  )
}
