/** What is published: packed as for the registry, installed into an empty folder, used by command and by import. */

import { execa } from 'execa'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PACKAGES = ['packages/core', 'packages/cli', 'dotcodex']
/** Compressed. More than this is a dependency, or a test, that strayed in. The command bundles the MCP SDK. */
const MAX_TARBALL_KIB: Readonly<Record<string, number>> = {
  srecodex: 1536,
  'srecodex-core': 640,
  'srecodex-dotcodex': 512,
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-pack-')))
const tarballs = join(folder, 'tarballs')
const app = join(folder, 'app')
const environment = {
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  HOME: join(folder, 'home'),
  SRECODEX_HOME: join(folder, 'srecodex'),
  LANG: 'C.UTF-8',
}

beforeAll(async () => {
  for (const path of [tarballs, app, environment.HOME]) mkdirSync(path)
  for (const path of PACKAGES) {
    await execa('npx', ['-y', 'pnpm@12', 'pack', '--pack-destination', tarballs], { cwd: join(ROOT, path) })
  }
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }\n')
  const packed = readdirSync(tarballs).map(name => join(tarballs, name))
  await execa('npm', ['install', '--no-audit', '--no-fund', '@types/node@24', ...packed], {
    cwd: app,
    env: environment,
  })
  writeFileSync(join(app, 'app.log'), 'INFO up\nERROR timeout db\nERROR timeout cache\nERROR disk full\n')
  writeFileSync(
    join(app, 'group.py'),
    [
      'import collections, srecodex, sys',
      'errors = [line.split()[1] for line in open(sys.argv[1]) if line.startswith("ERROR")]',
      'srecodex.summary(", ".join(f"{count} {kind}" for kind, count in collections.Counter(errors).most_common()))',
    ].join('\n'),
  )
}, 300_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.for(['srecodex', 'srecodex-core', 'srecodex-dotcodex'])(
  '%s: what it needs and nothing else',
  async name => {
    const tarball = join(
      tarballs,
      readdirSync(tarballs).find(file => file.replace(/-\d.*/, '') === name)!,
    )
    const { stdout } = await execa('tar', ['tzf', tarball])
    const files = stdout.split('\n').map(file => file.replace(/^package\//, ''))
    expect(files).toContain('LICENSE')
    expect(
      files.filter(file =>
        /(^|\/)(src|test)\/|\.test\.|tsbuildinfo|node_modules|build\.ts|tsconfig|__pycache__/.test(file),
      ),
    ).toEqual([])
    const { stdout: manifest } = await execa('tar', ['xOzf', tarball, 'package/package.json'])
    expect(manifest).not.toMatch(/"(workspace|catalog):/)
    const { size } = statSync(tarball)
    console.log(`${name}: ${files.length} files, ${Math.round(size / 1024)} KiB packed`)
    expect(size).toBeLessThan(MAX_TARBALL_KIB[name]! * 1024)
  },
)

describe('the command', () => {
  const srecodex = (args: readonly string[]) =>
    execa(join(app, 'node_modules/.bin/srecodex'), args, {
      cwd: app,
      env: environment,
      extendEnv: false,
      reject: false,
    })

  test('the main job', async () => {
    const { stdout, stderr, exitCode } = await srecodex(['run', 'group.py', '--json', '--', 'app.log'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'succeeded',
      summary: '2 timeout, 1 disk',
      sandbox: { mode: 'workspace-write', backend: 'bubblewrap' },
    })
  })

  test.for([
    ['run', 'group.py', '--network', 'api.example.com', '--', 'app.log'],
    ['runs', 'list'],
    ['runs', 'show', 'last'],
    ['runs', 'search', 'timeout'],
    ['output', 'last'],
    ['config', 'show', '--origin'],
    ['doctor'],
    ['completion', 'bash'],
  ])('every part is there: %j', async command => {
    const { exitCode, stderr } = await srecodex(command)
    expect({ exitCode, fault: /INTERNAL|ERR_MODULE|Error:/.exec(stderr) }).toEqual({
      exitCode: 0,
      fault: null,
    })
  })

  test('an older Node is told in one line', async () => {
    const older =
      'for (const [on, name] of [[process.versions, "node"], [process, "version"]])' +
      ' Object.defineProperty(on, name, { value: name === "node" ? "22.11.0" : "v22.11.0" })'
    const bin = join(app, 'node_modules/srecodex/dist/bin.js')
    const argv = ['--import', `data:text/javascript,${encodeURIComponent(older)}`, bin, 'run', 'group.py']
    const { exitCode, stdout, stderr } = await execa(process.execPath, argv, { cwd: app, reject: false })
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'srecodex needs Node 22.12 or later, and this is v22.11.0',
    })
  })
})

describe('the library', () => {
  beforeAll(() => {
    writeFileSync(
      join(app, 'program.ts'),
      [
        "import { loadConfig, runScript, SrecodexError, type RunReport } from '@srecodex/core'",
        '',
        'const { config } = await loadConfig({ workspace: import.meta.dirname })',
        'const report: RunReport = await runScript({',
        "  script: { path: 'group.py' },",
        '  config,',
        "  args: ['app.log'],",
        '  workspace: import.meta.dirname,',
        '})',
        'const text: string = report.summary',
        'console.log(JSON.stringify({ text, status: report.status }))',
        "const missing = await runScript({ script: { path: 'nowhere.py' }, workspace: import.meta.dirname }).catch((error: unknown) => error)",
        'console.log(missing instanceof SrecodexError && missing.code)',
        '',
      ].join('\n'),
    )
  })

  test('runs a script', async () => {
    const { stdout } = await execa(process.execPath, ['program.ts'], {
      cwd: app,
      env: environment,
      extendEnv: false,
    })
    expect(stdout).toBe('{"text":"2 timeout, 1 disk","status":"succeeded"}\nSCRIPT_NOT_FOUND')
  })

  test('type-checks, strictly, its declarations too', async () => {
    const compilerOptions = {
      ...{ target: 'ES2023', module: 'NodeNext', strict: true, noEmit: true, skipLibCheck: false },
      ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, types: ['node'] },
    }
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
    const { stdout, exitCode } = await execa(join(ROOT, 'node_modules/.bin/tsc'), ['-p', app], {
      reject: false,
    })
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 })
  })
})
