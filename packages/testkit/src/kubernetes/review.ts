/** `kubectl auth can-i` and `kubectl auth whoami`: what a user may do, and who it is. Nothing is kept. */

import { isAllowed, type ForbiddenRule, type User } from './access.ts'
import { isFields } from './object.ts'

export function reviewAccess(user: User, body: unknown, rules: readonly ForbiddenRule[]): unknown {
  const spec = isFields(body) && isFields(body.spec) ? body.spec : {}
  const asked = isFields(spec.resourceAttributes) ? spec.resourceAttributes : {}
  const word = (name: string): string | null => {
    const value = asked[name]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const access = {
    verb: word('verb') ?? '*',
    resource: { plural: word('resource') ?? '*' },
    namespace: word('namespace'),
    name: word('name'),
    subresource: word('subresource'),
  }
  const allowed = isAllowed(user, access, rules)
  const status = { allowed }
  const metadata = { creationTimestamp: null }
  return { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', metadata, spec, status }
}

export function reviewUser(user: User): unknown {
  const groups = [user.viewer === true ? 'viewers' : 'system:masters', 'system:authenticated']
  const status = { userInfo: { username: user.name, groups } }
  const metadata = { creationTimestamp: null }
  return { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1', metadata, status }
}
