/** Verbs that the server cannot rehearse: their usual words where these are known, else a reason why they are not. */

import type { Rehearsal } from '../knowledge.ts'
import { beforeOf, findObjects } from './objects.ts'
import { fileWords, namespaceOf, targetsOf, unread } from './resolve.ts'
import type { Rehearsed } from './resolve.ts'
import { operandsOf, typedNames, withOptions } from './words.ts'

export const rehearseWithoutDryRun = async (one: Rehearsed): Promise<Rehearsal> => {
  const { path } = one.parsed
  switch (path) {
    case 'replace':
      return rehearseForcedReplace(one)
    case 'certificate approve':
      return rehearseCertificate(one, 'approved')
    case 'certificate deny':
      return rehearseCertificate(one, 'denied')
    case 'auth reconcile':
      return rehearseReconcile(one)
    case 'cp':
      return copies(one)
    default:
      return session(one)
  }
}

/** What it creates is checked only once the old is gone, so a real one can still fail half way. */
const rehearseForcedReplace = async (one: Rehearsed): Promise<Rehearsal> => {
  const { call, ask, parsed, stdin } = one
  const files = [...fileWords(parsed), ...namespaceOf(parsed)]
  const [deleted, found] = await Promise.all([
    ask(['delete', ...files, '--ignore-not-found', '--dry-run=server'], { stdin }),
    findObjects(ask, [...files, '--ignore-not-found'], stdin),
  ])
  if (deleted.exitCode !== 0) {
    return {
      exitCode: deleted.exitCode,
      stdout: '',
      stderr: deleted.stderr,
      runs: [],
      targets: [],
      incomplete: null,
      before: {},
    }
  }
  const gone = deleted.stdout.replaceAll(/ \(server dry run\)$/gm, '')
  const replaced = found.objects.map(({ resource, name }) => `${resource}/${name} replaced\n`)
  return {
    exitCode: 0,
    stdout: `${gone}${replaced.join('')}`,
    stderr: '',
    runs: [call.argv],
    targets: targetsOf(found.objects, one),
    incomplete: '`replace --force` deletes first, and what it then creates cannot be checked before',
    before: beforeOf(found.objects),
  }
}

const rehearseCertificate = async (one: Rehearsed, done: string): Promise<Rehearsal> => {
  const { call, ask, decision } = one
  const names = decision.target.kind === 'kubernetes' ? typedNames(decision.target.objects) : []
  if (names.length === 0) return unread(call, `\`${one.parsed.path}\` has no dry run`)
  const { objects, exitCode, stderr } = await findObjects(ask, names)
  const stdout = objects.map(({ resource, name }) => `${resource}/${name} ${done}\n`).join('')
  return {
    exitCode,
    stdout,
    stderr,
    runs: objects.length === 0 ? [] : [call.argv],
    targets: objects.length === 0 ? [] : targetsOf(objects, one),
    incomplete: null,
    before: beforeOf(objects),
  }
}

/** It has a dry run of the client's alone, which reads the server's rules all the same. */
const rehearseReconcile = async (one: Rehearsed): Promise<Rehearsal> => {
  const { call, ask, parsed, stdin } = one
  const dry = withOptions(parsed, new Set(['dry-run']), [{ name: 'dry-run', value: 'client' }])
  const [told, found] = await Promise.all([
    ask(dry, { stdin }),
    findObjects(ask, [...fileWords(parsed), ...namespaceOf(parsed), '--ignore-not-found'], stdin),
  ])
  const stdout = told.stdout.replaceAll(/ \(dry run\)$/gm, '')
  const happens = told.exitCode === 0 || stdout !== ''
  return {
    ...told,
    stdout,
    runs: happens ? [call.argv] : [],
    targets: happens ? targetsOf(found.objects, one) : [],
    incomplete: null,
    before: beforeOf(found.objects),
  }
}

/** Into a pod it prints nothing; out of one it brings a file that is not there yet. */
const copies = ({ call, parsed }: Rehearsed): Rehearsal => {
  const [source = ''] = operandsOf(parsed)
  return {
    ...unread(call, ''),
    incomplete: source.includes(':') ? 'what `cp` brings out of a pod is known only once it ran' : null,
  }
}

const session = (one: Rehearsed): Rehearsal => ({
  ...unread(one.call, `what \`${one.parsed.path}\` prints is known only once it ran`),
  targets: targetsOf([], one),
})
