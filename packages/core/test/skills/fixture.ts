/** A fresh skills folder for one test, and problems as short text. */

import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import type { Problem } from '../../src/errors.ts'
import type { SkillPlace } from '../../src/skills/skill.ts'

export const temporaryFolder = async (): Promise<string> => {
  const root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'srecodex-skills-')))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return root
}

export const write = async (file: string, content: string | Uint8Array, mode = 0o644): Promise<string> => {
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, content, { mode })
  return file
}

/** Files by their path below a fresh folder. */
export const folderOf = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<string> => {
  const root = await temporaryFolder()
  for (const [name, content] of Object.entries(files)) await write(path.join(root, name), content)
  return root
}

export const placeOf = (root: string, id: string): SkillPlace => ({
  id,
  folder: path.join(root, id),
  file: path.join(root, id, 'SKILL.md'),
})

/** Past the time within which a second change could leave the same stamp. */
export const settle = async (): Promise<void> => {
  await new Promise(resolve => setTimeout(resolve, 150))
}

/** Another content with the times of the old one, as an archiver or a careless tool leaves it. */
export const rewriteUnnoticed = async (file: string, content: string, time: Date): Promise<void> => {
  await writeFile(file, content)
  await utimes(file, time, time)
}

export const skillText = (front: Readonly<Record<string, string>> = {}, body = '# Skill\n'): string => {
  const keys = {
    name: '"Bulk Restart"',
    description: '"Restart many deployments. Use when several must be restarted."',
    tags: '[k8s, restart]',
    intent: '"Use this when several deployments must be restarted."',
    ...front,
  }
  const lines = Object.entries(keys).map(([key, value]) => `${key}: ${value}`)
  return `---\n${lines.join('\n')}\n---\n\n${body}`
}

type Located = Problem & { readonly rule: string; readonly severity?: string }

/** `rule:line`, in the order of the problems. */
export const rules = (problems: readonly Located[]): string[] =>
  problems.map(({ rule, at }) => `${rule}:${at?.line ?? '-'}`)
