/** The API for Python and Bash scripts, from what enters the sandbox: docstrings, and each command's own help. */

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fence, page, prose } from './markdown.ts'
import { CORE } from './repository.ts'

const GUEST = join(CORE, 'src/guest')

interface PythonEntry {
  readonly name: string
  readonly kind: 'class' | 'function'
  readonly text: string
  readonly doc: string
  readonly members: readonly { readonly name: string; readonly doc: string }[]
}

interface PythonModule {
  readonly doc: string
  readonly entries: readonly PythonEntry[]
}

export function pythonModule(): PythonModule {
  const reader = join(import.meta.dirname, 'python_api.py')
  return JSON.parse(output('python3', [reader, join(GUEST, 'python/srecodex')])) as PythonModule
}

export function pythonPage(): string {
  const { entries } = pythonModule()
  const of = (kind: PythonEntry['kind']): string[] =>
    entries.filter(entry => entry.kind === kind).flatMap(pythonEntry)
  return page('Python', 'What a Python script imports from srecodex inside the sandbox.', [
    'Nothing is installed: `from srecodex import …` works in every sandbox, from Python 3.8 on. Threads, asyncio and forked children may call.',
    fence('python [disks.py]', PYTHON_EXAMPLE),
    'Run by hand, outside a sandbox, `summary` prints, `artifact` gives a path below the current folder, and `each`, `once` and `may` work without a ledger; `skill` and `tool` raise `SrecodexError` with the code `OUTSIDE`.',
    '## Functions',
    ...of('function'),
    '## Classes',
    ...of('class'),
  ])
}

const PYTHON_EXAMPLE = `import json
from srecodex import artifact, progress, summary

hosts = json.load(open("hosts.json"))
full = []
for done, host in enumerate(hosts, 1):
    progress(done, len(hosts), host["name"])
    if host["used"] > 0.9:
        full.append(host["name"])
with open(artifact("full.json"), "w") as file:
    json.dump(full, file)
summary(f"{len(full)} of {len(hosts)} disks are more than 90% full: {', '.join(full)}")`

function pythonEntry({ name, text, doc, members }: PythonEntry): string[] {
  return [
    `### ${name}`,
    fence('python', text),
    docstring(doc),
    ...(members.length === 0
      ? []
      : [
          members.map(member => `- \`${member.name}\`: ${prose(member.doc.split('\n')[0] ?? '')}`).join('\n'),
        ]),
  ]
}

/** Paragraphs stay; lines such as \`key: names an item\` become a list, with what is indented below them. */
function docstring(doc: string): string {
  return doc
    .split('\n\n')
    .map(block => {
      if (!/^\w+: /.test(block)) return prose(block)
      return block
        .replaceAll(/\n\s+/g, ' ')
        .split('\n')
        .map(line =>
          line.replace(/^(\w+): (.*)$/, (_, name: string, text: string) => `- \`${name}\`: ${prose(text)}`),
        )
        .join('\n')
    })
    .join('\n\n')
}

/** Commands for scripts; what ends in .pl is their common ground. */
export const bashCommands = (): readonly string[] =>
  readdirSync(join(GUEST, 'bin'))
    .filter(name => !name.includes('.'))
    .sort()

export function bashPage(): string {
  return page('Bash', 'The commands that a Bash script finds on its PATH inside the sandbox.', [
    'They are on the PATH of every sandbox. Each says how it is used with `--help`, and this page is what they say.',
    fence('sh [disks.sh]', BASH_EXAMPLE),
    ...bashCommands().flatMap(name => [
      `## ${name}`,
      fence('text', output(join(GUEST, 'bin', name), ['--help'])),
    ]),
  ])
}

const BASH_EXAMPLE = `full=0
: > "$(artifact full.txt)"
while read -r host used; do
  if [ "$used" -gt 90 ]; then
    echo "$host" >> "$(artifact full.txt)"
    full=$((full + 1))
  fi
done < hosts.txt
summary "$full disks are more than 90% full: $(paste -sd, "$(artifact full.txt)")"`

function output(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}
