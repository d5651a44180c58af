/**
 * Opens a connection to a target that the allowlist lets through, or says why not.
 *
 * A name is resolved once, every answer is decided, and the socket is given an address that passed: no name
 * reaches the socket layer, so there is no second lookup that could answer otherwise (DNS rebinding). A name
 * that is not on the list is never looked up at all.
 */

import { connect, type Socket } from 'node:net'
import { decideAddress, decideHost, spellEntry, type Allowlist } from './allowlist.ts'
import type { NetworkRecord } from './report.ts'
import { nameOf, type Target } from './target.ts'

/** Addresses of a name, in the order of preference. Rejects when there are none. */
export type Lookup = (name: string) => Promise<readonly string[]>

/** What one run may reach, how names are resolved, and what has to end with it. */
export interface Gate {
  readonly allow: Allowlist
  readonly lookup: Lookup
  readonly record: NetworkRecord
  /** Open sockets to the outside. */
  readonly outside: Set<Socket>
  /** Aborted when the run is over. */
  readonly closing: AbortSignal
}

/** `shut`: `status` and `message` go back to the client as they are. */
export type Way =
  | { readonly kind: 'open'; readonly socket: Socket }
  | { readonly kind: 'shut'; readonly status: 403 | 502 | 503 | 504; readonly message: string }

/** Connections that outlive their client while they still hold bytes for a slow server count here too. */
const MAX_OUTSIDE = 1024
const LOOKUP_TIMEOUT_MS = 15_000
const CONNECT_TIMEOUT_MS = 15_000
/** With another address to go on to, such as IPv4 after an IPv6 that leads nowhere. */
const FIRST_CONNECT_TIMEOUT_MS = 3000

export async function openWay(gate: Gate, target: Target): Promise<Way> {
  const decision = decideHost(gate.allow, target.host, target.port)
  if (decision.kind === 'refuse') return refuse(gate, target, decision.allow, '')
  if (decision.kind === 'address') return dial(gate, target, [decision.address])

  let addresses: readonly string[]
  try {
    addresses = await within(LOOKUP_TIMEOUT_MS, gate.closing, gate.lookup(decision.name))
  } catch (error) {
    return shut(502, `${decision.name} does not resolve (${reasonOf(error)})`)
  }
  const open: string[] = []
  let shutBy: { readonly address: string; readonly range: string } | null = null
  for (const address of addresses) {
    const decided = decideAddress(gate.allow, address, target.port)
    if (decided.kind === 'allow') open.push(address)
    else shutBy ??= { address, range: decided.range }
  }
  if (open.length > 0) return dial(gate, target, open)
  if (shutBy === null) return shut(502, `${decision.name} does not resolve (no address)`)
  const entry = `${spellEntry(decision.name, target.port)},${spellEntry(shutBy.address, target.port)}`
  return refuse(gate, target, entry, `: it resolves to ${shutBy.address} (${shutBy.range})`)
}

async function dial(gate: Gate, target: Target, addresses: readonly string[]): Promise<Way> {
  gate.record.allow()
  if (gate.outside.size >= MAX_OUTSIDE) return shut(503, 'too many connections are open')
  let reason = ''
  for (const [index, address] of addresses.entries()) {
    const timeoutMs = index < addresses.length - 1 ? FIRST_CONNECT_TIMEOUT_MS : CONNECT_TIMEOUT_MS
    try {
      return { kind: 'open', socket: await connectTo(gate, address, target.port, timeoutMs) }
    } catch (error) {
      reason = reasonOf(error)
    }
  }
  return shut(reason === 'ETIMEDOUT' ? 504 : 502, `${target.authority} cannot be reached (${reason})`)
}

/** The system's code of an error, fit for a message to the script. */
export const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'failed'

function connectTo(gate: Gate, address: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (gate.closing.aborted) {
      reject(new Error('the run is over'))
      return
    }
    // An address skips the lookup; if anything else ever came this far, it would end here.
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true, lookup: neverLookUp })
    gate.outside.add(socket)
    const timer = setTimeout(() => socket.destroy(coded('ETIMEDOUT')), timeoutMs)
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve(socket)
    })
    socket.on('error', reject)
    socket.once('close', () => {
      clearTimeout(timer)
      gate.outside.delete(socket)
      gate.record.carry(socket.bytesWritten, socket.bytesRead)
      reject(coded('ECONNABORTED'))
    })
  })
}

function neverLookUp(
  _name: string,
  _options: unknown,
  done: (error: NodeJS.ErrnoException, address: string) => void,
): void {
  done(coded('ENOTFOUND'), '')
}

function within<T>(timeoutMs: number, closing: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(coded('ETIMEDOUT')), timeoutMs)
    const close = (): void => reject(coded('ECONNABORTED'))
    closing.addEventListener('abort', close, { once: true })
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      closing.removeEventListener('abort', close)
    })
  })
}

function refuse(gate: Gate, target: Target, allow: string, because: string): Way {
  gate.record.refuse(nameOf(target), target.port, allow)
  const place = `${nameOf(target).includes(':') ? `[${nameOf(target)}]` : nameOf(target)}:${target.port}`
  return shut(403, `network access to ${place} is not allowed${because}; allow it with --network ${allow}`)
}

const shut = (status: 403 | 502 | 503 | 504, message: string): Way => ({
  kind: 'shut',
  status,
  message: `srecodex: ${message}\n`,
})

const coded = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })
