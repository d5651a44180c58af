/**
 * What a tool does, as its server says it.
 *
 * Promises: only a tool that says `readOnlyHint: true`, and nothing that contradicts it, is a read. What says
 * nothing is a mutation.
 */

export interface ToolAnnotations {
  readonly title?: string | undefined
  readonly readOnlyHint?: boolean | undefined
  readonly destructiveHint?: boolean | undefined
  readonly idempotentHint?: boolean | undefined
}

export interface ToolEffect {
  readonly effect: 'read' | 'mutate'
  /** For people. */
  readonly why: string
  /** Calling it again with the same arguments changes nothing more. */
  readonly idempotent: boolean
}

export function toolEffect(annotations: ToolAnnotations | undefined): ToolEffect {
  const { readOnlyHint, destructiveHint, idempotentHint } = annotations ?? {}
  const idempotent = idempotentHint === true
  if (readOnlyHint === true) {
    // Meaningless beside readOnlyHint, so its writer meant something else than a read.
    if (destructiveHint === true) {
      return { effect: 'mutate', why: 'its server calls it both read-only and destructive', idempotent }
    }
    return { effect: 'read', why: 'its server says that it only reads', idempotent: true }
  }
  if (readOnlyHint === undefined) {
    return { effect: 'mutate', why: 'its server does not say that it only reads', idempotent }
  }
  const why =
    destructiveHint === false
      ? 'its server says that it changes something, and destroys nothing'
      : 'its server says that it changes something'
  return { effect: 'mutate', why, idempotent }
}
