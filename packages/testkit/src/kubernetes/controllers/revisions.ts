/** History of StatefulSets and DaemonSets: a ControllerRevision for each template, newest last. */

import { createHash } from 'node:crypto'
import { clone, ownerOf, safeWord, type KubeObject, type Workload } from '../object.ts'
import { resourceOf } from '../resources.ts'
import { owned, write, type Plane } from './plane.ts'

export interface Revision {
  /** `web-6d4f9`: the value of the label `controller-revision-hash` is this, or for a DaemonSet its end. */
  readonly name: string
  readonly hash: string
}

/** The revision of the template as it is now; made where there is none. */
export function currentRevision(plane: Plane, workload: Workload): Revision {
  const { name, namespace } = workload.metadata
  const template = clone(workload.spec.template)
  const hash = safeWord(createHash('sha256').update(JSON.stringify(template)).digest())
  const all = owned(plane, workload, 'controllerrevisions')
  const newest = Math.max(0, ...all.map(numberOf))
  const found = all.find(each => each.metadata.name === `${name}-${hash}`)
  if (found === undefined) {
    plane.store.create(
      resourceOf('controllerrevisions'),
      {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: {
          name: `${name}-${hash}`,
          ...(namespace === undefined ? {} : { namespace }),
          labels: { ...template.metadata.labels, 'controller-revision-hash': hash },
          ownerReferences: [ownerOf(workload)],
        },
        data: { spec: { template: { ...template, $patch: 'replace' } } },
        revision: newest + 1,
      },
      { writer: { manager: 'kube-controller-manager', subresource: null } },
    )
  } else if (numberOf(found) < newest) write(plane, { ...clone(found), revision: newest + 1 })
  return { name: `${name}-${hash}`, hash }
}

function numberOf(revision: KubeObject): number {
  return typeof revision.revision === 'number' ? revision.revision : 0
}
