/** `find_skills` and `read_skill`. */

import {
  homes,
  loadRegistry,
  openLibrarian,
  readSkill,
  similarIds,
  SrecodexError,
  type RegisteredSkill,
} from '@srecodex/core'
import { join } from 'node:path'
import { skillFolders } from '../skill-folders.ts'
import type { Call, Outcome } from './client.ts'
import { MAX_SKILL_PAGE_BYTES } from './limits.ts'
import { fits, result } from './results.ts'
import type { Input, Session } from './session.ts'
import { signature } from './signature.ts'
import { cut, longest } from './words.ts'

const DEFAULT_LIMIT = 5

export async function findSkillsTool(session: Session, _call: Call, input: Input): Promise<Outcome> {
  const { query, limit = DEFAULT_LIMIT } = input as { readonly query: string; readonly limit?: number }
  const options = placesOf(session)
  const librarian = await openLibrarian(options)
  const found = librarian.search(query, { limit })
  const registry = await loadRegistry(options)
  const skills = found.flatMap(({ id }) => registry.skills.find(skill => skill.id === id) ?? [])
  return foundResult(skills)
}

/** The best keeps its whole signature longest; what does not fit at all is left out from the end. */
const BOUNDS = [
  { first: 600, rest: 400, when: 240 },
  { first: 600, rest: 200, when: 160 },
  { first: 500, rest: 120, when: 100 },
  { first: 400, rest: 80, when: 80 },
  { first: 300, rest: 70, when: 60 },
  { first: 160, rest: 60, when: 50 },
] as const

function foundResult(skills: readonly RegisteredSkill[]): Outcome {
  for (let number = skills.length; ; number -= 1) {
    for (const bound of BOUNDS) {
      const told = skills.slice(0, number).map((skill, index) => ({
        id: skill.id,
        name: cut(skill.name, 60),
        whenToUse: cut(skill.intent === '' ? skill.description : skill.intent, bound.when),
        risk: skill.riskLevel + (skill.requiresConfirmation ? ', always planned' : ''),
        signature: cut(signature(skill), index === 0 ? bound.first : bound.rest),
      }))
      const lines = told.map(one => `${one.id} (risk ${one.risk})\n${one.whenToUse}\n${one.signature}`)
      const text = lines.length === 0 ? 'No skill fits: write the script without one.' : lines.join('\n\n')
      const whole = result(text, { skills: told })
      if (fits(whole) || number === 0) return whole
    }
  }
}

export async function readSkillTool(session: Session, _call: Call, input: Input): Promise<Outcome> {
  const { id, offset = 0 } = input as { readonly id: string; readonly offset?: number }
  const registry = await loadRegistry(placesOf(session))
  const known = registry.skills.find(skill => skill.id === id)
  const skill = known === undefined ? null : await readSkill(registry, id)
  if (known === undefined || skill === null) {
    const similar = await similarIds(registry, id)
    throw new SrecodexError('SKILL_NOT_FOUND', `there is no skill \`${cut(id, 80)}\``, {
      hint:
        similar.length > 0 ? `did you mean ${similar.join(' or ')}?` : 'find_skills finds one by its task',
      details: { skill: id, similar },
    })
  }
  const head = [`${skill.name} (${id}), risk ${skill.riskLevel}`, skill.description, signature(known)]
  const whole = `${head.filter(line => line !== '').join('\n\n')}\n\n${skill.body.trim()}`.replaceAll(
    /[^\P{Cc}\n\t]/gu,
    '',
  )
  const page = longest(
    whole.slice(offset),
    part => Buffer.byteLength(JSON.stringify(part)) <= MAX_SKILL_PAGE_BYTES,
  )
  const isCut = offset + page.length < whole.length
  const text = isCut ? page.slice(0, -1) : page // the mark of the cut is no part of the skill
  const nextOffset = isCut ? offset + text.length : null
  const more = nextOffset === null ? '' : `\n\n… goes on at offset ${nextOffset}`
  return result(text + more, { id, text, nextOffset })
}

function placesOf({ terminal, skillsDir }: Session) {
  return {
    folders: skillFolders(skillsDir, terminal),
    cacheFolder: join(homes(terminal.env).cache, 'skills'),
  }
}
