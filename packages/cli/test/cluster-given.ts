/** Says at once, before anything is built, that the cluster tests have no control plane to run against. */

import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'

const given = (process.env.KUBECONFIG ?? '').split(delimiter).filter(path => path !== '')
const missing = given.filter(path => !existsSync(path))
if (given.length === 0 || missing.length > 0) {
  const what =
    given.length === 0
      ? 'KUBECONFIG is not set'
      : `KUBECONFIG names ${missing.join(', ')}, which is not there`
  process.stderr.write(
    `error: the cluster tests need a real control plane, and ${what}\n\n` +
      'hint: KUBECONFIG=/path/to/admin.kubeconfig pnpm test:cluster (one that may be thrown away: they fill it)\n',
  )
  process.exitCode = 2
}
