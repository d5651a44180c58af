/** `srecodex init`: what each client's files hold then, what of them stays as it is, and how it is taken back. */

import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { parse as parseToml } from 'smol-toml'
import { execa } from 'execa'
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Project } from '@srecodex/testkit'
import { BIN, CLIENTS, expectStays, FOREIGN, initialised, machine, snapshot, stated } from './init-project.ts'

interface CodexEntry {
  readonly command: string
  readonly args: string[]
  readonly tool_timeout_sec: number
  readonly env_vars: readonly string[]
}

function codexEntry(at: Project): CodexEntry {
  const config = parseToml(at.read('.codex/config.toml'))
  return (config['mcp_servers'] as unknown as { srecodex: CodexEntry }).srecodex
}

describe('into an empty project', () => {
  test('Codex', async () => {
    const at = machine()
    await initialised(at, 'codex')
    expect(stated(at.read('.codex/config.toml'))).toMatchInlineSnapshot(`
      "[mcp_servers.srecodex]
      command = "NODE"
      args = ["BIN", "mcp"]
      tool_timeout_sec = 360
      env_vars = [
        "KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy",
        "no_proxy", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "SRECODEX_HOME", "XDG_CONFIG_HOME",
        "XDG_STATE_HOME", "XDG_CACHE_HOME",
      ]

      [mcp_servers.srecodex.tools.apply_plan]
      approval_mode = "prompt"

      [mcp_servers.srecodex.tools.resume_run]
      approval_mode = "prompt"
      "
    `)
    expect(at.exists('.agents/skills/k8s-bulk-restart/SKILL.md')).toBe(true)
  })

  test('Claude Code', async () => {
    const at = machine()
    await initialised(at, 'claude')
    expect(stated(at.read('.mcp.json'))).toMatchInlineSnapshot(`
      "{
        "mcpServers": {
          "srecodex": {
            "type": "stdio",
            "command": "NODE",
            "args": ["BIN", "mcp"],
            "timeout": 360000
          }
        }
      }
      "
    `)
    expect(at.read('.claude/settings.json')).toMatchInlineSnapshot(`
      "{
        "permissions": {
          "ask": ["mcp__srecodex__apply_plan", "mcp__srecodex__resume_run"]
        }
      }
      "
    `)
    expect(at.exists('.claude/skills/k8s-bulk-restart/SKILL.md')).toBe(true)
    expect(at.read('CLAUDE.md')).toContain('### When\n')
  })

  test('opencode', async () => {
    const at = machine()
    await initialised(at, 'opencode')
    expect(stated(at.read('opencode.json'))).toMatchInlineSnapshot(`
      "{
        "$schema": "https://opencode.ai/config.json",
        "mcp": {
          "srecodex": {
            "type": "local",
            "command": ["NODE", "BIN", "mcp"],
            "enabled": true,
            "timeout": 360000
          }
        },
        "permission": {
          "srecodex_apply_plan": "ask",
          "srecodex_resume_run": "ask"
        }
      }
      "
    `)
  })

  test('Cursor', async () => {
    const at = machine()
    await initialised(at, 'cursor')
    expect(stated(at.read('.cursor/mcp.json'))).toMatchInlineSnapshot(`
      "{
        "mcpServers": {
          "srecodex": {
            "type": "stdio",
            "command": "NODE",
            "args": ["BIN", "mcp"]
          }
        }
      }
      "
    `)
  })

  test('VS Code', async () => {
    const at = machine()
    await initialised(at, 'vscode')
    expect(stated(at.read('.vscode/mcp.json'))).toMatchInlineSnapshot(`
      "{
        "servers": {
          "srecodex": {
            "type": "stdio",
            "command": "NODE",
            "args": ["BIN", "mcp"]
          }
        }
      }
      "
    `)
  })

  test('it says what it will write, and what it did, in five lines', async () => {
    const at = machine()
    const planned = await at.run('init --client cursor')
    expect(planned.exitCode).toBe(3)
    expect(planned.stdout).toBe('')
    expect(stated(planned.raw.stderr)).toMatchInlineSnapshot(`
      "--- /dev/null
      +++ .cursor/mcp.json
      @@ -0,0 +1,9 @@
      +{
      +  "mcpServers": {
      +    "srecodex": {
      +      "type": "stdio",
      +      "command": "NODE",
      +      "args": ["BIN", "mcp"]
      +    }
      +  }
      +}

      --- /dev/null
      +++ AGENTS.md
      @@ -0,0 +1,63 @@
      +<!-- srecodex:begin: written by \`srecodex init\`; what you change up to srecodex:end is lost -->
      +## For agents: large jobs by one script
      +
      +You are about to do an operations job: restart, deploy, search, clean up, check, migrate. srecodex runs **one script** that you write, in a sandbox, and returns a short summary. Raw output never enters this conversation.
      +
      +### When
      … 57 more lines, which --dry-run shows

      15 skills into .agents/skills

      nothing has been written: --yes does it
      "
    `)
    expect(snapshot(at.workspace)).toEqual({})
    const done = await at.run('init --client codex --yes', { env: { COLUMNS: '80' } })
    expect(done.stdout).toMatchInlineSnapshot(`
      "server    node bin.js mcp, by paths of this machine, in .codex/config.toml; a
                call may take TIME
      approval  Codex asks before apply_plan and resume_run
      skills    15 skills in .agents/skills
      agents    AGENTS.md says when to write a script, and how
      next      start Codex here; it reads the server once you trust the project
      "
    `)
  })

  test('--dry-run is a patch that git takes, and writes nothing', async () => {
    const at = machine({ files: { 'AGENTS.md': '# Ours\n\nBe kind.\n' } })
    const { raw, exitCode } = await at.run('init --client codex --dry-run')
    expect(exitCode).toBe(0)
    expect(snapshot(at.workspace)).toEqual({ 'AGENTS.md': '# Ours\n\nBe kind.\n' })
    await execa('git', ['apply', '-p0'], {
      cwd: at.workspace,
      input: raw.stdout.replace(/^\d+ skills.*$/m, ''),
    })
    const patched = [at.read('AGENTS.md'), at.read('.codex/config.toml')]
    const other = machine({ files: { 'AGENTS.md': '# Ours\n\nBe kind.\n' } })
    await initialised(other, 'codex')
    expect(patched).toEqual([other.read('AGENTS.md'), other.read('.codex/config.toml')])
  })
})

test.for(CLIENTS)('%s: the command that was written starts the server', async client => {
  const at = machine()
  await initialised(at, client)
  const entries: Record<string, () => { command: string | string[]; args?: string[] }> = {
    codex: () => codexEntry(at),
    claude: () => JSON.parse(at.read('.mcp.json')).mcpServers.srecodex,
    opencode: () => JSON.parse(at.read('opencode.json')).mcp.srecodex,
    cursor: () => JSON.parse(at.read('.cursor/mcp.json')).mcpServers.srecodex,
    vscode: () => JSON.parse(at.read('.vscode/mcp.json')).servers.srecodex,
  }
  const { command, args = [] } = entries[client]!()
  const [program, ...words] = [command, args].flat()
  // With no more of an environment than the barest of clients gives.
  const transport = new StdioClientTransport({
    command: program!,
    args: words,
    cwd: at.workspace,
    env: { HOME: at.home, PATH: '/usr/bin:/bin' },
  })
  const connected = new Client({ name: 'test', version: '1' })
  onTestFinished(() => connected.close())
  await connected.connect(transport)
  const { tools } = await connected.listTools()
  expect(tools.map(({ name }) => name)).toContain('run_script')
})

describe('into a file that is there', () => {
  // The rest of the table takes a while.
  const some = FOREIGN.filter(([name]) =>
    ['comments', 'rules of its user', 'one rule for all'].includes(name),
  )

  test.for(some)('%s (%s): it stays as it is', row => expectStays(row))

  test('an entry by hand is completed: what works in it stays, with its comments', async () => {
    const text = [
      '[mcp_servers.srecodex] # ours',
      '  command = "kubectl" # a wrapper',
      '  args = ["mcp"]',
      '  tool_timeout_sec = 10 # low',
      '  env_vars = [',
      '    "MINE", # mine',
      '  ]',
      '',
      '[mcp_servers.srecodex.tools.find_skills]',
      'approval_mode = "approve"',
      '',
      '[tail]',
      'x = 1',
      '',
    ].join('\n')
    const at = machine({ files: { '.codex/config.toml': text } })
    await initialised(at, 'codex')
    expect(at.read('.codex/config.toml')).toMatchInlineSnapshot(`
      "[mcp_servers.srecodex] # ours
        command = "kubectl" # a wrapper
        args = ["mcp"]
        tool_timeout_sec = 360 # low
        env_vars = [
          "MINE", # mine
          "KUBECONFIG", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy",
          "no_proxy", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "SRECODEX_HOME", "XDG_CONFIG_HOME",
          "XDG_STATE_HOME", "XDG_CACHE_HOME",
        ]

      [mcp_servers.srecodex.tools.find_skills]
      approval_mode = "approve"

      [mcp_servers.srecodex.tools.apply_plan]
      approval_mode = "prompt"

      [mcp_servers.srecodex.tools.resume_run]
      approval_mode = "prompt"

      [tail]
      x = 1
      "
    `)
    // Somebody goes on with it: what init has put there goes all the same, and nothing else.
    at.write('.codex/config.toml', `${at.read('.codex/config.toml')}# more\n`)
    expect((await at.run('init --client codex --undo --yes')).exitCode).toBe(0)
    expect(at.read('.codex/config.toml')).toBe(`${text}# more\n`)
  })

  test('a command that is not there is replaced, and an approval of its user stays and is told', async () => {
    const text =
      '[mcp_servers.srecodex]\ncommand = "/gone/node"\nargs = ["/gone/bin.js", "mcp"]\ntools.apply_plan.approval_mode = "approve"\n'
    const at = machine({ files: { '.codex/config.toml': text } })
    const { stderr } = await at.run('init --client codex --yes')
    expect(stderr).toContain('note: .codex/config.toml: apply_plan is approved without a person')
    const written = at.read('.codex/config.toml')
    expect(stated(written)).toContain('command = "NODE"\nargs = ["BIN", "mcp"]\n')
    expect(written).toContain('tools.apply_plan.approval_mode = "approve"\n')
  })

  test('opencode: a rule of ours comes last, for the last that matches counts', async () => {
    const at = machine({
      files: { 'opencode.json': '{\n  "permission": { "bash": "ask", "srecodex_*": "allow" }\n}\n' },
    })
    await initialised(at, 'opencode')
    expect(Object.keys(JSON.parse(at.read('opencode.json')).permission)).toEqual([
      ...['bash', 'srecodex_*', 'srecodex_apply_plan', 'srecodex_resume_run'],
    ])
  })

  test('Claude Code reads AGENTS.md where CLAUDE.md imports it', async () => {
    const at = machine({ files: { 'CLAUDE.md': '# Claude\n@AGENTS.md\n' } })
    await initialised(at, 'claude')
    expect(at.read('CLAUDE.md')).toBe('# Claude\n@AGENTS.md\n')
    expect(at.read('AGENTS.md')).toContain('srecodex:begin')
  })

  test('a section of another version is written anew, in its place', async () => {
    const at = machine({
      files: {
        'AGENTS.md':
          'above\n<!-- srecodex:begin: written by `srecodex init`; old -->\nold\n<!-- srecodex:end -->\nbelow\n',
      },
    })
    await initialised(at, 'vscode')
    const text = at.read('AGENTS.md')
    expect(text).toMatch(/^above\n<!-- srecodex:begin: written by[\s\S]*<!-- srecodex:end -->\nbelow\n$/)
    expect(text).not.toContain('\nold\n')
  })
})

test('variables and time come from what the operator configured', async () => {
  const at = machine()
  at.write(
    '../srecodex/config/config.toml',
    '[scripts]\nexecution_timeout = 1800\n[tools.kubectl]\nenv = ["HOUSE_KUBE"]\n' +
      '[mcp_servers.finance]\ncommand = "x"\nenv_vars = ["FINANCE_TOKEN"]\n',
  )
  await initialised(at, 'codex')
  const entry = codexEntry(at)
  expect(entry.tool_timeout_sec).toBe(1860)
  expect(entry.env_vars).toEqual([
    ...[
      'HOUSE_KUBE',
      'FINANCE_TOKEN',
      'SRECODEX_HOME',
      'XDG_CONFIG_HOME',
      'XDG_STATE_HOME',
      'XDG_CACHE_HOME',
    ],
  ])
})

describe('how the server is started', () => {
  const commandOf = (at: Project): unknown => {
    const { command, args } = JSON.parse(at.read('.cursor/mcp.json')).mcpServers.srecodex
    return [command, ...args]
  }

  test('by its name, where that is this srecodex', async () => {
    const at = machine()
    symlinkSync(BIN, at.path('../bin/srecodex'))
    chmodSync(BIN, 0o755)
    await initialised(at, 'cursor')
    expect(commandOf(at)).toEqual(['srecodex', 'mcp'])
  })

  test('not by its name, where that is another program, or one that is there for a moment only', async () => {
    const at = machine()
    at.write('../bin/srecodex', '#!/bin/sh\n')
    at.write('node_modules/.bin/srecodex', '#!/bin/sh\n')
    for (const file of ['../bin/srecodex', 'node_modules/.bin/srecodex']) chmodSync(at.path(file), 0o755)
    const env = { PATH: `${at.path('node_modules/.bin')}:${at.path('../bin')}` }
    expect((await at.run('init --client cursor --yes', { env })).exitCode).toBe(0)
    expect(commandOf(at)).toEqual([process.execPath, BIN, 'mcp'])
  })
})

describe('undo', () => {
  test('what was changed since stays, and is told', async () => {
    const at = machine()
    await initialised(at, 'codex')
    const text = at.read('.codex/config.toml').replace('tool_timeout_sec = 360', 'tool_timeout_sec = 900')
    at.write('.codex/config.toml', text)
    at.write('AGENTS.md', at.read('AGENTS.md').replace('### When', '### Whenever'))
    const { exitCode, stdout, stderr } = await at.run('init --client codex --undo --yes')
    expect({ exitCode, stdout }).toMatchInlineSnapshot(`
      {
        "exitCode": 1,
        "stdout": "skills    15 skills removed from .agents/skills
      ",
      }
    `)
    expect(stderr.split('\n').filter(line => line.startsWith('note:'))).toMatchInlineSnapshot(`
      [
        "note: .codex/config.toml: mcp_servers.srecodex was changed since, and was left as it is",
        "note: AGENTS.md: what stands between the markers of srecodex was changed since, and was left as it is",
      ]
    `)
    expect(at.read('.codex/config.toml')).toBe(text)
  })

  test('what others put beside it stays', async () => {
    const at = machine()
    await initialised(at, 'claude')
    const mine = '"mine": { "command": "y" }'
    at.write(
      '.mcp.json',
      at.read('.mcp.json').replace('{\n    "srecodex"', `{\n    ${mine},\n    "srecodex"`),
    )
    at.write('CLAUDE.md', `# Mine\n\n${at.read('CLAUDE.md')}More.\n`)
    expect((await at.run('init --client claude --undo --yes')).exitCode).toBe(0)
    expect(at.read('.mcp.json')).toBe(`{\n  "mcpServers": {\n    ${mine}\n  }\n}\n`)
    expect(at.read('CLAUDE.md')).toBe('# Mine\n\nMore.\n')
  })

  test('what another client needs stays until it goes, too', async () => {
    const at = machine()
    for (const client of ['codex', 'opencode']) await initialised(at, client)
    const first = await at.run('init --client codex --undo --yes')
    expect(first.stdout).toMatchInlineSnapshot(`
      "removed   .codex/config.toml
      stays     AGENTS.md, for opencode
      stays     .agents/skills, for opencode
      "
    `)
    expect(at.exists('.codex')).toBe(false)
    expect(at.exists('.agents/skills/k8s-bulk-restart/SKILL.md')).toBe(true)
    await at.run('init --client opencode --undo --yes')
    expect(snapshot(at.workspace)).toEqual({})
  })

  test('skills that were there before stay', async () => {
    const at = machine()
    await at.run('skills install k8s/bulk-restart --for codex')
    const before = snapshot(at.workspace)
    await initialised(at, 'codex')
    await at.run('init --client codex --undo --yes')
    expect(snapshot(at.workspace)).toEqual(before)
  })

  test('without a record nothing is taken back, whatever a project says', async () => {
    const at = machine()
    await initialised(at, 'codex')
    const other = machine()
    other.write('.codex/config.toml', at.read('.codex/config.toml'))
    const { stdout } = await other.run('init --client codex --undo --yes')
    expect(stdout).toBe('init has not set Codex up here: nothing to take back\n')
    expect(other.exists('.codex/config.toml')).toBe(true)
  })
})

describe('what cannot be merged is told with its place, and nothing is written', () => {
  test.for([
    ['codex', '.codex/config.toml', 'a = 1\nb = \n', '.codex/config.toml:2:5'],
    ['codex', '.codex/config.toml', 'mcp_servers = 3\n', '.codex/config.toml'],
    ['claude', '.mcp.json', '{\n  "a": 1,,\n}', '.mcp.json:2:10'],
    ['claude', '.mcp.json', '{\n  "mcpServers": []\n}', '.mcp.json:2:17'],
    ['claude', '.mcp.json', '[]', '.mcp.json:1:1'],
    ['claude', '.mcp.json', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, '.mcp.json:1:1001'],
    ['codex', 'AGENTS.md', 'x\n<!-- srecodex:begin -->\n', 'AGENTS.md:2:1'],
    ['codex', 'AGENTS.md', '<!-- srecodex:end -->\n<!-- srecodex:begin -->\n', 'AGENTS.md:1:1'],
  ])('%s: %s', async ([client, file, text, place]) => {
    const at = machine({ files: { [file!]: text! } })
    const { exitCode, stdout, stderr } = await at.run(`init --client ${client} --yes`)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(`  at ${place}\n`)
    expect(stderr).toContain('nothing was written')
    expect(at.read(file!)).toBe(text)
    expect(Object.keys(snapshot(at.workspace)).filter(name => !name.endsWith('/'))).toEqual([file])
  })

  test.for([
    ['bytes that are no text', 'is no text in UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['more than anybody writes by hand', 'has 5 MiB, and may have 4', ' '.repeat(5_000_000)],
    ['a folder', 'is no file', null],
  ] as const)('%s', async ([, what, content]) => {
    const at = machine()
    if (content === null) mkdirSync(at.path('.mcp.json'))
    else writeFileSync(at.path('.mcp.json'), content)
    const before = snapshot(at.workspace)
    const { exitCode, stderr } = await at.run('init --client claude --yes')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr:
        `error[CONFIG_INVALID]: \`.mcp.json\` ${what}\n\n` +
        'hint: nothing was written: mend that file or move it away, then run this again\n',
    })
    expect(snapshot(at.workspace)).toEqual(before)
  })

  test.for(['.codex', '.codex/config.toml', 'AGENTS.md', '.agents'])(
    'a link that leads out of the project: %s',
    async link => {
      const at = machine({ files: { '../elsewhere/config.toml': 'model = "a"\n' } })
      mkdirSync(dirname(at.path(link)), { recursive: true })
      const isFile = link.includes('.', 1)
      symlinkSync(at.path(`../elsewhere${isFile ? '/config.toml' : ''}`), at.path(link))
      const { exitCode, stderr } = await at.run('init --client codex --yes')
      expect(exitCode).not.toBe(0)
      expect(stderr).toMatch(/leads out of/)
      expect(snapshot(at.path('../elsewhere'))).toEqual({ 'config.toml': 'model = "a"\n' })
    },
  )

  test('a link inside of the project stays one, and a mode stays', async () => {
    const at = machine({ files: { 'shared/config.toml': 'model = "a"\n' } })
    chmodSync(at.path('shared/config.toml'), 0o600)
    symlinkSync('shared', at.path('.codex'))
    await initialised(at, 'codex')
    expect(lstatSync(at.path('.codex')).isSymbolicLink()).toBe(true)
    expect(statSync(at.path('shared/config.toml')).mode & 0o777).toBe(0o600)
    expect(at.read('shared/config.toml')).toContain('[mcp_servers.srecodex]')
  })

  /** Runs in a workspace of its own kind, and shows what is left in it. */
  const inside = (at: Project, mount: readonly string[]): readonly string[] => [
    ...['bwrap', '--dev-bind', '/', '/', ...mount, '--chdir', at.workspace, '--', 'sh', '-c'],
    'cp ../given .mcp.json 2>/dev/null; "$@"; code=$?; ls -A; cat .mcp.json; exit $code',
    'sh',
  ]
  const GIVEN = '{ "mcpServers": {} }\n'

  test('a full disk', async () => {
    const at = machine({ files: { '../given': GIVEN } })
    const within = inside(at, ['--size', '4096', '--tmpfs', at.workspace])
    const { exitCode, stdout, stderr } = await at.run('init --client claude --yes', {
      within,
      env: { PATH: process.env.PATH },
    })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'error[DISK_FULL]: cannot write `.mcp.json`: no space left on device\n\n' +
        'hint: nothing was written: make room on its disk, then run this again\n',
    )
    expect(stdout).toBe(`.mcp.json\n${GIVEN}`)
  })

  test('a folder that cannot be written', async () => {
    const at = machine({ files: { '.mcp.json': GIVEN } })
    const within = inside(at, ['--ro-bind', at.workspace, at.workspace])
    const { exitCode, stdout, stderr } = await at.run('init --client claude --yes', {
      within,
      env: { PATH: process.env.PATH },
    })
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'error[STATE_UNWRITABLE]: cannot write `.mcp.json`: read-only file system\n\n' +
        'hint: nothing was written: see that you may write it, then run this again\n',
    )
    expect(stdout).toBe(`.mcp.json\n${GIVEN}`)
  })

  test('a folder that is no project', async () => {
    const at = machine()
    const { exitCode, stderr } = await at.run('init --client codex --yes', { cwd: '../home' })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('hint: a client is set up for one project: run it in the folder of that\n')
    expect(snapshot(at.home)).toEqual({})
  })

  test('where srecodex can keep no record, nothing is written', async () => {
    const at = machine()
    const { exitCode, stderr } = await at.run('init --client claude --yes', {
      env: { SRECODEX_HOME: at.path('../bin/kubectl') },
    })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(
      /^error\[STATE_UNWRITABLE\]: cannot write `\S+\.json`: not a directory\n\nhint: see that you may write it/m,
    )
    expect(snapshot(at.workspace)).toEqual({})
  })

  test('a read-only file: those that were written before it are put back', async () => {
    const at = machine({ files: { '.mcp.json': GIVEN, '.claude/settings.json': '{}\n' } })
    chmodSync(at.path('.claude/settings.json'), 0o444)
    const before = snapshot(at.workspace)
    const { exitCode, stderr } = await at.run('init --client claude --yes')
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'cannot write `.claude/settings.json`: it is read-only\n\nhint: nothing was written',
    )
    expect(snapshot(at.workspace)).toEqual(before)
    expect((await at.run('init --client claude --undo --yes')).stdout).toContain('nothing to take back')
  })
})

describe('which client', () => {
  test('without a terminal it has to be said; those that are here are named', async () => {
    const at = machine({ files: { '.cursor/rules': '', '../bin/codex': '#!/bin/sh\n' } })
    chmodSync(at.path('../bin/codex'), 0o755)
    const { transcript } = await at.run('init --yes')
    expect(transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: which client? say it with \`--client\`

      hint: here: codex (codex on PATH), cursor (.cursor)
      --- exit code 2
      "
    `)
    expect((await machine().run('init')).stderr).toContain(
      'hint: one of codex, claude, opencode, cursor, vscode\n',
    )
  })

  test('on a terminal it asks, shows the diff, and asks again', async () => {
    const at = machine({ files: { '.cursor/rules': '' } })
    // Of all programs only what the terminal itself needs: no client of this machine is seen.
    symlinkSync('/usr/bin/python3', at.path('../bin/python3'))
    const env = { PATH: at.path('../bin') }
    const no = await at.runInTerminal('init', { env, keys: { 'Which?': '\r', 'Write this? [y/N]': 'n\r' } })
    expect(no.exitCode).toBe(3)
    expect(no.screen).toContain('here: cursor (.cursor)\n')
    expect(no.screen).toContain('Which? (Enter: cursor) ')
    expect(no.screen).toContain('nothing has been written\n')
    expect(at.exists('.cursor/mcp.json')).toBe(false)
    const yes = await at.runInTerminal('init', {
      env,
      keys: { 'Which?': 'vscode\r', 'Write this? [y/N]': 'y\r' },
    })
    expect(yes.exitCode).toBe(0)
    expect(at.exists('.vscode/mcp.json')).toBe(true)
  })

  test('--json is one document', async () => {
    const at = machine()
    const { json, stderr } = await at.run('init --client claude --yes --json')
    expect(json()).toMatchObject({
      ...{ client: 'claude', dryRun: false, written: true },
      files: [
        { file: '.mcp.json', state: 'created', lacks: ['the server is not set up'] },
        { file: '.claude/settings.json', state: 'created' },
        { file: 'CLAUDE.md', state: 'created' },
      ],
    })
    expect(stderr).toBe('')
  })

  test('a hostile file does not steer the terminal', async () => {
    const at = machine({
      files: { 'opencode.json': '{\n  "a": "\u009b2J\u202e", // \u001b[2J\n  "b": 1\n}\n' },
    })
    const { raw } = await at.run('init --client opencode --dry-run')
    expect(['\u001B', '\u009B', '\u202E'].filter(sign => raw.stdout.includes(sign))).toEqual([])
  })
})

describe('doctor', () => {
  async function clients(at: Project, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
    const { checks } = (await at.run('doctor --json', { env })).json()
    const names: readonly string[] = CLIENTS
    return Object.fromEntries(
      checks
        .filter(({ id }: { id: string }) => names.includes(id))
        .map(({ id, state, found, hint }: Record<string, unknown>) => [id, [state, found, hint]]),
    )
  }

  test('says nothing of what is not here, and what init would do of what is', async () => {
    const at = machine()
    expect(await clients(at)).toEqual({})
    copyFileSync(at.path('../bin/kubectl'), at.path('../bin/opencode'))
    expect(await clients(at)).toEqual({
      opencode: ['ok', 'not set up in this project', 'srecodex init --client opencode sets it up'],
    })
    for (const client of CLIENTS) await initialised(at, client)
    expect(await clients(at)).toEqual(Object.fromEntries(CLIENTS.map(name => [name, ['ok', 'set up', null]])))
  })

  test('names what is missing, out of date, or approved in advance', async () => {
    const at = machine()
    for (const client of CLIENTS) await initialised(at, client)
    at.write(
      '../srecodex/config/config.toml',
      '[scripts]\nexecution_timeout = 900\n[tools.kubectl]\nenv = ["HOUSE_KUBE"]\n',
    )
    at.write('.mcp.json', at.read('.mcp.json').replace(BIN, '/gone/bin.js'))
    at.write('.cursor/permissions.json', '{ "mcpAllowlist": ["srecodex:*"] }\n')
    at.write('AGENTS.md', '# gone\n')
    at.write('.vscode/mcp.json', '{ "servers": { "srecodex": ')
    at.write(
      'opencode.json',
      at.read('opencode.json').replace(/"srecodex_resume_run": "ask"/, '$&,\n    "*": "allow"'),
    )
    rmSync(at.path('.agents/skills/k8s-bulk-restart/SKILL.md'))
    mkdirSync(at.path('~/.codex'))
    const found = await clients(at)
    expect(JSON.parse(stated(JSON.stringify(found)))).toMatchInlineSnapshot(`
      {
        "claude": [
          "warn",
          ".mcp.json: its command cannot be started: NODE /gone/bin.js, a call may take 360 s, and a script needs up to 960 s",
          "srecodex init --client claude mends it",
        ],
        "codex": [
          "warn",
          ".codex/config.toml: a call may take 360 s, and a script needs up to 960 s, the server does not get HOUSE_KUBE; AGENTS.md: it does not tell when to write a script; 1 skill not current; Codex does not read .codex/config.toml: start it here once, and trust the project",
          "srecodex init --client codex mends it",
        ],
        "cursor": [
          "warn",
          "AGENTS.md: it does not tell when to write a script; 1 skill not current; .cursor/permissions.json: apply_plan and resume_run are approved without a person, by mcpAllowlist",
          "srecodex init --client cursor mends it",
        ],
        "opencode": [
          "warn",
          "opencode.json: a call may take 360 s, and a script needs up to 960 s; AGENTS.md: it does not tell when to write a script; 1 skill not current; opencode.json: apply_plan and resume_run are approved without a person, by a later rule of permission",
          "srecodex init --client opencode mends it",
        ],
        "vscode": [
          "warn",
          "it is no valid JSON: value expected (.vscode/mcp.json:1:28)",
          "mend it by hand",
        ],
      }
    `)
  })
})
