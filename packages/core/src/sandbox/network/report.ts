/** What a run reached and was refused: bounded, whatever a script asks for. */

/** One destination that was refused, and how often. */
export interface RefusedDestination {
  /** Lower case and checked, or `(unreadable)`: text of the script's own choice is not repeated. */
  readonly host: string
  readonly port: number
  readonly count: number
  /** What the operator would add to the allowlist; `null` where nothing would open it. */
  readonly allow: string | null
}

export interface NetworkReport {
  /** Requests that were let through, whether or not the other side answered. */
  readonly allowed: number
  readonly refused: number
  /** The first 20 destinations that were refused. */
  readonly refusedDestinations: readonly RefusedDestination[]
  /** Bytes to and from the outside. */
  readonly sentBytes: number
  readonly receivedBytes: number
}

/** The report in the making. */
export interface NetworkRecord {
  allow(): void
  refuse(host: string, port: number, allow: string | null): void
  carry(sentBytes: number, receivedBytes: number): void
  report(): NetworkReport
}

const MAX_DESTINATIONS = 20

export function startRecord(): NetworkRecord {
  const destinations = new Map<string, RefusedDestination>()
  const total = { allowed: 0, refused: 0, sentBytes: 0, receivedBytes: 0 }
  return {
    allow: () => {
      total.allowed += 1
    },
    refuse: (host, port, allow) => {
      total.refused += 1
      const key = `${host} ${port}`
      const count = (destinations.get(key)?.count ?? 0) + 1
      if (count > 1 || destinations.size < MAX_DESTINATIONS) {
        destinations.set(key, { host, port, count, allow })
      }
    },
    carry: (sentBytes, receivedBytes) => {
      total.sentBytes += sentBytes
      total.receivedBytes += receivedBytes
    },
    report: () => ({ ...total, refusedDestinations: [...destinations.values()] }),
  }
}
