/** Frames that no shim would send: other tools, other places, other people's items, everything twice. */

import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { changed, makeArena, SECRETS, tells } from './arena.ts'
import { RAW } from './raw.ts'

const LONG_MS = 60_000

test(
  'raw frames: nothing but the tools there are, in the places there are',
  { timeout: LONG_MS },
  async () => {
    const arena = await makeArena()
    arena.write('raw.py', RAW)
    const { stdout } = await arena.run(`
from raw import *
won, held = [], 0
def hold(what, ok):
    global held
    held += 1
    if not ok: won.append(what)
def refused(answer): return answer[0] in ({'code': 126}, 'CLOSED') or 'error' in answer[0]

for tool in ('../../bin/sh', '/bin/sh', 'sh', 'bash', 'mcp:finance', 'mcp:x', 'kubectl ', 'KUBECTL', '.', '..', '-x', '', 'kubectl\\0',
             'house/../kubectl', '__proto__', 'constructor', 'toString', 'srecodex', 'curl', 'bwrap', 'node', 'a' * 300, 'house\\n', None, 7, ['house']):
    hold(('tool', tool), refused(command(tool, ['-c', 'id'])))
for words in (dict(cwd='relative'), dict(cwd=''), dict(cwd='/a' * 4000), dict(cwd=None), dict(item='forged'), dict(item=''), dict(item=1), dict(item='x' * 600),
              dict(stdin=None), dict(v=2), dict(v='1'), dict(argv='x'), dict(argv=[1]), dict(argv=['\\ud800']), dict(argv=['a\\0b']), dict(argv=None), dict(argv={})):
    link = connect()
    link.sendall(frame(16, {'v': 1, 'tool': 'house', 'argv': ['show'], 'cwd': WS, 'item': None, 'stdin': False, **words}))
    try: kind, body = receive(link); kind2 = receive(link)[0] if kind == 21 else 0
    except EOFError: kind = 0
    hold(('words', str(words)[:40]), kind != 20)

# Two commands on one connection, a command behind a request, a request behind a command.
link = connect(); link.sendall(frame(16, {'v': 1, 'tool': 'house', 'argv': ['show', 'one'], 'cwd': WS, 'item': None, 'stdin': False}) * 2)
try:
    while True: receive(link)
except EOFError: pass
link = connect(); request('each.open', {}, link)
hold('command behind a request', refused(command('house', ['show', 'two'], link=link)))
link = connect(); link.sendall(frame(16, {'v': 1, 'tool': 'house', 'argv': ['slow'], 'cwd': WS, 'item': None, 'stdin': False}) + frame(1, {'v': 1, 'id': 1, 'method': 'summary', 'params': {'text': 'x'}}))
try: hold('request behind a command', receive(link)[0] != 2)
except EOFError: hold('request behind a command', True)

# Input that nobody asked for, of another kind, of another name.
for extra in (frame(18, b'x'), frame(19, {'kind': 'file'}), frame(22, {'code': 0}), frame(17, {'path': '/etc/passwd'}), frame(99, b''), b'\\x01\\xff\\xff\\xff\\xff'):
    link = connect(); link.sendall(frame(16, {'v': 1, 'tool': 'kubectl', 'argv': ['delete', 'deploy', 'web', '-n', 'shop'], 'cwd': WS, 'item': None, 'stdin': False}) + extra)
    try:
        while receive(link)[0] != 22: pass
    except EOFError: pass
for entries in (['../../etc/passwd'], ['..'], ['.'], [''], ['a/b'], ['a', 'a'], ['a\\0'], [1]):
    link = connect(); link.sendall(frame(16, {'v': 1, 'tool': 'kubectl', 'argv': ['apply', '-f', WS + '/folder'], 'cwd': WS, 'item': None, 'stdin': False}))
    kind, body = receive(link)
    link.sendall(frame(19, {'kind': 'folder', 'entries': entries}))
    try: hold(('entries', str(entries)), receive(link)[0] not in (17, 20))
    except EOFError: hold(('entries', str(entries)), True)

for method in ('nope', '__proto__', 'constructor', 'apply', 'drain', 'begin', 'toString', 'command', ''):
    hold(('method', method), 'error' in request(method, {}))
each = request('each.open', {})['result']['each']
for keys in (['a\\x1b[2J'], ['\\x00'], [''], ['a'] * 2, ['x' * 201], [1], ['\\n'], ['\\x85'], 'abc', [None], ['k'] * 3000):
    hold(('keys', str(keys)[:20]), 'error' in request('each.add', {'each': each, 'keys': keys}))
for other in (0, 98, 99, -1, '1', None): hold(('each', other), 'error' in request('each.add', {'each': other, 'keys': ['q']}))
for token in ('forged', '', None, 1, 'x' * 10000, '../x'):
    hold(('token', str(token)[:10]), 'error' in request('item.start', {'token': token}))
    hold(('end', str(token)[:10]), 'error' in request('item.end', {'token': token, 'outcome': 'ok'}))
for argv in ([], ['kubectl'], ['sh', '-c', 'id'], ['kubectl', 'exec', 'x', '--', 'id'], ['kubectl', 'apply', '-f', 'x'], ['kubectl', 'get', 'secret', '-o', 'yaml'],
             ['kubectl', '--server=x', 'delete', 'ns', 'x'], ['kubectl', 1], 'kubectl delete', [['kubectl']], ['kubectl', 'evil'], ['mcp:x', 'y']):
    hold(('may', str(argv)[:30]), 'error' in request('may', {'argv': argv}))
for id in ('../../etc', '/etc', 'a/../../b', '', 'a\\0b', '..', 'x' * 5000, None, {}, 'out', 'out/deep', 'leak'):
    hold(('skill', str(id)[:10]), 'error' in request('skill', {'id': id, 'inputs': {}}))
for params in (dict(server='x', name='y'), dict(server='../x', name='y'), dict(server='__proto__', name='constructor'), dict(server=1, name=2), dict(server='x', name='y', arguments=[]), dict(server='x', name='y', item='forged')):
    hold(('mcp', str(params)[:40]), 'error' in request('tool', params))
for name in ('../x', '/etc/x', 'a/../../x', 'a\\x1b', '', '.'): hold(('artifact', name), 'error' in request('artifact', {'name': name}))
print(json.dumps({'won': won, 'held': held, 'control': [command('house', ['show'])[0], 'result' in request('may', {'argv': ['kubectl', 'delete', 'pod', 'x', '-n', 'shop']})]}))
`)
    const { won, held, control } = JSON.parse(stdout) as { won: unknown[]; held: number; control: unknown[] }
    expect({ won, control }).toEqual({ won: [], control: [{ code: 0 }, true] })
    expect(held).toBeGreaterThan(100)
    expect(changed(arena.kubernetes)).toEqual([])
    expect(arena.reached().filter(line => !/^house (show|slow)/.test(line))).toEqual([])
  },
)

test('a folder of skills in the workspace that leads out of it', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  arena.write('raw.py', RAW)
  const skills = join(arena.workspace, 'dotcodex/skills')
  mkdirSync(join(skills, 'leak'), { recursive: true })
  symlinkSync(join(arena.home, 'house-secret'), join(skills, 'leak/SKILL.md'))
  symlinkSync(arena.home, join(skills, 'out'))
  const payload = `---\nname: B\ndescription: x\ntags: [x]\nintent: Use this when x\nentry: scripts/x.py\n---\nx\n`
  arena.write('dotcodex/skills/good/SKILL.md', payload)
  arena.write('dotcodex/skills/good/scripts/x.py', 'print("{}")')
  arena.write(
    'dotcodex/skills/bad/SKILL.md',
    payload.replace('scripts/x.py', '../../../../home/house-secret'),
  )
  const { stdout } = await arena.run(
    `from raw import *
import subprocess
out = [request('skill', {'id': id, 'inputs': {}}) for id in ('leak', 'out', 'out/house-secret', 'bad', 'good')]
command_ = out[-1]['result']['command']
for folder in (command_[1].rsplit('/good/', 1)[0],):
    for name in ('leak/SKILL.md', 'out/house-secret', 'out/kubeconfig'):
        try: out.append(open(folder + '/' + name).read())
        except OSError as error: out.append(str(error))
out.append(subprocess.run(command_, input=b'{}', capture_output=True).returncode)
print(json.dumps(out))`,
    { skillFolders: [skills] },
  )
  for (const secret of Object.values(SECRETS)) expect(tells(stdout, secret)).toBe(false)
  const told = JSON.parse(stdout) as { error?: unknown; result?: unknown }[]
  expect(told.slice(0, 4).every(one => one.error !== undefined)).toBe(true)
  expect(told.at(-1)).toBe(0)
})
