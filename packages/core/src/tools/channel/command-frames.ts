/**
 * What a shim says about its command, and what it is told at the end. Pure.
 *
 * Promises: what passes has the shape that `CommandCall` and `CapturedInput` state, and text in it is the text
 * that the caller meant: U+FFFD and lone surrogates stand for bytes that were lost on the way, and a name that
 * lost bytes is another name. Checked by hand: a schema library costs more than a short command.
 */

import { isAbsolute } from 'node:path'
import type { CommandCall, CommandExit } from '../calls.ts'
import {
  CallError,
  encodeFrame,
  FRAME_TYPE,
  MAX_PAYLOAD_BYTES,
  parseObject,
  PROTOCOL_VERSION,
} from '../protocol.ts'

/** What `xargs` and a shell can pass lies far below it. */
export const MAX_ARGUMENTS = 65_536
const MAX_TOOL_CHARS = 255
const MAX_ITEM_CHARS = 512
/** `PATH_MAX`, without its NUL. */
export const MAX_PATH_BYTES = 4095

/** How a caller ends what it was asked for. */
export type InputEnd =
  | { readonly kind: 'file' }
  | { readonly kind: 'folder'; readonly entries: readonly string[] }
  | { readonly kind: 'failed'; readonly error: string }

/** @throws {CallError} PROTOCOL | INVALID_PARAMS */
export function parseCommand(payload: Buffer): CommandCall {
  const { v, tool, argv, cwd, item = null, stdin } = parseObject(payload, 'a command')
  if (v !== PROTOCOL_VERSION) {
    throw new CallError('PROTOCOL', `this srecodex speaks version ${PROTOCOL_VERSION} of the protocol`, {
      hint: 'use the commands that the sandbox provides',
    })
  }
  if (typeof tool !== 'string' || tool.length > MAX_TOOL_CHARS || !/^(?!\.{1,2}$)[\w.+-]+$/.test(tool)) {
    throw new CallError('INVALID_PARAMS', 'the tool of a command is the name of a program')
  }
  if (!Array.isArray(argv)) throw new CallError('INVALID_PARAMS', 'the argv of a command is a list')
  if (argv.length > MAX_ARGUMENTS) {
    throw new CallError(
      'TOO_LARGE',
      `${tool} is called with ${argv.length} arguments, and at most ${MAX_ARGUMENTS} are taken`,
      { hint: 'call it several times, with fewer at once' },
    )
  }
  if (!argv.every(isIntact)) {
    throw new CallError('INVALID_PARAMS', `an argument of ${tool} is not text in UTF-8`, {
      hint: 'arguments are valid UTF-8 without NUL and without U+FFFD',
    })
  }
  if (!isIntact(cwd) || !isAbsolute(cwd) || Buffer.byteLength(cwd) > MAX_PATH_BYTES) {
    throw new CallError('INVALID_PARAMS', 'the cwd of a command is an absolute path in UTF-8')
  }
  if (item !== null && (!isIntact(item) || item.length > MAX_ITEM_CHARS)) {
    throw new CallError('INVALID_PARAMS', `the item of a command is a string of at most ${MAX_ITEM_CHARS}`)
  }
  if (typeof stdin !== 'boolean') {
    throw new CallError('INVALID_PARAMS', 'the stdin of a command is true or false')
  }
  return { tool, argv, cwd, item, hasStdin: stdin }
}

/** Entries are names in one folder: whoever joins them to its path stays below it. @throws {CallError} PROTOCOL */
export function parseEnd(payload: Buffer): InputEnd {
  const { kind, entries, error } = parseObject(payload, 'the end of an input')
  if (kind === 'file') return { kind }
  if (kind === 'folder' && Array.isArray(entries)) {
    if (entries.every(isEntry) && new Set(entries).size === entries.length) return { kind, entries }
    throw new CallError('PROTOCOL', 'the entries of a folder are different names')
  }
  if (kind === 'failed' && typeof error === 'string' && /^[\x20-\x7e]{1,200}$/.test(error)) {
    return { kind, error }
  }
  throw new CallError('PROTOCOL', 'an input ends as a file, a folder or a failure')
}

export function encodeWant(path: string): Buffer {
  return encodeFrame(FRAME_TYPE.want, Buffer.from(JSON.stringify({ path })))
}

/** @throws {TypeError} A handler gave what is no exit. */
export function encodeExit(exit: CommandExit): Buffer {
  const { exitCode, signal } = exit
  if (signal === null && Number.isInteger(exitCode) && exitCode >= 0 && exitCode <= 255) {
    return encodeFrame(FRAME_TYPE.exit, Buffer.from(JSON.stringify({ code: exitCode })))
  }
  if (exitCode === null && typeof signal === 'string' && /^SIG[A-Z0-9+-]{1,20}$/.test(signal)) {
    return encodeFrame(FRAME_TYPE.exit, Buffer.from(JSON.stringify({ signal })))
  }
  throw new TypeError(`a command cannot end with ${JSON.stringify(exit)}`)
}

/** The words for the caller's stderr. */
export function describeFailure({ code, message, hint }: CallError): Buffer {
  const text = `error[${code}]: ${message}\n${hint === null ? '' : `\nhint: ${hint}\n`}`
  return Buffer.from(text.slice(0, MAX_PAYLOAD_BYTES.stderr))
}

function isIntact(value: unknown): value is string {
  return typeof value === 'string' && !/[\0\uFFFD]/.test(value) && value.isWellFormed()
}

function isEntry(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.isWellFormed() &&
    !/[\0/]/.test(value) &&
    value !== '' &&
    value !== '.' &&
    value !== '..'
  )
}
