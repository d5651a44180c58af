import { test } from 'vitest'
import { readFileSync } from 'node:fs'
import { makeArena } from './arena.ts'
import { RAW } from './raw.ts'
test('try2', { timeout: 500_000 }, async () => {
  const arena = await makeArena()
  arena.write('raw.py', RAW)
  arena.configure(process.env['TOML'] ?? '')
  const begun = performance.now()
  let late = 0, last = performance.now()
  const t = setInterval(() => { late = Math.max(late, performance.now() - last - 50); last = performance.now() }, 50)
  const { report, stdout, stderr } = await arena.run('from raw import *\n' + readFileSync(process.env['PROBE']!, 'utf8'), { settings: JSON.parse(process.env['SETTINGS'] ?? '{"scripts.execution_timeout":20}'), ...(process.env['SKILLS'] ? { skillFolders: [arena.workspace + '/dotcodex/skills'] } : {}) } as any)
  clearInterval(t)
  console.log('SECONDS', ((performance.now() - begun) / 1000).toFixed(1), 'BLOCKED_MS', Math.round(late), 'RSS', Math.round(process.memoryUsage().rss / 1e6), report.run, report.status, JSON.stringify(report.error), JSON.stringify(report.calls), JSON.stringify(report.plan)?.slice(0, 600), '\nOUT', stdout.slice(0, 6000), '\nERR', stderr.slice(0, 2000))
  console.log((await import('node:child_process')).execFileSync('du', ['-sh', arena.folder + '/own']).toString())
})
