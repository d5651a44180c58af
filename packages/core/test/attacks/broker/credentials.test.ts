/**
 * After real calls of every kind of tool, and while some still run, the script looks for their credentials in
 * everything that it can read: files, processes, environments, sockets, what was printed. As root and as an ordinary
 * user, by the built CLI, for a checkout may lie where that user cannot go.
 */

import { spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { FINANCE_PROGRAM, kubectlProgram, startFinanceServer } from '../../../../testkit/src/index.ts'
import { makeArena, SECRETS, type Arena } from './arena.ts'

const LONG_MS = 120_000
const NOBODY = 65_534
const CLI = join(import.meta.dirname, '../../../../cli')
const isRoot = process.getuid!() === 0
const ARMS: readonly { readonly name: string; readonly uid: number }[] = [
  ...(isRoot ? [{ name: 'root', uid: 0 }] : []),
  { name: 'an ordinary user', uid: isRoot ? NOBODY : process.getuid!() },
]

/** Needles are given as numbers, or the search would find itself. */
const SEARCH = `
import base64, os, stat, sys
needles = {name: bytes(numbers) for name, numbers in NEEDLES.items()}
forms = {name: [one, base64.b64encode(one)[:-4], one.hex().encode()] for name, one in needles.items()}
found, seen = set(), 0
def look(data, where):
    global seen
    seen += 1
    for name, ways in forms.items():
        if any(way in data for way in ways): found.add((name, where))
def read(path):
    try:
        with open(path, 'rb') as file: look(file.read(8 << 20), path)
    except OSError: pass
for root in ROOTS:
    for folder, names, files in os.walk(root):
        if folder in ('/usr', '/sys', '/proc', '/lib', '/lib64', '/bin', '/sbin'): names[:] = []; continue
        for name in files + names:
            path = folder + '/' + name
            look(os.fsencode(path), path)
            try:
                kind = os.lstat(path).st_mode
                if stat.S_ISLNK(kind): look(os.fsencode(os.readlink(path)), path)
                elif stat.S_ISREG(kind): read(path)
            except OSError: pass
for pid in [one for one in os.listdir('/proc') if one.isdigit()] if '/' in ROOTS else []:
    for name in ('environ', 'cmdline', 'maps', 'mountinfo', 'stat', 'status'): read(f'/proc/{pid}/{name}')
    for folder in ('fd', 'cwd', 'root'):
        try:
            for name in os.listdir(f'/proc/{pid}/{folder}'): look(os.fsencode(os.readlink(f'/proc/{pid}/fd/{name}')), pid) if folder == 'fd' else None
        except OSError: pass
    try:
        for name in os.listdir(f'/proc/{pid}/root' + HOME): look(name.encode(), pid); read(f'/proc/{pid}/root' + HOME + '/' + name)
    except OSError: pass
look(repr(dict(os.environ)).encode(), 'environment')
`

const CALLS = `
import json, subprocess, threading
import srecodex
said = []
def call(*words):
    done = subprocess.run(words, capture_output=True); said.append(done.stdout + done.stderr); return done.returncode
codes = {
    'kubectl': call('kubectl', 'get', 'pods', '-A', '-o', 'yaml'),
    'config': call('kubectl', 'config', 'view'),
    'loud': call('kubectl', 'get', 'pods', '-v=5'),
    'house': call('house', 'show', 'x'),
    'mutation': call('kubectl', 'label', 'deploy/web', '-n', 'shop', 'a=b'),
    'put': call('house', 'put', 'x'),
}
for server in SERVERS:
    said.append(json.dumps(srecodex.tool(server, 'get_teams')).encode())
    codes[server] = 0
    for name in ('nothing', 'get_expenses', '../x'):
        try: srecodex.tool(server, name, team=7)
        except Exception as error: said.append(repr(error).encode() + repr(getattr(error, '__dict__', '')).encode())
running = [subprocess.Popen(['house', 'slow']), subprocess.Popen(['kubectl', 'get', 'pods', '-A', '-w'], stdout=subprocess.DEVNULL)]
import time; time.sleep(0.7)
open('planted', 'w').write(bytes(NEEDLES['planted']).decode())
`

const END = `
for one in said: look(one, 'output')
for one in running: one.kill()
print(json.dumps({'codes': codes, 'seen': seen, 'found': sorted(found)}))
`

interface Found {
  readonly codes: Readonly<Record<string, number>>
  readonly seen: number
  readonly found: readonly (readonly [name: string, where: string])[]
}

/** Everything of the arena becomes the user's own. */
function give(path: string, uid: number): void {
  lchownSync(path, uid, uid)
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name)
    if (entry.isDirectory()) give(below, uid)
    else lchownSync(below, uid, uid)
  }
}

async function srecodexAs(uid: number, arena: Arena, environment: NodeJS.ProcessEnv): Promise<Found> {
  const program = join(arena.folder, 'program/dist')
  cpSync(join(CLI, 'dist'), program, { recursive: true })
  copyFileSync(join(CLI, 'package.json'), join(arena.folder, 'program/package.json'))
  const shipped = join(arena.folder, 'program/node_modules/@srecodex/dotcodex')
  mkdirSync(join(shipped, 'skills'), { recursive: true })
  writeFileSync(join(shipped, 'package.json'), '{"name":"@srecodex/dotcodex","version":"0.0.0"}')
  copyFileSync(process.execPath, join(arena.folder, 'node'))
  copyFileSync(await kubectlProgram(), join(arena.folder, 'bin/kubectl'))
  chmodSync(join(arena.folder, 'bin/kubectl'), 0o755)
  if (isRoot) give(arena.folder, uid)
  const child = spawn(join(arena.folder, 'node'), [join(program, 'bin.js'), 'run', 'attack.py', '--json'], {
    cwd: arena.workspace,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot ? { uid, gid: uid } : {}),
  })
  let told = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text))
  await new Promise(resolve => child.once('close', resolve))
  const id = /"run": *"(\w+)"/.exec(told)?.[1]
  if (id === undefined) throw new Error(told)
  const printed = readFileSync(arena.runFile(id, 'stdout'), 'utf8')
  if (printed === '') throw new Error(`${told}\n${readFileSync(arena.runFile(id, 'stderr'), 'utf8')}`)
  return JSON.parse(printed) as Found
}

describe.each(ARMS)('as $name', ({ uid }) => {
  test(
    'no credential of any tool is in anything that the script can read',
    { timeout: LONG_MS },
    async () => {
      const arena = await makeArena()
      const finance = await startFinanceServer({ token: SECRETS.bearer })
      onTestFinished(() => finance.close())
      const isOwn = uid === process.getuid!()
      arena.configure(`
[mcp_servers.web]
url = "${finance.url}"
bearer_token_env_var = "FINANCE_BEARER"
${isOwn ? `[mcp_servers.own]\ncommand = "${process.execPath}"\nargs = ["${FINANCE_PROGRAM}"]\nenv = { FINANCE_SECRET = "${SECRETS.mcpEnv}" }` : ''}
`)
      const needles = Object.fromEntries(
        Object.entries({ ...SECRETS, planted: 'canary-planted-1234' }).map(([name, value]) => [
          name,
          [...Buffer.from(value)],
        ]),
      )
      const head = (roots: readonly string[]): string =>
        `NEEDLES = ${JSON.stringify(needles)}\nROOTS = ${JSON.stringify(roots)}\nHOME = ${JSON.stringify(arena.home)}\nSERVERS = ${JSON.stringify(isOwn ? ['web', 'own'] : ['web'])}\n`
      arena.write('attack.py', `${head(['/'])}${CALLS}${SEARCH}${END}`)
      mkdirSync(join(arena.folder, 'bare'))
      writeFileSync(
        join(arena.folder, 'bare/search.py'),
        `${head([arena.home, join(arena.folder, 'own')])}${SEARCH}\nprint(sorted({name for name, _ in found}))\n`,
      )

      const { codes, seen, found } = await srecodexAs(uid, arena, {
        ...arena.environment,
        PATH: `${arena.folder}/bin:/usr/local/bin:/usr/bin:/bin`,
        FINANCE_BEARER: SECRETS.bearer,
      })
      expect(Object.entries(codes).filter(([, code]) => code !== 0)).toEqual([])
      expect(finance.requests.some(({ authorization }) => authorization === `Bearer ${SECRETS.bearer}`)).toBe(
        true,
      )
      expect(seen).toBeGreaterThan(100)
      expect(found.map(([name, where]) => [name, where.replace(arena.workspace, '')])).toEqual([
        ['planted', '/planted'],
      ])
      // The same search, where nothing holds it.
      const { stdout } = await arena.bare(['python3', join(arena.folder, 'bare/search.py')])
      expect(stdout).toContain("'file'")
      expect(stdout).toContain("'token'")
    },
  )
})
