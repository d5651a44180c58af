/** `srecodex skills …`: found, checked, written, installed. */

import {
  applyFixes,
  auditSkills,
  createSkill,
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
  type FoundSkill,
  type InstallClient,
  type InstallResult,
  type RegisteredSkill,
  type Registry,
  type SkillProblem,
} from '@srecodex/core'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { renderNotice, renderPlace } from '../render/error.ts'
import { shownPath } from '../render/path.ts'
import { renderTable } from '../render/table.ts'
import { plural } from '../render/units.ts'
import { projectSkills, shippedFolder, skillFolders } from '../skill-folders.ts'
import { paint, type Terminal } from '../terminal.ts'

interface FolderFlags {
  readonly skillsDir?: readonly string[]
  readonly json?: boolean
}

export async function list(terminal: Terminal, flags: FolderFlags): Promise<number> {
  const registry = await registryOf(terminal, flags)
  if (flags.json) {
    terminal.out(`${JSON.stringify({ skills: registry.skills, shadowed: registry.shadowed, problems: registry.problems })}\n`)
    return 0
  }
  terminal.out(
    renderTable(
      [{ title: 'ID' }, { title: 'NAME' }, { title: 'RISK' }, { title: 'SCRIPT' }, { title: 'WHEN TO USE', flexible: true }],
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

export async function search(terminal: Terminal, words: readonly string[], flags: SearchFlags): Promise<number> {
  if (flags.stdin ? words.length > 0 : words.length === 0) {
    throw new SrecodexError('USAGE', flags.stdin ? '--stdin takes no query' : 'a query, or --stdin, is needed', {
      hint: 'srecodex skills search pods keep dying',
    })
  }
  const librarian = await openLibrarian({
    folders: skillFolders(flags.skillsDir, terminal),
    cacheFolder: cacheFolder(terminal),
  })
  const { limit } = flags
  if (flags.stdin) {
    for await (const line of createInterface({ input: process.stdin })) {
      terminal.out(`${JSON.stringify(librarian.search(line, { limit }))}\n`)
    }
    return 0
  }
  const found = librarian.search(words.join(' '), { limit })
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
  else terminal.out(readFileSync(skill.file, 'utf8'))
  return 0
}

interface LintFlags extends FolderFlags {
  readonly fix?: boolean
}

export async function lint(terminal: Terminal, ids: readonly string[], flags: LintFlags): Promise<number> {
  const skills = await chosen(await registryOf(terminal, flags), ids)
  let report = await lintSkills(skills)
  let fixed = 0
  if (flags.fix) {
    const result = await applyFixes(report.skills.flatMap(({ fix }) => (fix === null ? [] : [fix])))
    fixed = result.fixed.length
    report = await lintSkills(skills)
  }
  if (flags.json) terminal.out(`${JSON.stringify({ ...report, fixed })}\n`)
  else {
    const findings = report.skills.flatMap(skill => skill.findings)
    terminal.out(findings.map(finding => renderFinding(finding, terminal)).join('\n'))
    terminal.err(
      `${plural(report.skills.length, 'skill')}: ${plural(report.errors, 'error')}, ${plural(report.warnings, 'warning')}` +
        `${fixed > 0 ? `; ${fixed} mended` : ''}` +
        `${report.fixable > 0 && !flags.fix ? `; --fix mends ${report.fixable}` : ''}\n`,
    )
  }
  return report.errors > 0 ? 1 : 0
}

interface AuditFlags extends FolderFlags {
  readonly write?: boolean
  readonly check?: boolean
}

export async function audit(terminal: Terminal, flags: AuditFlags): Promise<number> {
  const folders = auditFolders(flags, terminal)
  const registry = await loadRegistry({ folders, cacheFolder: cacheFolder(terminal) })
  const result = await auditSkills(registry.skills)
  const file = join(dirname(folders.at(-1)!), 'docs', 'SCRIPT-FIRST-SKILLS.md')
  if (flags.check && (!existsSync(file) || readFileSync(file, 'utf8') !== renderChecklist(result))) {
    terminal.err(`${shownPath(file, terminal)} is not what the skills say: srecodex skills audit --write\n`)
    return 1
  }
  const written = flags.write ? await writeChecklist(file, result) : null
  if (flags.json) {
    terminal.out(`${JSON.stringify({ ...result, checklist: written === null ? null : file })}\n`)
    return 0
  }
  for (const { id, verdict, reason, decidedBy, evidence } of result.skills) {
    const colour = verdict === 'applied' ? 'green' : verdict === 'pending' ? 'yellow' : 'dim'
    terminal.out(`${paint.out(colour, verdict.padEnd(14))} ${id}: ${reason}${decidedBy === 'person' ? ' (a person says so)' : ''}\n`)
    for (const { sign, words, weight, at } of evidence) {
      const side = weight > 0 ? 'for' : 'against'
      terminal.out(paint.out('dim', `    ${side.padEnd(7)} ${sign}: ${words} (${renderPlace(at, terminal)})`) + '\n')
    }
  }
  tellProblems(result.problems, terminal)
  if (written !== null) terminal.err(`${shownPath(file, terminal)}: ${written}\n`)
  return 0
}

interface NewFlags extends FolderFlags {
  readonly name?: string
  readonly intent?: string
  readonly tag?: readonly string[]
  readonly scriptFirst?: boolean
  readonly entry?: 'python' | 'shell' | 'javascript'
}

export async function create(terminal: Terminal, id: string, flags: NewFlags): Promise<number> {
  const folder =
    flags.skillsDir === undefined ? projectSkills(terminal) : skillFolders(flags.skillsDir, terminal).at(-1)!
  const own = join(dirname(folder), 'templates', 'SKILL.template.md')
  const template = existsSync(own) ? own : join(shippedFolder(), 'templates', 'SKILL.template.md')
  const made = await createSkill(folder, {
    id,
    template: readFileSync(template, 'utf8'),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.intent === undefined ? {} : { intent: flags.intent }),
    ...(flags.tag === undefined ? {} : { tags: flags.tag }),
    ...(flags.scriptFirst === undefined ? {} : { scriptFirst: flags.scriptFirst }),
    ...(flags.entry === undefined ? {} : { entry: flags.entry }),
  })
  if (flags.json) terminal.out(`${JSON.stringify(made)}\n`)
  else terminal.out(made.files.map(file => `${shownPath(join(folder, file), terminal)}\n`).join(''))
  return 0
}

interface InstallFlags extends FolderFlags {
  readonly for: InstallClient
  readonly user?: boolean
  readonly link?: boolean
  readonly uninstall?: boolean
}

export async function install(terminal: Terminal, ids: readonly string[], flags: InstallFlags): Promise<number> {
  const target = {
    client: flags.for,
    scope: flags.user ? 'user' : 'project',
    projectFolder: terminal.cwd,
    home: terminal.env.HOME ?? '/',
  } as const
  const result = flags.uninstall
    ? await uninstallSkills(target, ids.length === 0 ? undefined : ids)
    : await installSkills({
        ...target,
        skills: await chosen(await registryOf(terminal, flags), ids),
        mode: flags.link ? 'link' : 'copy',
      })
  if (flags.json) terminal.out(`${JSON.stringify(result)}\n`)
  else tellInstalled(result, terminal)
  const failed = result.conflicts.length > 0 || result.problems.some(({ severity }) => severity === 'error')
  return failed ? 1 : 0
}

function tellInstalled(result: InstallResult, terminal: Terminal): void {
  const actions = new Map<string, number>()
  for (const { action } of result.skills) actions.set(action, (actions.get(action) ?? 0) + 1)
  const told = [...actions].map(([action, number]) => `${number} ${action}`).join(', ')
  terminal.out(`${shownPath(result.folder, terminal)}: ${told === '' ? 'nothing to do' : told}\n`)
  for (const { path, reason } of result.conflicts) {
    terminal.err(renderNotice(`${shownPath(path, terminal)} was left as it is: ${reason}`))
  }
  tellProblems(result.problems, terminal)
}

function registryOf(terminal: Terminal, flags: FolderFlags): Promise<Registry> {
  return loadRegistry({ folders: skillFolders(flags.skillsDir, terminal), cacheFolder: cacheFolder(terminal) })
}

/** A checklist belongs to one folder: the project's where there is one, else the shipped one. */
function auditFolders(flags: FolderFlags, terminal: Terminal): string[] {
  if (flags.skillsDir !== undefined) return skillFolders(flags.skillsDir, terminal)
  const project = projectSkills(terminal)
  return [existsSync(project) ? project : join(shippedFolder(), 'skills')]
}

function cacheFolder(terminal: Terminal): string {
  return join(homes(terminal.env).cache, 'skills')
}

/** @throws {SrecodexError} SKILL_NOT_FOUND */
async function chosen(registry: Registry, ids: readonly string[]): Promise<readonly RegisteredSkill[]> {
  if (ids.length === 0) return registry.skills
  return Promise.all(
    ids.map(async id => {
      const skill = registry.skills.find(one => one.id === id)
      if (skill === undefined) throw await unknownSkill(registry, id)
      return skill
    }),
  )
}

async function unknownSkill(registry: Registry, id: string): Promise<SrecodexError> {
  const similar = await similarIds(registry, id)
  return new SrecodexError('SKILL_NOT_FOUND', `there is no skill \`${id}\``, {
    hint: similar.length > 0 ? `did you mean ${similar.join(' or ')}?` : 'srecodex skills search finds one by its task',
    details: { skill: id, similar },
  })
}

function renderFound(found: readonly FoundSkill[], terminal: Terminal): string {
  return renderTable(
    [{ title: 'ID' }, { title: 'NAME' }, { title: 'SCORE', align: 'right' }, { title: 'WHY', flexible: true }],
    found.map(({ id, name, score, why }) => [id, name, score.toFixed(2), why.join(', ')]),
    terminal.outColumns,
  )
}

function tellProblems(problems: readonly SkillProblem[], terminal: Terminal): void {
  for (const problem of problems) terminal.err(renderFinding(problem, terminal))
}

function renderFinding(problem: SkillProblem, terminal: Terminal): string {
  const label = paint.out(problem.severity === 'error' ? 'red' : 'yellow', `${problem.severity}[${problem.rule}]`)
  return [
    `${label}: ${problem.message}\n`,
    ...(problem.at === undefined ? [] : [`  at ${renderPlace(problem.at, terminal)}\n`]),
    ...(problem.hint === undefined ? [] : [`  hint: ${problem.hint}\n`]),
  ].join('')
}

function firstSentence(text: string): string {
  return text.split(/(?<=[.!?])\s/)[0] ?? ''
}
