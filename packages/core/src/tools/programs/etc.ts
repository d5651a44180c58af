/**
 * What tools see of /etc: names, certificates, time, the dynamic linker's cache.
 *
 * A folder of copies, made once a run: each bind mount costs a call 0.15 ms, and these would be two dozen. What may
 * change while a run goes on (a VPN rewrites resolv.conf) and folders are mounted over it as they are.
 */

import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Mount } from '../../sandbox/profile.ts'

const COPIED = [
  ...['gai.conf', 'group', 'host.conf', 'krb5.conf', 'ld.so.cache', 'ld.so.conf', 'localtime', 'mime.types'],
  ...['nsswitch.conf', 'os-release', 'passwd', 'protocols', 'services', 'ssl/ca-bundle.pem', 'ssl/cert.pem'],
  ...['ssl/openssl.cnf', 'timezone'],
]
/** Never /etc/ssl or /etc/pki whole: they have private keys. */
const MOUNTED = [
  ...['alternatives', 'crypto-policies', 'hosts', 'krb5.conf.d', 'pki/ca-trust', 'pki/tls/certs'],
  ...['resolv.conf', 'ssl/certs'],
]

/** @param folder private, not there yet. */
export function copyEtc(folder: string): readonly Mount[] {
  mkdirSync(folder, { mode: 0o755 })
  for (const name of COPIED) {
    if (!statSync(`/etc/${name}`, { throwIfNoEntry: false })?.isFile()) continue
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    copyFileSync(`/etc/${name}`, join(folder, name))
  }
  const mounted = MOUNTED.map(name => `/etc/${name}`).filter(path => existsSync(path))
  const mounts = mounted.map(path => ({ source: path, target: path }))
  makeRoomInEtc(folder, mounts)
  return [{ source: folder, target: '/etc' }, ...mounts]
}

/** A mount below /etc needs something to be mounted on. */
export function makeRoomInEtc(folder: string, mounts: readonly Mount[]): void {
  for (const { source, target } of mounts) {
    if (!target.startsWith('/etc/')) continue
    const place = join(folder, target.slice('/etc/'.length))
    mkdirSync(statSync(source).isDirectory() ? place : dirname(place), { recursive: true })
    if (!existsSync(place)) writeFileSync(place, '')
  }
}
