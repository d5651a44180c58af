/** What is known of kubectl. */

import { canonicalKubectlBody } from './kubectl/body.ts'
import { canonicalKubectl } from './kubectl/canonical.ts'
import { kubectlFailure } from './kubectl/failure.ts'
import { awaitedKubectl, undoesKubectl } from './kubectl/planned.ts'
import { rehearseKubectl } from './kubectl/rehearse.ts'
import { settleKubectl } from './kubectl/settle.ts'
import { markedArgv } from './kubectl/words.ts'
import type { ToolKnowledge } from './knowledge.ts'

export const KUBECTL: ToolKnowledge = {
  canonical: canonicalKubectl,
  canonicalBody: canonicalKubectlBody,
  rehearse: (call, decision, ask, _files, stdin) => rehearseKubectl(call, decision, ask, stdin),
  awaits: awaitedKubectl,
  marked: ({ argv }, id) => markedArgv(argv, id),
  settle: settleKubectl,
  undoes: undoesKubectl,
  failure: kubectlFailure,
}
