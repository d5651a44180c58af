/**
 * What is said about one call before it happens: what it does, to what, and which files it names.
 *
 * A decision is made of words alone. It reads no file, resolves no link and asks no server, so the broker has
 * three duties left: open each of `files` under its own guard (a link in the workspace may lead out of it),
 * resolve what is `unresolved` before it plans, and supply the texts that `needs` lists before it believes an
 * effect that depends on them.
 */

import type { ResolvedTool } from '../../config/schema.ts'

/**
 * - `read`: changes nothing outside the workspace.
 * - `mutate`: changes something, or is not known not to.
 * - `reveal`: prints a credential.
 * - `refuse`: runs programs of the caller's choice, changes the tool's own identity, or leaves the workspace.
 */
export type Effect = 'read' | 'mutate' | 'reveal' | 'refuse'

export interface Call {
  /** The name on PATH: `kubectl`. */
  readonly tool: string
  /** Without the program itself. */
  readonly argv: readonly string[]
  readonly stdin: 'none' | 'inherited'
  /** As the script sees them, absolute. */
  readonly cwd: string
  readonly workspace: string
  readonly tmp: string
  /** Contents by absolute path, stdin under `-`: what an earlier decision listed in `needs`. */
  readonly texts?: Readonly<Record<string, string>>
}

export type ToolPolicy = Pick<ResolvedTool, 'reads' | 'mutates' | 'reveals' | 'args'>

export interface FileOperand {
  /** As the call has it. */
  readonly operand: string
  /** Absolute, by text alone: links are not followed. */
  readonly path: string
  readonly access: 'read' | 'write'
  /** `kustomization`: the folder may name further files and addresses, which the broker must look for. */
  readonly form: 'file' | 'glob' | 'kustomization'
}

/** Why the names of a call are not all of its targets. */
export type Unresolved = 'selector' | 'all' | 'file' | 'stdin' | 'kustomization'

export interface KubernetesObject {
  /** Plural, with the group where it is not a built-in kind: `deployments`. */
  readonly resource: string
  readonly name: string | null
}

export type Target =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'kubernetes'
      /** null: the one of the operator's context. */
      readonly namespace: string | null
      readonly allNamespaces: boolean
      readonly objects: readonly KubernetesObject[]
      readonly unresolved: readonly Unresolved[]
    }
  | {
      readonly kind: 'helm'
      readonly namespace: string | null
      readonly release: string | null
      readonly chart: string | null
    }
  | {
      readonly kind: 'aws'
      readonly service: string
      readonly operation: string
      readonly region: string | null
      readonly ids: readonly string[]
    }
  | { readonly kind: 'sql'; readonly database: string | null; readonly statements: readonly string[] }
  | { readonly kind: 'web'; readonly method: string; readonly urls: readonly string[] }
  | { readonly kind: 'words'; readonly words: readonly string[] }

export interface Decision {
  readonly effect: Effect
  /** `rollout restart`, `ec2 describe-instances`; empty where the call names none. */
  readonly verb: string
  readonly target: Target
  readonly readsStdin: boolean
  readonly files: readonly FileOperand[]
  /** The script's own dry run. */
  readonly ownDryRun: boolean
  /** Paths, or `-`, whose text would settle the effect; until then it is the worse one. */
  readonly needs: readonly string[]
  /** For people: why it has this effect. */
  readonly reason: string
  readonly hint: string | null
}

/**
 * What the operator's patterns may do about a judgement.
 *
 * - `never`: identity, files outside, what cannot be read at all.
 * - `exact`: only a pattern that spells the whole call, such as the one secret that a script may have.
 * - `pattern`: any pattern.
 */
export type Lift = 'never' | 'exact' | 'pattern'

/** A decision on its way. */
export interface Judgement extends Decision {
  readonly lift: Lift
  /** The call from its verb on, for patterns; flags before the verb are left out. */
  readonly words: readonly string[]
}

export const NO_TARGET: Target = { kind: 'none' }

export const judge = (
  effect: Effect,
  verb: string,
  reason: string,
  rest: Partial<Omit<Judgement, 'effect' | 'verb' | 'reason'>> = {},
): Judgement => ({
  effect,
  verb,
  target: NO_TARGET,
  readsStdin: false,
  files: [],
  ownDryRun: false,
  needs: [],
  reason,
  hint: null,
  lift: effect === 'refuse' ? 'never' : effect === 'reveal' ? 'exact' : 'pattern',
  words: [],
  ...rest,
})

/** Thrown deep inside a reader and turned into a decision at the door; it never leaves this folder. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly hint: string | null
  readonly verb: string
  readonly lift: Lift

  constructor(
    reason: string,
    options: { readonly hint?: string | null; readonly verb?: string; readonly lift?: Lift } = {},
  ) {
    super(reason)
    this.hint = options.hint ?? null
    this.verb = options.verb ?? ''
    this.lift = options.lift ?? 'never'
  }
}

/** Names the verb in refusals that arise where it is not known. */
export const during = <T>(verb: string, act: () => T): T => {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof Refusal) || error.verb !== '') throw error
    throw new Refusal(error.message, { hint: error.hint, lift: error.lift, verb })
  }
}

/** For whoever only wants to know what a call says; null: no table can read it. */
export const readOrNull = <T>(read: () => T): T | null => {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return null
  }
}

/** The entry of a table, and nothing that every object has: `constructor` is a word like any other. */
export const lookup = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined
