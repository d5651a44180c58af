/** Whether inputs fit what a skill declares: every place that does not, in words. */

export interface InputFault {
  /** Name of the input; empty: it concerns several, or one that is not declared. */
  readonly input: string
  readonly message: string
}

type Json = Readonly<Record<string, unknown>>

/** Keywords that only say that something below them does not fit. */
const WRAPPERS = new Set(['properties', 'items', 'prefixItems', 'allOf', '$ref', 'then', 'else', 'false'])

/**
 * @param schema JSON Schema of a skill that is served: it was checked when the skill was read.
 * @param within Runs the check itself, for those who must bound its time.
 */
export async function inputFaults(
  schema: Json,
  inputs: Json,
  within: <Result>(check: () => Result) => Result = check => check(),
): Promise<InputFault[]> {
  const { Validator } = await import('@cfworker/json-schema')
  const { valid, errors } = within(() => new Validator(schema, '2020-12', false).validate(inputs))
  if (valid) return []
  const choice = oneOfNames(schema)
  const faults = new Map<string, InputFault>()
  for (const { instanceLocation, keyword, keywordLocation, error } of errors) {
    if (WRAPPERS.has(keyword)) continue
    if (choice !== null && /^#\/(?:any|one)Of\//.test(keywordLocation)) continue
    const [input = '', ...below] = instanceLocation.split('/').slice(1).map(decoded)
    const what =
      choice !== null && /^#\/(?:any|one)Of$/.test(keywordLocation)
        ? `one of ${choice.map(name => `\`${name}\``).join(', ')} is needed`
        : inWords(keyword, error, valueAt(schema, keywordLocation))
    const message = below.length === 0 ? what : `${below.join('.')} ${what}`
    faults.set(`${input} ${message}`, { input, message })
  }
  return [...faults.values()]
}

/** `anyOf: [{ required: [a] }, { required: [b] }]` says that one of them is needed. */
function oneOfNames({ anyOf, oneOf }: Json): string[] | null {
  const branches = anyOf ?? oneOf
  if (!Array.isArray(branches)) return null
  const isChoice = (branches as Json[]).every(branch => Object.keys(branch).join(',') === 'required')
  return isChoice ? (branches as { required: string[] }[]).flatMap(({ required }) => required) : null
}

function inWords(keyword: string, error: string, wanted: unknown): string {
  const named = /[Pp]roperty "(.*)"/.exec(error)?.[1] ?? ''
  switch (keyword) {
    case 'required':
      return `\`${named}\` is needed`
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return `there is no input \`${named}\``
    case 'type':
      return `must be of type ${[wanted].flat().join(' or ')}`
    case 'enum':
      return `must be one of ${[wanted].flat().map(texts).join(', ')}`
    case 'const':
      return `must be ${texts(wanted)}`
    case 'pattern':
      return `must match ${String(wanted)}`
    case 'minimum':
      return `must be at least ${String(wanted)}`
    case 'maximum':
      return `must be at most ${String(wanted)}`
    case 'exclusiveMinimum':
      return `must be above ${String(wanted)}`
    case 'exclusiveMaximum':
      return `must be below ${String(wanted)}`
    default:
      return `does not fit: ${error.replace(/\.$/, '')}`
  }
}

function texts(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What a JSON pointer such as `#/properties/n/minimum` leads to; undefined where it passes a reference. */
function valueAt(schema: Json, pointer: string): unknown {
  let at: unknown = schema
  for (const step of pointer.split('/').slice(1).map(decoded)) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as Json)[step]
  }
  return at
}

function decoded(step: string): string {
  const text = step.replaceAll('~1', '/').replaceAll('~0', '~')
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
