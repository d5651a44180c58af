/**
 * A model whose answers are written in the test: what it may say, and what it is told, whichever API the agent speaks.
 *
 * One script serves Codex (Responses) and opencode (chat completions); each API is a room of its own beside this one.
 */

/**
 * A call that the model wants. Names are as the agent shows them: see `ModelTurn.tools`. A tool that takes bare text
 * (the Responses API calls it custom) takes it as `{ input }`.
 */
export interface ModelCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** Calls let the agent go on; a text ends the turn. */
export type ModelReply = { readonly calls: readonly ModelCall[] } | { readonly text: string }

export interface ModelTurn {
  /** From 0, the requests that carry the conversation; what an agent asks on the side (a title) is not counted. */
  readonly index: number
  /** Names of the tools that the agent offers in this request; `namespace.name` where it groups them. */
  readonly tools: readonly string[]
  /** Outputs of the calls of the last reply, in their order, exactly as the model is given them. */
  readonly results: readonly string[]
}

/** @throws {Error} What it was told is not what the test foresaw; the agent gets a failed request. */
export type Model = (turn: ModelTurn) => ModelReply

export interface ModelServer {
  /** As an agent's `base_url`. */
  readonly url: string
  /** Bodies of every request, byte for byte, in the order in which they came. */
  readonly bodies: readonly string[]
  /** What `Model` threw, first to last. */
  readonly faults: readonly Error[]
  readonly close: () => Promise<void>
}
