/** What reached the server, whatever the client was told of it: tests judge by this. */

export interface LoggedAwsRequest {
  /** From 1, in the order of arrival. */
  readonly number: number
  /** Milliseconds since the epoch, at arrival. */
  readonly at: number
  /** `ec2`, `logs`, `sts`, as the signature says. */
  readonly service: string
  readonly region: string
  /** `DescribeInstances`. */
  readonly operation: string
  /** null: no key, or an unknown one. */
  readonly account: string | null
  /** The form, or the JSON body. */
  readonly params: Readonly<Record<string, unknown>>
}

export interface AwsOutcome {
  /** null: it hangs, or the connection was dropped. */
  status: number | null
  /** Code of the error that was sent. */
  error: string | null
}

export type AwsRequest = LoggedAwsRequest & AwsOutcome

/** What becomes of one request. `drop` cuts the connection before anything is done. */
export type AwsFault =
  | 'ok'
  | 'hang'
  | 'drop'
  | { readonly error: string; readonly status?: number; readonly message?: string }

/** An answer that is an error, in the service's own form. */
export class AwsFailure extends Error {
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}
