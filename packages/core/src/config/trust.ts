/**
 * Remembers which project files the operator has trusted.
 *
 * Trust is one entry in `trust.json` in the config home: the place of a file and the hash of its content. A
 * changed file is untrusted again; so is the same content in another place, and a symlink to a file that is
 * trusted where it lies, because what was allowed there was allowed to that project.
 */

import { createHash } from 'node:crypto'
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SrecodexError } from '../errors.ts'
import { readConfigFile } from './config-file.ts'
import { configHome } from './paths.ts'
import { isTable } from './toml-text.ts'

export interface TrustOptions {
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The content that is meant, for a caller that has read it already. @default the content as it is now */
  readonly sha256?: string
}

/** One trusted file. */
export interface TrustedFile {
  /** The real path of the project, then the file's own name in it, symlink or not. */
  readonly path: string
  readonly sha256: string
  readonly trustedAt: string
}

const LOCK_TRIES = 100
const LOCK_PAUSE_MS = 20

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Folders above the project are resolved, so that each way to it is the same place; what it holds is not. */
const placeOf = async (file: string): Promise<string> => {
  const whole = path.resolve(file)
  const folder = path.dirname(whole)
  // A project that is gone can still be forgotten.
  const project = await realpath(path.dirname(folder)).catch(() => path.dirname(folder))
  return path.join(project, path.basename(folder), path.basename(whole))
}

const contentHash = (file: string): string => {
  const content = readConfigFile(file)
  if (content !== null && typeof content !== 'string') return sha256Of(content.bytes)
  const reason = content ?? 'there is no such file'
  const message = `${file} can't be read: ${reason}`
  throw new SrecodexError('CONFIG_INVALID', message, { details: { problems: [{ message, at: { file } }] } })
}

const isTrustedFile = (value: unknown): value is TrustedFile =>
  isTable(value) && [value['path'], value['sha256'], value['trustedAt']].every(one => typeof one === 'string')

/** A list that cannot be understood is an error: as an empty one it would be overwritten at the next change. */
const readTrust = (store: string): readonly TrustedFile[] => {
  const content = readConfigFile(store)
  if (content === null) return []
  let reason = 'it is not a list of trusted files'
  if (typeof content === 'string') reason = content
  else {
    try {
      const parsed: unknown = JSON.parse(content.text)
      const files = isTable(parsed) && parsed['version'] === 1 ? parsed['files'] : undefined
      if (Array.isArray(files) && files.every(isTrustedFile)) return files
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  const message = `${store} can't be read: ${reason}`
  const hint = 'move it away, then trust again what you trust'
  throw new SrecodexError('CONFIG_INVALID', message, {
    hint,
    at: { file: store },
    details: { problems: [{ message, at: { file: store }, hint }] },
  })
}

/** Reads, changes and replaces the list while no other process does. */
const changeTrust = async (
  store: string,
  change: (files: readonly TrustedFile[]) => readonly TrustedFile[],
): Promise<void> => {
  const lock = `${store}.lock`
  const next = `${store}.next`
  try {
    await mkdir(path.dirname(store), { recursive: true, mode: 0o700 })
    const held = await takeLock(lock)
    try {
      const files = change(readTrust(store))
      // Only the holder of the lock writes here; what a killed one left is replaced.
      await rm(next, { force: true })
      const handle = await open(next, 'wx', 0o600)
      try {
        await handle.writeFile(`${JSON.stringify({ version: 1, files }, null, 2)}\n`)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(next, store)
    } finally {
      await held.close()
      await rm(lock, { force: true })
    }
  } catch (error) {
    if (error instanceof SrecodexError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new SrecodexError('STATE_UNWRITABLE', `${store} can't be written: ${reason}`, {
      details: { path: store },
      cause: error,
    })
  }
}

/**
 * A lock is held for milliseconds. One that stays was left by a process that was killed; it is not broken, since
 * two that break it at once would both go on.
 */
const takeLock = async (lock: string): ReturnType<typeof open> => {
  for (let tries = 0; ; tries += 1) {
    try {
      return await open(lock, 'wx', 0o600)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    if (tries === LOCK_TRIES) {
      throw new SrecodexError(
        'STATE_UNWRITABLE',
        `${lock} has been held for ${LOCK_TRIES * LOCK_PAUSE_MS} ms`,
        {
          hint: 'when no other srecodex is running, remove it',
          details: { path: lock },
        },
      )
    }
    await sleep(LOCK_PAUSE_MS)
  }
}

const storeOf = (options: TrustOptions): string =>
  path.join(configHome(options.env ?? process.env), 'trust.json')

/** Whether the operator has trusted this content in this place. */
export const isTrusted = async (file: string, options: TrustOptions = {}): Promise<boolean> => {
  const trusted = readTrust(storeOf(options))
  if (trusted.length === 0) return false
  const place = await placeOf(file)
  const sha256 = options.sha256 ?? contentHash(file)
  return trusted.some(one => one.path === place && one.sha256 === sha256)
}

/**
 * Remembers a project file as it is now.
 *
 * @param options.sha256 The content that the operator has seen: a file that changed since is refused.
 * @throws {SrecodexError} CONFIG_INVALID | STATE_UNWRITABLE
 */
export const trustFile = async (file: string, options: TrustOptions = {}): Promise<TrustedFile> => {
  const sha256 = contentHash(file)
  if (options.sha256 !== undefined && options.sha256 !== sha256) {
    const message = `${file} changed while it was being read`
    throw new SrecodexError('CONFIG_INVALID', message, {
      hint: 'read it again',
      at: { file },
      details: { problems: [{ message, at: { file } }] },
    })
  }
  const trusted = { path: await placeOf(file), sha256, trustedAt: new Date().toISOString() }
  await changeTrust(storeOf(options), files => [...files.filter(one => one.path !== trusted.path), trusted])
  return trusted
}

/** Forgets a project file, whatever its content. False: it was not trusted. */
export const untrustFile = async (file: string, options: TrustOptions = {}): Promise<boolean> => {
  const place = await placeOf(file)
  let wasTrusted = false
  await changeTrust(storeOf(options), files => {
    wasTrusted = files.some(one => one.path === place)
    return files.filter(one => one.path !== place)
  })
  return wasTrusted
}
