import type { SrecodexError } from '../../src/errors.ts'
import { carryOver } from '../../src/runs/journal/carry-over.ts'
import type { JournalEntry, RecordedEntry } from '../../src/runs/journal/entries.ts'
import { historyOf, type RunHistory } from '../../src/runs/journal/history.ts'
import { createLedger, type Ledger, type LedgerMethod, type LedgerOptions } from '../../src/runs/ledger.ts'

/** A run: its ledger, called as the channel does, over a journal in memory that makes things durable when told. */
export class Run {
  readonly entries: JournalEntry[]
  readonly ledger: Ledger
  /** Commits that wait for the disk; null: it is at once. */
  waiting: (() => void)[] | null = null
  failure: SrecodexError | null = null

  constructor(
    past: RunHistory | null = null,
    options: Partial<LedgerOptions> = {},
    phase: 'plan' | 'apply' = 'apply',
  ) {
    const begin = { kind: 'begin', run: '01J', parent: null, phase, scriptSha256: '', args: [] } as const
    this.entries = [begin, ...(past === null ? [] : carryOver(past))]
    const journal: LedgerOptions['journal'] = {
      append: entry => void this.entries.push(structuredClone(entry)),
      commit: entry => {
        if (this.failure !== null) return Promise.reject(this.failure)
        this.entries.push(structuredClone(entry))
        return this.waiting === null ? Promise.resolve() : new Promise(resolve => this.waiting!.push(resolve))
      },
    }
    this.ledger = createLedger({ journal, history: past, random: () => 0.5, ...options })
  }

  async call(method: LedgerMethod, params: Record<string, unknown> = {}): Promise<Answer> {
    const wire = JSON.parse(JSON.stringify(params)) as Record<string, unknown>
    const answer: unknown = await this.ledger.handlers[method](wire, { signal: new AbortController().signal })
    return JSON.parse(JSON.stringify(answer)) as Answer
  }

  async each(keys: readonly string[], item: string | null = null, prefix = ''): Promise<Told[]> {
    const { each } = await this.call('each.open', { item, prefix })
    return (await this.call('each.add', { each, keys })).items
  }

  start(token: string, verified?: boolean | null): Promise<Answer> {
    return this.call('item.start', { token, ...(verified === undefined ? {} : { verified }) })
  }

  end(token: string, outcome: 'ok' | 'failed', more: object = {}): Promise<Answer> {
    return this.call('item.end', { token, outcome, ...more })
  }

  /** A mutation as the broker makes it. */
  mutate(key: string, call: string, outcome: Parameters<Ledger['mutationEnded']>[2] | null): void {
    this.entries.push({
      kind: 'call',
      call,
      tool: 'kubectl',
      argv: [],
      effect: 'mutate',
      verb: '',
      targets: [],
      item: key,
      identity: `id of ${call} for ${key}`,
      occurrence: 1,
      planned: false,
      undo: false,
      before: {},
      ran: null,
    })
    this.ledger.mutationStarted(key, call)
    if (outcome === null) return
    this.entries.push({
      kind: 'result',
      call,
      exitCode: outcome === 'ok' ? 0 : 1,
      signal: null,
      durationMs: 1,
      stdoutBytes: 0,
      stderrBytes: 0,
      class: null,
      answered: 'tool',
      outcome,
    })
    this.ledger.mutationEnded(key, call, outcome)
  }

  history(): RunHistory {
    return historyOf(this.entries.map((entry, i): RecordedEntry => ({ ...entry, seq: i + 1, at: '' })))
  }

  states(): Record<string, string> {
    return Object.fromEntries([...this.ledger.items()].map(({ key, state }) => [key, state]))
  }
}

/** Of any method: a test reads what it knows is there. */
export interface Answer {
  readonly each: number
  readonly items: Told[]
  readonly go: boolean
  readonly state: string
  readonly retryAfterMs: number | null
}

export interface Told {
  readonly token: string
  readonly state: string
  readonly value: unknown
}
