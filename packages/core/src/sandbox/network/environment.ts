/**
 * What a script's environment says so that ordinary clients find the forwarder. Pure, and loads nothing.
 *
 * A client that ignores it has no network at all: the sandbox holds its own loopback and nothing else.
 */

import type { Allowlist } from './allowlist.ts'

/** Where the forwarder listens on the sandbox's loopback: above the ports that Linux hands out by itself. */
export const FORWARDER_PORT = 61_080

/**
 * Both cases of each name: curl reads `http_proxy` only in lower case, others read upper case only.
 * `ALL_PROXY` gives a client of another protocol the proxy's clear refusal in place of a dead route.
 *
 * The sandbox's own loopback goes direct, so that a script can talk to a server that it started. When the
 * allowlist reaches the host's loopback, loopback names mean the host's and go through the proxy.
 */
export function networkEnvironment(
  allow: Pick<Allowlist, 'reachesLoopback'>,
  port: number = FORWARDER_PORT,
): Readonly<Record<string, string>> {
  const proxy = `http://127.0.0.1:${port}`
  // `::1` alone is taken for host `:` and port 1 by undici, `[::1]` alone is not known to Python.
  const direct = allow.reachesLoopback ? '' : 'localhost,127.0.0.1,127.0.0.0/8,::1,[::1]'
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    ALL_PROXY: proxy,
    NO_PROXY: direct,
    http_proxy: proxy,
    https_proxy: proxy,
    all_proxy: proxy,
    no_proxy: direct,
    // Node's fetch and http read the names above only when told to.
    NODE_USE_ENV_PROXY: '1',
  }
}
