/**
 * `srecodex init`: sets a client of agents up for this project, and takes that back.
 *
 * A client's files are merged, never replaced; what a person has set otherwise, and works, stays. Nothing is written
 * before it was shown, and on a terminal approved; without one only `--yes` writes. No tool is approved in advance, and
 * those that change things outside are held back for a person. What was done is kept with srecodex's own state
 * (`init/record.ts`): `--undo` takes back exactly that, and leaves what was changed since.
 */

import { SrecodexError, type InstallResult } from '@srecodex/core'
import { realpathSync } from 'node:fs'
import { relative } from 'node:path'
import { answerTo, confirm, mayAsk } from '../attend.ts'
import { loadConfig } from '../config.ts'
import { applyFiles } from '../init/apply.ts'
import type { Client, ClientName, Setup } from '../init/client.ts'
import { CLIENTS, presentClients } from '../init/clients.ts'
import { argvOf } from '../init/clients/server-entry.ts'
import { valueAt } from '../init/documents/document.ts'
import { removeEmpty, writeAll } from '../init/files.ts'
import { leadsElsewhere } from '../init/led-astray.ts'
import { planFiles, unmarked, type PlannedFile } from '../init/plan.ts'
import { readRecord, writeRecord } from '../init/record.ts'
import { labelled, renderDiff, renderDone } from '../init/render.ts'
import { loadSection } from '../init/shipped-section.ts'
import { loadSetup } from '../init/setup.ts'
import { placeSkills, skillsFolder, withdrawSkills } from '../init/skills.ts'
import { planUndo, withSkills } from '../init/undo.ts'
import { renderNotice } from '../render/error.ts'
import { shownPath } from '../render/path.ts'
import { plural } from '../render/units.ts'
import type { Terminal } from '../terminal.ts'

interface InitFlags {
  readonly client?: ClientName
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly undo?: boolean
  readonly json?: boolean
  /** False: never ask. */
  readonly input?: boolean
}

const [DONE, FAILED, PLANNED] = [0, 1, 3]

export async function init(terminal: Terminal, flags: InitFlags): Promise<number> {
  const project = realpathSync(terminal.cwd)
  const names = flags.client === undefined ? await choose(terminal, flags, project) : [flags.client]
  let exitCode = DONE
  for (const name of names) {
    const client = CLIENTS[name]
    if (names.length > 1) terminal.err(`${client.title}\n`)
    const code = flags.undo
      ? await takeBack(client, terminal, flags, project)
      : await setUp(client, terminal, flags, project)
    exitCode = Math.max(exitCode, code)
  }
  return exitCode
}

/** @throws {SrecodexError} USAGE: nobody can be asked. */
async function choose(terminal: Terminal, flags: InitFlags, project: string): Promise<ClientName[]> {
  const known = Object.keys(CLIENTS) as ClientName[]
  const recorded = readRecord(project, terminal.env).clients
  const present = flags.undo
    ? known.filter(name => recorded[name] !== undefined).map(name => ({ name, because: 'set up by init' }))
    : presentClients(project, terminal.env.PATH).map(({ client, because }) => ({
        name: client.name,
        because,
      }))
  const told = present.map(({ name, because }) => `${name} (${because})`).join(', ')
  const hint = present.length === 0 ? `one of ${known.join(', ')}` : `here: ${told}`
  const names = present.map(({ name }) => name)
  if (!mayAsk(terminal, flags) || flags.yes === true || flags.json === true) {
    throw new SrecodexError('USAGE', 'which client? say it with `--client`', { hint })
  }
  terminal.err(`${hint}\n`)
  const question = `Which? ${names.length === 0 ? '' : `(Enter: ${names.join(' ')}) `}`
  const answer = await answerTo(terminal, question)
  const words = answer === '' ? names : answer.split(/[\s,]+/)
  const unknown = words.find(word => !known.includes(word as ClientName))
  if (unknown !== undefined || words.length === 0) {
    throw new SrecodexError(
      'USAGE',
      unknown === undefined ? 'no client was named' : `there is no client \`${unknown}\``,
      {
        hint: `one of ${known.join(', ')}`,
      },
    )
  }
  return words as ClientName[]
}

async function setUp(client: Client, terminal: Terminal, flags: InitFlags, project: string): Promise<number> {
  const setup = loadSetup(await loadConfig({ workspace: terminal.cwd, env: terminal.env }), terminal)
  const files = planFiles(client, setup, loadSection(), project)
  const planned = await placeSkills(client, terminal, { dryRun: true })
  const changed = files.filter(({ before, after }) => before !== after)
  const fresh = planned.skills.filter(({ action }) => action !== 'unchanged')
  const isDone = changed.length === 0 && fresh.length === 0
  const told = {
    client: client.name,
    dryRun: flags.dryRun === true,
    files: files.map(fileWords),
    launch: setup.launch,
  }
  const show = (stream: 'out' | 'err'): void => {
    terminal[stream](renderDiff(changed.map(withOwner), stream, flags.dryRun === true, terminal.env))
    if (fresh.length === 0) return
    const before = changed.length === 0 ? '' : '\n'
    terminal[stream](
      `${before}${plural(fresh.length, 'skill')} into ${shownPath(planned.folder, terminal)}\n`,
    )
  }
  if (isDone || flags.dryRun) {
    if (flags.json) terminal.out(`${JSON.stringify({ ...told, written: false, skills: planned })}\n`)
    else if (isDone) terminal.out(`${client.title} is set up here: nothing to do\n`)
    else show('out')
    tellSkills(planned, terminal)
    tellWarnings(client, setup, files, terminal)
    return exitCodeOf(planned)
  }
  if (!flags.json) show('err')
  if (!(await approved('Write this?', terminal, flags))) return PLANNED
  const skills = fresh.filter(({ action }) => action === 'created').map(({ id }) => id)
  applyFiles({ client: client.name, project, files, skills }, terminal.env)
  const installed = await placeSkills(client, terminal, { dryRun: false })
  if (flags.json) terminal.out(`${JSON.stringify({ ...told, written: true, skills: installed })}\n`)
  else terminal.out(renderDone(wordsOf(client, setup, files, installed, terminal, project), terminal))
  tellSkills(installed, terminal)
  tellWarnings(client, setup, files, terminal)
  return exitCodeOf(installed)
}

function fileWords({ file, before, after, lacks }: PlannedFile): Record<string, unknown> {
  const state = before === after ? 'unchanged' : before === null ? 'created' : 'updated'
  return { file, state, lacks }
}

/** The instructions of agents are a text that comes with srecodex. */
function withOwner<T extends { readonly file: string }>(change: T): T & { readonly isOurs: boolean } {
  return { ...change, isOurs: change.file.endsWith('.md') }
}

async function approved(question: string, terminal: Terminal, flags: InitFlags): Promise<boolean> {
  if (flags.yes === true) return true
  terminal.err('\n')
  const isAsked = mayAsk(terminal, flags)
  if (isAsked && (await confirm(terminal, question))) return true
  terminal.err(`nothing has been written${isAsked ? '' : ': --yes does it'}\n`)
  return false
}

function wordsOf(
  client: Client,
  setup: Setup,
  files: readonly PlannedFile[],
  installed: InstallResult,
  terminal: Terminal,
  project: string,
): Parameters<typeof renderDone>[0] {
  const [entry] = files
  const parsed = client.files[0].parse(unmarked(entry!.after).text, entry!.path)
  return {
    client,
    setup,
    entryFile: entry!.file,
    argv: argvOf(valueAt(parsed.value, client.entry)) ?? [],
    instructions: files.at(-1)!.file,
    skills: { folder: shownPath(installed.folder, terminal), count: installed.skills.length },
    next: client.nextNow?.(project, terminal.env) ?? client.next,
  }
}

function tellSkills({ conflicts, problems }: InstallResult, terminal: Terminal): void {
  for (const { path, reason } of conflicts) {
    terminal.err(renderNotice(`${shownPath(path, terminal)} was left as it is: ${reason}`))
  }
  for (const { message } of problems) terminal.err(renderNotice(message))
}

/** What init may not decide: somebody has approved these, switched them off, or leads the server elsewhere. */
function tellWarnings(client: Client, setup: Setup, files: readonly PlannedFile[], terminal: Terminal): void {
  for (const [index, { parse, warnings }] of client.files.entries()) {
    const { file, path, after } = files[index]!
    const { value } = parse(unmarked(after).text, path)
    const elsewhere = index === 0 ? leadsElsewhere(valueAt(value, client.entry), setup) : []
    for (const warning of [...warnings(value), ...elsewhere]) {
      terminal.err(renderNotice(`${file}: ${warning}`))
    }
  }
}

function exitCodeOf({ problems }: InstallResult): number {
  return problems.some(({ severity }) => severity === 'error') ? FAILED : DONE
}

async function takeBack(
  client: Client,
  terminal: Terminal,
  flags: InitFlags,
  project: string,
): Promise<number> {
  const record = readRecord(project, terminal.env)
  const folderOf = (name: ClientName): string => skillsFolder(CLIENTS[name], terminal)
  const plan = planUndo(client, record, folderOf)
  if (plan === null) {
    if (flags.json)
      terminal.out(`${JSON.stringify({ client: client.name, written: false, files: [], skills: [] })}\n`)
    else terminal.out(`init has not set ${client.title} up here: nothing to take back\n`)
    return DONE
  }
  const changed = plan.files.filter(({ before, after }) => before !== after)
  const report = {
    client: client.name,
    files: plan.files.map(({ file, kept, after, isOutOfReach }) => ({
      file,
      kept,
      removed: after === null && !isOutOfReach,
    })),
    skills: plan.skills,
  }
  const show = (stream: 'out' | 'err'): void => {
    terminal[stream](renderDiff(changed.map(withOwner), stream, flags.dryRun === true, terminal.env))
    if (plan.skills.length > 0)
      terminal[stream](`\n${plural(plan.skills.length, 'skill')} out of ${folderOf(client.name)}\n`)
  }
  if (flags.dryRun) {
    if (flags.json) terminal.out(`${JSON.stringify({ ...report, written: false })}\n`)
    else show('out')
    return DONE
  }
  if (!flags.json) show('err')
  if (!(await approved('Take it back?', terminal, flags))) return PLANNED
  writeAll(changed)
  for (const { after, folders } of changed) if (after === null) removeEmpty(folders)
  const withdrawn = plan.skills.length === 0 ? null : await withdrawSkills(client, terminal, plan.skills)
  const isRefused = withdrawn !== null && exitCodeOf(withdrawn) === FAILED
  writeRecord(isRefused ? withSkills(plan.record, client.name, plan.skills) : plan.record, terminal.env)
  if (flags.json) terminal.out(`${JSON.stringify({ ...report, written: true })}\n`)
  else {
    for (const { file, after } of changed)
      terminal.out(labelled(after === null ? 'removed' : 'restored', file, terminal))
    if (withdrawn !== null) {
      terminal.out(
        labelled(
          'skills',
          `${plural(withdrawn.skills.length, 'skill')} removed from ${shownPath(withdrawn.folder, terminal)}`,
          terminal,
        ),
      )
    }
    for (const { what, by } of plan.shared) {
      const name = what.startsWith(project) ? relative(project, what) : what
      terminal.out(labelled('stays', `${name}, for ${by.join(', ')}`, terminal))
    }
  }
  const kept = plan.files.flatMap(({ file, kept: reasons }) =>
    reasons.map(reason => `${file}: ${reason}, and was left as it is`),
  )
  for (const reason of kept) terminal.err(renderNotice(reason))
  if (withdrawn !== null) tellSkills(withdrawn, terminal)
  return kept.length > 0 || isRefused || (withdrawn?.conflicts.length ?? 0) > 0 ? FAILED : DONE
}
