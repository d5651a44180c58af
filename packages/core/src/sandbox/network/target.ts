/**
 * Where a proxy request wants to go. Pure.
 *
 * One strict reader for both forms, so that nothing here and nothing later can read the same bytes in two
 * ways: no credentials, no percent-encoding, no backslash, no second colon, no host but in its one spelling.
 */

import { parseHost, type Host } from './allowlist.ts'

export interface Target {
  readonly host: Host
  readonly port: number
  /** As it stands in a `Host` header. */
  readonly authority: string
}

export interface AbsoluteTarget {
  readonly target: Target
  readonly path: string
}

/** `host:port` of CONNECT. `null`: not one. */
export function parseConnectTarget(text: string): Target | null {
  return parseAuthority(text, null)
}

/** `http://host[:port]/path`. `null`: not one; `https:` comes by CONNECT. */
export function parseAbsoluteTarget(text: string): AbsoluteTarget | null {
  const parts = /^http:\/\/([^/?#]*)([^#]*)/i.exec(text)
  const target = parseAuthority(parts?.[1] ?? '', 80)
  if (parts === null || target === null) return null
  const path = parts[2] ?? ''
  return { target, path: path.startsWith('/') ? path : `/${path}` }
}

/** What the report and the refusal call it. */
export const nameOf = (target: Target): string =>
  target.host.kind === 'domain' ? target.host.name : target.host.address

function parseAuthority(text: string, defaultPort: number | null): Target | null {
  const parts = /^(\[[^\]]*\]|[^:@]*)(?::([1-9]\d{0,4}))?$/.exec(text)
  const host = parseHost(parts?.[1] ?? '')
  const port = parts?.[2] === undefined ? defaultPort : Number(parts[2])
  if (host === null || port === null || port > 65_535) return null
  const name = host.kind === 'domain' ? host.name : host.address
  const bracketed = name.includes(':') ? `[${name}]` : name
  return { host, port, authority: port === 80 ? bracketed : `${bracketed}:${port}` }
}
