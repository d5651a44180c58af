import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { agentSkillFaults, fitDescription, slugOf } from '../../src/skills/agent-skills.ts'
import { DIRECTIVE_TEXT } from '../../src/skills/directive.ts'
import { installFolder, installSkills, MANIFEST_NAME, uninstallSkills } from '../../src/skills/install.ts'
import type { InstallOptions } from '../../src/skills/install.ts'
import { loadRegistry } from '../../src/skills/registry.ts'
import { placeOf, skillText, temporaryFolder, write } from './fixture.ts'

const BODY = '# Skill\n\n## Usage\n\nDo it.\n\n## Examples\n\nTwo.\n'

const stage = async () => {
  const root = await temporaryFolder()
  const skills = path.join(root, 'skills')
  const projectFolder = path.join(root, 'project')
  const home = path.join(root, 'home')
  await mkdir(projectFolder)
  await mkdir(home)
  const bulk = placeOf(skills, 'k8s/bulk-restart')
  const ping = placeOf(skills, 'db/connection-test')
  await write(
    bulk.file,
    skillText(
      { script_first: 'true', risk_level: 'high', inputs: '{ type: object }', entry: 'scripts/x.py' },
      BODY,
    ),
  )
  await write(path.join(bulk.folder, 'scripts/x.py'), '#!/usr/bin/env python3\n', 0o755)
  await write(path.join(bulk.folder, 'scripts/__pycache__/x.pyc'), 'x')
  await write(path.join(bulk.folder, '.secret'), 'x')
  await write(ping.file, skillText({ name: 'Ping', description: '"Use when a <b>: "' }, BODY))
  const options: InstallOptions = {
    skills: [bulk, ping],
    client: 'codex',
    scope: 'project',
    mode: 'copy',
    projectFolder,
    home,
  }
  const folder = installFolder(options)
  return { root, bulk, ping, options, folder, at: (...parts: string[]) => path.join(folder, ...parts) }
}

const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter(entry => !entry.isDirectory())
    .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort()

const actions = (result: { skills: readonly { slug: string; action: string }[] }): string[] =>
  result.skills.map(({ slug, action }) => `${slug} ${action}`)

const frontMatterOf = (text: string): Record<string, unknown> =>
  parse(text.split('---\n')[1] ?? '') as Record<string, unknown>

test('a skill is written in the strict form, with its directive and its payload', async () => {
  const { options, at } = await stage()
  expect(await installSkills(options)).toEqual({
    folder: at(),
    skills: [
      { id: 'k8s/bulk-restart', slug: 'k8s-bulk-restart', folder: at('k8s-bulk-restart'), action: 'created' },
      {
        id: 'db/connection-test',
        slug: 'db-connection-test',
        folder: at('db-connection-test'),
        action: 'created',
      },
    ],
    conflicts: [],
    problems: [],
  })
  expect(await filesBelow(at())).toEqual([
    MANIFEST_NAME,
    'db-connection-test/SKILL.md',
    'k8s-bulk-restart/SKILL.md',
    'k8s-bulk-restart/scripts/x.py',
  ])
  expect((await stat(at('k8s-bulk-restart/scripts/x.py'))).mode & 0o777).toBe(0o755)
  const text = await readFile(at('k8s-bulk-restart/SKILL.md'), 'utf8')
  expect(text).toContain(`## Script-First Directive\n\n${DIRECTIVE_TEXT}\n\n## Examples`)
  expect(frontMatterOf(text)).toEqual({
    name: 'k8s-bulk-restart',
    description: 'Restart many deployments. Use when several must be restarted.',
    metadata: {
      title: 'Bulk Restart',
      id: 'k8s/bulk-restart',
      intent: 'Use this when several deployments must be restarted.',
      tags: 'k8s, restart',
      script_first: 'true',
      risk_level: 'high',
      entry: 'scripts/x.py',
      inputs: '{"type":"object"}',
    },
  })
})

test.each([
  ['codex', 'project', 'project/.agents/skills'],
  ['cursor', 'project', 'project/.agents/skills'],
  ['agents', 'user', 'home/.agents/skills'],
  ['claude', 'project', 'project/.claude/skills'],
  ['claude', 'user', 'home/.claude/skills'],
] as const)('%s, %s: %s', async (client, scope, expected) => {
  const { root, options } = await stage()
  const { folder, skills } = await installSkills({ ...options, client, scope })
  expect(path.relative(root, folder)).toBe(expected)
  expect(skills).toHaveLength(2)
})

test('every skill that ships is valid by the specification once it is installed', async () => {
  const { options } = await stage()
  const shipped = path.join(import.meta.dirname, '../../../../dotcodex/skills')
  const { skills } = await loadRegistry({ folders: [shipped], cacheFolder: null })
  const result = await installSkills({ ...options, skills })
  expect(result).toMatchObject({ conflicts: [], problems: [] })
  expect(result.skills.length).toBe(skills.length)
  expect(skills.length).toBeGreaterThan(9)
  for (const { folder, slug } of result.skills) {
    const text = await readFile(path.join(folder, 'SKILL.md'), 'utf8')
    expect(text.startsWith('---\nname: ')).toBe(true)
    expect([slug, agentSkillFaults(frontMatterOf(text), slug)]).toEqual([slug, []])
  }
})

test.each<[string, Record<string, unknown>, string[]]>([
  ['the least there may be', {}, []],
  [
    'all there may be',
    { license: 'MIT', compatibility: 'x', metadata: { a: 'b' }, 'allowed-tools': 'Read' },
    [],
  ],
  ['a key of this project', { tags: [] }, ['`tags` is not a key of the specification']],
  ['another folder', { name: 'y' }, ['`name` is `y`, and its folder is `x`']],
  [
    'two hyphens',
    { name: 'x--y' },
    [
      '`name` is not lower-case letters, digits and single hyphens',
      '`name` is `x--y`, and its folder is `x`',
    ],
  ],
  ['no name', { name: undefined }, ['`name` is not a text']],
  ['a long name', { name: 'x'.repeat(65) }, ['`name` is longer than 64 characters']],
  ['no description', { description: '' }, ['`description` is not a text']],
  ['a long description', { description: 'x'.repeat(1025) }, ['`description` is longer than 1024 characters']],
  [
    'a long compatibility',
    { compatibility: 'x'.repeat(501) },
    ['`compatibility` is longer than 500 characters'],
  ],
  ['metadata with a number', { metadata: { a: 1 } }, ['`metadata.a` is not a text']],
  ['metadata that is a list', { metadata: [] }, ['`metadata` is not a map']],
])('the rules of the specification: %s', (_name, fields, faults) => {
  expect(agentSkillFaults({ name: 'x', description: 'y', ...fields }, 'x')).toEqual(faults)
})

test('slugs and descriptions fit', () => {
  expect(slugOf('K8s/Bulk Restart_2')).toBe('k8s-bulk-restart-2')
  expect(slugOf(`a/${'x'.repeat(61)}/b`)).toHaveLength(63)
  const long = fitDescription('word '.repeat(300))
  expect(long.length).toBeLessThanOrEqual(1024)
  expect(long.endsWith('word…')).toBe(true)
  expect(fitDescription('a <b>c</b>')).toBe('a bcb')
})

test('a second time changes nothing', async () => {
  const { options, at } = await stage()
  await installSkills(options)
  const before = await stat(at('k8s-bulk-restart/SKILL.md'), { bigint: true })
  const manifest = await stat(at(MANIFEST_NAME), { bigint: true })
  expect(actions(await installSkills(options))).toEqual([
    'k8s-bulk-restart unchanged',
    'db-connection-test unchanged',
  ])
  expect((await stat(at('k8s-bulk-restart/SKILL.md'), { bigint: true })).mtimeNs).toBe(before.mtimeNs)
  expect((await stat(at(MANIFEST_NAME), { bigint: true })).mtimeNs).toBe(manifest.mtimeNs)
})

test('what changed in the skill is updated, what went is removed', async () => {
  const { options, bulk, at } = await stage()
  await installSkills(options)
  await rm(path.join(bulk.folder, 'scripts'), { recursive: true })
  await write(path.join(bulk.folder, 'reference.md'), 'more')
  await write(bulk.file, skillText({ name: 'Changed' }, BODY))
  expect(actions(await installSkills(options))).toEqual([
    'k8s-bulk-restart updated',
    'db-connection-test unchanged',
  ])
  expect(await filesBelow(at('k8s-bulk-restart'))).toEqual(['SKILL.md', 'reference.md'])
  expect(await readFile(at('k8s-bulk-restart/SKILL.md'), 'utf8')).toContain('"Changed"')
})

test('an update that ended half way goes on: what stands in the manifest is ours, old and new', async () => {
  const { options, bulk, at } = await stage()
  await installSkills(options)
  const old = await readFile(at('k8s-bulk-restart/SKILL.md'))
  const before = await readFile(at(MANIFEST_NAME), 'utf8')
  await write(bulk.file, skillText({ name: 'Changed' }, BODY))
  await installSkills(options)
  const after = await readFile(at(MANIFEST_NAME), 'utf8')
  const sumOf = (manifest: string): string[] =>
    (JSON.parse(manifest) as { skills: Record<string, { files: Record<string, string[]> }> }).skills[
      'k8s-bulk-restart'
    ]!.files['SKILL.md']!
  await writeFile(at('k8s-bulk-restart/SKILL.md'), old)
  const both = JSON.stringify([...sumOf(before), ...sumOf(after)])
  await writeFile(
    at(MANIFEST_NAME),
    after.replace(/"SKILL.md": \[\s+"[^"]+"\s+\](?=[^}]*x\.py)/, `"SKILL.md": ${both}`),
  )
  expect(sumOf(await readFile(at(MANIFEST_NAME), 'utf8'))).toHaveLength(2)
  const result = await installSkills(options)
  expect([actions(result)[0], result.conflicts]).toEqual(['k8s-bulk-restart updated', []])
  expect(await readFile(at(MANIFEST_NAME), 'utf8')).toBe(after)
})

test('links lead to the payload, from within the project by a path of their own', async () => {
  const { root, options, at } = await stage()
  const inside = placeOf(path.join(options.projectFolder, 'dotcodex/skills'), 'a/near')
  await write(inside.file, skillText({}, BODY))
  await write(path.join(inside.folder, 'lib/y.sh'), 'echo y\n', 0o755)
  await installSkills({ ...options, mode: 'link', skills: [...options.skills, inside] })
  expect(await readlink(at('k8s-bulk-restart/scripts/x.py'))).toBe(
    path.join(root, 'skills/k8s/bulk-restart/scripts/x.py'),
  )
  expect(await readlink(at('a-near/lib/y.sh'))).toBe('../../../../dotcodex/skills/a/near/lib/y.sh')
  expect(await readFile(at('a-near/lib/y.sh'), 'utf8')).toBe('echo y\n')
  expect((await lstat(at('a-near/SKILL.md'))).isFile()).toBe(true)
  expect(actions(await installSkills({ ...options, mode: 'link', skills: [inside] }))).toEqual([
    'a-near unchanged',
  ])
  expect(actions(await installSkills({ ...options, mode: 'copy', skills: [inside] }))).toEqual([
    'a-near updated',
  ])
  expect((await lstat(at('a-near/lib/y.sh'))).isFile()).toBe(true)
})

test('a file that somebody else wrote, or changed, stays, and so does the rest of its skill', async () => {
  const { options, bulk, at } = await stage()
  await write(at('db-connection-test/SKILL.md'), 'theirs')
  const first = await installSkills(options)
  expect(actions(first)).toEqual(['k8s-bulk-restart created'])
  expect(first.conflicts).toEqual([
    {
      id: 'db/connection-test',
      path: at('db-connection-test/SKILL.md'),
      reason: 'srecodex did not write it',
    },
  ])
  await writeFile(at('k8s-bulk-restart/scripts/x.py'), 'edited')
  await write(bulk.file, skillText({ name: 'Changed' }, BODY))
  const second = await installSkills(options)
  expect(second.conflicts).toContainEqual({
    id: 'k8s/bulk-restart',
    path: at('k8s-bulk-restart/scripts/x.py'),
    reason: 'it has been changed since srecodex wrote it',
  })
  expect(await readFile(at('k8s-bulk-restart/SKILL.md'), 'utf8')).not.toContain('Changed')
  expect(await readFile(at('db-connection-test/SKILL.md'), 'utf8')).toBe('theirs')
})

test('uninstalling takes what was installed, and only that', async () => {
  const { options, at } = await stage()
  await write(at('theirs/SKILL.md'), 'theirs')
  await installSkills(options)
  await write(at('k8s-bulk-restart/notes.md'), 'mine')
  expect(actions(await uninstallSkills(options, ['k8s/bulk-restart']))).toEqual(['k8s-bulk-restart removed'])
  expect(await filesBelow(at())).toEqual([
    MANIFEST_NAME,
    'db-connection-test/SKILL.md',
    'k8s-bulk-restart/notes.md',
    'theirs/SKILL.md',
  ])
  await uninstallSkills(options)
  expect(await filesBelow(at())).toEqual(['k8s-bulk-restart/notes.md', 'theirs/SKILL.md'])
})

test('uninstalling leaves no folder that nothing else needs, and no edited file', async () => {
  const { options, at } = await stage()
  await installSkills(options)
  await uninstallSkills(options)
  expect(await readdir(options.projectFolder)).toEqual([])
  await installSkills(options)
  await writeFile(at('k8s-bulk-restart/SKILL.md'), 'edited')
  const { conflicts } = await uninstallSkills(options)
  expect(conflicts.map(({ path: file }) => path.relative(at(), file))).toEqual(['k8s-bulk-restart/SKILL.md'])
  expect(await filesBelow(at())).toEqual(['k8s-bulk-restart/SKILL.md'])
})

test('nothing is written through a link that leads out', async () => {
  const { root, options, at } = await stage()
  const outside = path.join(root, 'outside')
  await mkdir(outside)

  await symlink(outside, path.join(options.projectFolder, '.agents'))
  const whole = await installSkills(options)
  expect(whole.skills).toEqual([])
  expect(whole.problems.map(({ rule }) => rule)).toEqual(['install/folder'])
  await rm(path.join(options.projectFolder, '.agents'))

  await mkdir(at(), { recursive: true })
  await symlink(outside, at('k8s-bulk-restart'))
  await symlink(
    path.join(outside, 'victim'),
    path.join(await mkdir(at('db-connection-test')).then(() => at('db-connection-test')), 'SKILL.md'),
  )
  const { conflicts } = await installSkills(options)
  expect(conflicts.map(({ path: file }) => path.relative(at(), file)).sort()).toEqual([
    'db-connection-test/SKILL.md',
    'k8s-bulk-restart',
  ])
  expect(await readdir(outside)).toEqual([])
})

test('a link within the project is followed', async () => {
  const { options } = await stage()
  await mkdir(path.join(options.projectFolder, '.agents/skills'), { recursive: true })
  await mkdir(path.join(options.projectFolder, '.claude'))
  await symlink('../.agents/skills', path.join(options.projectFolder, '.claude/skills'))
  expect(actions(await installSkills({ ...options, client: 'claude' }))).toHaveLength(2)
})

test("a stranger's manifest removes nothing outside of its skills", async () => {
  const { root, options, at } = await stage()
  const victim = await write(path.join(options.projectFolder, 'victim'), 'x')
  const sum = ['sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881']
  const skills = {
    'k8s-bulk-restart': {
      id: 'k8s/bulk-restart',
      files: { '../../../victim': sum, '/etc/passwd': sum, 'a/../../../../victim': sum },
    },
    '../..': { id: 'x', files: { victim: sum } },
    broken: 5,
  }
  await write(at(MANIFEST_NAME), JSON.stringify({ version: 1, skills }))
  await uninstallSkills(options)
  expect(await readFile(victim, 'utf8')).toBe('x')
  for (const garbage of ['null', '[]', '{"skills":[1]}', 'not JSON']) {
    await write(at(MANIFEST_NAME), garbage)
    expect(actions(await installSkills({ ...options, home: root }))).toHaveLength(2)
    await uninstallSkills(options)
  }
})

test('what cannot be installed is a problem, and the others are installed', async () => {
  const { root, options, ping } = await stage()
  const skills = path.join(root, 'more')
  const twin = placeOf(skills, 'db-connection/test')
  const silent = placeOf(skills, 'silent')
  const broken = placeOf(skills, 'broken')
  await write(twin.file, skillText({}, BODY))
  await write(silent.file, '---\nname: x\n---\n')
  await write(broken.file, '---js\n---\n')
  const result = await installSkills({ ...options, skills: [ping, twin, silent, broken] })
  expect(actions(result)).toEqual(['db-connection-test created'])
  expect(result.problems.map(({ message }) => message)).toEqual([
    'skill `db-connection/test` is not installed: `db/connection-test` has the same name, `db-connection-test`',
    'skill `silent` is not installed: it has no description, and agents do not load such a skill',
    'skill `broken` is not installed: front matter in `js` is not read',
  ])
})

test('payload links that leave the skill are not copied', async () => {
  const { root, options, bulk, at } = await stage()
  await write(path.join(root, 'secret'), 'secret')
  await symlink(path.join(root, 'secret'), path.join(bulk.folder, 'scripts/leak'))
  await symlink('x.py', path.join(bulk.folder, 'scripts/y.py'))
  await chmod(path.join(bulk.folder, 'scripts/x.py'), 0o700)
  await installSkills(options)
  expect(await filesBelow(at('k8s-bulk-restart'))).toEqual(['SKILL.md', 'scripts/x.py', 'scripts/y.py'])
})
