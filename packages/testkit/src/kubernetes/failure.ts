/** What the API says when it refuses, with the words of the real one: programs match on them. */

import { fullName, type Resource } from './resources.ts'

export class ApiFailure extends Error {
  readonly code: number
  readonly reason: string
  readonly details: Readonly<Record<string, unknown>> | undefined
  /** Seconds; null: no header. Clients repeat by themselves where there is one. */
  readonly retryAfter: number | null

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: Readonly<Record<string, unknown>>,
    retryAfter: number | null = null,
  ) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
    this.retryAfter = retryAfter
  }

  status(): Record<string, unknown> {
    const { code, reason, message, details } = this
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      reason,
      ...(details === undefined ? {} : { details }),
      code,
    }
  }
}

function detailsOf(resource: Resource, name: string): Record<string, unknown> {
  return { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural }
}

export function notFound(resource: Resource, name: string): ApiFailure {
  const message = `${fullName(resource)} "${name}" not found`
  return new ApiFailure(404, 'NotFound', message, detailsOf(resource, name))
}

export function noSuchPath(): ApiFailure {
  return new ApiFailure(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function alreadyExists(resource: Resource, name: string): ApiFailure {
  const message = `${fullName(resource)} "${name}" already exists`
  return new ApiFailure(409, 'AlreadyExists', message, detailsOf(resource, name))
}

export function modified(resource: Resource, name: string): ApiFailure {
  const why = 'the object has been modified; please apply your changes to the latest version and try again'
  const message = `Operation cannot be fulfilled on ${fullName(resource)} "${name}": ${why}`
  return new ApiFailure(409, 'Conflict', message, detailsOf(resource, name))
}

export function conflict(resource: Resource, name: string, why: string): ApiFailure {
  const message = `Operation cannot be fulfilled on ${fullName(resource)} "${name}": ${why}`
  return new ApiFailure(409, 'Conflict', message, detailsOf(resource, name))
}

export interface Cause {
  readonly reason: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden'
  readonly field: string
  readonly message: string
}

export function invalid(resource: Resource, name: string, causes: readonly Cause[]): ApiFailure {
  const list = causes.map(cause => `${cause.field}: ${cause.message}`)
  const words = list.length === 1 ? list[0] : `[${list.join(', ')}]`
  const full = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`
  const details = { ...detailsOf(resource, name), kind: resource.kind, causes }
  return new ApiFailure(422, 'Invalid', `${full} "${name}" is invalid: ${words}`, details)
}

export function badRequest(message: string): ApiFailure {
  return new ApiFailure(400, 'BadRequest', message)
}

/** What a JSON patch that does not fit is told: no word of what was wrong with it. */
export function unprocessable(): ApiFailure {
  const message = 'the server rejected our request due to an error in our request'
  return new ApiFailure(422, 'Invalid', message, {})
}

export function unauthorized(): ApiFailure {
  return new ApiFailure(401, 'Unauthorized', 'Unauthorized')
}

export function forbidden(
  resource: Resource,
  what: {
    user: string
    verb: string
    subresource: string | null
    namespace: string | null
    name: string | null
  },
): ApiFailure {
  const named = what.name === null ? fullName(resource) : `${fullName(resource)} "${what.name}"`
  const path = what.subresource === null ? resource.plural : `${resource.plural}/${what.subresource}`
  const where = what.namespace === null ? 'at the cluster scope' : `in the namespace "${what.namespace}"`
  const cannot = `User "${what.user}" cannot ${what.verb} resource "${path}"`
  const message = `${named} is forbidden: ${cannot} in API group "${resource.group}" ${where}`
  return new ApiFailure(403, 'Forbidden', message, detailsOf(resource, what.name ?? ''))
}

export function tooManyRequests(retryAfter: number | null): ApiFailure {
  const message = 'the server has received too many requests and has asked us to try again later'
  const details = retryAfter === null ? undefined : { retryAfterSeconds: retryAfter }
  return new ApiFailure(429, 'TooManyRequests', message, details, retryAfter)
}

export function expired(): ApiFailure {
  return new ApiFailure(410, 'Expired', 'The resourceVersion for the provided watch is too old.')
}

export function unsupportedMediaType(type: string): ApiFailure {
  const message = `the body of the request was in an unknown format - accepted media types include: ${type}`
  return new ApiFailure(415, 'UnsupportedMediaType', message)
}
