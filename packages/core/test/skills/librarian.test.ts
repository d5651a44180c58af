import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openLibrarian, searchSkills } from '../../src/skills/librarian.ts'
import { loadRegistry } from '../../src/skills/registry.ts'
import { folderOf, settle, skillText, temporaryFolder, write } from './fixture.ts'

const FILES = {
  'k8s/bulk-restart/SKILL.md': skillText(),
  'db/connection-test/SKILL.md': skillText({
    name: 'Connection Test',
    description: 'Test whether a database answers.',
    tags: '[db, database]',
    intent: 'Use this when a database may be down.',
  }),
}

const found = (hits: readonly { readonly id: string }[]): string[] => hits.map(hit => hit.id)

test('the librarian and the registry find the same, with the file and the reason', async () => {
  const folder = await folderOf(FILES)
  const librarian = await openLibrarian({ folders: [folder], cacheFolder: null })
  const hits = librarian.search('restart deployments')
  expect(found(hits)).toEqual(['k8s/bulk-restart'])
  expect(hits[0]).toMatchObject({
    name: 'Bulk Restart',
    path: path.join(folder, 'k8s/bulk-restart/SKILL.md'),
  })
  expect(hits[0]?.why.length).toBeGreaterThan(0)
  const registry = await loadRegistry({ folders: [folder], cacheFolder: null })
  expect(await searchSkills(registry, 'restart deployments')).toEqual(hits)
})

test('the index is remembered, and made anew once a file changes', async () => {
  const folder = await folderOf(FILES)
  const cacheFolder = path.join(await temporaryFolder(), 'cache')
  const options = { folders: [folder], cacheFolder }
  await settle()
  const first = await openLibrarian(options)
  const kinds = (await readdir(cacheFolder)).map(name => name.replace(/-.*/, ''))
  expect(new Set(kinds)).toEqual(new Set(['search', 'skills']))
  const second = await openLibrarian(options)
  expect(second.search('database down')).toEqual(first.search('database down'))
  await write(
    path.join(folder, 'db/connection-test/SKILL.md'),
    skillText({ name: 'Unicorn', tags: '[unicorn]' }),
  )
  const third = await openLibrarian(options)
  expect(found(third.search('unicorn'))).toEqual(['db/connection-test'])
  expect(third.fingerprint).not.toBe(first.fingerprint)
})
