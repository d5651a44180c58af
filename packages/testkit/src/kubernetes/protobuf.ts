/**
 * Reads the protobuf bodies that kubectl sends for what its typed clients create. Everything else comes as JSON.
 *
 * A field that the tables below do not have is refused: an object that lost a field in silence would be a lie.
 * Numbers as in the `generated.proto` files of Kubernetes.
 */

import { badRequest } from './failure.ts'

type Kind =
  | 'string'
  | 'int'
  | 'bool'
  | 'base64'
  | 'map'
  | 'base64-map'
  | 'int-or-string'
  | 'ignored'
  | Message
interface Message {
  readonly [field: number]: readonly [name: string, kind: Kind, repeated?: 'list']
}

const METADATA: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  4: ['selfLink', 'ignored'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  7: ['generation', 'ignored'],
  8: ['creationTimestamp', 'ignored'],
  11: ['labels', 'map'],
  12: ['annotations', 'map'],
}
const DELETE_OPTIONS: Message = {
  1: ['gracePeriodSeconds', 'int'],
  2: ['preconditions', { 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] }],
  3: ['orphanDependents', 'bool'],
  4: ['propagationPolicy', 'string'],
  5: ['dryRun', 'string', 'list'],
}
const PORT: Message = {
  1: ['name', 'string'],
  2: ['hostPort', 'ignored'],
  3: ['containerPort', 'int'],
  4: ['protocol', 'string'],
  5: ['hostIP', 'ignored'],
}
const CONTAINER: Message = {
  1: ['name', 'string'],
  2: ['image', 'string'],
  3: ['command', 'string', 'list'],
  4: ['args', 'string', 'list'],
  5: ['workingDir', 'string'],
  6: ['ports', PORT, 'list'],
  8: ['resources', {}],
  13: ['terminationMessagePath', 'string'],
  14: ['imagePullPolicy', 'string'],
  16: ['stdin', 'bool'],
  17: ['stdinOnce', 'bool'],
  18: ['tty', 'bool'],
  20: ['terminationMessagePolicy', 'string'],
}
const POD_SPEC: Message = {
  2: ['containers', CONTAINER, 'list'],
  3: ['restartPolicy', 'string'],
  4: ['terminationGracePeriodSeconds', 'int'],
  6: ['dnsPolicy', 'string'],
  8: ['serviceAccountName', 'string'],
  9: ['serviceAccount', 'string'],
  10: ['nodeName', 'string'],
  11: ['hostNetwork', 'bool'],
  12: ['hostPID', 'bool'],
  13: ['hostIPC', 'bool'],
  16: ['hostname', 'string'],
  17: ['subdomain', 'string'],
  19: ['schedulerName', 'string'],
  24: ['priorityClassName', 'string'],
}
const DEPLOYMENT_SPEC: Message = {
  1: ['replicas', 'int'],
  2: ['selector', { 1: ['matchLabels', 'map'] }],
  3: ['template', { 1: ['metadata', METADATA], 2: ['spec', POD_SPEC] }],
  4: ['strategy', { 1: ['type', 'string'] }],
  5: ['minReadySeconds', 'int'],
  6: ['revisionHistoryLimit', 'int'],
  7: ['paused', 'bool'],
  9: ['progressDeadlineSeconds', 'int'],
}
const SERVICE_PORT: Message = {
  1: ['name', 'string'],
  2: ['protocol', 'string'],
  3: ['port', 'int'],
  4: ['targetPort', 'int-or-string'],
  5: ['nodePort', 'int'],
}
const SERVICE_SPEC: Message = {
  1: ['ports', SERVICE_PORT, 'list'],
  2: ['selector', 'map'],
  3: ['clusterIP', 'string'],
  4: ['type', 'string'],
  7: ['sessionAffinity', 'string'],
  8: ['loadBalancerIP', 'ignored'],
  10: ['externalName', 'string'],
  11: ['externalTrafficPolicy', 'string'],
  12: ['healthCheckNodePort', 'ignored'],
  13: ['publishNotReadyAddresses', 'bool'],
}
const ACCESS: Message = {
  1: ['namespace', 'string'],
  2: ['verb', 'string'],
  3: ['group', 'string'],
  4: ['version', 'string'],
  5: ['resource', 'string'],
  6: ['subresource', 'string'],
  7: ['name', 'string'],
}

const MESSAGES: Readonly<Record<string, Message>> = {
  ConfigMap: {
    1: ['metadata', METADATA],
    2: ['data', 'map'],
    3: ['binaryData', 'base64-map'],
    4: ['immutable', 'bool'],
  },
  DeleteOptions: DELETE_OPTIONS,
  Deployment: { 1: ['metadata', METADATA], 2: ['spec', DEPLOYMENT_SPEC], 3: ['status', 'ignored'] },
  Eviction: { 1: ['metadata', METADATA], 2: ['deleteOptions', DELETE_OPTIONS] },
  Namespace: { 1: ['metadata', METADATA], 2: ['spec', 'ignored'], 3: ['status', 'ignored'] },
  Secret: {
    1: ['metadata', METADATA],
    2: ['data', 'base64-map'],
    3: ['type', 'string'],
    4: ['stringData', 'map'],
    5: ['immutable', 'bool'],
  },
  SelfSubjectAccessReview: {
    1: ['metadata', METADATA],
    2: ['spec', { 1: ['resourceAttributes', ACCESS], 2: ['nonResourceAttributes', 'ignored'] }],
    3: ['status', 'ignored'],
  },
  SelfSubjectReview: { 1: ['metadata', METADATA], 2: ['status', 'ignored'] },
  Service: { 1: ['metadata', METADATA], 2: ['spec', SERVICE_SPEC], 3: ['status', 'ignored'] },
  ServiceAccount: { 1: ['metadata', METADATA], 4: ['automountServiceAccountToken', 'bool'] },
}

const MAGIC = Buffer.from('k8s\0')
const ENVELOPE: Message = {
  1: ['type', { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] }],
  2: ['raw', 'base64'],
  3: ['contentEncoding', 'string'],
  4: ['contentType', 'string'],
}

/** @throws {ApiFailure} BadRequest */
export function parseProtobuf(bytes: Buffer): Record<string, unknown> {
  if (!bytes.subarray(0, 4).equals(MAGIC)) throw badRequest('the body is not protobuf of Kubernetes')
  const envelope = parseMessage(bytes.subarray(4), ENVELOPE, 'Unknown')
  const type = envelope.type as { apiVersion: string; kind: string }
  const message = MESSAGES[type.kind]
  if (message === undefined) throw badRequest(`no protobuf of ${type.kind} is read here`)
  const raw = Buffer.from((envelope.raw as string | undefined) ?? '', 'base64')
  return { ...type, ...parseMessage(raw, message, type.kind) }
}

function parseMessage(bytes: Buffer, message: Message, where: string): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  let at = 0
  const varint = (): number => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw badRequest(`${where} ends too early`)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return Number(BigInt.asIntN(64, value))
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = tag >>> 3
    const wire = tag & 7
    if (wire !== 0 && wire !== 2) throw badRequest(`${where}.${number} is of wire type ${wire}`)
    let value: number | Buffer = varint()
    if (wire === 2) value = bytes.subarray(at, (at += value))
    const field = message[number]
    if (field === undefined) throw badRequest(`field ${number} of ${where} is not read here`)
    const [name, kind, repeated] = field
    if (kind === 'ignored') continue
    const decoded = decode(value, kind, `${where}.${name}`)
    if (kind === 'map' || kind === 'base64-map')
      result[name] = { ...(result[name] as object | undefined), ...(decoded as object) }
    else if (repeated === 'list') result[name] = [...((result[name] as unknown[] | undefined) ?? []), decoded]
    // The Go types encode an absent text as an empty one.
    else if (decoded !== '' || kind === 'base64') result[name] = decoded
  }
  return result
}

function decode(value: number | Buffer, kind: Exclude<Kind, 'ignored'>, where: string): unknown {
  if (kind === 'int') return value
  if (kind === 'bool') return value !== 0
  const bytes = value as Buffer
  if (kind === 'string') return bytes.toString('utf8')
  if (kind === 'base64') return bytes.toString('base64')
  if (kind === 'map' || kind === 'base64-map') {
    const item = kind === 'map' ? 'string' : 'base64'
    const entry = parseMessage(bytes, { 1: ['key', 'string'], 2: ['value', item] }, where)
    return { [(entry.key as string | undefined) ?? '']: entry.value ?? '' }
  }
  if (kind === 'int-or-string') {
    const either = parseMessage(
      bytes,
      { 1: ['type', 'int'], 2: ['int', 'int'], 3: ['string', 'string'] },
      where,
    )
    return either.type === 1 ? (either.string ?? '') : (either.int ?? 0)
  }
  return parseMessage(bytes, kind, where)
}
