/**
 * A script calls a skill: which program, on which file, with which inputs. The payload runs in the script's own
 * sandbox, so nothing is started here.
 *
 * Refuses inputs that do not fit the skill's schema: the same mistake inside of a payload is found later, and told
 * worse.
 */

import { createHash } from 'node:crypto'
import { extname, join, relative } from 'node:path'
import { createContext, Script } from 'node:vm'
import { resolveInterpreter, type Interpreter } from '../sandbox/interpreters.ts'
import { INSIDE } from '../sandbox/profile.ts'
import { inputFaults } from '../skills/inputs.ts'
import { loadRegistry, similarIds, type RegisteredSkill, type Registry } from '../skills/registry.ts'
import type { ItemStates } from '../tools/broker/record.ts'
import type { CallHandler } from '../tools/channel.ts'
import { CallError } from '../tools/protocol.ts'
import type { RunOptions } from './options.ts'
import { skillFoldersOf } from './skill-folders.ts'

export interface SkillCall {
  /** Program and file, as the script sees them. */
  readonly command: readonly string[]
  /** For the keys of its items. */
  readonly prefix: string
  readonly timeoutMs: number | null
}

const MAX_FAULTS = 5

/** What names of decisions about numbers begin with. */
export const SKILL_DECISION = 'skill '

const INTERPRETERS: Readonly<Record<string, Interpreter | undefined>> = {
  py: 'python',
  sh: 'shell',
  js: 'javascript',
}

export interface SkillHandlerOptions extends Pick<
  RunOptions,
  'skillFolders' | 'callerEnvironment' | 'cacheFolder' | 'config'
> {
  readonly workspace: string
  readonly items: ItemStates
  /** Decides a value once for this run and all that go on from it. */
  readonly once: (name: string, value: () => unknown) => Promise<unknown>
  /** The highest number that an earlier run gave. */
  readonly numbered: number
  /** False without a sandbox, where the payload lies at its own path. */
  readonly isSandboxed: boolean
}

export function skillHandler(options: SkillHandlerOptions): CallHandler {
  const folders = skillFoldersOf(options, options)
  let registry: Promise<Registry> | undefined
  const asked = new Map<string, number>()
  let last = options.numbered
  return async params => {
    const { id, inputs = {}, item = null } = params
    if (typeof id !== 'string') throw new CallError('INVALID_PARAMS', 'the id of a skill is a text')
    if (!isRecord(inputs)) throw new CallError('INVALID_PARAMS', 'the inputs of a skill are an object')
    if (item !== null && typeof item !== 'string')
      throw new CallError('INVALID_PARAMS', 'an item is told by its token')
    const key = item === null ? null : options.items.itemKey(item)
    registry ??= loadRegistry({ folders, cacheFolder: options.cacheFolder })
    const skill = await findSkill(await registry, id)
    refuseUnplanned(skill, options)
    await checkInputs(skill, inputs)
    const command = commandOf(skill, folders, options)
    // The number is kept by what the skill is called with, so that an apply or a resume finds its items again even
    // where its script comes to its skills in another order.
    const call = createHash('sha256')
      .update(JSON.stringify([id, key, inputs]))
      .digest('hex')
      .slice(0, 32)
    const among = (asked.get(call) ?? 0) + 1
    asked.set(call, among)
    const number = await options.once(`${SKILL_DECISION}${call} ${among}`, () => (last += 1))
    const timeoutMs = skill.timeoutSeconds === null ? null : skill.timeoutSeconds * 1000
    return { command, prefix: `${id}#${String(number)}/`, timeoutMs } satisfies SkillCall
  }
}

async function findSkill(registry: Registry, id: string): Promise<RegisteredSkill> {
  const found = registry.skills.find(skill => skill.id === id)
  if (found !== undefined) return found
  const similar = await similarIds(registry, id)
  throw new CallError('SKILL_UNKNOWN', `there is no skill ${id}`, {
    hint:
      similar.length > 0
        ? `did you mean ${similar.slice(0, 3).join(', ')}?`
        : 'srecodex skills list shows them',
  })
}

function refuseUnplanned(skill: RegisteredSkill, { config }: SkillHandlerOptions): void {
  if (!skill.requiresConfirmation || config.mutations.default !== 'allow') return
  throw new CallError(
    'REFUSED',
    `${skill.id} requires confirmation, and this run allows mutations without any`,
    {
      hint: 'run the script with --mutations plan',
    },
  )
}

async function checkInputs(skill: RegisteredSkill, inputs: Readonly<Record<string, unknown>>): Promise<void> {
  if (skill.inputs === null) return
  const faults = await inputFaults(skill.inputs, inputs, check => inTime(skill.id, check))
  if (faults.length === 0) return
  const words = faults.map(({ input, message }) => [input, message].filter(word => word !== '').join(' '))
  throw new CallError('SKILL_INPUTS', `inputs of ${skill.id}: ${words.slice(0, MAX_FAULTS).join('; ')}`, {
    hint: `srecodex skills show ${skill.id} prints what goes in`,
  })
}

const CHECK_MS = 500
const RUN = new Script('check()')

/**
 * A script may have written the schema, and it chooses the inputs: a pattern that backtracks for hours would hold
 * everything up, the run's own timeout as well.
 */
function inTime<Result>(id: string, check: () => Result): Result {
  try {
    return RUN.runInContext(createContext({ check }), { timeout: CHECK_MS }) as Result
  } catch (error) {
    // Made in the context that it broke off: no `Error` of this one.
    const { code } = error as { readonly code?: unknown }
    if (code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT' && !(error instanceof RangeError)) throw error
    throw new CallError('SKILL_INPUTS', `the inputs of ${id} take too long, or lie too deep, to be checked`, {
      hint: 'make the schema of its inputs simpler',
    })
  }
}

function commandOf(
  skill: RegisteredSkill,
  folders: readonly string[],
  options: SkillHandlerOptions,
): readonly string[] {
  if (skill.entry === null) {
    throw new CallError(
      'SKILL_UNKNOWN',
      `${skill.id} has no payload: it is a text to read, not a program to call`,
      {
        hint: `srecodex skills show ${skill.id}`,
      },
    )
  }
  const language = INTERPRETERS[extname(skill.entry).slice(1)]
  if (language === undefined) {
    throw new CallError(
      'SKILL_UNKNOWN',
      `the payload of ${skill.id} is no .py, .sh or .js file: ${skill.entry}`,
    )
  }
  const { program } = resolveInterpreter(language, {
    environment: options.callerEnvironment ?? process.env,
    workspace: options.workspace,
    cacheFolder: options.cacheFolder,
  })
  const file = join(skill.folder, skill.entry)
  if (!options.isSandboxed) return [program, file]
  return [program, join(INSIDE.skills, String(folders.indexOf(skill.root)), relative(skill.root, file))]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
