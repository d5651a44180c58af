/**
 * CloudWatch Logs, as far as a search asks: log groups, filtered events in pages, Insights queries that take time.
 *
 * It does not know the query language: what a query finds is what the test says.
 */

import { parseFilterPattern } from './filter-pattern.ts'
import { pageOf } from './pages.ts'
import { AwsFailure } from './request-log.ts'

export interface LogEvent {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly message: string
}

export interface StartedQuery {
  readonly id: string
  readonly region: string
  readonly groups: readonly string[]
  readonly text: string
  /** Seconds since the epoch. */
  readonly start: number
  readonly end: number
  readonly limit: number
}

export interface QueryAnswer {
  /** @default 'Complete' */
  readonly status?: 'Complete' | 'Failed' | 'Timeout' | 'Cancelled'
  readonly rows?: readonly Readonly<Record<string, string>>[]
  /** @default 0 */
  readonly scannedBytes?: number
}

export interface LogsOptions {
  readonly pageSize: number
  readonly emptyPages: boolean
  /** How long a query runs. */
  readonly queryMs: number
  /** More at a time are refused. */
  readonly maxQueries: number
  readonly onQuery: (query: StartedQuery) => QueryAnswer
}

type Params = Readonly<Record<string, unknown>>

interface Running {
  readonly query: StartedQuery
  readonly startedAt: number
  stopped: boolean
}

export class Logs {
  /** By region. */
  readonly groups = new Map<string, Map<string, LogEvent[]>>()
  readonly queries = new Map<string, Running>()
  readonly #options: LogsOptions

  constructor(options: LogsOptions) {
    this.#options = options
  }

  add(region: string, name: string, events: readonly LogEvent[] = []): void {
    const here = this.groups.get(region) ?? new Map<string, LogEvent[]>()
    this.groups.set(region, here)
    here.set(name, [...(here.get(name) ?? []), ...events])
  }

  /** @throws {AwsFailure} */
  answer(operation: string, region: string, params: Params): object {
    switch (operation) {
      case 'DescribeLogGroups':
        return this.#describe(region, params)
      case 'FilterLogEvents':
        return this.#filter(region, params)
      case 'StartQuery':
        return this.#start(region, params)
      case 'GetQueryResults':
        return this.#results(params)
      case 'StopQuery':
        return this.#stop(params)
      default:
        throw new AwsFailure('UnknownOperationException', `no operation ${operation}`)
    }
  }

  #describe(region: string, params: Params): object {
    const { logGroupNamePrefix: prefix = '', logGroupNamePattern: part = '', limit = 50 } = params
    const names = [...(this.groups.get(region)?.keys() ?? [])].sort()
    const found = names.filter(
      name => name.startsWith(String(prefix)) && name.toLowerCase().includes(String(part).toLowerCase()),
    )
    const page = this.#page(found, params, Math.min(Number(limit), 50, this.#options.pageSize))
    return {
      logGroups: page.items.map(logGroupName => ({ logGroupName, storedBytes: 0 })),
      nextToken: page.token,
    }
  }

  #filter(region: string, params: Params): object {
    const { startTime = 0, endTime = Number.MAX_SAFE_INTEGER, filterPattern = '', limit = 10_000 } = params
    const fits = parseFilterPattern(String(filterPattern))
    const found = this.#group(region, params.logGroupName)
      .filter(({ timestamp }) => timestamp >= Number(startTime) && timestamp <= Number(endTime))
      .filter(({ message }) => fits(message))
      .toSorted((one, other) => one.timestamp - other.timestamp)
    const page = this.#page(found, params, Math.min(Number(limit), this.#options.pageSize))
    const events = page.items.map((one, index) => ({
      ...one,
      logStreamName: 'stream',
      ingestionTime: one.timestamp + 1000,
      eventId: `${one.timestamp}${index}`,
    }))
    return { events, searchedLogStreams: [], nextToken: page.token }
  }

  #start(region: string, params: Params): object {
    const groups = [params.logGroupNames ?? params.logGroupName ?? []].flat() as string[]
    if (groups.length > 50) {
      throw new AwsFailure('InvalidParameterException', 'at most 50 log groups can be queried')
    }
    for (const name of groups) this.#group(region, name)
    if ([...this.queries.values()].filter(one => this.#isRunning(one)).length >= this.#options.maxQueries) {
      throw new AwsFailure('LimitExceededException', 'Account maximum query concurrency limit reached')
    }
    const query: StartedQuery = {
      id: `00000000-0000-0000-0000-${String(this.queries.size + 1).padStart(12, '0')}`,
      region,
      groups,
      text: String(params.queryString),
      start: Number(params.startTime),
      end: Number(params.endTime),
      limit: Number(params.limit ?? 10_000),
    }
    if (/^\s*\|/.test(query.text)) {
      throw new AwsFailure('MalformedQueryException', 'unexpected symbol found | at line 1 and position 0')
    }
    this.queries.set(query.id, { query, startedAt: Date.now(), stopped: false })
    return { queryId: query.id }
  }

  #results({ queryId }: Params): object {
    const running = this.#query(queryId)
    const statistics = (bytesScanned: number): object => ({
      recordsMatched: 0,
      recordsScanned: 0,
      bytesScanned,
    })
    if (running.stopped) return { status: 'Cancelled', results: [], statistics: statistics(0) }
    if (this.#isRunning(running)) return { status: 'Running', results: [], statistics: statistics(0) }
    const { status = 'Complete', rows = [], scannedBytes = 0 } = this.#options.onQuery(running.query)
    const results = rows
      .slice(0, running.query.limit)
      .map((row, index) => [
        ...Object.entries(row).map(([field, value]) => ({ field, value })),
        { field: '@ptr', value: `ptr${index}` },
      ])
    return { status, results, statistics: statistics(scannedBytes) }
  }

  #stop({ queryId }: Params): object {
    const running = this.#query(queryId)
    const success = this.#isRunning(running)
    running.stopped = true
    return { success }
  }

  #query(id: unknown): Running {
    const running = this.queries.get(String(id))
    if (running === undefined) throw new AwsFailure('ResourceNotFoundException', 'Query does not exist')
    return running
  }

  #isRunning({ startedAt, stopped }: Running): boolean {
    return !stopped && Date.now() < startedAt + this.#options.queryMs
  }

  #group(region: string, name: unknown): LogEvent[] {
    const events = this.groups.get(region)?.get(String(name))
    if (events !== undefined) return events
    throw new AwsFailure('ResourceNotFoundException', 'The specified log group does not exist.')
  }

  #page<Item>(items: readonly Item[], { nextToken: token }: Params, size: number) {
    return pageOf(items, {
      token: typeof token === 'string' ? token : undefined,
      size,
      withEmptyPages: this.#options.emptyPages,
      tokenError: 'InvalidParameterException',
    })
  }
}
