/** Watches: changes as they happen, one JSON object a line, until the client goes or its time is over. */

import type { ServerResponse } from 'node:http'
import { selection, shown, type ApiRequest } from './api.ts'
import { expired } from './failure.ts'
import { groupVersionOf } from './resources.ts'
import type { Change, Store } from './store.ts'

/** @throws {ApiFailure} Expired | BadRequest. What it returns ends the watch. */
export function watch(store: Store, request: ApiRequest, response: ServerResponse): () => void {
  const { query, route, accept } = request
  const fits = selection(request)
  const version = Number(query.get('resourceVersion') ?? 0)
  const initial = query.get('sendInitialEvents') === 'true' || !(version > 0)
  const past = initial ? [] : store.changesSince(version)
  if (past === null) throw expired()
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  const send = (type: string, object: unknown): void => {
    response.write(`${JSON.stringify({ type, object })}\n`)
  }
  const tell = ({ type, resource, object, before }: Change): void => {
    if (resource !== route.resource) return
    const was = before !== null && fits(before)
    const is = type !== 'DELETED' && fits(object)
    if (is) send(was ? 'MODIFIED' : 'ADDED', shown(object, request, accept))
    else if (was) send('DELETED', shown(object, request, accept))
  }
  if (initial) {
    for (const object of store.list(route.resource, route.namespace)) {
      if (fits(object)) send('ADDED', shown(object, request, accept))
    }
  }
  for (const change of past) tell(change)
  const bookmark = (more: Record<string, unknown>): void =>
    send('BOOKMARK', {
      kind: route.resource.kind,
      apiVersion: groupVersionOf(route.resource),
      metadata: { resourceVersion: String(store.version), creationTimestamp: null, ...more },
    })
  if (query.get('sendInitialEvents') === 'true') {
    bookmark({ annotations: { 'k8s.io/initial-events-end': 'true' } })
  }
  const off = store.onChange(tell)
  const seconds = Number(query.get('timeoutSeconds') ?? 0) || 1800
  const timer = setTimeout(() => response.end(), seconds * 1000)
  const stop = (): void => {
    off()
    clearTimeout(timer)
  }
  response.on('close', stop)
  return () => {
    stop()
    response.end()
  }
}
