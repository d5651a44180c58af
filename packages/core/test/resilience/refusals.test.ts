/** Scripts, workspaces and stores that cannot be used: one clear error, nothing started, nothing left. */

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cli, liveMarkers, place, runIds, type Place } from './stage.ts'

async function refused(at: Place, args: readonly string[], options: Parameters<typeof cli>[2] = {}) {
  const { code, stdout, stderr } = await cli(at, ['run', ...args], options).ended
  expect(stdout).toBe('')
  expect(runIds(at)).toEqual([])
  expect(liveMarkers(at)).toEqual([])
  return { code, error: stderr }
}

describe('the script', () => {
  const cases: readonly {
    readonly name: string
    readonly make: (at: Place) => string
    readonly code: number
    readonly error: RegExp
  }[] = [
    {
      name: 'is not there',
      make: () => 'missing.py',
      code: 2,
      error: /^error\[SCRIPT_NOT_FOUND\]: there is no script .*missing\.py/,
    },
    {
      name: 'lies below a file',
      make: at => `${at.file('file', 'x')}/job.py`,
      code: 2,
      error: /^error\[SCRIPT_NOT_FOUND\]/,
    },
    {
      name: 'has 0 bytes',
      make: at => at.file('empty.sh', ''),
      code: 2,
      error: /^error\[SCRIPT_EMPTY\]: .*empty\.sh is empty/,
    },
    {
      name: 'has only blanks',
      make: at => at.file('blank.py', ' \n\t\n'),
      code: 2,
      error: /^error\[SCRIPT_EMPTY\]/,
    },
    {
      name: 'has a byte more than 50 MiB',
      make: at => sparse(at, 'huge.py', 50 * 1024 * 1024 + 1),
      code: 2,
      error: /^error\[SCRIPT_TOO_LARGE\]: .*huge\.py is 52428801 bytes/,
    },
    {
      name: 'is a folder',
      make: at => {
        mkdirSync(join(at.workspace, 'folder.py'))
        return 'folder.py'
      },
      code: 2,
      error: /^error\[SCRIPT_UNREADABLE\]: .*it is a folder/,
    },
    {
      name: 'is a FIFO that nobody writes to',
      make: at => {
        execFileSync('mkfifo', [join(at.workspace, 'pipe.sh')])
        return 'pipe.sh'
      },
      code: 2,
      error: /^error\[SCRIPT_UNREADABLE\]: .*it is no file/,
    },
    {
      name: 'is a device',
      make: at => {
        symlinkSync('/dev/zero', join(at.workspace, 'zero.py'))
        return 'zero.py'
      },
      code: 2,
      error: /^error\[SCRIPT_UNREADABLE\]: .*it is no file/,
    },
    {
      name: 'is a link to itself',
      make: at => {
        symlinkSync('loop.py', join(at.workspace, 'loop.py'))
        return 'loop.py'
      },
      code: 2,
      error: /^error\[SCRIPT_UNREADABLE\]: .*ELOOP/,
    },
    {
      name: 'has another extension',
      make: at => at.file('job.rb', 'puts 1'),
      code: 4,
      error: /^error\[EXTENSION_REFUSED\]: .*\.rb/,
    },
    {
      name: 'has no extension',
      make: at => at.file('job', 'echo 1'),
      code: 4,
      error: /^error\[EXTENSION_REFUSED\]: .*\(none\)/,
    },
  ]
  test.each(cases)('$name', async ({ make, code, error }) => {
    const at = place()
    const result = await refused(at, [make(at)])
    expect(result).toEqual({ code, error: expect.stringMatching(error) })
  })

  test('may not be read by this user', async () => {
    const at = place()
    const script = at.file('secret.sh', 'echo hi')
    chmodSync(script, 0o000)
    chmodSync(at.folder, 0o755)
    // Root may read anything: it asks as another user.
    const isRoot = process.getuid?.() === 0
    if (isRoot) chownSync(at.home, 65_534, 65_534)
    const environment = { HOME: at.home }
    const result = await refused(at, [script], isRoot ? { uid: 65_534, environment } : { environment })
    expect(result).toEqual({ code: 2, error: expect.stringMatching(/^error\[SCRIPT_UNREADABLE\]: .*EACCES/) })
  })

  test('of 50 MB runs', async () => {
    const at = place()
    const comment = `#${'x'.repeat(79)}\n`
    const script = at.file(
      'large.sh',
      `echo begun\n${comment.repeat(50_000_000 / comment.length - 1)}echo ended`,
    )
    const { code, stdout } = await cli(at, ['run', script]).ended
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'begun\nended\n' })
  })

  test('comes by stdin: with its language it runs, without it is refused, empty it is refused', async () => {
    const at = place()
    expect(await refused(at, ['-'], { stdin: 'echo hi' })).toMatchObject({
      code: 2,
      error: expect.stringMatching(/^error\[USAGE\]/),
    })
    expect(await refused(at, ['-', '--lang', 'py'], { stdin: '' })).toMatchObject({
      code: 2,
      error: expect.stringMatching(/^error\[SCRIPT_EMPTY\]/),
    })
    const ran = await cli(at, ['run', '-', '--lang', 'py'], {
      stdin: 'import sys; print(sys.stdin.read() or "no stdin")',
    }).ended
    expect(ran).toMatchObject({ code: 0, stdout: 'no stdin\n' })
  })

  test('without a terminal nothing asks, colours or moves the cursor', async () => {
    const at = place()
    const { code, stdout, stderr } = await cli(at, ['run', '-', '--lang', 'sh'], {
      stdin: 'progress 1 2 half; echo hi',
    }).ended
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hi\n' })
    // eslint-disable-next-line no-control-regex
    expect(stderr).not.toMatch(/[\u001b\r]/)
  })
})

describe('the workspace', () => {
  const script = { stdin: 'echo hi' }
  const args = ['-', '--lang', 'sh', '--workspace']

  test('is not there', async () => {
    const at = place()
    const result = await refused(at, [...args, join(at.folder, 'nowhere')], script)
    expect(result).toEqual({
      code: 2,
      error: expect.stringMatching(/^error\[WORKSPACE_INVALID\]: there is no folder/),
    })
  })

  test('is a file', async () => {
    const at = place()
    const result = await refused(at, [...args, at.file('file', 'x')], script)
    expect(result).toEqual({
      code: 2,
      error: expect.stringMatching(/^error\[WORKSPACE_INVALID\]: .* is no folder/),
    })
  })

  test.each(['/', '/usr', '/etc', '/tmp', '/proc'])('is %s', async folder => {
    const at = place()
    const result = await refused(at, [...args, folder], script)
    expect(result).toEqual({
      code: 2,
      error: expect.stringMatching(/^error\[WORKSPACE_INVALID\]: .* cannot be a workspace/),
    })
  })

  test('is HOME, by its name, by a link, or a folder above it', async () => {
    const at = place()
    const home = join(at.folder, 'users', 'me')
    mkdirSync(home, { recursive: true })
    symlinkSync(home, join(at.folder, 'alias'))
    for (const folder of [home, join(at.folder, 'users'), join(at.folder, 'alias'), `${home}/../me/.`]) {
      const result = await refused(at, [...args, folder], { ...script, environment: { HOME: home } })
      expect(result).toEqual({
        code: 2,
        error: expect.stringMatching(/^error\[WORKSPACE_INVALID\]: .*your home folder/),
      })
    }
  })

  test("is, or lies in, srecodex's own state", async () => {
    const at = place()
    await cli(at, ['run', '-', '--lang', 'sh'], { stdin: 'echo hi' }).ended
    const [id] = runIds(at)
    for (const folder of [at.state, join(at.state, 'runs'), join(at.state, 'runs', id!, 'artifacts')]) {
      const { code, stderr } = await cli(at, ['run', ...args, folder], script).ended
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringMatching(/^error\[WORKSPACE_INVALID\]/),
      })
    }
    expect(runIds(at)).toEqual([id])
  })
})

describe('the store', () => {
  test('cannot be made', async () => {
    const at = place()
    writeFileSync(join(at.folder, 'file'), '')
    const { code, stderr } = await cli(at, ['run', '-', '--lang', 'sh'], {
      stdin: 'echo hi',
      environment: { SRECODEX_HOME: join(at.folder, 'file', 'home') },
    }).ended
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^error\[STATE_UNWRITABLE\]: .*ENOTDIR/),
    })
  })

  test('holds torn and foreign things: they are passed over, and the rest is listed', async () => {
    const at = place()
    await cli(at, ['run', '-', '--lang', 'sh'], { stdin: 'echo hi' }).ended
    const [id] = runIds(at)
    for (const [name, text] of [
      ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '{"version":1,'],
      ['01ARZ3NDEKTSV4RRFFQ69G5FAW', ''],
      ['01ARZ3NDEKTSV4RRFFQ69G5FAX', 'null'],
      ['not-a-run', '{}'],
    ] as const) {
      mkdirSync(join(at.state, 'runs', name))
      writeFileSync(join(at.state, 'runs', name, 'run.json'), text)
    }
    const { code, stdout, stderr } = await cli(at, ['runs', 'list', '--json']).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect((JSON.parse(stdout) as { id: string }[]).map(run => run.id)).toEqual([id])
  })

  test('holds markers of runs that are no runs: the next run clears them away', async () => {
    const at = place()
    mkdirSync(join(at.state, 'live'), { recursive: true })
    for (const name of [
      'garbage',
      '01ARZ3NDEKTSV4RRFFQ69G5FAV',
      `01ARZ3NDEKTSV4RRFFQ69G5FAW.${process.pid}.1.no-such-boot`,
    ]) {
      writeFileSync(join(at.state, 'live', name), '')
    }
    const { code, stdout } = await cli(at, ['run', '-', '--lang', 'sh'], { stdin: 'echo hi' }).ended
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hi\n' })
    expect(liveMarkers(at)).toEqual([])
  })
})

function sparse(at: Place, name: string, bytes: number): string {
  const path = at.file(name, 'print(1)\n')
  truncateSync(path, bytes)
  return realpathSync(path)
}
