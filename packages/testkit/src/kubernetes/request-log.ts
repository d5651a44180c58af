/** What reached the server, whatever the client was told of it: tests judge by this. */

export interface LoggedRequest {
  /** From 1, in the order of arrival. */
  readonly number: number
  /** Milliseconds since the epoch, at arrival. */
  readonly at: number
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly userAgent: string
  /** null: no token, or a wrong one. */
  readonly user: string | null
  /** In the API's words, `rollout restart` being a `patch`; null where no resource is meant. */
  readonly verb: string | null
  /** `deployments`, or `deployments/scale`. */
  readonly resource: string | null
  readonly namespace: string | null
  readonly name: string | null
  readonly dryRun: boolean
  readonly fieldManager: string | null
  /** Parsed where it is JSON or protobuf; null where there is none. */
  readonly body: unknown
}

export interface RequestOutcome {
  /** What the server decided, or would have; null: it hangs, or the connection was dropped before. */
  status: number | null
  /** The state was changed by it. */
  applied: boolean
  /** The client was sent an answer. */
  answered: boolean
}

export type RequestEntry = LoggedRequest & RequestOutcome

/** What becomes of one request. `drop` cuts the connection before anything is done. */
export type Fault =
  | 'ok'
  | 'hang'
  | 'drop'
  | 'drop-after-apply'
  | { readonly status: number; readonly message?: string; readonly retryAfterSeconds?: number }

/** Mutations that changed something, in order. */
export function applied(requests: readonly RequestEntry[]): RequestEntry[] {
  return requests.filter(request => request.applied)
}
