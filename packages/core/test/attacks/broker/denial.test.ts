import { describe, expect, test } from 'vitest'
import { makeArena } from './arena.ts'

const NO_END = `
import os, subprocess
os.makedirs('many', exist_ok=True)
open('many/' + 'a' * 200, 'w').close()
print(subprocess.run(['kubectl', 'apply', '-f', 'many/' + '*a' * 12 + 'b'], capture_output=True, text=True, timeout=15))
`
describe('x', () => {
  test('a glob of stars', { timeout: 60_000 }, async () => {
    const arena = await makeArena()
    const begun = performance.now()
    const { report, stdout, stderr } = await arena.run(NO_END, { settings: { 'scripts.execution_timeout': 10 } })
    console.log(performance.now() - begun, report.status, stdout, stderr)
    expect(report.status).toBe('succeeded')
  })
})
