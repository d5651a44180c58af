/**
 * What tests of `init` stand on: a project on a machine of which everything is known, files of clients as people have
 * written them, and the one thing that holds for all of these.
 */

import { project, type Project, type ProjectOptions } from '@srecodex/testkit'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

export const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
export const CLIENTS = ['codex', 'claude', 'opencode', 'cursor', 'vscode'] as const

/** A project on a machine that has kubectl and nothing else of what scripts could call. */
export function machine(options: ProjectOptions = {}): Project {
  const at = project({ ...options, env: { PATH: '/nowhere', ...options.env } })
  at.write('../bin/kubectl', '#!/bin/sh\n')
  chmodSync(at.path('../bin/kubectl'), 0o755)
  const env = { PATH: at.path('../bin') }
  return { ...at, run: (command, more) => at.run(command, { ...more, env: { ...env, ...more?.env } }) }
}

/** How the server is started from a checkout, by names that every machine has. */
export function stated(text: string): string {
  return text.replaceAll(process.execPath, 'NODE').replaceAll(BIN, 'BIN')
}

/** Every file below a folder with its bytes; a link with where it leads. */
export function snapshot(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    entries.flatMap(entry => {
      const path = join(entry.parentPath, entry.name)
      const name = relative(folder, path)
      if (entry.isSymbolicLink()) return [[name, 'link']]
      return entry.isFile() ? [[name, readFileSync(path, 'latin1')]] : [[`${name}/`, '']]
    }),
  )
}

export async function initialised(at: Project, client: string): Promise<void> {
  const { exitCode, stderr } = await at.run(`init --client ${client} --yes`)
  expect({ exitCode, errors: stderr.match(/error\[.*/g) }).toEqual({ exitCode: 0, errors: null })
}

/** What stands in a client's file before; each is odd in its own way, and stays so. */
export const FOREIGN: readonly (readonly [name: string, client: string, file: string, text: string])[] = [
  [
    'comments',
    'codex',
    '.codex/config.toml',
    '# mine\nmodel = "gpt-5.5"   # keep\n\n[mcp_servers.other]\ncommand = "x"\nargs = [ "a",\n  "b", # c\n]\n# the end\n',
  ],
  [
    'odd white space',
    'codex',
    '.codex/config.toml',
    '\tmodel\t=\t"a"\n\n\n\n   [ mcp_servers . other ]\n   command=\'x\'\n\n\n# trailing',
  ],
  [
    'CRLF',
    'codex',
    '.codex/config.toml',
    '# c\r\nmodel = "a"\r\n\r\n[projects."/x"]\r\ntrust_level = "trusted"\r\n',
  ],
  ['dotted keys', 'codex', '.codex/config.toml', 'mcp_servers.other.command = "x" # dotted\nmodel="b"\n'],
  [
    'an inline table',
    'codex',
    '.codex/config.toml',
    'mcp_servers = { other = { command = "x" } } # inline\n\n[a]\nb = 1\n',
  ],
  ['an empty inline table', 'codex', '.codex/config.toml', 'mcp_servers = {}\n'],
  ['no line end', 'codex', '.codex/config.toml', 'model = "a"'],
  ['a mark of its encoding', 'codex', '.codex/config.toml', '\uFEFFmodel = "a"\n'],
  ['lists of tables', 'codex', '.codex/config.toml', '[[a.b]]\nx=1\n# k\n[[a.b]]\nx=2\n'],
  [
    'large numbers, dates',
    'codex',
    '.codex/config.toml',
    'd = 1979-05-27T07:32:00Z\nn = 9223372036854775807\ninf=inf\ns="""\n[mcp_servers.srecodex]\n"""\n',
  ],
  [
    'keys of prototypes',
    'codex',
    '.codex/config.toml',
    '[__proto__]\nx = 1\n["constructor"]\ny=2\n[mcp_servers.__proto__]\ncommand="x"\n',
  ],
  [
    'comments',
    'claude',
    '.mcp.json',
    '// top\n{\n\t"mcpServers": { // servers\n\t\t"a": {"command":"x"} // a\n\t\t/* end */\n\t},\n\t"z": 1 // last\n}\n',
  ],
  ['commas at the end', 'claude', '.mcp.json', '{\n  "mcpServers": {\n    "a": {"command":"x"},\n  },\n}\n'],
  ['one line', 'claude', '.mcp.json', '{ "mcpServers": { "a": {"command":"x"} }, }'],
  [
    'CRLF',
    'claude',
    '.mcp.json',
    '{\r\n    "mcpServers": {\r\n        "a": {"command":"x"}\r\n    }\r\n}\r\n',
  ],
  ['an empty object', 'claude', '.mcp.json', '{}'],
  ['only a comment', 'claude', '.mcp.json', '{\n  // nothing yet\n}\n'],
  ['nothing at all', 'claude', '.mcp.json', ''],
  [
    'keys of prototypes',
    'claude',
    '.mcp.json',
    '{"__proto__": {"mcpServers": {"srecodex": {"command": "evil"}}}, "constructor": {}, "mcpServers": {"__proto__": {"command": "x"}}}\n',
  ],
  ['a key that stands twice', 'claude', '.mcp.json', '{"mcpServers": {}, "mcpServers": {"b": 1}}'],
  [
    'rules of its user',
    'claude',
    '.claude/settings.json',
    '{\n  "permissions": {\n    "allow": ["Bash(ls:*)"], // ok\n    "ask": [\n      "WebFetch", // always\n    ],\n  },\n}\n',
  ],
  ['one rule for all', 'opencode', 'opencode.json', '{\n  "permission": "allow",\n  "mcp": {}\n}\n'],
  ['another file', 'opencode', 'opencode.jsonc', '{\n  // theirs\n  "model": "a/b"\n}\n'],
  ['its own folder', 'opencode', '.opencode/opencode.json', '{"model": "a/b"}\n'],
  ['others', 'cursor', '.cursor/mcp.json', '{"mcpServers": {"other": {"command":"x"}}}'],
  [
    'inputs',
    'vscode',
    '.vscode/mcp.json',
    '{\n  "inputs": [],\n  "servers": {\n    "a": { "command": "x" } // a\n    // end\n  }\n}\n',
  ],
]

/** Nothing else is touched, twice is once, and undo gives the bytes back; also beside what somebody wrote since. */
export async function expectStays([, client, file, text]: (typeof FOREIGN)[number]): Promise<void> {
  const at = machine({ files: { [file]: text } })
  const before = snapshot(at.workspace)
  await initialised(at, client)
  const after = at.read(file)
  expect(after).toContain('srecodex')
  expectParts(after, text)
  expect(text.includes('\r\n') && /[^\r]\n/.test(after)).toBe(false)

  const whole = snapshot(at.workspace)
  const again = await at.run(`init --client ${client}`)
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing to do'), stderr: '' })
  expect(snapshot(at.workspace)).toEqual(whole)

  const undo = `init --client ${client} --undo --yes`
  expect((await at.run(undo)).exitCode).toBe(0)
  expect(snapshot(at.workspace)).toEqual(before)

  await initialised(at, client)
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  const comment = `${mark}${file.endsWith('.toml') ? '#' : '//'} since\n`
  at.write(file, comment + at.read(file).slice(mark.length))
  expect((await at.run(undo)).exitCode).toBe(0)
  const rest = at.read(file)
  expect(rest.startsWith(comment)).toBe(true)
  const [left, right] = [mark + rest.slice(comment.length), text].map(one => one.replaceAll(/\s/g, ''))
  expect(left).toBe(right === '' ? '{}' : right)
}

/** Every part is there as it was, but for a comma, and for the one rule that has to become several. */
function expectParts(after: string, text: string): void {
  let rest = after
  for (const part of text.split(/(?<=[\n{}[\],])|(?=[}\]])/).filter(one => one.trim() !== '')) {
    if (part.includes('"permission": "allow"')) continue
    const from = rest.indexOf(part.trimEnd().replace(/,$/, ''))
    expect({ part, isThere: from !== -1 }).toEqual({ part, isThere: true })
    rest = rest.slice(from)
  }
}
