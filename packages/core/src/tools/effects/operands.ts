/** Paths that a call names: inside the workspace or the script's /tmp, or the call is refused. */

import { posix } from 'node:path'
import { Refusal } from './decision.ts'
import type { Call, FileOperand } from './decision.ts'

const isWithin = (folder: string, path: string): boolean => {
  const root = posix.resolve(folder)
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`)
}

const STDIN = new Set(['-', '/dev/stdin'])
const HARMLESS_SINKS = new Set(['/dev/null', '/dev/stdout', '/dev/stderr'])

export interface FileOptions {
  readonly access?: FileOperand['access']
  readonly form?: FileOperand['form']
  /** `-` is stdin or stdout, not a file. @default true */
  readonly dash?: boolean
}

/** What the call reads from or writes to, gathered as a table names it. */
export class Operands {
  readonly files: FileOperand[] = []
  readsStdin = false
  readonly #call: Pick<Call, 'cwd' | 'workspace' | 'tmp'>

  constructor(call: Pick<Call, 'cwd' | 'workspace' | 'tmp'>) {
    this.#call = call
  }

  /** @throws {Refusal} for a path outside, an address, or a descriptor. */
  add(operand: string, options: FileOptions = {}): void {
    const { access = 'read', form = 'file', dash = true } = options
    if (access === 'read' && STDIN.has(operand) && (dash || operand !== '-')) {
      this.readsStdin = true
      return
    }
    if (access === 'write' && (HARMLESS_SINKS.has(operand) || (dash && operand === '-'))) return
    if (access === 'read' && operand === '/dev/null') return
    if (operand === '') throw new Refusal('a file operand is empty')
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(operand)) {
      throw new Refusal(`\`${operand}\` is an address: the tool would fetch it by itself`, {
        hint: 'fetch it in the script where the network is allowed, and name the file',
      })
    }
    if (/^\/dev\/fd\/|^\/proc\//.test(operand)) {
      throw new Refusal(`\`${operand}\` is an open file of the script's own process`, {
        hint: 'the tool runs outside the sandbox: use stdin or a file in the workspace, not <(…)',
      })
    }
    if (operand.startsWith('~')) throw new Refusal(`\`${operand}\` lies in the home of the tool`)
    const path = posix.resolve(this.#call.cwd, operand)
    if (!isWithin(this.#call.workspace, path) && !isWithin(this.#call.tmp, path)) {
      throw new Refusal(`\`${operand}\` lies outside the workspace and /tmp`, {
        hint: `a tool reads and writes files only below ${this.#call.workspace} and ${this.#call.tmp}`,
      })
    }
    this.files.push({ operand, path, access, form: /[*?[]/.test(operand) && form === 'file' ? 'glob' : form })
  }
}
