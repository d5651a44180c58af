/** Who may do what: users by bearer token, and rules that forbid. */

import type { Route } from './route.ts'

export interface User {
  readonly name: string
  readonly token: string
  /** May read everything but secrets, as the role `view` has it. @default false */
  readonly viewer?: boolean
}

/** What is forbidden; an absent field means any. */
export interface ForbiddenRule {
  readonly user?: string
  readonly verb?: string
  /** `deployments`, or `deployments/scale`. */
  readonly resource?: string
  readonly namespace?: string
  readonly name?: string
}

export type Access = Omit<Route, 'resource' | 'verb'> & {
  readonly verb: string
  readonly resource: { readonly plural: string }
}

const READS = new Set(['get', 'list', 'watch'])

export function isAllowed(user: User, access: Access, rules: readonly ForbiddenRule[]): boolean {
  const { verb, namespace, name, subresource } = access
  const { plural } = access.resource
  if (plural === 'selfsubjectaccessreviews' || plural === 'selfsubjectreviews') return true
  if (user.viewer === true && (!READS.has(verb) || plural === 'secrets' || plural === 'nodes')) return false
  const path = subresource === null ? plural : `${plural}/${subresource}`
  return !rules.some(
    rule =>
      fits(rule.user, user.name) &&
      fits(rule.verb, verb) &&
      fits(rule.resource, path) &&
      fits(rule.namespace, namespace) &&
      fits(rule.name, name),
  )
}

function fits(wanted: string | undefined, value: string | null): boolean {
  return wanted === undefined || wanted === '*' || wanted === value
}
