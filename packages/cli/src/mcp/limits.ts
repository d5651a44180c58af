/** What may go over the wire, and how long things wait. Each with its unit. */

/** Since 2026 the protocol adds to each result of what kind it is, and who serves it. */
const ADDED_CHARS = 150

/** Of a whole result as JSON: clients send it to the model as it is. */
export const MAX_RESULT_CHARS = 2500 - ADDED_CHARS

/** Of a result that is an error, as JSON: opencode sends those uncut. */
export const MAX_ERROR_CHARS = 1000 - ADDED_CHARS

/** Of one page of a skill's text. Codex cuts what is beyond 10,000 bytes in the middle. */
export const MAX_SKILL_PAGE_BYTES = 8000

/** Of a run's summary: it is told twice in a result, in `content` and in `structuredContent`. */
export const MAX_SUMMARY_CHARS = 700

/** A model writes no more than this; what is larger is data that strayed into a script. */
export const MAX_SCRIPT_BYTES = 1024 * 1024

/** Of one message from the client. Beyond it the connection is closed. */
export const MAX_MESSAGE_BYTES = 32 * 1024 * 1024

/** Of an artifact that is read as a resource. */
export const MAX_RESOURCE_BYTES = 1024 * 1024

/** Runs that one server has going at a time. */
export const MAX_LIVE_RUNS = 16

/** How long a call waits for a run that goes on: below the shortest time-out that clients have by default. */
export const DEFAULT_WAIT_SECONDS = 240

/** How long a question waits for its answer. */
export const DEFAULT_ANSWER_MS = 60_000

/** How often a client hears that a run goes on. */
export const PROGRESS_INTERVAL_MS = 3000
