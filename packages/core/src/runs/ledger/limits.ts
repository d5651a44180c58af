/** What the items and decisions of one run may take of the host. */

export interface LedgerLimits {
  /** @default 100_000 */
  readonly maxItems: number
  /** @default 100_000 */
  readonly maxEaches: number
  /** Of one key as the script gives it, in characters. @default 200 */
  readonly maxKeyChars: number
  /** Of a key with those of the items around it, in characters. @default 1_000 */
  readonly maxFullKeyChars: number
  /** @default 2_000 */
  readonly maxKeysAtOnce: number
  /** JSON that an item records. @default 64 KiB */
  readonly maxValueBytes: number
  /** JSON of one `once`. @default 256 KiB */
  readonly maxOnceBytes: number
  /** All values of a run together: a resume holds them in memory. @default 64 MiB */
  readonly maxRecordedBytes: number
  /** Values in one answer. @default 12 MiB */
  readonly maxAnswerBytes: number
  /** @default 10_000 */
  readonly maxOnceNames: number
  /** @default 1_000 */
  readonly maxFallbacks: number
}

export const DEFAULT_LEDGER_LIMITS: LedgerLimits = {
  maxItems: 100_000,
  maxEaches: 100_000,
  maxKeyChars: 200,
  maxFullKeyChars: 1000,
  maxKeysAtOnce: 2000,
  maxValueBytes: 64 * 1024,
  maxOnceBytes: 256 * 1024,
  maxRecordedBytes: 64 * 1024 * 1024,
  maxAnswerBytes: 12 * 1024 * 1024,
  maxOnceNames: 10_000,
  maxFallbacks: 1000,
}
