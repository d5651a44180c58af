/**
 * What a script with `network = [...]` may reach: entries in, decisions out. Pure; looks nothing up.
 *
 * | entry                           | opens                                                                    |
 * |---------------------------------|--------------------------------------------------------------------------|
 * | `api.example.com`               | that host, ports 80 and 443                                              |
 * | `*.example.org`                 | every name below it at any depth, not `example.org` itself               |
 * | `host.example:8443`             | that host, that port and no other                                        |
 * | `10.0.0.0/8`, `fd00::/8`        | addresses written as such, ports 80 and 443; and allowed names may       |
 * |                                 | resolve into it, on the ports that their own entries open                |
 * | `10.0.0.0/8:22`, `[fd00::]:22`  | the same for port 22 alone, for names too                                |
 *
 * - A name never opens an address, and an address never opens a name.
 * - Where a name leads is decided again by `decideAddress`: an address that is not public unicast is refused
 *   unless a range names it. So a name cannot lead to the host's loopback, its network or its metadata service.
 * - An address has one spelling. Octal, hexadecimal, short or decimal forms, zone ids and IPv4-mapped IPv6 are
 *   refused, never translated: what was decided and what is connected to cannot differ.
 * - An empty list opens nothing.
 */

import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import ipaddr from 'ipaddr.js'
import type { Problem } from '../../errors.ts'

/** `port: null` means 80 and 443. Names are lower case and ASCII, without a trailing dot. */
export type AllowEntry =
  | { readonly kind: 'domain'; readonly name: string; readonly port: number | null }
  | { readonly kind: 'subdomains'; readonly of: string; readonly port: number | null }
  | {
      readonly kind: 'range'
      readonly address: string
      readonly prefix: number
      readonly port: number | null
    }

export interface Allowlist {
  readonly entries: readonly AllowEntry[]
  /** A range covers loopback: the operator opens services of the host, and they shadow the sandbox's own. */
  readonly reachesLoopback: boolean
}

/** A host as a request may spell it, in its one form. */
export type Host =
  | { readonly kind: 'domain'; readonly name: string }
  | { readonly kind: 'address'; readonly address: string }

/**
 * - `domain`: the name may be resolved; each address is then put to `decideAddress`.
 * - `address`: connect to it.
 * - `refuse`: `allow` is the entry that would open it.
 */
export type HostDecision =
  | { readonly kind: 'domain'; readonly name: string }
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'refuse'; readonly allow: string }

/** `refuse`: `range` says what the address is, such as `loopback` or `private`. */
export type AddressDecision = { readonly kind: 'allow' } | { readonly kind: 'refuse'; readonly range: string }

const DEFAULT_PORTS: ReadonlySet<number> = new Set([80, 443])

/** Answers for a host's configuration and secrets at a public address: Azure's wire server. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(['168.63.129.16'])

/** Top-level names that nobody can register (RFC 2606, RFC 6762 appendix G, ICANN's name collisions). */
const PRIVATE_SUFFIXES: ReadonlySet<string> = new Set(
  'corp example home internal intranet lan local localhost private svc test'.split(' '),
)

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const NAME = new RegExp(`^(?:${LABEL}\\.)*${LABEL}$`)
/** What a URL parser or a resolver would take for an IPv4 address (WHATWG URL, "ends in a number"). */
const NUMERIC = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i

/** All problems at once; the list holds the entries that have none, and counts only when there are none. */
export function parseAllowlist(entries: readonly string[]): {
  readonly allow: Allowlist
  readonly problems: readonly Problem[]
} {
  const read: AllowEntry[] = []
  const problems: Problem[] = []
  for (const text of entries) {
    const entry = parseEntry(text)
    if ('message' in entry)
      problems.push({ ...entry, message: `network entry ${quote(text)} ${entry.message}` })
    else read.push(entry)
  }
  return { allow: { entries: read, reachesLoopback: read.some(overlapsLoopback) }, problems }
}

/** `null`: not a host in its one spelling. IPv6 stands in brackets, as in a URL. */
export function parseHost(text: string): Host | null {
  if (text.startsWith('[') && text.endsWith(']')) {
    const address = plainAddress(text.slice(1, -1))
    return address?.kind() === 'ipv6' ? { kind: 'address', address: address.toString() } : null
  }
  if (isIPv4(text)) return { kind: 'address', address: text }
  const name = text.toLowerCase().replace(/\.$/, '')
  return isName(name) ? { kind: 'domain', name } : null
}

/** Whether a request for this host and port may go on. */
export function decideHost(list: Allowlist, host: Host, port: number): HostDecision {
  if (host.kind === 'domain') {
    const open = list.entries.some(entry => coversName(entry, host.name) && opensPort(entry, port))
    return open ? host : { kind: 'refuse', allow: spellEntry(host.name, port) }
  }
  const address = plainAddress(host.address)
  const open =
    address !== null && list.entries.some(entry => coversAddress(entry, address) && opensPort(entry, port))
  return open ? host : { kind: 'refuse', allow: spellEntry(host.address, port) }
}

/** Whether an allowed name may lead to this address: public, or named by a range that has no other port. */
export function decideAddress(list: Allowlist, address: string, port: number): AddressDecision {
  const plain = plainAddress(address)
  if (plain === null) return { kind: 'refuse', range: 'not an address in its plain spelling' }
  const range = rangeOf(plain)
  if (range === 'public') return { kind: 'allow' }
  const named = list.entries.some(
    entry => coversAddress(entry, plain) && (entry.port === null || entry.port === port),
  )
  return named ? { kind: 'allow' } : { kind: 'refuse', range }
}

/** The entry that opens a host or an address on a port. */
export function spellEntry(host: string, port: number): string {
  if (DEFAULT_PORTS.has(port)) return host
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function parseEntry(text: string): AllowEntry | Problem {
  if (text === '') return { message: 'is empty' }
  if (/[\s\p{Cc}]/u.test(text)) return { message: 'has a space or a control character' }
  if (text === '*') return { message: 'is not a domain', hint: 'network = "host" opens everything' }
  if (text.includes('://')) {
    return { message: 'has a scheme', hint: `name the host alone${example(text)}` }
  }
  if (text.includes('@')) return { message: 'has credentials', hint: 'name the host alone' }
  const split = splitPort(text)
  if (split === null) return { message: 'has a port that is not a number from 1 to 65535' }
  const { host, port } = split
  const slash = host.indexOf('/')
  if (slash === -1 && (isIPv4(host) || isIPv6(host))) return parseRange(host, null, port)
  if (slash !== -1) {
    const address = host.slice(0, slash)
    if (isIPv4(address) || isIPv6(address)) return parseRange(address, host.slice(slash + 1), port)
    if (!NUMERIC.test(address))
      return { message: 'has a path', hint: 'paths cannot be told apart: name the host' }
  }
  if (NUMERIC.test(host.replace(/\/.*/, '')) || host.includes(':')) {
    return {
      message: 'is not an address in its plain spelling',
      hint: 'such as 10.1.2.3, 10.0.0.0/8 or fd00::/8',
    }
  }
  return parseDomain(host, port)
}

function parseRange(text: string, prefixText: string | null, port: number | null): AllowEntry | Problem {
  const address = plainAddress(text)
  if (address === null)
    return { message: 'has a zone id', hint: 'a zone is a link of the host: name the address alone' }
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
    return {
      message: 'is an IPv4 address written as IPv6',
      hint: 'write the IPv4 address or range',
    }
  }
  const bits = address.kind() === 'ipv4' ? 32 : 128
  if (prefixText !== null && !/^(?:0|[1-9]\d{0,2})$/.test(prefixText))
    return { message: 'has a prefix that is no number' }
  const prefix = prefixText === null ? bits : Number(prefixText)
  if (prefix > bits) return { message: `has a prefix longer than ${bits}` }
  const family = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6
  const first = family.networkAddressFromCIDR(`${address.toString()}/${prefix}`).toString()
  if (first !== address.toString()) {
    return {
      message: `names an address inside the range, not the range`,
      hint: `write ${first}/${prefix} for the range or ${address.toString()} for the address`,
    }
  }
  return { kind: 'range', address: first, prefix, port }
}

function parseDomain(text: string, port: number | null): AllowEntry | Problem {
  const wildcard = text.startsWith('*.')
  const given = (wildcard ? text.slice(2) : text).replace(/\.$/, '')
  if (given.includes('*'))
    return { message: 'has a `*` that is not its first label', hint: 'such as *.example.org' }
  if (given.split('.').includes('')) return { message: 'has an empty label' }
  const name = domainToASCII(given)
  // `domainToASCII` also reads addresses, so that full-width digits would come out as one.
  if (!isName(name)) return { message: 'is not a domain name' }
  if (!wildcard) return { kind: 'domain', name, port }
  if (!name.includes('.') && !PRIVATE_SUFFIXES.has(name)) {
    return {
      message: 'opens every name that anyone can register',
      hint: `name a domain, such as *.example.${name}`,
    }
  }
  return { kind: 'subdomains', of: name, port }
}

/** `null`: a port that is none. A lone IPv6 address has no port; `[…]:port` has. */
function splitPort(text: string): { host: string; port: number | null } | null {
  const bracketed = /^\[([^\]]*:[^\]]*)\](?::(.*))?$/s.exec(text)
  const plain = /^([^:]*):([^:]*)$/s.exec(text)
  const host = bracketed?.[1] ?? plain?.[1] ?? text
  const portText = bracketed?.[2] ?? plain?.[2]
  if (portText === undefined) return { host, port: null }
  const port = /^[1-9]\d{0,4}$/.test(portText) ? Number(portText) : 0
  return port >= 1 && port <= 65_535 ? { host, port } : null
}

/** Strict: `ipaddr.js` alone also reads octal, hexadecimal and short forms, and zone ids. */
function plainAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  return (isIPv4(text) || isIPv6(text)) && !text.includes('%') ? ipaddr.parse(text) : null
}

/** IPv6 is public only in 2000::/3: what is not yet assigned, or wraps an IPv4 address, is not. */
function rangeOf(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  if (METADATA_ADDRESSES.has(address.toString())) return 'metadata service'
  const range = address.range()
  if (range !== 'unicast') return RANGE_WORDS[range] ?? 'reserved'
  if (address instanceof ipaddr.IPv4) return 'public'
  return ((address.parts[0] ?? 0) & 0xe0_00) === 0x20_00 ? 'public' : 'reserved'
}

const RANGE_WORDS: Readonly<Record<string, string>> = {
  '6to4': '6to4',
  broadcast: 'broadcast',
  carrierGradeNat: 'carrier-grade NAT',
  ipv4Mapped: 'IPv4-mapped',
  linkLocal: 'link-local',
  loopback: 'loopback',
  multicast: 'multicast',
  private: 'private',
  rfc6052: 'NAT64',
  rfc6145: 'NAT64',
  teredo: 'Teredo',
  uniqueLocal: 'private',
  unspecified: 'unspecified',
}

function coversName(entry: AllowEntry, name: string): boolean {
  if (entry.kind === 'domain') return entry.name === name
  return entry.kind === 'subdomains' && name.endsWith(`.${entry.of}`)
}

/** IPv4-mapped IPv6 is covered by nothing: `::/0` does not open the host's IPv4 loopback. */
function coversAddress(entry: AllowEntry, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (entry.kind !== 'range') return false
  const first = ipaddr.parse(entry.address)
  if (first.kind() !== address.kind() || address.range() === 'ipv4Mapped') return false
  return address.match(first, entry.prefix)
}

const opensPort = (entry: AllowEntry, port: number): boolean =>
  entry.port === null ? DEFAULT_PORTS.has(port) : entry.port === port

function overlapsLoopback(entry: AllowEntry): boolean {
  if (entry.kind !== 'range') return false
  const first = ipaddr.parse(entry.address)
  return (
    first.range() === 'loopback' || ['127.0.0.1', '::1'].some(one => coversAddress(entry, ipaddr.parse(one)))
  )
}

const isName = (name: string): boolean => name.length <= 253 && NAME.test(name) && !NUMERIC.test(name)

const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)

function example(url: string): string {
  const host = URL.canParse(url) ? new URL(url).host : ''
  return host === '' ? '' : `: ${host}`
}
