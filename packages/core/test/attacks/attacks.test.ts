/**
 * The sandbox against the attacks of `probes.ts`, as root and as an ordinary user. Each attack must succeed bare
 * and fail in the sandbox; each piece of honest work must succeed in it. Without bubblewrap everything fails.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LONE } from './alone.ts'
import type { ArmResults } from './arm.ts'
import { CANARY } from './arena.ts'
import { LEGITIMATE, LONE_ATTACKS, PROBES } from './probes.ts'

const SOURCE = join(import.meta.dirname, '../../src')
const NOBODY = 65_534
const isRoot = process.getuid!() === 0
const ARMS: readonly { readonly name: string; readonly uid: number }[] = [
  ...(isRoot ? [{ name: 'root', uid: 0 }] : []),
  { name: 'an ordinary user', uid: isRoot ? NOBODY : process.getuid!() },
]
const HANG_MS = 280_000

/** The CLI's bundler, as far as it is used here. */
interface Bundler {
  rolldown(options: object): Promise<{ write(options: object): Promise<unknown>; close(): Promise<void> }>
}

const folder = mkdtempSync(join(tmpdir(), 'srecodex-attacks-'))
let program: Promise<string> | undefined
const children: ChildProcess[] = []
let started: Promise<Map<string, ArmResults>> | undefined

/** The arms run side by side, once. */
function results(): Promise<Map<string, ArmResults>> {
  started ??= Promise.all(ARMS.map(async arm => [arm.name, await runArm(arm.uid)] as const)).then(
    all => new Map(all),
  )
  return started
}

/** Core and the arm in one folder that everybody can read: the checkout may lie where that user cannot go. */
async function buildProgram(): Promise<string> {
  chmodSync(folder, 0o755)
  const bundler = createRequire(join(import.meta.dirname, '../../../cli/package.json'))('rolldown') as Bundler
  const bundle = await bundler.rolldown({
    input: { arm: join(import.meta.dirname, 'arm.ts') },
    platform: 'node',
    logLevel: 'silent',
  })
  await bundle.write({
    dir: join(folder, 'program'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  })
  await bundle.close()
  cpSync(join(SOURCE, 'guest'), join(folder, 'program/guest'), { recursive: true })
  for (const path of ['sandbox/supervisor.pl', 'tools/programs/launcher.pl'])
    cpSync(join(SOURCE, path), join(folder, 'program', basename(path)))
  cpSync(join(import.meta.dirname, 'driver.py'), join(folder, 'program/driver.py'))
  writeFileSync(join(folder, 'program/package.json'), '{"type":"module"}')
  try {
    linkSync(process.execPath, join(folder, 'node'))
  } catch {
    copyFileSync(process.execPath, join(folder, 'node'))
  }
  return join(folder, 'program/arm.js')
}

async function runArm(uid: number): Promise<ArmResults> {
  program ??= buildProgram()
  const arm = await program
  const place = join(folder, String(uid))
  mkdirSync(place, { mode: 0o755 })
  const secret = join(folder, `${uid}-inherited`)
  writeFileSync(secret, CANARY)
  if (isRoot) for (const path of [place, secret]) chownSync(path, uid, uid)
  // Bash opens the descriptors that Node then hands on to whatever it starts.
  const child = spawn(
    '/usr/bin/bash',
    [
      '-c',
      'exec 30<"$1" 241<"$1" 251<"$1"; exec "$2" "$3" "$4"',
      'bash',
      secret,
      join(folder, 'node'),
      arm,
      place,
    ],
    {
      cwd: place,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: join(place, 'home'), TMPDIR: place },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(isRoot ? { uid, gid: uid } : {}),
    },
  )
  children.push(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const code = await new Promise(resolve => child.once('close', resolve))
  if (code !== 0)
    throw new Error(`the arm of user ${uid} ended with ${String(code)}\n${stderr}\n${stdout.slice(0, 2000)}`)
  return JSON.parse(stdout) as ArmResults
}

afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
})

test('every attack in the table has its program, and no id stands twice', () => {
  expect(LONE_ATTACKS.map(({ id }) => id).sort()).toEqual(Object.keys(LONE).sort())
  const ids = [...PROBES, ...LEGITIMATE].map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})

describe.each(ARMS)('as $name', ({ name, uid }) => {
  let arm: ArmResults
  beforeAll(async () => {
    arm = (await results()).get(name)!
  }, HANG_MS)

  test('the arm runs as that user', () => expect(arm.uid).toBe(uid))

  describe.each(PROBES.filter(({ arms }) => arms === 'both' || uid === 0))(
    '$area: $title ($id)',
    ({ id }) => {
      test('succeeds bare', () =>
        expect(arm.bare[id]).toMatchObject({ code: 0, log: expect.stringMatching(/^WON$/m) }))
      test('fails in the sandbox', () => {
        expect(arm.sandboxed[id]).toBeDefined()
        expect(arm.sandboxed[id]!.log).not.toMatch(/WON/)
        expect(arm.sandboxed[id]!.code).not.toBe('timeout')
      })
    },
  )

  test('bare, the attacks left their marks on the host; from the sandbox, none', () => {
    expect(arm.evidence.bare.touched).toBe(true)
    expect(new Set(arm.evidence.bare.hits.split('\n'))).toEqual(
      new Set(['unix', 'log', 'abstract', 'tcp', 'udp', '']),
    )
    expect(arm.evidence.sandboxed).toEqual({ touched: false, hits: '' })
  })

  describe.each(LONE_ATTACKS.filter(({ arms }) => arms === 'both' || uid === 0))(
    '$area: $title ($id)',
    ({ id }) => {
      test('succeeds bare', () => expect(arm.alone[id]).toMatchObject({ control: true }))
      test('fails in the sandbox', () => expect(arm.alone[id]).toMatchObject({ held: true }))
    },
  )

  test.each(LEGITIMATE)('works: $title ($id)', ({ id }) => {
    expect(arm.legitimate[id]).toMatchObject({ code: 0, log: expect.stringMatching(/^WORKS/m) })
  })
})
