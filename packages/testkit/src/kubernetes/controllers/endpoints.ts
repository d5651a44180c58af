/** Which pods serve a Service: Endpoints and one EndpointSlice, of the same name. */

import { clone, isFields, ownerOf, type KubeObject, type Pod } from '../object.ts'
import { resourceOf } from '../resources.ts'
import { matches } from '../selectors.ts'
import { isReady, write, type Plane } from './plane.ts'

const WRITER = { writer: { manager: 'kube-controller-manager', subresource: null } } as const

export function reconcileService(plane: Plane, service: KubeObject): void {
  const spec = isFields(service.spec) ? service.spec : {}
  if (!isFields(spec.selector) || service.metadata.deletionTimestamp !== undefined) return
  const { name, namespace = 'default' } = service.metadata
  const matchLabels = spec.selector as Record<string, string>
  const pods = (plane.store.list(resourceOf('pods'), namespace) as Pod[]).filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      status.podIP !== undefined &&
      matches({ matchLabels }, metadata.labels),
  )
  const ports = (Array.isArray(spec.ports) ? spec.ports : []).filter(isFields).map(port => ({
    ...(port.name === undefined ? {} : { name: port.name }),
    port: Number(port.targetPort) || Number(port.port),
    protocol: port.protocol,
  }))
  const reference = ({ metadata }: Pod): Record<string, unknown> => ({
    kind: 'Pod',
    name: metadata.name,
    namespace,
    uid: metadata.uid,
  })
  const address = (pod: Pod): Record<string, unknown> => ({
    ip: pod.status.podIP,
    nodeName: pod.spec.nodeName,
    targetRef: reference(pod),
  })
  const addresses = pods.filter(isReady).map(address)
  const notReadyAddresses = pods.filter(pod => !isReady(pod)).map(address)
  const subset = {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ports,
  }
  put(plane, service, 'endpoints', { subsets: pods.length === 0 ? [] : [subset] })
  const endpoints = pods.map(pod => ({
    addresses: [pod.status.podIP],
    conditions: { ready: isReady(pod), serving: isReady(pod), terminating: false },
    nodeName: pod.spec.nodeName,
    targetRef: reference(pod),
  }))
  const labels = { 'kubernetes.io/service-name': name }
  put(plane, service, 'endpointslices', { addressType: 'IPv4', endpoints, ports }, labels)
}

function put(
  plane: Plane,
  service: KubeObject,
  plural: string,
  fields: Record<string, unknown>,
  more: Record<string, string> = {},
): void {
  const { name, namespace = 'default', labels } = service.metadata
  const resource = resourceOf(plural)
  const found = plane.store.find(resource, namespace, name)
  if (found !== undefined) {
    write(plane, { ...clone(found), ...fields })
    return
  }
  const metadata = { name, namespace, labels: { ...labels, ...more }, ownerReferences: [ownerOf(service)] }
  plane.store.create(resource, { apiVersion: 'v1', kind: resource.kind, metadata, ...fields }, WRITER)
}
