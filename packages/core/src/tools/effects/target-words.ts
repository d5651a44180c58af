/** What a call is about, in short words: `shop/deployment/web`. For journals and reports, not for decisions. */

import type { Target } from './decision.ts'

const KINDS: Readonly<Record<string, string>> = { ingresses: 'ingress', statefulsets: 'statefulset' }

export const targetWords = (target: Target): string[] => {
  switch (target.kind) {
    case 'none':
      return []
    case 'kubernetes':
      return target.objects.map(({ resource, name }) =>
        [target.allNamespaces ? '*' : target.namespace, singular(resource), name]
          .filter(word => word !== null)
          .join('/'),
      )
    case 'helm':
      return [[target.namespace, target.release].filter(word => word !== null).join('/')].filter(
        word => word !== '',
      )
    case 'aws':
      return target.ids.length > 0 ? [...target.ids] : [`${target.service} ${target.operation}`]
    case 'sql':
      return [target.database ?? 'sql']
    case 'web':
      return target.urls.map(url => `${target.method} ${url}`)
    case 'words':
      return target.words.length === 0 ? [] : [target.words.slice(0, 3).join(' ')]
  }
}

/** `deployments` → `deployment`, `deployments.apps` → `deployment`. */
export const singular = (resource: string): string => {
  const [plural = ''] = resource.split('.', 1)
  const known = KINDS[plural]
  if (known !== undefined) return known
  if (/(ss|x|ch|sh)es$/.test(plural)) return plural.slice(0, -2)
  if (plural.endsWith('ies')) return `${plural.slice(0, -3)}y`
  return plural.endsWith('s') && !plural.endsWith('ss') ? plural.slice(0, -1) : plural
}
