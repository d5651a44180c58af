import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ancestorsWithin,
  contains,
  resolveReadable,
  resolveWorkspace,
  scriptSurroundings,
} from '../../src/sandbox/workspace.ts'

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'srecodex-workspace-')))
  mkdirSync(join(root, 'home', 'project'), { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true }))

describe('what may be a workspace', () => {
  it('gives the real path behind a link', () => {
    symlinkSync(join(root, 'home', 'project'), join(root, 'link'))
    expect(resolveWorkspace(join(root, 'link'), join(root, 'home'))).toBe(join(root, 'home', 'project'))
  })

  it.each([
    ['the root', () => '/', 'the system relies on it'],
    ['/tmp, which every user writes', () => '/tmp', 'the system relies on it'],
    ['/etc', () => '/etc', 'the system relies on it'],
    ['HOME', () => join(root, 'home'), 'your home folder'],
    ['a folder that holds HOME', () => root, 'your home folder'],
    ['a folder that is not there', () => join(root, 'nowhere'), 'there is no folder'],
  ])('refuses %s', (_name, path, why) => {
    expect(() => resolveWorkspace(path(), join(root, 'home'))).toThrow(why)
  })

  it('refuses a link to HOME, and a file', () => {
    symlinkSync(join(root, 'home'), join(root, 'link'))
    writeFileSync(join(root, 'file'), '')
    expect(() => resolveWorkspace(join(root, 'link'), join(root, 'home'))).toThrow('your home folder')
    expect(() => resolveWorkspace(join(root, 'file'), join(root, 'home'))).toThrow('is no folder')
  })
})

describe('what may be made readable', () => {
  it('resolves, sorts, and tells what is missing', () => {
    expect(resolveReadable([join(root, 'home'), root, '/nowhere'], '/')).toEqual({
      readable: [root, join(root, 'home')],
      missing: ['/nowhere'],
    })
  })

  it.each(['/', '/run', '/var/run', '/proc/1', '/dev', '/sys/fs'])('refuses %s', path => {
    expect(() => resolveReadable([path], '/')).toThrow('cannot be made readable')
  })

  it('refuses a link to a folder of sockets', () => {
    symlinkSync('/run', join(root, 'innocent'))
    expect(() => resolveReadable([join(root, 'innocent')], '/')).toThrow('cannot be made readable')
  })
})

it('shows the folder beside a script, unless it holds far more', () => {
  expect(scriptSurroundings('/opt/jobs', '/home/sre')).toBe('/opt/jobs')
  for (const broad of ['/tmp', '/', '/home', '/home/sre'])
    expect(scriptSurroundings(broad, '/home/sre')).toBeNull()
})

it('knows what lies in what', () => {
  expect(contains('/a', '/a')).toBe(true)
  expect(contains('/a', '/a/b')).toBe(true)
  expect(contains('/a', '/ab')).toBe(false)
  expect(contains('/a', '/a/../b')).toBe(false)
  expect(contains('/a', '/a/..b')).toBe(true)
})

it('lists ancestors, shallow ones first', () => {
  expect(ancestorsWithin('/w', '/w/a/b/c')).toEqual(['/w/a', '/w/a/b'])
  expect(ancestorsWithin('/w', '/w/a')).toEqual([])
})
