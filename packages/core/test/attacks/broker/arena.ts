/**
 * A host with tools worth attacking: the real kubectl and a Kubernetes API that logs what reached it, a house tool
 * with a credential, programs in the place of helm, aws and psql, an MCP server with a token. Scripts are run in the
 * real sandbox; what the tools and the server saw is the judge.
 */

import { kubectlProgram, startKubernetes, type Kubernetes } from '../../../../testkit/src/index.ts'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { applyPlan, resumeRun, runScript, type RunReport } from '../../../src/index.ts'

/** What must never reach a script, by where it stands. */
export const SECRETS = {
  file: 'canary-file-3b1f77',
  env: 'canary-env-90aa12',
  bearer: 'canary-bearer-55c0de',
  mcpEnv: 'canary-mcpenv-a7b8c9',
  token: 'canary-token-0f0f0f0f0f0f0f0f',
} as const

export interface Ran {
  readonly report: RunReport
  readonly stdout: string
  readonly stderr: string
}

export interface Arena {
  readonly folder: string
  readonly workspace: string
  readonly home: string
  readonly kubernetes: Kubernetes
  readonly kubeconfig: string
  /** Argvs that reached a stand-in, a line each, the program first. */
  reached(): string[]
  write(path: string, text: string): void
  read(path: string): string
  configure(toml: string): void
  run(script: string, options?: RunWords): Promise<Ran>
  apply(run: string, options?: { readonly environment?: NodeJS.ProcessEnv }): Promise<Ran>
  resume(run: string): Promise<Ran>
  /** Without any sandbox and broker: what an attempt does where nothing holds it. */
  bare(argv: readonly string[], stdin?: string): Promise<{ code: number; stdout: string; stderr: string }>
  runFile(run: string, file: string): string
  readonly environment: NodeJS.ProcessEnv
}

export interface RunWords {
  readonly name?: string
  readonly settings?: Readonly<Record<string, unknown>>
  readonly args?: readonly string[]
  readonly skillFolders?: readonly string[]
  readonly environment?: Record<string, string>
}

/** Says who it is as each tool would, and writes down every call. */
const STAND_IN = `#!/usr/bin/bash
name=\${0##*/}
printf '%s\\n' "$name $*" >> "$HOUSE_LOG/calls"
case "$name $*" in
  *session_user*) printf 'db.test\\nops\\tshop\\t10.0.0.5\\t5432\\n' ;;
  *get-caller-identity*) printf '{"Account":"1234","Arn":"arn:aws:iam::1234:user/ops"}\\n' ;;
  'house env'*) printf 'set: %s\\n' "\${!EVIL*}" "\${LD_PRELOAD-}" "\${PYTHONPATH-}" "$HOME" "$PATH" ;;
  'house slow'*) sleep 600 ;;
  'house bomb'*) head -c "\${2:-1000000000}" /dev/zero ;;
  'house count'*) wc -c ;;
  'house show'*) printf 'shown\\n' ;;
  'house look'*) ls -la "\${@:2}" ;;
esac
`

const CONFIG = (log: string, home: string): string => `
[tools.kubectl]
rate = "2000/s"
concurrency = 16

[tools.house]
credentials = ["${home}/house-secret"]
cache = ["${log}"]
env = ["HOUSE_TOKEN", "HOUSE_LOG"]
reads = ["show *", "env *", "slow *", "bomb *", "count *", "look *", "*a*b*c*d*e*"]
rate = "2000/s"
concurrency = 64

[tools.helm]
cache = ["${log}"]
env = ["KUBECONFIG", "HOUSE_LOG"]
[tools.aws]
cache = ["${log}"]
env = ["HOUSE_LOG", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
[tools.psql]
cache = ["${log}"]
env = ["HOUSE_LOG", "PGPASSWORD"]
`

export async function makeArena(): Promise<Arena> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-broker-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const kubernetes = await startKubernetes({ users: [{ name: 'admin', token: SECRETS.token }] })
  onTestFinished(() => kubernetes.stop())
  const place = (name: string): string => {
    mkdirSync(join(folder, name), { recursive: true, mode: 0o700 })
    return join(folder, name)
  }
  const [workspace, home, log, bin, own] = [
    place('ws'),
    place('home'),
    place('log'),
    place('bin'),
    place('own'),
  ]
  const kubeconfig = kubernetes.kubeconfig(join(home, 'kubeconfig'))
  for (const name of ['web', 'cart', 'mail']) {
    kubernetes.addWorkload({ namespace: 'shop', name, replicas: 1 })
  }
  await kubernetes.settled()
  writeFileSync(join(home, 'house-secret'), `${SECRETS.file}\n`, { mode: 0o600 })
  writeFileSync(join(bin, 'house'), STAND_IN)
  chmodSync(join(bin, 'house'), 0o755)
  for (const name of ['helm', 'aws', 'psql']) symlinkSync('house', join(bin, name))
  const environment = {
    PATH: [bin, dirname(await kubectlProgram()), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: home,
    SRECODEX_HOME: own,
    KUBECONFIG: kubeconfig,
    HOUSE_TOKEN: SECRETS.env,
    HOUSE_LOG: log,
    PGPASSWORD: SECRETS.env,
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: SECRETS.env,
    LANG: 'C.UTF-8',
  }
  const configure = (toml: string): void => {
    mkdirSync(join(own, 'config'), { recursive: true })
    writeFileSync(join(own, 'config/config.toml'), `${CONFIG(log, home)}\n${toml}`)
  }
  configure('')
  const runFile = (run: string, file: string): string => join(own, 'state/runs', run, file)
  const ran = (report: RunReport): Ran => ({
    report,
    stdout: readFileSync(runFile(report.run, 'stdout'), 'utf8'),
    stderr: readFileSync(runFile(report.run, 'stderr'), 'utf8'),
  })
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(workspace, path)), { recursive: true })
    writeFileSync(join(workspace, path), text)
  }
  const arena: Arena = {
    folder,
    workspace,
    home,
    kubernetes,
    kubeconfig,
    environment,
    runFile,
    write,
    configure,
    read: path => readFileSync(join(workspace, path), 'utf8'),
    reached: () =>
      existsSync(join(log, 'calls'))
        ? readFileSync(join(log, 'calls'), 'utf8').split('\n').filter(Boolean)
        : [],
    run: async (script, { name = 'attack.py', settings = {}, ...rest } = {}) => {
      write(name, script)
      return ran(
        await runScript({
          script: { path: join(workspace, name) },
          workspace,
          callerEnvironment: environment,
          settings,
          ...rest,
        }),
      )
    },
    apply: async (run, { environment: other = environment } = {}) =>
      ran(await applyPlan(run, { callerEnvironment: other, how: 'command' })),
    resume: async run => ran(await resumeRun(run, { callerEnvironment: environment })),
    bare: (argv, stdin = '') =>
      new Promise(resolve => {
        const [program = '', ...words] = argv
        const child = execFile(
          program,
          words,
          { env: environment, cwd: workspace, maxBuffer: 1e9, timeout: 20_000 },
          (error, stdout, stderr) =>
            resolve({ code: error === null ? 0 : Number(error.code ?? 128), stdout, stderr }),
        )
        child.stdin?.on('error', () => {})
        child.stdin?.end(stdin)
      }),
  }
  // The annotation of the last applied configuration holds it as well.
  await arena.bare(['kubectl', 'apply', '-f', '-'], SECRET)
  seeded.set(kubernetes, kubernetes.requests.length)
  return arena
}

/** How many requests made what there is at the beginning. */
const seeded = new WeakMap<Kubernetes, number>()

export const HELD = 'held-in-a-secret-6e6e6e'

const SECRET = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'db', namespace: 'shop' },
  type: 'Opaque',
  data: { password: Buffer.from(HELD).toString('base64') },
})

/** Whether a text holds a secret, plain or encoded. */
export function tells(text: string, secret: string): boolean {
  const encoded = [secret, Buffer.from(secret).toString('base64').replace(/.?=*$/, '')]
  return encoded.some(one => text.includes(one))
}

/** Requests that changed something, the seed aside. */
export function changed(kubernetes: Kubernetes, from = seeded.get(kubernetes) ?? 0): string[] {
  return kubernetes.requests
    .slice(from)
    .filter(({ applied }) => applied)
    .map(({ method, resource, namespace, name }) => `${method} ${resource} ${namespace ?? ''}/${name ?? ''}`)
}

export interface Attempt {
  readonly id: string
  readonly argv: readonly string[]
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface Tried {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Calls each, a few at a time, and prints what became of it. */
const CALLER = `
import concurrent.futures, json, os, subprocess, sys
here = os.environ['SRECODEX_WORKSPACE']
def call(one):
    try:
        done = subprocess.run(one['argv'], input=one.get('stdin', '').encode(), capture_output=True, timeout=90,
                              cwd=one.get('cwd', here), env={**os.environ, **one.get('env', {})})
        return one['id'], {'code': done.returncode, 'stdout': done.stdout.decode(errors='replace')[:200000],
                           'stderr': done.stderr.decode(errors='replace')[:20000]}
    except subprocess.TimeoutExpired:
        return one['id'], {'code': 999, 'stdout': '', 'stderr': 'timed out'}
    except (OSError, ValueError) as error:
        return one['id'], {'code': 998, 'stdout': '', 'stderr': str(error)}
with concurrent.futures.ThreadPoolExecutor(6) as pool:
    json.dump(dict(pool.map(call, json.load(open(here + '/attempts.json')))), sys.stdout)
`

export async function attempt(
  arena: Arena,
  attempts: readonly Attempt[],
  options: RunWords = {},
): Promise<{ readonly tried: Readonly<Record<string, Tried>>; readonly ran: Ran }> {
  arena.write('attempts.json', JSON.stringify(attempts))
  const ran = await arena.run(CALLER, { name: 'caller.py', ...options })
  if (ran.stdout === '') throw new Error(`${JSON.stringify(ran.report)}\n${ran.stderr.slice(0, 4000)}`)
  return { tried: JSON.parse(ran.stdout) as Record<string, Tried>, ran }
}
