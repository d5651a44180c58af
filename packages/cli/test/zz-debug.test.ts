import { test } from 'vitest'
import { cluster, journalOf, mutating, RESTART_ALL } from './cluster.ts'
test('a', { timeout: 60000 }, async () => {
    const at = await cluster({ files: RESTART_ALL, deployments: ['shop/web', 'shop/cart'] })
    const { report } = await at.srecodex('run restart.py')
    at.kubernetes.onRequest = ({ method, dryRun, name }) => {
      return method === 'PATCH' && !dryRun && name === 'web' ? 'drop-after-apply' : 'ok'
    }
    const applied = await at.srecodex(`apply ${report.run} --yes`)
    console.log(JSON.stringify(applied.report, null, 1), applied.stderr)
    for (const l of journalOf(at, applied.report.run)) console.log(JSON.stringify(l))
    console.log(mutating(at.kubernetes))
})
test('drain', { timeout: 60000 }, async () => {
    const script = `
import subprocess, srecodex
def work(node):
    subprocess.run(["kubectl", "drain", node, "--ignore-daemonsets", "--force"], check=True)
srecodex.summary(srecodex.each(["node-1"], work).summary())
`
    const at = await cluster({ files: { 'a.py': script }, deployments: ['shop/web'] })
    const { report } = await at.srecodex('run a.py')
    console.log(JSON.stringify(report, null, 1))
    const applied = await at.srecodex(`apply ${report.run} --yes`)
    console.log(mutating(at.kubernetes))
})
