/** Approving on the terminal: the plan is shown first, and only what is typed after it is an answer. */

import { expect, test } from 'vitest'
import { callerEnvironment, changes, cluster } from './cluster.ts'

const RESTART = `
import subprocess
subprocess.run(["kubectl", "rollout", "restart", "deployment/web", "-n", "shop"], check=True)
`

async function shop() {
  const place = await cluster({ files: { 'restart.py': RESTART }, deployments: ['shop/web'] })
  return { ...place, env: await callerEnvironment(place.kubeconfig) }
}

test('yes applies what was shown, and no leaves it to be applied later', async () => {
  const { runInTerminal, kubernetes, env } = await shop()
  const no = await runInTerminal('run restart.py', { env, keys: { 'Apply it? [y/N] ': 'n\r' } })
  expect(no.exitCode).toBe(3)
  expect(no.screen).toContain('1 × kubectl rollout restart')
  expect(no.screen).toContain('next: srecodex apply RUN')
  expect(changes(kubernetes)).toEqual({})
  const yes = await runInTerminal('apply last', { env, keys: { 'Apply it? [y/N] ': 'y\r' } })
  expect(yes.exitCode).toBe(0)
  expect(changes(kubernetes)).toEqual({ 'patch shop/web': 1 })
})

test('what was typed while the script ran is no answer to a plan that nobody had seen', async () => {
  const { runInTerminal, kubernetes, env } = await shop()
  const { exitCode, screen } = await runInTerminal('run restart.py', {
    env,
    keys: { 'restart.py': 'y\r', 'Apply it? [y/N] ': 'n\r' },
  })
  expect(screen).toContain('Apply it? [y/N] ')
  expect(exitCode).toBe(3)
  expect(changes(kubernetes)).toEqual({})
})

test('where nobody can be asked the plan is shown, with the command that applies it', async () => {
  const { run, kubernetes, env } = await shop()
  const { exitCode, stderr } = await run('run restart.py --no-input', { env })
  expect(exitCode).toBe(3)
  expect(stderr).toContain('  1 × kubectl rollout restart\n      shop/deployment/web\n')
  expect(stderr).toContain('next: srecodex apply RUN\n')
  expect(changes(kubernetes)).toEqual({})
})
