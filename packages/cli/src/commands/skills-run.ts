/** `srecodex skills run`: a skill's payload as a person runs it, by a script that does nothing else. */

import {
  inputFaults,
  runScript,
  SrecodexError,
  type LoadedConfig,
  type Problem,
  type RegisteredSkill,
  type RunReport,
} from '@srecodex/core'
import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { attend, conclude, type Attended, type AttendFlags } from '../attend.ts'
import { loadConfig } from '../config.ts'
import { renderNotices } from '../render/error.ts'
import { givenPath } from '../render/path.ts'
import { renderSkillHelp } from '../render/skill-help.ts'
import { flagOf, inputFlags, parseInputs } from '../skill-inputs.ts'
import { skillFolders } from '../skill-folders.ts'
import type { Terminal } from '../terminal.ts'
import { registryOf, unknownSkill } from './skills.ts'

interface RunFlags extends AttendFlags {
  readonly help?: boolean
  readonly jsonInput?: string
  readonly workspace?: string
  readonly skillsDir?: readonly string[]
}

type Inputs = Readonly<Record<string, unknown>>

export async function run(
  terminal: Terminal,
  id: string | undefined,
  words: readonly string[],
  flags: RunFlags,
  command: Command,
): Promise<number> {
  if (id === undefined || id.startsWith('-')) {
    if (flags.help) {
      terminal.out(command.helpInformation())
      return 0
    }
    throw new SrecodexError('USAGE', 'the id of a skill is needed, before its inputs', {
      hint: 'srecodex skills list shows them',
    })
  }
  const skill = await findSkill(terminal, id, flags)
  if (flags.help) {
    terminal.out(renderSkillHelp(skill, terminal))
    return 0
  }
  if (skill.entry === null) {
    throw new SrecodexError('USAGE', `skill \`${id}\` has no payload: it is a text to read, not a program`, {
      hint: `srecodex skills show ${id}`,
    })
  }
  const inputs = await inputsOf(skill, words, flags)
  const workspace = givenPath(flags.workspace ?? '.', terminal)
  const { loaded, settings } = await configFor(skill, workspace, terminal)
  terminal.err(renderNotices(loaded.notices, terminal))
  const start = (language: Language) => (attended: Attended) =>
    runScript({
      ...attended,
      script: { text: SCRIPTS[language](skill.id, inputs), language },
      config: loaded.config,
      settings,
      workspace,
      skillFolders: skillFolders(flags.skillsDir, terminal),
    })
  return conclude(terminal, id, flags, await inEither(start, terminal, id, flags))
}

type Language = 'python' | 'javascript'

/** The script is written in what is there, and allowed: a machine without Python runs a payload in JavaScript too. */
async function inEither(
  start: (language: Language) => (attended: Attended) => Promise<RunReport>,
  terminal: Terminal,
  id: string,
  flags: RunFlags,
): Promise<RunReport> {
  try {
    return await attend(terminal, id, flags, start('python'))
  } catch (error) {
    const lacks = ['INTERPRETER_NOT_FOUND', 'EXTENSION_REFUSED']
    if (!(error instanceof SrecodexError) || !lacks.includes(error.code)) throw error
    return attend(terminal, id, flags, start('javascript'))
  }
}

async function findSkill(terminal: Terminal, id: string, flags: RunFlags): Promise<RegisteredSkill> {
  const registry = await registryOf(terminal, flags)
  const found = registry.skills.find(skill => skill.id === id)
  if (found === undefined) throw await unknownSkill(registry, id)
  return found
}

/** @throws {SrecodexError} USAGE, with everything that is wrong in `details.problems` */
async function inputsOf(skill: RegisteredSkill, words: readonly string[], flags: RunFlags): Promise<Inputs> {
  const parsed = parseInputs(words, inputFlags(skill.inputs))
  const given = flags.jsonInput === undefined ? {} : jsonInput(flags.jsonInput)
  const inputs = { ...given, ...parsed.inputs }
  const found = skill.inputs === null ? [] : await inputFaults(skill.inputs, inputs)
  // What could not be read is told already, and would be told as missing too.
  const faults = parsed.problems.length === 0 ? found : found.filter(({ input }) => input !== '')
  const problems: Problem[] = [
    ...parsed.problems,
    ...faults.map(({ input, message }) => ({
      message: `${input === '' ? '' : `\`${flagOf(input)}\` `}${inFlagWords(message, skill)}`,
    })),
  ]
  if (problems.length === 0) return inputs
  const last = problems.at(-1)!
  const hint = last.hint ?? `srecodex skills run ${skill.id} --help lists its inputs`
  throw new SrecodexError('USAGE', `the inputs of ${skill.id} do not fit`, {
    details: { problems: [...problems.slice(0, -1), { ...last, hint }] },
  })
}

/** Core speaks of inputs by their names; who typed flags reads flags. */
function inFlagWords(message: string, skill: RegisteredSkill): string {
  const names = new Set(inputFlags(skill.inputs).map(({ name }) => name))
  return message.replaceAll(/`([^`]+)`/g, (whole, name: string) =>
    names.has(name) ? `\`${flagOf(name)}\`` : whole,
  )
}

function jsonInput(given: string): Inputs {
  const text = given === '-' ? readFileSync(0, 'utf8') : given
  const usage = (why: string): SrecodexError =>
    new SrecodexError('USAGE', `\`--json-input\` ${why}`, {
      hint: `--json-input '{"namespace": "shop"}', or - to read it from stdin`,
    })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw usage('is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw usage('must be a JSON object')
  return value as Inputs
}

/** What the script around the payload needs to tell how the payload ended. */
const AROUND_SECONDS = 5

/** Settings, and not a changed config: whoever applies or resumes the run does it under the same. */
async function configFor(
  skill: RegisteredSkill,
  workspace: string,
  terminal: Terminal,
): Promise<{ loaded: LoadedConfig; settings: Record<string, unknown> }> {
  const own = await loadConfig({ workspace, env: terminal.env })
  const { scripts, mutations } = own.config
  const settings: Record<string, unknown> = {}
  if (skill.timeoutSeconds !== null) {
    const wantedMs = (skill.timeoutSeconds + AROUND_SECONDS) * 1000
    const timeoutMs = Math.min(scripts.maxTimeoutMs, Math.max(scripts.executionTimeoutMs, wantedMs))
    if (timeoutMs !== scripts.executionTimeoutMs) settings['scripts.execution_timeout'] = timeoutMs / 1000
  }
  if (skill.requiresConfirmation && mutations.default === 'allow') settings['mutations.default'] = 'plan'
  if (Object.keys(settings).length === 0) return { loaded: own, settings }
  return { loaded: await loadConfig({ workspace, env: terminal.env, flags: settings }), settings }
}

/** A JSON text is a literal of both languages: what it escapes, they read alike. */
const literal = (value: unknown): string => JSON.stringify(value)

const SCRIPTS: Readonly<Record<Language, (id: string, inputs: Inputs) => string>> = {
  python: (id, inputs) => `"""Runs one skill. Written by srecodex skills run."""
import json
import sys

from srecodex import SkillError, skill, summary

try:
    result = skill(${literal(id)}, **json.loads(${literal(JSON.stringify(inputs))}))
except SkillError as error:
    sys.exit("%s: %s" % (error.code, error.message))
print(json.dumps(result, ensure_ascii=False))
said = result.get("summary")
summary(said if isinstance(said, str) and said else json.dumps(result, ensure_ascii=False, separators=(",", ":")))
`,
  javascript: (id, inputs) => `// Runs one skill. Written by srecodex skills run.
import { skill, SkillError, summary } from 'srecodex'

try {
  const result = await skill(${literal(id)}, JSON.parse(${literal(JSON.stringify(inputs))}))
  console.log(JSON.stringify(result))
  const said = result.summary
  await summary(typeof said === 'string' && said !== '' ? said : JSON.stringify(result))
} catch (error) {
  if (!(error instanceof SkillError)) throw error
  console.error(\`\${error.code}: \${error.message}\`)
  process.exitCode = 1
}
`,
}
