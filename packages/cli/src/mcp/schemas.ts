/** Shapes of what the tools take and return, as JSON Schema. Inputs are strict: a name that is not known is refused. */

export type Schema = Readonly<Record<string, unknown>>

export type ObjectSchema = {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, Schema>>
} & Schema

export function object(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = Object.keys(properties),
): ObjectSchema {
  return { type: 'object', properties, required: [...required], additionalProperties: false }
}

/** Of what is returned: more fields may come. */
function part(properties: Readonly<Record<string, Schema>>): ObjectSchema {
  return { type: 'object', properties, required: Object.keys(properties) }
}

const TEXT = { type: 'string' } as const
const COUNT = { type: 'integer', minimum: 0 } as const
const TEXTS = { type: 'array', items: TEXT } as const
const YES_OR_NO = { type: 'boolean' } as const

const list = (items: Schema): Schema => ({ type: 'array', items })
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })

/** Crockford's alphabet, as ULIDs are written: no path and no word of a shell is one. */
export const RUN = {
  type: 'string',
  pattern: '^[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{1,26}$',
} as const

const STATUS = {
  enum: [
    ...['running', 'waiting', 'succeeded', 'failed', 'timed-out', 'cancelled', 'interrupted'],
    ...['planned', 'refused', 'drifted'],
  ],
} as const

const STREAM_COUNT = part({ bytes: COUNT, lines: COUNT })

/** `RunReport`, bounded. */
export const RUN_REPORT = part({
  version: { const: 1 },
  run: TEXT,
  parent: orNull(TEXT),
  status: STATUS,
  summary: TEXT,
  exitCode: orNull({ type: 'integer' }),
  signal: orNull(TEXT),
  durationMs: COUNT,
  script: part({ name: TEXT, language: TEXT, sha256: TEXT, bytes: COUNT }),
  output: part({ stdout: STREAM_COUNT, stderr: STREAM_COUNT }),
  items: orNull(
    part({
      ...{ total: COUNT, ok: COUNT, failed: COUNT, unknown: COUNT, skipped: COUNT, pending: COUNT },
      failures: list(part({ class: TEXT, count: COUNT, keys: TEXTS })),
    }),
  ),
  calls: part({
    ...{ total: COUNT, reads: COUNT, mutations: COUNT, failed: COUNT, refused: COUNT },
    enforced: YES_OR_NO,
  }),
  plan: orNull(
    part({
      ...{ id: TEXT, complete: YES_OR_NO, mutations: COUNT },
      ...{ targets: TEXTS, preview: TEXTS, may: TEXTS },
    }),
  ),
  artifacts: list(part({ name: TEXT, bytes: COUNT })),
  context: part({ rawTokens: COUNT, summaryTokens: COUNT }),
  sandbox: part({ mode: TEXT, backend: TEXT, network: TEXT }),
  notices: TEXTS,
  next: orNull(TEXT),
  error: orNull(part({ code: TEXT, message: TEXT, hint: orNull(TEXT) })),
})

/** The same in few words, for the other tools that return one: a list of tools costs its reader context too. */
export const SAME_REPORT = {
  ...part({ run: TEXT, status: STATUS, summary: TEXT, next: orNull(TEXT) }),
  description: 'As run_script returns.',
}

export const FOUND_SKILLS = part({
  skills: list(part({ id: TEXT, name: TEXT, whenToUse: TEXT, risk: TEXT, signature: TEXT })),
})

export const SKILL_TEXT = part({ id: TEXT, text: TEXT, nextOffset: orNull(COUNT) })

export const OUTPUT_SLICE = part({
  run: TEXT,
  stream: TEXT,
  text: TEXT,
  totalLines: orNull(COUNT),
  nextOffset: orNull({ type: 'integer' }),
})
