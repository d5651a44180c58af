/**
 * The runs that this server has going. A call that waited long enough ends before its run does; the run goes on here,
 * and ends with the server at the latest.
 */

import { SrecodexError, type Plan, type RunEvent, type RunReport } from '@srecodex/core'
import { MAX_LIVE_RUNS } from './limits.ts'

/** What core is given of a run that is started here. */
export interface Hooks {
  readonly callerEnvironment: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly onEvent: (event: RunEvent) => void
  readonly approveDrift?: (plan: Plan) => Promise<boolean>
}

/** A run stands still until somebody says whether it may make a change that its plan does not list. */
export interface Question {
  readonly plan: Plan
  settle(approved: boolean): void
}

export interface ScriptProgress {
  readonly done: number
  readonly total: number | null
  readonly note: string
}

export class LiveRun {
  /** Rejects where the run could not begin. */
  readonly started: Promise<string>
  readonly ended: Promise<RunReport>
  readonly startedAt = Date.now()
  id: string | null = null
  progress: ScriptProgress | null = null
  #question: Question | null = null
  readonly #cancel = new AbortController()
  readonly #answerMs: number
  readonly #askers: (() => void)[] = []

  constructor(
    launch: (hooks: Hooks) => Promise<RunReport>,
    options: {
      readonly environment: NodeJS.ProcessEnv
      readonly canAsk: boolean
      readonly answerMs: number
      readonly onStarted: (run: LiveRun, id: string) => void
    },
  ) {
    this.#answerMs = options.answerMs
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.started = promise
    const onEvent = (event: RunEvent): void => {
      if (event.kind === 'progress') this.progress = event.progress
      else {
        this.id = event.run
        options.onStarted(this, event.run)
        resolve(event.run)
      }
    }
    this.ended = launch({
      callerEnvironment: options.environment,
      signal: this.#cancel.signal,
      onEvent,
      ...(options.canAsk ? { approveDrift: (plan: Plan) => this.#approve(plan) } : {}),
    })
    // Whoever waits for one of them hears of it; often nobody does.
    this.ended.catch(reject)
    this.started.catch(() => {})
  }

  cancel(): void {
    this.#cancel.abort()
  }

  /** Resolves with a question that nobody asks yet; it is the caller's to ask from then on. */
  async nextQuestion(signal: AbortSignal): Promise<Question> {
    while (this.#question === null || signal.aborted) {
      await new Promise<void>(resolve => void this.#askers.push(resolve))
    }
    const question = this.#question
    this.#question = null
    return question
  }

  async #approve(plan: Plan): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const question: Question = { plan, settle: resolve }
    this.#question = question
    for (const wake of this.#askers.splice(0)) wake()
    const onEnd = (): void => resolve(false)
    const timer = setTimeout(onEnd, this.#answerMs)
    this.#cancel.signal.addEventListener('abort', onEnd, { once: true })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#cancel.signal.removeEventListener('abort', onEnd)
      this.#question = null
    }
  }
}

export class LiveRuns {
  readonly #going = new Set<LiveRun>()
  readonly #known = new Set<string>()
  #isClosed = false
  readonly #options: { readonly environment: NodeJS.ProcessEnv; readonly answerMs: number }

  constructor(options: { readonly environment: NodeJS.ProcessEnv; readonly answerMs: number }) {
    this.#options = options
  }

  /** @throws {SrecodexError} LIMIT_EXCEEDED, and REFUSED once the server closes. */
  start(canAsk: boolean, launch: (hooks: Hooks) => Promise<RunReport>): LiveRun {
    if (this.#isClosed) {
      throw new SrecodexError('REFUSED', 'the server is closing', { details: { key: 'mcp' } })
    }
    if (this.#going.size >= MAX_LIVE_RUNS) {
      throw new SrecodexError('LIMIT_EXCEEDED', `${MAX_LIVE_RUNS} runs are going already`, {
        hint: 'wait for one with run_status, or end one with cancel_run',
        details: { limit: 'runs at a time' },
      })
    }
    const run = new LiveRun(launch, {
      ...this.#options,
      canAsk,
      onStarted: (_run, id) => this.#known.add(id),
    })
    this.#going.add(run)
    const forget = (): void => void this.#going.delete(run)
    run.ended.then(forget, forget)
    return run
  }

  find(id: string): LiveRun | null {
    return [...this.#going].find(run => run.id === id) ?? null
  }

  /** Ids of all runs that began here, in their order. */
  get known(): readonly string[] {
    return [...this.#known]
  }

  /** Interrupts what goes on, and waits until it has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    const going = [...this.#going]
    for (const run of going) run.cancel()
    await Promise.allSettled(going.map(run => run.ended))
  }
}
