/** `srecodex skills …`: found, checked, written, installed. */

import {
  applyFixes,
  auditSkills,
  createSkill,
  findSkills,
  homes,
  installSkills,
  lintSkills,
  loadRegistry,
  openLibrarian,
  readSkill,
  renderChecklist,
  similarIds,
  SrecodexError,
  uninstallSkills,
  writeChecklist,
  type Audit,
  type FoundSkill,
  type InstallClient,
  type InstallResult,
  type NewSkillOptions,
  type RegisteredSkill,
  type Registry,
  type SkillProblem,
} from '@srecodex/core'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { renderHint, renderNotice, renderPlace } from '../render/error.ts'
import { shownPath } from '../render/path.ts'
import { renderTable } from '../render/table.ts'
import { plural } from '../render/units.ts'
import { newSkillsFolder, projectSkills, shippedFolder, skillFolders } from '../skill-folders.ts'
import { paint, type Terminal } from '../terminal.ts'
import { fileError } from '../write-file.ts'

interface FolderFlags {
  readonly skillsDir?: readonly string[]
  readonly json?: boolean
}

export async function list(terminal: Terminal, flags: FolderFlags): Promise<number> {
  const registry = await registryOf(terminal, flags)
  if (flags.json) {
    terminal.out(
      `${JSON.stringify({ skills: registry.skills, shadowed: registry.shadowed, problems: registry.problems })}\n`,
    )
    return 0
  }
  if (registry.skills.length === 0) {
    terminal.err('no skills yet: srecodex skills new AREA/NAME starts one\n')
    tellProblems(registry.problems, terminal)
    return 0
  }
  terminal.out(
    renderTable(
      [
        { title: 'ID' },
        { title: 'NAME' },
        { title: 'RISK' },
        { title: 'SCRIPT' },
        { title: 'WHEN TO USE', flexible: true },
      ],
      registry.skills.map(skill => [
        skill.id,
        skill.name,
        skill.riskLevel,
        skill.scriptFirst ? 'first' : '',
        firstSentence(skill.description),
      ]),
      terminal.outColumns,
    ),
  )
  for (const { id, file, by } of registry.shadowed) {
    terminal.err(renderNotice(`${id}: ${shownPath(by, terminal)} covers ${shownPath(file, terminal)}`))
  }
  tellProblems(registry.problems, terminal)
  return 0
}

interface SearchFlags extends FolderFlags {
  readonly limit: number
  readonly stdin?: boolean
}

export async function search(
  terminal: Terminal,
  words: readonly string[],
  flags: SearchFlags,
): Promise<number> {
  const query = words.join(' ').trim()
  if (flags.stdin ? words.length > 0 : query === '') {
    throw new SrecodexError(
      'USAGE',
      flags.stdin ? '--stdin takes no query' : 'a query, or --stdin, is needed',
      {
        hint: 'srecodex skills search pods keep dying',
      },
    )
  }
  const librarian = await openLibrarian({
    folders: skillFolders(flags.skillsDir, terminal),
    cacheFolder: cacheFolder(terminal),
  })
  const { limit } = flags
  if (flags.stdin) {
    for await (const line of linesOf(process.stdin)) {
      terminal.out(`${JSON.stringify(librarian.search(line, { limit }))}\n`)
    }
    return 0
  }
  const found = librarian.search(query, { limit })
  if (flags.json) terminal.out(`${JSON.stringify(found)}\n`)
  else if (found.length === 0) {
    terminal.err(`nothing fits among ${plural(librarian.skills, 'skill')}: do the job without one\n`)
  } else terminal.out(renderFound(found, terminal))
  return 0
}

export async function show(terminal: Terminal, id: string, flags: FolderFlags): Promise<number> {
  const registry = await registryOf(terminal, flags)
  const skill = await readSkill(registry, id)
  if (skill === null) throw await unknownSkill(registry, id)
  if (flags.json) terminal.out(`${JSON.stringify(skill)}\n`)
  else terminal.out(withoutControls(readFileSync(skill.file, 'utf8')))
  return 0
}

interface LintFlags extends FolderFlags {
  readonly fix?: boolean
}

/** Every file is checked: those that are covered by another and those that cannot be served at all, too. */
export async function lint(terminal: Terminal, ids: readonly string[], flags: LintFlags): Promise<number> {
  const registry = await registryOf(terminal, flags)
  const { places: known } = await findSkills(registry.folders)
  const places = await chosenFrom(known, registry, ids)
  let report = await lintSkills(places)
  let fixed = 0
  if (flags.fix) {
    const fixes = report.skills.flatMap(({ fix }) => (fix === null ? [] : [fix]))
    const result = await writing(() => applyFixes(fixes), terminal)
    for (const { file } of result.skipped) {
      terminal.err(renderNotice(`${shownPath(file, terminal)} has changed meanwhile, and was left as it is`))
    }
    const mended = await lintSkills(places)
    fixed = report.fixable - mended.fixable
    report = mended
  }
  const files = new Set(known.map(({ file }) => file))
  // A folder that cannot be read is nobody's finding.
  const others =
    ids.length > 0 ? [] : registry.problems.filter(({ at }) => at === undefined || !files.has(at.file))
  const ofSeverity = (severity: string): number =>
    others.filter(problem => problem.severity === severity).length
  const errors = report.errors + ofSeverity('error')
  const warnings = report.warnings + ofSeverity('warning')
  if (flags.json) {
    terminal.out(`${JSON.stringify({ ...report, problems: others, errors, warnings, fixed })}\n`)
  } else {
    const findings = [...others, ...report.skills.flatMap(skill => skill.findings)]
    terminal.out(findings.map(finding => renderFinding(finding, terminal, 'out')).join('\n'))
    terminal.err(
      `${plural(report.skills.length, 'skill')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}` +
        (fixed > 0 ? `; ${fixed} mended` : '') +
        `${report.fixable > 0 && !flags.fix ? `; --fix mends ${report.fixable}` : ''}\n`,
    )
  }
  return errors > 0 ? 1 : 0
}

interface AuditFlags extends FolderFlags {
  readonly write?: boolean
  readonly check?: boolean
}

export async function audit(terminal: Terminal, flags: AuditFlags): Promise<number> {
  if (flags.check && flags.write) {
    throw new SrecodexError('USAGE', '--check only looks, and --write writes: only one of them', {
      hint: 'srecodex skills audit --help lists its flags',
    })
  }
  const folders = auditFolders(flags, terminal)
  const registry = await loadRegistry({ folders, cacheFolder: cacheFolder(terminal) })
  const found = await auditSkills(registry.skills)
  // What cannot be served cannot be judged.
  const unserved = registry.problems.filter(({ severity }) => severity === 'error')
  const result = { ...found, problems: [...unserved, ...found.problems] }
  const file = join(dirname(folders.at(-1)!), 'docs', 'SCRIPT-FIRST-SKILLS.md')
  if (flags.write) {
    const written = await writing(async () => {
      mkdirSync(dirname(file), { recursive: true })
      return writeChecklist(file, result)
    }, terminal)
    terminal.err(`${shownPath(file, terminal)}: ${written}\n`)
  }
  const isCurrent = holds(file, renderChecklist(result))
  if (flags.json) {
    terminal.out(`${JSON.stringify({ ...result, checklist: { file, isCurrent } })}\n`)
  } else if (!flags.check) {
    terminal.out(result.skills.map(skill => renderAudited(skill, terminal)).join(''))
    tellProblems(result.problems, terminal)
  }
  if (!flags.check) return 0
  const told = isCurrent
    ? 'what the skills say'
    : `not what the skills say\n\n${renderHint('srecodex skills audit --write')}`
  terminal.err(`${shownPath(file, terminal)} is ${told.trimEnd()}\n`)
  return isCurrent ? 0 : 1
}

function renderAudited(skill: Audit['skills'][number], terminal: Terminal): string {
  const { id, verdict, reason, decidedBy, evidence } = skill
  const colour = verdict === 'applied' ? 'green' : verdict === 'pending' ? 'yellow' : 'dim'
  const lines = evidence.map(({ sign, words, weight, at }) =>
    paint.out(
      'dim',
      `    ${(weight > 0 ? 'for' : 'against').padEnd(7)} ${sign}: ${words} (${renderPlace(at, terminal)})`,
    ),
  )
  const decided = decidedBy === 'person' ? ' (a person says so)' : ''
  return [`${paint.out(colour, verdict.padEnd(14))} ${id}: ${reason}${decided}`, ...lines]
    .map(line => `${line}\n`)
    .join('')
}

interface NewFlags extends FolderFlags {
  readonly name?: string
  readonly intent?: string
  readonly tag?: readonly string[]
  readonly scriptFirst?: boolean
  readonly entry?: 'python' | 'shell' | 'javascript'
}

export async function create(terminal: Terminal, id: string, flags: NewFlags): Promise<number> {
  const folder = newSkillsFolder(flags.skillsDir, terminal)
  const own = join(dirname(folder), 'templates', 'SKILL.template.md')
  const template = existsSync(own) ? own : join(shippedFolder(), 'templates', 'SKILL.template.md')
  const plan: NewSkillOptions = {
    id,
    template: readFileSync(template, 'utf8'),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.intent === undefined ? {} : { intent: flags.intent }),
    ...(flags.tag === undefined ? {} : { tags: flags.tag }),
    ...(flags.scriptFirst === undefined ? {} : { scriptFirst: flags.scriptFirst }),
    ...(flags.entry === undefined ? {} : { entry: flags.entry }),
  }
  const made = await writing(() => createSkill(folder, plan), terminal)
  if (flags.json) terminal.out(`${JSON.stringify(made)}\n`)
  else terminal.out(made.files.map(file => `${shownPath(file, terminal)}\n`).join(''))
  return 0
}

interface InstallFlags extends FolderFlags {
  readonly for: InstallClient
  readonly user?: boolean
  readonly link?: boolean
  readonly uninstall?: boolean
}

export async function install(
  terminal: Terminal,
  ids: readonly string[],
  flags: InstallFlags,
): Promise<number> {
  const target = {
    client: flags.for,
    scope: flags.user ? 'user' : 'project',
    projectFolder: terminal.cwd,
    home: terminal.env.HOME || homedir(),
  } as const
  const result = await writing(
    async () =>
      flags.uninstall
        ? uninstallSkills(target, ids.length === 0 ? undefined : ids)
        : installFrom(await registryOf(terminal, flags), ids, {
            ...target,
            mode: flags.link ? 'link' : 'copy',
          }),
    terminal,
  )
  if (flags.json) terminal.out(`${JSON.stringify(result)}\n`)
  else tellInstalled(result, terminal)
  const strangers = flags.uninstall ? ids.filter(id => !result.skills.some(skill => skill.id === id)) : []
  for (const id of strangers) terminal.err(renderNotice(`srecodex has not installed ${id} there`))
  const failed = result.conflicts.length > 0 || result.problems.some(({ severity }) => severity === 'error')
  return failed ? 1 : 0
}

/** One that cannot be served is told, where all were asked for, and keeps none of the others away. */
async function installFrom(
  registry: Registry,
  ids: readonly string[],
  options: Omit<Parameters<typeof installSkills>[0], 'skills'>,
): Promise<InstallResult> {
  const result = await installSkills({
    ...options,
    skills: await chosenFrom(registry.skills, registry, ids),
  })
  const unserved = ids.length > 0 ? [] : registry.problems.filter(({ severity }) => severity === 'error')
  return { ...result, problems: [...unserved, ...result.problems] }
}

function tellInstalled(result: InstallResult, terminal: Terminal): void {
  const actions = new Map<string, number>()
  for (const { action } of result.skills) actions.set(action, (actions.get(action) ?? 0) + 1)
  const told = [...actions].map(([action, number]) => `${number} ${action}`).join(', ')
  const isClean = result.conflicts.length + result.problems.length === 0
  const otherwise = isClean ? 'nothing to do' : 'nothing done'
  terminal.out(`${shownPath(result.folder, terminal)}: ${told === '' ? otherwise : told}\n`)
  for (const { path, reason } of result.conflicts) {
    terminal.err(renderNotice(`${shownPath(path, terminal)} was left as it is: ${reason}`))
  }
  tellProblems(result.problems, terminal)
}

export function registryOf(terminal: Terminal, flags: FolderFlags): Promise<Registry> {
  return loadRegistry({
    folders: skillFolders(flags.skillsDir, terminal),
    cacheFolder: cacheFolder(terminal),
  })
}

/** A checklist belongs to one folder: the project's where there is one, else the shipped one. */
function auditFolders(flags: AuditFlags, terminal: Terminal): string[] {
  if (flags.skillsDir !== undefined) return skillFolders(flags.skillsDir, terminal)
  const project = projectSkills(terminal)
  if (existsSync(project)) return [project]
  if (flags.write) {
    throw new SrecodexError('USAGE', `there are no skills in ${shownPath(project, terminal)}`, {
      hint: 'srecodex skills new AREA/NAME starts one; --skills-dir takes another folder',
    })
  }
  return [join(shippedFolder(), 'skills')]
}

function cacheFolder(terminal: Terminal): string {
  return join(homes(terminal.env).cache, 'skills')
}

type Place = Pick<RegisteredSkill, 'id' | 'folder' | 'file'>

/** @throws {SrecodexError} SKILL_NOT_FOUND */
async function chosenFrom<T extends Place>(
  known: readonly T[],
  registry: Registry,
  ids: readonly string[],
): Promise<readonly T[]> {
  if (ids.length === 0) return known
  const missing = ids.find(id => !known.some(one => one.id === id))
  if (missing !== undefined) throw await unknownSkill(registry, missing)
  return known.filter(one => ids.includes(one.id))
}

export async function unknownSkill(registry: Registry, id: string): Promise<SrecodexError> {
  const { places } = await findSkills(registry.folders)
  const file = places.find(one => one.id === id)?.file
  if (file !== undefined) {
    const problems = registry.problems.filter(({ at, severity }) => at?.file === file && severity === 'error')
    return new SrecodexError('SKILL_NOT_FOUND', `skill \`${id}\` cannot be read`, {
      details: { skill: id, problems },
    })
  }
  const similar = await similarIds(registry, id)
  return new SrecodexError('SKILL_NOT_FOUND', `there is no skill \`${id}\``, {
    hint:
      similar.length > 0
        ? `did you mean ${similar.join(' or ')}?`
        : 'srecodex skills search finds one by its task',
    details: { skill: id, similar },
  })
}

/** @throws {SrecodexError} DISK_FULL | STATE_UNWRITABLE */
export async function writing<T>(write: () => Promise<T>, terminal: Terminal): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const { path } = error as NodeJS.ErrnoException
    const at = path === undefined ? null : { path, file: shownPath(path, terminal) }
    throw fileError(at, 'write', error)
  }
}

function holds(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text
  } catch {
    return false
  }
}

function renderFound(found: readonly FoundSkill[], terminal: Terminal): string {
  return renderTable(
    [
      { title: 'ID' },
      { title: 'NAME' },
      { title: 'SCORE', align: 'right' },
      { title: 'WHY', flexible: true },
    ],
    found.map(({ id, name, score, why }) => [id, name, score.toFixed(2), why.join(', ')]),
    terminal.outColumns,
  )
}

function tellProblems(problems: readonly SkillProblem[], terminal: Terminal): void {
  for (const problem of problems) terminal.err(renderFinding(problem, terminal, 'err'))
}

function renderFinding(problem: SkillProblem, terminal: Terminal, stream: keyof typeof paint): string {
  const colour = problem.severity === 'error' ? 'red' : 'yellow'
  const label = paint[stream](colour, `${problem.severity}[${problem.rule}]`)
  return [
    `${label}: ${problem.message}\n`,
    ...(problem.at === undefined ? [] : [`  at ${renderPlace(problem.at, terminal)}\n`]),
    ...(problem.hint === undefined ? [] : [`  hint: ${problem.hint}\n`]),
  ].join('')
}

/** A skill is a stranger's text: it does not steer the terminal of who reads it. `--json` has it as it is. */
function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return text.replaceAll(/[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]|\r(?!\n)/g, '\uFFFD')
}

/** A line ends in `\n` and nothing else: readline would make two queries of one that holds U+2028. */
async function* linesOf(input: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  if (rest !== '') yield rest
}

function firstSentence(text: string): string {
  return text.split(/(?<=[.!?])\s/)[0] ?? ''
}
