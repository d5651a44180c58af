/** What `init --client opencode` writes, as the real opencode reads it. */

import { project } from '@srecodex/testkit'
import { installOpencode } from '@srecodex/testkit/agents'
import { execa } from 'execa'
import { beforeAll, expect, test } from 'vitest'

beforeAll(installOpencode, 600_000)

const FILES: readonly (readonly [file: string, text: string])[] = [
  ['opencode.json', ''],
  ['opencode.jsonc', '{\n  // theirs\n  "permission": { "bash": "ask", "*": "allow" },\n}\n'],
  ['.opencode/opencode.json', '{ "permission": "allow" }\n'],
]

test.for(FILES)(
  'opencode starts the server, and asks before it changes anything: %s',
  async ([file, text]) => {
    const at = project(text === '' ? {} : { files: { [file]: text } })
    await execa('git', ['init', '--quiet'], { cwd: at.workspace })
    expect((await at.run('init --client opencode --yes')).exitCode).toBe(0)
    expect(at.exists(file)).toBe(true)

    const program = await installOpencode()
    const ask = async (...args: string[]): Promise<string> => {
      const { stdout } = await execa(program, args, {
        cwd: at.workspace,
        env: {
          ...{ PATH: process.env.PATH, HOME: at.home, SRECODEX_HOME: at.srecodexHome },
          ...{ OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1', NO_COLOR: '1' },
          ...{ OPENCODE_DISABLE_DEFAULT_PLUGINS: '1', npm_config_offline: 'true' },
        },
        extendEnv: false,
        stdin: 'ignore',
      })
      return stdout
    }
    expect(await ask('mcp', 'list')).toMatch(/✓ srecodex .*connected/)
    const { permission, mcp } = JSON.parse(await ask('debug', 'config'))
    expect(Object.entries(permission).slice(-2)).toEqual([
      ['srecodex_apply_plan', 'ask'],
      ['srecodex_resume_run', 'ask'],
    ])
    expect(mcp.srecodex).toMatchObject({ type: 'local', enabled: true, timeout: 360_000 })
  },
)
