import { readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { findSkills, loadRegistry, readSkill, similarIds } from '../../src/skills/registry.ts'
import { folderOf, rewriteUnnoticed, rules, settle, skillText, temporaryFolder, write } from './fixture.ts'

const ids = (skills: readonly { readonly id: string }[]): string[] => skills.map(skill => skill.id)

test('an id is the path below the folder; hidden folders, node_modules and material of skills are passed over', async () => {
  const folder = await folderOf({
    'k8s/bulk-restart/SKILL.md': skillText(),
    'k8s/bulk-restart/examples/other/SKILL.md': skillText(),
    'k8s/bulk-restart/canary/SKILL.md': skillText(),
    'a/b/c/d/e/six/SKILL.md': skillText(),
    'a/b/c/d/e/f/seven/SKILL.md': skillText(),
    '.hidden/x/SKILL.md': skillText(),
    'node_modules/x/SKILL.md': skillText(),
    'k8s/README.md': 'no skill',
  })
  const registry = await loadRegistry({ folders: [folder], cacheFolder: null })
  expect(ids(registry.skills)).toEqual(['a/b/c/d/e/six', 'k8s/bulk-restart', 'k8s/bulk-restart/canary'])
  expect(registry.problems).toEqual([])
  expect(registry.skills[1]).toMatchObject({
    root: folder,
    folder: path.join(folder, 'k8s/bulk-restart'),
    file: path.join(folder, 'k8s/bulk-restart/SKILL.md'),
    name: 'Bulk Restart',
  })
  expect(registry.skills[1]).not.toHaveProperty('body')
})

test('a later folder covers an earlier one, and the registry says so', async () => {
  const shipped = await folderOf({ 'a/SKILL.md': skillText({ name: 'Shipped' }), 'b/SKILL.md': skillText() })
  const project = await folderOf({ 'a/SKILL.md': skillText({ name: 'Project' }) })
  const { skills, shadowed } = await loadRegistry({ folders: [shipped, project], cacheFolder: null })
  expect(skills.map(({ id, name, root }) => [id, name, root])).toEqual([
    ['a', 'Project', project],
    ['b', 'Bulk Restart', shipped],
  ])
  expect(shadowed).toEqual([
    { id: 'a', file: path.join(shipped, 'a/SKILL.md'), by: path.join(project, 'a/SKILL.md') },
  ])
})

test('a file that cannot be served covers nothing', async () => {
  const shipped = await folderOf({ 'a/SKILL.md': skillText() })
  const project = await folderOf({ 'a/SKILL.md': '---js\n1\n---\n' })
  const { skills, shadowed, problems } = await loadRegistry({
    folders: [shipped, project],
    cacheFolder: null,
  })
  expect(skills.map(({ root }) => root)).toEqual([shipped])
  expect(shadowed).toEqual([])
  expect(rules(problems)).toEqual(['front-matter/language:1'])
})

test('a folder that was asked for must be there; an optional one need not', async () => {
  const folder = path.join(await temporaryFolder(), 'none')
  const asked = await loadRegistry({ folders: [folder], cacheFolder: null })
  expect(asked.problems).toEqual([
    {
      severity: 'error',
      rule: 'folder/missing',
      message: 'the skills folder does not exist',
      at: { file: folder },
    },
  ])
  const optional = await loadRegistry({ folders: [{ path: folder, isOptional: true }], cacheFolder: null })
  expect(optional.problems).toEqual([])
})

test('linked folders are followed, each once, and a circle ends', async () => {
  const outside = await folderOf({ 'shared/SKILL.md': skillText({ name: 'Shared' }) })
  const folder = await folderOf({ 'real/SKILL.md': skillText(), 'z/deep/SKILL.md': skillText() })
  await symlink(path.join(outside, 'shared'), path.join(folder, 'linked'))
  await symlink(path.join(folder, 'real'), path.join(folder, 'a-copy'))
  await symlink('..', path.join(folder, 'z/up'))
  await symlink('.', path.join(folder, 'z/self'))
  await symlink('gone', path.join(folder, 'dangling'))
  const { skills, problems } = await loadRegistry({ folders: [folder], cacheFolder: null })
  expect(ids(skills)).toEqual(['linked', 'real', 'z/deep'])
  expect(problems.map(({ rule, at }) => `${path.relative(folder, at?.file ?? '')} ${rule}`).sort()).toEqual([
    'a-copy folder/twice',
    'dangling folder/link',
    'z/self folder/loop',
    'z/up folder/loop',
  ])
})

test('a skills folder may itself be a link, or one skill', async () => {
  const folder = await folderOf({ 'one/SKILL.md': skillText() })
  await symlink(folder, `${folder}/../${path.basename(folder)}-link`)
  const link = path.resolve(`${folder}-link`)
  try {
    expect(ids((await loadRegistry({ folders: [link], cacheFolder: null })).skills)).toEqual(['one'])
  } finally {
    await rm(link)
  }
  expect(
    ids((await loadRegistry({ folders: [path.join(folder, 'one')], cacheFolder: null })).skills),
  ).toEqual(['one'])
})

const warm = async (files: Record<string, string>) => {
  const folder = await folderOf(files)
  const cacheFolder = path.join(await temporaryFolder(), 'cache')
  await settle()
  const load = () => loadRegistry({ folders: [folder], cacheFolder })
  const first = await load()
  return { folder, cacheFolder, load, first }
}

test('a warm start reads no file and finds the same', async () => {
  const { load, first, cacheFolder } = await warm({
    'a/SKILL.md': skillText(),
    'b/SKILL.md': '# No front matter\n',
  })
  expect(first.files).toEqual({ total: 2, read: 2 })
  const second = await load()
  expect(second).toEqual({ ...first, files: { total: 2, read: 0 } })
  const [file = ''] = await readdir(cacheFolder)
  expect((await stat(path.join(cacheFolder, file))).mode & 0o777).toBe(0o600)
})

test('what changed, appeared or went is seen at once, and only that is read', async () => {
  const { folder, load } = await warm({
    'a/SKILL.md': skillText(),
    'b/SKILL.md': skillText(),
    'c/SKILL.md': skillText(),
  })
  await write(path.join(folder, 'a/SKILL.md'), skillText({ name: 'Changed' }))
  await write(path.join(folder, 'd/SKILL.md'), skillText({ name: 'New' }))
  await rm(path.join(folder, 'c'), { recursive: true })
  const { skills, files } = await load()
  expect(skills.map(({ id, name }) => [id, name])).toEqual([
    ['a', 'Changed'],
    ['b', 'Bulk Restart'],
    ['d', 'New'],
  ])
  expect(files).toEqual({ total: 3, read: 2 })
})

test('a change that keeps size and time of the file is seen', async () => {
  const { folder, load } = await warm({ 'a/SKILL.md': skillText({ name: 'Old' }) })
  const file = path.join(folder, 'a/SKILL.md')
  const { mtime } = await stat(file)
  await rewriteUnnoticed(file, skillText({ name: 'New' }), mtime)
  expect((await load()).skills[0]?.name).toBe('New')
})

test('a file that was written just now is not remembered: a second change could look the same', async () => {
  const folder = await folderOf({ 'a/SKILL.md': skillText() })
  const cacheFolder = await temporaryFolder()
  for (const name of ['Aaa', 'Bbb', 'Ccc', 'Ddd']) {
    await write(path.join(folder, 'a/SKILL.md'), skillText({ name }))
    expect((await loadRegistry({ folders: [folder], cacheFolder })).skills[0]?.name).toBe(name)
  }
})

test.each<[string, (text: string) => string]>([
  ['cut short', text => text.slice(0, -20)],
  ['one letter changed', text => text.replace('Bulk Restart', 'Bulk Restarz')],
  ['of another format', text => text.replace('srecodex-skills/', 'srecodex-skills/0')],
  ['empty', () => ''],
  ['not JSON', () => 'garbage\ngarbage'],
])('a cache that is %s counts as none', async (_name, change) => {
  const { cacheFolder, load, first } = await warm({ 'a/SKILL.md': skillText() })
  const [name = ''] = await readdir(cacheFolder)
  const file = path.join(cacheFolder, name)
  await writeFile(file, change(await readFile(file, 'utf8')))
  expect(await load()).toEqual(first)
  expect((await load()).files.read).toBe(0)
})

test('a cache folder that cannot be written is no failure', async () => {
  const folder = await folderOf({ 'a/SKILL.md': skillText(), file: '' })
  await settle()
  const { skills } = await loadRegistry({ folders: [folder], cacheFolder: path.join(folder, 'file/below') })
  expect(ids(skills)).toEqual(['a'])
})

test('several readers at once leave one whole cache and nothing beside it', async () => {
  const { cacheFolder, load, first } = await warm(
    Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`s${index}/SKILL.md`, skillText()])),
  )
  await rm(cacheFolder, { recursive: true })
  const all = await Promise.all(Array.from({ length: 8 }, load))
  expect(all.every(one => one.fingerprint === first.fingerprint && one.skills.length === 30)).toBe(true)
  expect(await readdir(cacheFolder)).toHaveLength(1)
  expect((await load()).files.read).toBe(0)
})

test('a skill is read with its text when it is asked for', async () => {
  const folder = await folderOf({ 'a/SKILL.md': skillText({}, '# Body\n') })
  const registry = await loadRegistry({ folders: [folder], cacheFolder: null })
  expect((await readSkill(registry, 'a'))?.body).toBe('\n# Body\n')
  expect(await readSkill(registry, 'b')).toBeNull()
  await rm(path.join(folder, 'a'), { recursive: true })
  expect(await readSkill(registry, 'a')).toBeNull()
})

test.each([
  ['bulk-restart', ['k8s/bulk-restart']],
  ['k8s-bulk-restart', ['k8s/bulk-restart']],
  ['k8s/bulk-restrat', ['k8s/bulk-restart']],
  ['sandwich', []],
])('who asks for %s is told %j', async (asked, told) => {
  const folder = await folderOf({ 'k8s/bulk-restart/SKILL.md': skillText(), 'db/test/SKILL.md': skillText() })
  const registry = await loadRegistry({ folders: [folder], cacheFolder: null })
  expect(await similarIds(registry, asked)).toEqual(told)
})

test('whoever checks skills gets every file: covered ones and those that are not served too', async () => {
  const shipped = await folderOf({ 'a/SKILL.md': skillText() })
  const project = await folderOf({ 'a/SKILL.md': skillText(), 'b/SKILL.md': '' })
  const { places, problems } = await findSkills([shipped, project])
  expect(places.map(({ file }) => file)).toEqual([
    path.join(shipped, 'a/SKILL.md'),
    path.join(project, 'a/SKILL.md'),
    path.join(project, 'b/SKILL.md'),
  ])
  expect(problems).toEqual([])
})
