/** Ids of calls: unique over all runs, in the order of time, safe in an argv and as the name of a field manager. */

import { monotonicFactory } from 'ulid'

const next = monotonicFactory()

export function newCallId(): string {
  return next().toLowerCase()
}
