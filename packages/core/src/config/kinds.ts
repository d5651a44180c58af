/**
 * What a config value may be.
 *
 * A kind reads one TOML value into the form the rest of srecodex uses (bytes, milliseconds, absolute paths)
 * and says everything that is wrong with it. It is plain code instead of a schema library because config is
 * loaded on every start, and a schema library alone would double the time of a start.
 */

import path from 'node:path'
import { isTable, quote } from './toml-text.ts'

/** What a kind may ask of the place that it reads from. */
export interface Reader {
  /** Where a leading `~/` leads. */
  readonly home: string
  /** Reports a problem; `within` leads from the value to the part that is wrong. */
  refuse(message: string, hint?: string, within?: readonly (string | number)[]): undefined
}

export interface Kind<T> {
  /** How the type reads in a message and in the reference: `a size such as "2GiB"`. */
  readonly type: string
  /** `undefined` means that at least one problem was reported. */
  read(value: unknown, reader: Reader): T | undefined
  /** A TOML value from the text of a flag or an environment variable. */
  fromText(text: string): unknown
}

const shown = (value: unknown): string => {
  if (typeof value === 'string') return quote(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return `${value}`
  if (Array.isArray(value)) return 'a list'
  return value instanceof Date ? 'a date' : 'a table'
}

const wrongType = (reader: Reader, value: unknown, type: string, hint?: string): undefined =>
  reader.refuse(`is ${shown(value)}, not ${type}`, hint)

const numberFromText = (text: string): unknown => (/^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text)

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)

const isFiniteNumber = (value: unknown): value is number => Number.isFinite(value)

/** One of a closed set of words. */
export const choice = <const V extends string>(values: readonly V[]): Kind<V> => {
  const type = `one of ${values.map(value => `"${value}"`).join(', ')}`
  return {
    type,
    read: (value, reader) => values.find(one => one === value) ?? wrongType(reader, value, type),
    fromText: text => text,
  }
}

export const flag: Kind<boolean> = {
  type: 'true or false',
  read: (value, reader) => (typeof value === 'boolean' ? value : wrongType(reader, value, flag.type)),
  fromText: text => (text === 'true' ? true : text === 'false' ? false : text),
}

const bounded = (
  type: string,
  range: { readonly min: number; readonly max: number; readonly unit?: string; readonly why?: string },
  toNumber: (value: unknown, reader: Reader) => number | undefined,
): Kind<number> => ({
  type,
  read: (value, reader) => {
    const number = toNumber(value, reader)
    if (number === undefined || (number >= range.min && number <= range.max)) return number
    const unit = range.unit === undefined ? '' : ` ${range.unit}`
    return reader.refuse(
      `is ${shown(value)}; it must lie between ${range.min} and ${range.max}${unit}`,
      range.why,
    )
  },
  fromText: numberFromText,
})

export const integer = (min: number, max: number, why?: string): Kind<number> =>
  bounded('a whole number', { min, max, ...(why === undefined ? {} : { why }) }, (value, reader) =>
    isWhole(value) ? value : wrongType(reader, value, 'a whole number'),
  )

export const decimal = (min: number, max: number): Kind<number> =>
  bounded('a number', { min, max }, (value, reader) =>
    isFiniteNumber(value) ? value : wrongType(reader, value, 'a number'),
  )

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
])

/** Bytes, from `"2GiB"` or a plain number of bytes. */
export const size = (minBytes: number, maxBytes: number = 2 ** 50): Kind<number> => {
  const type = 'a size such as "2GiB"'
  return bounded(type, { min: minBytes, max: maxBytes, unit: 'bytes' }, (value, reader) => {
    if (isWhole(value)) return value
    const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(value.trim()) : null
    const unit = SIZE_UNITS.get(match?.[2] ?? '')
    if (unit !== undefined) return Math.floor(Number(match?.[1]) * unit)
    return wrongType(reader, value, type, `units are ${[...SIZE_UNITS.keys()].join(', ')}`)
  })
}

const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** Milliseconds, from `"15m"` or a plain number of seconds. */
export const duration = (minSeconds: number, maxSeconds: number): Kind<number> => {
  const type = 'a number of seconds or a duration such as "15m"'
  const kind = bounded(type, { min: minSeconds, max: maxSeconds, unit: 'seconds' }, (value, reader) => {
    if (isFiniteNumber(value)) return value
    const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?) ?([a-z]+)$/.exec(value.trim()) : null
    const unit = DURATION_UNITS.get(match?.[2] ?? '')
    if (unit !== undefined) return (Number(match?.[1]) * unit) / 1000
    return wrongType(reader, value, type, `units are ${[...DURATION_UNITS.keys()].join(', ')}`)
  })
  return {
    ...kind,
    read: (value, reader) => {
      const seconds = kind.read(value, reader)
      return seconds === undefined ? undefined : Math.round(seconds * 1000)
    },
  }
}

/** Calls a second, from `"20/s"`, `"600/m"` or `"100/h"`. */
export const rate: Kind<number> = {
  type: 'a rate such as "20/s"',
  read: (value, reader) => {
    const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?) ?\/ ?([smh])$/.exec(value.trim()) : null
    const perSecond = Number(match?.[1]) / ((DURATION_UNITS.get(match?.[2] ?? '') ?? NaN) / 1000)
    if (Number.isNaN(perSecond)) return wrongType(reader, value, rate.type, 'units are /s, /m and /h')
    if (perSecond > 0 && perSecond <= 10_000) return perSecond
    return reader.refuse(`is ${shown(value)}; it must be more than 0 and at most 10000/s`)
  },
  fromText: text => text,
}

/** One string. `check` says what is wrong with it, or nothing. */
export interface TextRule {
  readonly type: string
  readonly hint?: string
  /** Keep what was given out of the message: a secret is often put where its name belongs. @default false */
  readonly mayBeSecret?: boolean
  accept(text: string): boolean
  /** @default the text as it is */
  resolve?(text: string, home: string): string
}

export const anyText: TextRule = {
  type: 'text that is not empty',
  accept: text => text !== '' && !text.includes('\0'),
}

export const absolutePath: TextRule = {
  type: 'an absolute path',
  hint: 'write the whole path, or one that begins with ~/',
  accept: text => /^(\/|~$|~\/)/.test(text) && !text.includes('\0'),
  resolve: (text, home) => {
    const whole = path.normalize(text.startsWith('~') ? path.join(home, text.slice(1)) : text)
    return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole
  },
}

const PROGRAM = /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/

export const programName: TextRule = {
  type: 'the name of a program',
  hint: 'letters, digits and . _ + -, no slash',
  accept: text => PROGRAM.test(text),
}

export const program: TextRule = {
  type: 'the name or the absolute path of a program',
  accept: text => PROGRAM.test(text) || /^\/[^\0]+$/.test(text),
}

export const serverName: TextRule = {
  type: 'a name of letters, digits, _ and -',
  accept: text => /^[A-Za-z0-9_-]+$/.test(text),
}

export const variableName: TextRule = {
  type: 'the name of an environment variable',
  mayBeSecret: true,
  accept: text => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text),
}

export const webAddress: TextRule = {
  type: 'an http or https address',
  mayBeSecret: true,
  accept: text => URL.canParse(text) && /^https?:\/\//.test(text),
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const DOMAIN = new RegExp(`^(?:\\*\\.)?(?:${LABEL}\\.)*${LABEL}$`)

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

/** Without `node:net`, which costs a start several milliseconds: the parser of URLs is loaded anyway. */
const addressBits = (address: string): number => {
  if (IPV4.test(address)) return 32
  return /^[0-9a-f:.]+$/.test(address) && URL.canParse(`http://[${address}]/`) ? 128 : 0
}

const isBlock = (text: string): boolean => {
  const [address = '', prefix = '', ...rest] = text.split('/')
  const bits = addressBits(address)
  return rest.length === 0 && bits > 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits
}

/** An IPv6 block has more colons than one, and takes no port here. */
const withoutPort = (text: string): string =>
  text.replace(/^([^:]+):(\d{1,5})$/, (whole, name: string, port: string) =>
    Number(port) > 0 && Number(port) < 65_536 ? name : whole,
  )

/**
 * A domain, `*.domain`, or a CIDR block, each with an optional port. A last label that a resolver would read as a number (`10.0.0.1`,
 * `0x7f.1`) is no domain: it would reach an address that only an explicit block may open.
 */
const destination: TextRule = {
  type: 'a domain such as "api.example.com" or a block such as "10.0.0.0/8"',
  hint: 'without scheme or path; a port other than 80 and 443 is named: "api.example.com:8443"; one address is a block such as "10.1.2.3/32"',
  accept: text => {
    const name = withoutPort(text.toLowerCase())
    return (
      isBlock(name) || (name.length <= 253 && DOMAIN.test(name) && !/(^|\.)(\d+|0x[0-9a-f]*)$/.test(name))
    )
  },
  resolve: text => text.toLowerCase(),
}

const readText = (rule: TextRule, value: unknown, reader: Reader): string | undefined => {
  if (typeof value !== 'string') return wrongType(reader, value, rule.type, rule.hint)
  if (!rule.accept(value)) {
    if (rule.mayBeSecret === true) return reader.refuse(`is not ${rule.type}`, rule.hint)
    return wrongType(reader, value, rule.type, rule.hint)
  }
  return rule.resolve?.(value, reader.home) ?? value
}

export const text = (rule: TextRule = anyText): Kind<string> => ({
  type: rule.type,
  read: (value, reader) => readText(rule, value, reader),
  fromText: given => given,
})

/** Reads each part on its own, so that every wrong part of a list or a table is reported at once. */
const within = (reader: Reader, key: string | number): Reader => ({
  home: reader.home,
  refuse: (message, hint, inner = []) => reader.refuse(message, hint, [key, ...inner]),
})

const isPresent = <T>(value: T | undefined): value is T => value !== undefined

const splitList = (given: string): string[] =>
  given
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')

export const list = <T>(item: Kind<T>, type: string): Kind<readonly T[]> => ({
  type,
  read: (value, reader) => {
    if (!Array.isArray(value)) {
      const hint = typeof value === 'string' ? `write [${shown(value)}]` : undefined
      return wrongType(reader, value, type, hint)
    }
    const read = value.map((one: unknown, index) => item.read(one, within(reader, index)))
    return read.every(isPresent) ? read : undefined
  },
  fromText: splitList,
})

/** A table from names to text, without a prototype: a key such as `constructor` is a key like any other. */
export const textMap = (keys: TextRule, type: string): Kind<Readonly<Record<string, string>>> => ({
  type,
  read: (value, reader) => {
    if (!isTable(value)) return wrongType(reader, value, type)
    const read: Record<string, string> = Object.create(null)
    let complete = true
    for (const [key, one] of Object.entries(value)) {
      const part = within(reader, key)
      if (!keys.accept(key)) part.refuse(`has the key ${quote(key)}, which is not ${keys.type}`)
      else if (typeof one !== 'string' || one.includes('\0')) wrongType(part, one, 'text')
      else {
        read[key] = one
        continue
      }
      complete = false
    }
    return complete ? read : undefined
  },
  fromText: given => given,
})

export type Network = 'none' | 'host' | readonly string[]

const destinations = list(text(destination), 'a list of domains and CIDR blocks')

/** An empty list opens nothing, so it reads as "none". */
export const network: Kind<Network> = {
  type: '"none", "host" or a list of domains and CIDR blocks',
  read: (value, reader) => {
    if (value === 'none' || value === 'host') return value
    if (!Array.isArray(value)) {
      const hint = typeof value === 'string' ? `a domain stands in a list: [${shown(value)}]` : undefined
      return wrongType(reader, value, network.type, hint)
    }
    if (value.includes('*')) {
      return reader.refuse('has "*", which is not a domain', '"host" opens everything', [value.indexOf('*')])
    }
    const read = destinations.read(value, reader)
    return read?.length === 0 ? 'none' : read
  },
  fromText: given => (given === 'none' || given === 'host' ? given : splitList(given)),
}
