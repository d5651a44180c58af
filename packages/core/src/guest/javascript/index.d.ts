/**
 * What a script says to srecodex, and what it does through it.
 *
 * Run by hand, outside a sandbox, all of it works but `skill` and `tool`, which reject with code `OUTSIDE`.
 * Wherever a call fails because nobody is at the socket any more, the code is `DISCONNECTED`.
 */

/** A call that srecodex did not take: `code` for programs, `message` and `hint` for people. */
export class SrecodexError extends Error {
  readonly code: string
  readonly hint: string | null
  constructor(code: string, message: string, hint?: string | null)
}

/** `tool` was answered with no: by the tool itself, in its own words (`TOOL_FAILED`), or by the policy (`REFUSED`). */
export class ToolError extends SrecodexError {}

/**
 * A skill that did not give its result.
 *
 * `SKILL_UNKNOWN`, `SKILL_INPUTS`, `REFUSED`: it was not started. `SKILL_FAILED` (with its exit code and the last line
 * of its stderr), `SKILL_TIMED_OUT`, `SKILL_OUTPUT` (with what came in place of one JSON object): it ended.
 */
export class SkillError extends SrecodexError {}

/** Code `SKIPPED`: not in the approved plan, or the run is ending. What it was thrown for is not to be done. */
export class Skipped extends SrecodexError {}

/**
 * Says what the run returns; the last call wins. At most 256 KiB of text.
 *
 * An object or array becomes JSON, bytes are read as UTF-8, anything else becomes `String(text)`. It is delivered
 * also without `await`, unless the script calls `process.exit` first.
 */
export function summary(text: unknown): Promise<void>

/**
 * Says how far the script is. It needs no `await`, never fails for want of a listener and keeps no process alive.
 *
 * @param total Null or absent where it is not known.
 */
export function progress(done: number, total?: number | null, note?: string): Promise<void>

/**
 * Gives the path to write a file to that is kept with the run; its folder exists.
 *
 * @param name Relative, such as `failed/pods.json`, without `..`, at most 200 bytes.
 */
export function artifact(name: string): Promise<string>

/**
 * Calls a tool of an MCP server that the operator has configured. Any number of calls may be under way at once.
 *
 * @param args The tool's arguments. @default {}
 * @returns The structured content of its result; without one its text, as JSON where it is JSON. The type is the
 *   caller's word.
 * @throws {ToolError} also where the tool itself says that it failed.
 * @throws {Skipped}
 */
export function tool<Result = unknown>(
  server: string,
  name: string,
  args?: Readonly<Record<string, unknown>>,
): Promise<Result>

/**
 * Runs a skill's payload in this sandbox, in a process of its own, and gives the JSON object that it prints. What it
 * logs on stderr appears on the script's. It is ended when the skill's `timeout` is over.
 *
 * @param id Such as `k8s/bulk-restart`.
 * @param inputs What its schema asks for. @default {}
 * @returns The type is the caller's word.
 * @throws {SkillError}
 * @throws {Skipped}
 */
export function skill<Result extends object = Record<string, unknown>>(
  id: string,
  inputs?: Readonly<Record<string, unknown>>,
): Promise<Result>

/** `skill`, by the name that it has in asyncio. */
export const askill: typeof skill

/** `tool`, by the name that it has in asyncio. */
export const atool: typeof tool

/** So many items, or a share of all of them, such as `'10%'`. */
export type Share = number | `${number}%`

/** True: it is done. False: it is not. Null or undefined: that cannot be told. */
export type Verdict = boolean | null | undefined

export interface EachOptions<Item> {
  /**
   * Tells items apart, in this run and in those that resume it: 1 to 200 characters, without control characters.
   *
   * @default String
   */
  readonly key?: (item: Item) => unknown
  /** How many are worked on at once, 1 to 256. @default 8 */
  readonly atOnce?: number
  /**
   * Sizes of the waves, such as `[1, 5, '100%']`; shares are of all items. A wave starts when every item of the one
   * before it has ended, and been verified. What the sizes leave over is one more.
   *
   * @default one wave
   */
  readonly waves?: readonly Share[] | null
  /**
   * When more than this many failed or are unknown, nothing new starts, and the rest stays pending.
   *
   * @default 0 where there are waves, else no limit
   */
  readonly maxFailures?: Share | null
  /**
   * How often an item may be tried again. srecodex does so only where that cannot do anything twice, after a pause;
   * outside of a sandbox never.
   *
   * @default 0
   */
  readonly retries?: number
  /**
   * Looks whether an item is done. Asked at the end of a wave of each item that succeeded (true: it is ok, false: it
   * failed, null: it is unknown), and first of all of an item that an earlier run started and whose outcome is not
   * known (true: it is ok, false: it is done again, null: it is left alone). Not asked in planning. What it throws
   * counts as null.
   */
  readonly verify?: ((item: Item) => Verdict | PromiseLike<Verdict>) | null
}

/** An item that is done. */
export interface EachDone<Item, Value> {
  readonly key: string
  readonly item: Item
  /**
   * What the function gave. Of an item that an earlier run finished, or that `verify` settled, what was recorded:
   * null where that was not JSON, more than 64 KiB, or past what a run records.
   */
  readonly value: Value | null
  readonly error: null
}

/** An item that is not done. */
export interface EachLeft<Item> {
  readonly key: string
  readonly item: Item
  readonly value: null
  /** What was thrown, or a `SrecodexError` that says why; null where it was never started, or not by this run. */
  readonly error: unknown
}

/** Lists in the order in which the items were given. */
export interface EachResult<Item, Value> {
  readonly ok: EachDone<Item, Value>[]
  readonly failed: EachLeft<Item>[]
  /** Started, and whether it is done cannot be told. Not repeated by itself. */
  readonly unknown: EachLeft<Item>[]
  /** Not in the approved plan. */
  readonly skipped: EachLeft<Item>[]
  /** Never started. */
  readonly pending: EachLeft<Item>[]
  /** Such as `50 ok, 2 failed (exit 1: shop/web, shop/api), 1 skipped`: classes of failure with their first keys. */
  summary(): string
  toString(): string
}

/**
 * Works on many items at once, with a record of each in the run's ledger: what an earlier run finished is not done
 * again, and one failure does not end the others.
 *
 * Commands that `fn` starts, by whatever function of `node:child_process`, are recorded as the item's.
 *
 * @param items Taken in whole before anything starts.
 * @param fn Throwing means failed. Its value is recorded where it is JSON of at most 64 KiB.
 * @throws {SrecodexError} `INVALID_PARAMS`: two items with one key, a key or an option that cannot be, before anything
 *   starts. `DISCONNECTED`: the host is gone; what was under way has come to its end.
 */
export function each<Item, Value>(
  items: Iterable<Item> | AsyncIterable<Item>,
  fn: (item: Item) => Value | PromiseLike<Value>,
  options?: EachOptions<Item>,
): Promise<EachResult<Item, Value>>

/**
 * Decides a value once, such as a time or a random name: the plan, its apply and each resume get the same. Names are a
 * skill's own: two skills do not share them.
 *
 * Calls of one name at the same time share one decision. When `fn` throws, the next call decides.
 *
 * @returns What JSON keeps of the value, also the first time: a `Date` is a string. At most 256 KiB.
 * @throws {SrecodexError} `INVALID_PARAMS`: JSON cannot hold it. `TOO_LARGE`.
 */
export function once<Value>(name: string, fn: () => Value | PromiseLike<Value>): Promise<Value>

/**
 * Declares a mutation that may become necessary, such as `may('kubectl', 'rollout', 'undo', 'deployment/web')`: the
 * plan shows it and the apply allows it. Await it before the command itself.
 *
 * @throws {SrecodexError} `REFUSED`: the approved plan does not have it.
 */
export function may(...argv: string[]): Promise<void>

declare const srecodex: {
  readonly SkillError: typeof SkillError
  readonly Skipped: typeof Skipped
  readonly SrecodexError: typeof SrecodexError
  readonly ToolError: typeof ToolError
  readonly artifact: typeof artifact
  readonly askill: typeof askill
  readonly atool: typeof atool
  readonly each: typeof each
  readonly may: typeof may
  readonly once: typeof once
  readonly progress: typeof progress
  readonly skill: typeof skill
  readonly summary: typeof summary
  readonly tool: typeof tool
}
export default srecodex
