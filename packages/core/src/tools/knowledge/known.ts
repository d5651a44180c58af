/** Which tool is known how well. Tools without knowledge of their own share the generic one. */

import type { ToolIdentity } from '../calls.ts'
import type { Decision } from '../effects/decision.ts'
import { AMTOOL } from './amtool.ts'
import { AWS } from './aws.ts'
import { CURL_KNOWLEDGE } from './curl.ts'
import { GENERIC } from './generic.ts'
import { HELM } from './helm.ts'
import type { ToolKnowledge } from './knowledge.ts'
import { KUBECTL } from './kubectl.ts'
import { PSQL } from './psql.ts'

const KNOWN: Readonly<Record<string, ToolKnowledge>> = {
  kubectl: KUBECTL,
  helm: HELM,
  aws: AWS,
  psql: PSQL,
  amtool: AMTOOL,
  curl: CURL_KNOWLEDGE,
}

export const knowledgeOf = (tool: string): ToolKnowledge =>
  Object.hasOwn(KNOWN, tool) ? (KNOWN[tool] ?? GENERIC) : GENERIC

/** The decision with what it leaves to the operator's context: namespace, region, database. */
export const located = (decision: Decision, { fields }: Pick<ToolIdentity, 'fields'>): Decision => {
  const { target } = decision
  const field = (name: string): string | null =>
    fields[name] === undefined || fields[name] === '' ? null : fields[name]
  switch (target.kind) {
    case 'kubernetes':
      if (target.allNamespaces || target.namespace !== null) return decision
      return { ...decision, target: { ...target, namespace: field('namespace') } }
    case 'helm':
      return { ...decision, target: { ...target, namespace: target.namespace ?? field('namespace') } }
    case 'aws':
      return { ...decision, target: { ...target, region: target.region ?? field('region') } }
    case 'sql': {
      const database = target.database ?? field('database')
      const place = [field('host'), database].filter(part => part !== null).join('/')
      return { ...decision, target: { ...target, database: place === '' ? null : place } }
    }
    case 'none':
    case 'web':
    case 'words':
      return decision
  }
}
