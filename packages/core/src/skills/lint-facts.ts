/** What lint needs to know of the files beside a SKILL.md. Reads, and changes nothing. */

import { closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import path from 'node:path'
import type { SkillFacts } from './lint-rules.ts'
import { outline } from './outline.ts'
import type { Skill } from './skill.ts'

const statOf = (file: string) => {
  try {
    return statSync(file, { throwIfNoEntry: false }) ?? null
  } catch {
    return null
  }
}

const firstLineOf = (file: string): string => {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const buffer = Buffer.alloc(256)
    const length = readSync(descriptor, buffer, 0, buffer.length, 0)
    return buffer.toString('latin1', 0, length).split('\n')[0] ?? ''
  } catch {
    return ''
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** The path of a link that leads to a file, without what a browser adds; null: it leads elsewhere. */
export const linkedPath = (target: string): string | null => {
  if (target === '' || /^(#|\/\/|[a-z][a-z0-9+.-]*:)/i.test(target)) return null
  const bare = target.replace(/[?#].*$/s, '')
  if (bare === '') return null
  try {
    return decodeURIComponent(bare)
  } catch {
    return bare
  }
}

export const factsOf = (skill: Skill | null): SkillFacts => {
  if (skill === null) return { entry: null, missingLinks: new Set() }
  const targets = outline(skill.body)
    .links.map(link => link.target)
    .filter(target => {
      const linked = linkedPath(target)
      return linked !== null && statOf(path.resolve(skill.folder, linked)) === null
    })
  if (skill.entry === null) return { entry: null, missingLinks: new Set(targets) }
  const file = path.join(skill.folder, skill.entry)
  const status = statOf(file)
  return {
    missingLinks: new Set(targets),
    entry: {
      isFile: status?.isFile() === true,
      isExecutable: ((status?.mode ?? 0) & 0o111) !== 0,
      firstLine: status?.isFile() === true ? firstLineOf(file) : '',
    },
  }
}
