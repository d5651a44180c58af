/**
 * Ids of calls: unique over all runs, in the order in which one broker made them, safe in an argv and as the name of
 * a field manager. A ULID, and a count: random bytes for each would cost as much as a round trip.
 */

import { ulid } from 'ulid'

export function callIds(): () => string {
  const prefix = ulid().toLowerCase()
  let count = 0
  return () => {
    count += 1
    return `${prefix}${count.toString(36).padStart(6, '0')}`
  }
}
