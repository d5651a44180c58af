/** `srecodex config show` and `srecodex trust`: what the operator allows, and who may change it. */

import { project } from '@srecodex/testkit'
import { describe, expect, test } from 'vitest'

const USER = '../srecodex/config/config.toml'
const PROJECT = 'dotcodex/config.toml'

describe('show', () => {
  test('the config in force, as a file that would load', async () => {
    expect((await project().run('config show')).transcript).toMatchInlineSnapshot(`
      "[execution_environment]
      sandbox_mode = "workspace-write"
      network = "none"
      readable = []

      [scripts]
      allowed_extensions = [".py", ".sh", ".js"]
      execution_timeout = 300
      max_timeout = 3600
      cleanup_after_run = true

      [limits]
      memory = "2GiB"
      processes = 256
      file_size = "2GiB"
      output = "2GiB"
      open_files = 1024
      cpus = 0
      min_free_space = "256MiB"
      max_calls = 10000
      max_mutations = 500

      [summary]
      max_chars = 1200

      [mutations]
      default = "plan"
      clients_may_allow = false
      plan_life = "15m"

      [runs]
      keep_days = 30
      max_bytes = "10GiB"
      "
    `)
  })

  test('--origin', async () => {
    const { run } = project({
      files: {
        [USER]: '[limits]\nmemory = "1GiB"\n',
        [PROJECT]: '# tighter\n[scripts]\nexecution_timeout = 60\n',
      },
      env: { SRECODEX_SUMMARY_MAX_CHARS: '900' },
    })
    expect((await run('config show --origin')).transcript).toMatchInlineSnapshot(`
      "KEY                                 VALUE                  ORIGIN
      execution_environment.sandbox_mode  "workspace-write"      default
      execution_environment.network       "none"                 default
      execution_environment.readable      []                     default
      scripts.allowed_extensions          [".py", ".sh", ".js"]  default
      scripts.execution_timeout           60                     dotcodex/config.toml:3:21
      scripts.max_timeout                 3600                   default
      scripts.cleanup_after_run           true                   default
      limits.memory                       "1GiB"                 SRECODEX_HOME/config/config.toml:2:10
      limits.processes                    256                    default
      limits.file_size                    "2GiB"                 default
      limits.output                       "2GiB"                 default
      limits.open_files                   1024                   default
      limits.cpus                         0                      default
      limits.min_free_space               "256MiB"               default
      limits.max_calls                    10000                  default
      limits.max_mutations                500                    default
      summary.max_chars                   900                    environment
      mutations.default                   "plan"                 default
      mutations.clients_may_allow         false                  default
      mutations.plan_life                 "15m"                  default
      runs.keep_days                      30                     default
      runs.max_bytes                      "10GiB"                default
      "
    `)
  })

  test('--json', async () => {
    const { run, workspace } = project({ files: { [PROJECT]: '[summary]\nmax_chars = 500\n' } })
    const { json, stderr } = await run('config show --origin --json')
    expect(stderr).toBe('')
    expect(json().values).toContainEqual({
      key: 'summary.max_chars',
      value: '500',
      origin: 'project',
      place: `${workspace}/dotcodex/config.toml:2:13`,
      description: 'Characters of a summary.',
    })
    expect(json().files).toMatchObject([
      { kind: 'user', state: 'absent' },
      { kind: 'project', state: 'read' },
    ])
  })

  test('--workspace, relative to here', async () => {
    const { run } = project({ files: { 'sub/dotcodex/config.toml': '[summary]\nmax_chars = 500\n' } })
    expect((await run('config show --workspace sub')).stdout).toContain('max_chars = 500')
    expect((await run('config show')).stdout).toContain('max_chars = 1200')
  })
})

test('all that is wrong, in all files, at once', async () => {
  const { run } = project({
    files: {
      [USER]: '[limits]\nmemroy = "1GiB"\nprocesses = "many"\n',
      [PROJECT]:
        '[execution_environment]\nsandbox_mode = "open"\nnetwork = ["https://a.example"]\n\n[script]\n',
      'a.sh': 'true',
    },
    env: { SRECODEX_SUMMARY_MAX_CHARS: 'few' },
  })
  expect((await run('run a.sh --timeout 0.01')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[CONFIG_INVALID]: unknown key \`limits.memroy\`
      at SRECODEX_HOME/config/config.toml:2:1

    hint: did you mean \`limits.memory\`?

    error[CONFIG_INVALID]: \`limits.processes\` is "many", not a whole number
      at SRECODEX_HOME/config/config.toml:3:13

    error[CONFIG_INVALID]: \`execution_environment.sandbox_mode\` is "open", not one of "read-only", "workspace-write", "danger-full-access"
      at dotcodex/config.toml:2:16

    error[CONFIG_INVALID]: \`execution_environment.network[0]\` is "https://a.example", not a domain such as "api.example.com" or a block such as "10.0.0.0/8"
      at dotcodex/config.toml:3:12

    hint: without scheme or path; a port other than 80 and 443 is named: "api.example.com:8443"; one address is a block such as "10.1.2.3/32"

    error[CONFIG_INVALID]: unknown key \`script\`
      at dotcodex/config.toml:5:2

    hint: did you mean \`scripts\`?

    error[CONFIG_INVALID]: \`SRECODEX_SUMMARY_MAX_CHARS\` is "few", not a whole number

    error[CONFIG_INVALID]: \`--timeout\` is 0.01; it must lie between 0.1 and 604800 seconds
    --- exit code 2
    "
  `)
  const { exitCode, json } = await run('config show --json')
  expect(exitCode).toBe(2)
  expect(json().error.code).toBe('CONFIG_INVALID')
  expect(json().error.problems).toHaveLength(6)
})

test('a file that is not TOML', async () => {
  const { run } = project({ files: { [PROJECT]: '[limits]\nmemory = 2GiB\n' } })
  expect((await run('config show')).transcript).toMatchInlineSnapshot(`
    "--- stderr
    error[CONFIG_INVALID]: not valid TOML: illegal character in numeric literal
      at dotcodex/config.toml:2:11
    --- exit code 2
    "
  `)
})

describe('trust', () => {
  const files = {
    [PROJECT]:
      '[limits]\nmemory = "8GiB"\nprocesses = 64\n\n[execution_environment]\nnetwork = ["api.example.com"]\n',
    'a.sh': 'echo ran',
  }

  test('untrusted, a project tightens; what it loosens is said and not applied', async () => {
    const { run } = project({ files })
    const { stderr, stdout } = await run('run a.sh')
    expect(stdout).toBe('ran\n')
    expect(stderr).toMatchInlineSnapshot(`
      "note: \`limits.memory = "8GiB"\` is not applied: it would loosen \`"2GiB"\`, and this file is not trusted
        at dotcodex/config.toml:2:10
      note: \`execution_environment.network = ["api.example.com"]\` is not applied: it would loosen \`"none"\`, and this file is not trusted
        at dotcodex/config.toml:6:11

      hint: read the file, then run \`srecodex trust\`
      ✔ succeeded in TIME
        1 line of output (4 B) · ≈1 of ≈2 tokens returned
        run RUN · workspace-write by bubblewrap, network none
      "
    `)
    const shown = await run('config show')
    expect(shown.stdout).toContain('memory = "2GiB"\nprocesses = 64\n')
    expect(shown.stdout).toContain('network = "none"')
  })

  test('trusted, it applies; changed, it does not; forgotten, it does not', async () => {
    const { run, read, write } = project({ files })
    expect((await run('trust')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      dotcodex/config.toml is trusted as it is now; a change of the file ends that
        execution_environment.network = ["api.example.com"] (was "none")
        limits.memory = "8GiB" (was "2GiB")
      "
    `)
    expect((await run('run a.sh')).stderr).toContain('network api.example.com')
    expect((await run('trust')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      dotcodex/config.toml is already trusted
      "
    `)

    write(PROJECT, read(PROJECT).replace('8GiB', '9GiB'))
    const changed = await run('config show')
    expect(changed.stdout).toContain('memory = "2GiB"')
    expect(changed.stderr).toContain('`limits.memory = "9GiB"` is not applied')

    expect((await run('trust --json')).json()).toMatchObject({
      trusted: true,
      changed: [
        { key: 'execution_environment.network' },
        { key: 'limits.memory', value: '"9GiB"', was: '"2GiB"' },
      ],
    })
    expect((await run('trust --revoke')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      dotcodex/config.toml is no longer trusted
      "
    `)
    expect((await run('trust --revoke --json')).json()).toMatchObject({ trusted: false, wasTrusted: false })
    expect((await run('config show')).stdout).toContain('memory = "2GiB"')
  })

  test('another folder', async () => {
    const { run } = project({ files: { 'sub/dotcodex/config.toml': '[limits]\nmemory = "8GiB"\n' } })
    expect((await run('trust sub')).exitCode).toBe(0)
    expect((await run('config show --workspace sub')).stdout).toContain('memory = "8GiB"')
  })

  test('nothing to trust', async () => {
    const { run, write } = project()
    expect((await run('trust')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      error[USAGE]: there is no project config at WORKSPACE/dotcodex/config.toml

      hint: run it in a project that has a dotcodex/config.toml, or name the project: srecodex trust DIR
      --- exit code 2
      "
    `)
    write(PROJECT, '[limits]\nprocesses = 64\n')
    expect((await run('trust')).transcript).toMatchInlineSnapshot(`
      "--- stderr
      dotcodex/config.toml loosens nothing: it counts without being trusted
      "
    `)
  })
})
