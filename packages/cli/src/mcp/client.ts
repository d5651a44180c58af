/**
 * One call of a client, alike in both revisions of the protocol.
 *
 * Before 2026 a server asks its client by a request of its own, while the call goes on. Since then a call ends with
 * what is asked, and the client calls again with the answer: what is to be done then is kept here, under a name that
 * cannot be guessed and is good once, so nothing that comes back from the client is taken for more than an answer.
 */

import { randomUUID } from 'node:crypto'
import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type CallToolResult,
  type ClientCapabilities,
  type InputRequiredResult,
  type InputResponseView,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'

export type Outcome = CallToolResult | InputRequiredResult

/** What a person said to a question; unanswered: nothing, in the time that there was. */
export type Answer = 'yes' | 'no' | 'unanswered'

export interface Call {
  readonly tool: string
  /** Aborted when the client gave the call up, or went away. */
  readonly signal: AbortSignal
  /** Whether a person can be asked. */
  readonly canAsk: boolean
  /** Whether the client can say which folders it works in. */
  readonly hasRoots: boolean
  /** Null: the client does not want to hear of it. */
  readonly progress: ((done: number, total: number | null, message: string) => void) | null
  /** Asks a person to say yes; `then` goes on, for the same call or the one that brings the answer. */
  ask(message: string, then: (call: Call, answer: Answer) => Promise<Outcome>): Promise<Outcome>
  /** The client's folders, as URIs. */
  roots(then: (call: Call, uris: readonly string[]) => Promise<Outcome>): Promise<Outcome>
}

type Then = (call: Call, response: InputResponseView) => Promise<Outcome>

interface Waiting {
  readonly tool: string
  readonly until: number
  readonly goOn: Then
}

/** Answers that never came are forgotten, the oldest first. */
const MAX_WAITING = 256
const KEY = 'answer'

/** What the calls of one connection share. */
export class Conversation {
  readonly #waiting = new Map<string, Waiting>()
  readonly #server: Server
  readonly #isModern: boolean
  readonly #answerMs: number

  constructor(server: Server, options: { readonly isModern: boolean; readonly answerMs: number }) {
    this.#server = server
    this.#isModern = options.isModern
    this.#answerMs = options.answerMs
  }

  /** What waits for the answer that this request brings. Null: it brings none, or one that nothing waits for. */
  resumed(tool: string, context: ServerContext): ((call: Call) => Promise<Outcome>) | null {
    const state = context.mcpReq.requestState()
    const waiting = state === undefined ? undefined : this.#waiting.get(state as string)
    if (waiting === undefined || waiting.tool !== tool) return null
    this.#waiting.delete(state as string)
    const response = inputResponse(context.mcpReq.inputResponses, KEY)
    const isLate = Date.now() > waiting.until
    return call => waiting.goOn(call, isLate ? { kind: 'missing' } : response)
  }

  call(tool: string, context: ServerContext): Call {
    const { mcpReq } = context
    const capabilities = this.#capabilities(context)
    const { _meta: meta } = mcpReq
    const token = meta?.progressToken
    const say = (done: number, total: number | null, message: string): void => {
      const params = { progressToken: token!, progress: done, ...(total === null ? {} : { total }), message }
      // A client that is gone hears nothing; its calls are ended elsewhere.
      void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {})
    }
    return {
      tool,
      signal: mcpReq.signal,
      canAsk: canAsk(capabilities),
      hasRoots: capabilities?.roots !== undefined,
      progress: token === undefined ? null : say,
      ask: (message, then) => this.#ask(tool, context, message, then),
      roots: then => this.#roots(tool, context, then),
    }
  }

  #capabilities({ mcpReq }: ServerContext): ClientCapabilities | undefined {
    if (!this.#isModern) return this.#server.getClientCapabilities()
    const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {}
    return envelope[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined
  }

  async #ask(
    tool: string,
    context: ServerContext,
    message: string,
    then: (call: Call, answer: Answer) => Promise<Outcome>,
  ): Promise<Outcome> {
    // No fields: accepting it is the answer.
    const question = { mode: 'form', message, requestedSchema: { type: 'object', properties: {} } } as const
    if (this.#isModern) {
      return this.#later(tool, inputRequired.elicit(question), (call, response) =>
        then(call, response.kind === 'elicit' ? answerOf(response.action) : 'unanswered'),
      )
    }
    const { mcpReq } = context
    const answer = await mcpReq
      .elicitInput(question, { timeout: this.#answerMs, signal: mcpReq.signal })
      .then(({ action }) => answerOf(action))
      .catch((): Answer => 'unanswered')
    return then(this.call(tool, context), answer)
  }

  async #roots(
    tool: string,
    context: ServerContext,
    then: (call: Call, uris: readonly string[]) => Promise<Outcome>,
  ): Promise<Outcome> {
    if (this.#isModern) {
      return this.#later(tool, inputRequired.listRoots(), (call, response) =>
        then(call, response.kind === 'roots' ? response.roots.map(({ uri }) => uri) : []),
      )
    }
    const uris = await context.mcpReq
      .send({ method: 'roots/list' }, { timeout: this.#answerMs, signal: context.mcpReq.signal })
      .then(({ roots }) => roots.map(({ uri }) => uri))
      .catch(() => [])
    return then(this.call(tool, context), uris)
  }

  #later(tool: string, request: ReturnType<typeof inputRequired.elicit>, then: Then): InputRequiredResult {
    const state = randomUUID()
    this.#waiting.set(state, { tool, until: Date.now() + this.#answerMs, goOn: then })
    const oldest = this.#waiting.keys().next().value
    if (this.#waiting.size > MAX_WAITING && oldest !== undefined) this.#waiting.delete(oldest)
    return inputRequired({ inputRequests: { [KEY]: request }, requestState: state })
  }
}

function answerOf(action: 'accept' | 'decline' | 'cancel'): Answer {
  if (action === 'accept') return 'yes'
  // Closed without a word: that is no answer.
  return action === 'decline' ? 'no' : 'unanswered'
}

/** A client that says `{}` takes forms; one that names only URLs takes none. */
function canAsk(capabilities: ClientCapabilities | undefined): boolean {
  const asked = capabilities?.elicitation
  return asked !== undefined && (asked.form !== undefined || asked.url === undefined)
}
