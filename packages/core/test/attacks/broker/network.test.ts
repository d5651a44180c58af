/** Tools have the network and scripts have none: what a script names must not send a tool somewhere. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { attempt, makeArena } from './arena.ts'

const LONG_MS = 60_000

/** Listens, and remembers who came. */
async function stranger(): Promise<{ url: string; visits: string[] }> {
  const visits: string[] = []
  const server = createServer((request, response) => {
    visits.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`)
    response.end('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fetched}\n')
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits }
}

const maker = (file: string): string =>
  `apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: made}\nfiles: [${file}]\n`

test('kustomizations that name addresses', { timeout: LONG_MS }, async () => {
  const arena = await makeArena()
  const { url, visits } = await stranger()
  const kinds: Record<string, string> = {
    resources: `resources: ["${url}/resources"]`,
    quoted: `resources:\n- "\\x68ttp://${url.slice(7)}/quoted"`,
    bases: `bases: ["${url}/bases"]`,
    components: `components: ["${url}/components"]`,
    crds: `crds: ["${url}/crds"]`,
    openapi: `openapi: {path: "${url}/openapi"}`,
    patches: `patches: [{path: "${url}/patches"}]`,
    transformers: `transformers: ["${url}/transformers"]`,
    generators: `generators: ["${url}/generators"]`,
    configurations: `configurations: ["${url}/configurations"]`,
    files: `configMapGenerator: [{name: a, files: ["${url}/files"]}]`,
    strategic: `patchesStrategicMerge: ["${url}/strategic"]`,
    replacements: `replacements: [{path: "${url}/replacements"}]`,
    validators: `validators: ["${url}/validators"]`,
    nested: 'resources: [inner]',
    anchored: `x: &u "${url}/anchored"\nresources: [*u]`,
    upper: `resources: ["HTTP://${url.slice(7)}/upper"]`,
    helm: `helmCharts: [{name: a, repo: "${url}/helm"}]`,
    comment: `# all that follows is one comment\u2028resources: ["${url}/comment"]`,
    return: `# the same\rresources: ["${url}/return"]`,
    generator: 'generators: [made.yaml]',
    transformer: 'resources: [made.yaml]\ntransformers: [patch.yaml]',
    inline: `generators:\n- |-\n  ${maker(`"\\x68ttp:\\x2f\\x2f${url.slice(7)}/inline"`).replaceAll('\n', '\n  ')}`,
  }
  for (const [kind, text] of Object.entries(kinds)) arena.write(`${kind}/kustomization.yaml`, `${text}\n`)
  arena.write('generator/made.yaml', maker(`${url}/generator`))
  arena.write('transformer/made.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n')
  arena.write(
    'transformer/patch.yaml',
    `apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: ${url}/transformer\n`,
  )
  arena.write('utf16/kustomization.yaml', '')
  const utf16 = Buffer.from(`\uFEFFresources: ["${url}/utf16"]\n`, 'utf16le')
  writeFileSync(join(arena.workspace, 'utf16/kustomization.yaml'), utf16)
  arena.write('nested/inner/kustomization.yml', `resources: ["${url}/nested"]\n`)
  for (const kind of ['comment', 'return', 'generator', 'transformer', 'inline', 'utf16']) {
    await arena.bare(['kubectl', 'kustomize', kind])
    expect(visits).toContain(`GET /${kind} `)
  }
  visits.length = 0
  const bare = await arena.bare(['kubectl', 'kustomize', 'resources'])
  expect({ code: bare.code, visits }).toEqual({ code: 0, visits: ['GET /resources '] })
  await arena.bare(['kubectl', 'kustomize', 'nested'])
  expect(visits).toContain('GET /nested ')
  visits.length = 0

  const attempts = [...Object.keys(kinds), 'utf16'].flatMap(kind => [
    { id: `kustomize ${kind}`, argv: ['kubectl', 'kustomize', kind] },
    { id: `apply ${kind}`, argv: ['kubectl', 'apply', '-k', kind, '--dry-run=client'] },
    { id: `get ${kind}`, argv: ['kubectl', 'get', '-k', kind] },
  ])
  const { tried } = await attempt(arena, attempts)
  expect(visits).toEqual([])
  expect(Object.values(tried).map(({ code }) => code)).toEqual(attempts.map(() => 126))
})
