import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { refuseRemoteKustomizations } from '../../../src/tools/broker/kustomization.ts'

const check = (text: string, name = 'kustomization.yaml'): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'srecodex-kustomization-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const source = join(folder, 'spool')
  writeFileSync(source, text)
  return refuseRemoteKustomizations([{ path: `/srv/app/${name}`, source, bytes: text.length, sha256: '' }])
}

it.each([
  'resources: [https://evil.example/all.yaml]',
  'resources: ["HTTPS://evil.example/all.yaml"]',
  'resources: [github.com/evil/repo//overlay]',
  'bases: ["git@evil.example:repo.git"]',
  'components: [ssh://git@evil.example/repo]',
  'resources: ["git::https://evil.example/repo"]',
  'resources: [evil.example/org/repo?ref=main]',
  'patches: [{ path: http://evil.example/patch.yaml }]',
  'configMapGenerator: [{ name: a, files: [x=http://evil.example/x] }]',
  'openapi: { path: https://evil.example/openapi.json }',
  '---\nresources: [a.yaml]\n---\nresources: [https://evil.example/b.yaml]',
  'resources: [*x]\nx: &x https://evil.example',
])('refuses %s', async text => {
  await expect(check(text)).rejects.toMatchObject({ code: 'REFUSED' })
})

it.each(['kustomization.yml', 'Kustomization'])('looks at %s as well', async name => {
  await expect(check('resources: [https://evil.example]', name)).rejects.toMatchObject({ code: 'REFUSED' })
})

it.each([
  'resources: [deployment.yaml, ../base, ./overlay]\nnamespace: shop',
  'configMapGenerator: [{ name: a, literals: ["URL=https://example.com/x?y=z"] }]',
  'commonAnnotations: { docs: https://example.com }',
  'images: [{ name: registry.example.com:5000/app, newTag: "1" }]',
  'patches: [{ target: { kind: Deployment }, patch: "- op: add\\n  value: https://example.com" }]',
])('lets %s through', async text => {
  await expect(check(text)).resolves.toBeUndefined()
})

it('looks at no other file', async () => {
  await expect(check('spec: { url: https://example.com }', 'ingress.yaml')).resolves.toBeUndefined()
})
