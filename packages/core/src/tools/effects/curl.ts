/**
 * Decides a call of curl.
 *
 * The operator names addresses, not words: `reads = ["https://prometheus.example/*"]` lets GET and HEAD through,
 * `mutates = ["https://hooks.example/deploy/*"]` any method. Every other host is refused.
 */

import { judge, lookup, readOrNull, Refusal } from './decision.ts'
import type { Call, Judgement, ToolPolicy } from './decision.ts'
import { Operands } from './operands.ts'
import { CURL, isSurelyOn, lastValue, parseOptionSpecs, readArgv, valuesOf } from './options.ts'
import type { ReadArgv } from './options.ts'
import { CURL_BODIES, CURL_FLAGS, CURL_REFUSED } from './tables/curl.ts'

const SPECS = parseOptionSpecs(CURL_FLAGS)

/** The call as the table reads it; null: it cannot. */
export const readCurl = (argv: readonly string[]): ReadArgv | null =>
  readOrNull(() => readArgv(argv, SPECS, CURL))

export const decideCurl = (call: Call, policy: ToolPolicy): Judgement => {
  const read = readArgv(call.argv, SPECS, CURL)
  for (const { name } of read.options) {
    const why = lookup(CURL_REFUSED, name)
    if (why !== undefined) throw new Refusal(`\`--${name}\` ${why}`)
  }
  if (isSurelyOn(read, 'version') || isSurelyOn(read, 'help')) {
    return judge('read', 'help', 'prints its help or its version')
  }
  const urls = [...valuesOf(read, 'url'), ...read.operands, ...(read.rest ?? [])].map(plainAddress)
  if (urls.length === 0) throw new Refusal('the call names no address')
  const method = methodOf(read)
  const isRead = method === 'GET' || method === 'HEAD'
  const reading = urls.every(url =>
    [...policy.reads, ...policy.mutates].some(pattern => covers(pattern, url)),
  )
  const writing = urls.every(url => policy.mutates.some(pattern => covers(pattern, url)))
  const operands = gatherFiles(call, read)
  const rest = {
    target: { kind: 'web' as const, method, urls: urls.map(url => url.href) },
    files: operands.files,
    readsStdin: operands.readsStdin,
    words: call.argv,
  }
  if (isRead ? !reading : !writing) {
    return judge('refuse', method, 'the operator names no such address', {
      ...rest,
      hint: `\`[tools.curl] ${isRead ? 'reads' : 'mutates'} = ["${urls[0]?.origin ?? ''}/*"]\` would`,
    })
  }
  if (!isRead) return judge('mutate', method, `${method} changes something, or is not known not to`, rest)
  if (urls.some(url => policy.reveals.some(pattern => covers(pattern, url)))) {
    return judge('reveal', method, 'the operator says that this address shows secrets', rest)
  }
  return judge('read', method, `${method} reads`, rest)
}

/** curl and this table must read an address alike, so it has to be plain. */
const plainAddress = (text: string): URL => {
  const url = /^https?:\/\/[A-Za-z0-9]/.test(text) && URL.canParse(text) ? new URL(text) : null
  if (url === null) throw new Refusal(`\`${text}\` is no plain http or https address`)
  if (
    url.username !== '' ||
    url.password !== '' ||
    /[\\\s{}[\]]|[^\u0021-\u007e]|^https?:\/\/[^/]*@/.test(text)
  ) {
    throw new Refusal(`\`${text}\` holds a login, braces or brackets`, { hint: 'write one plain address' })
  }
  if (/%2e|%2f|%5c|\/\.{1,2}(\/|$)/i.test(text.split(/[?#]/, 1)[0] ?? '')) {
    throw new Refusal(`the path of \`${text}\` is not plain`)
  }
  return url
}

/** `https://host/path/*`: scheme, host and port are whole; only the path may end in `*`. */
const covers = (pattern: string, url: URL): boolean => {
  if (!/^https?:\/\//.test(pattern) || !URL.canParse(pattern)) return false
  const wanted = new URL(pattern)
  if (wanted.origin !== url.origin || wanted.hostname.includes('*')) return false
  const path = wanted.pathname
  if (path.endsWith('*')) return url.pathname.startsWith(path.slice(0, -1))
  return path === '/' ? url.pathname === '/' : url.pathname === path
}

const methodOf = (read: ReadArgv): string => {
  const given = read.options.filter(one => one.name === 'request')
  const asked = given.at(-1)?.value
  if (asked !== undefined && asked !== null) {
    if (!/^[A-Za-z]+$/.test(asked)) throw new Refusal('the method is no plain word')
    // A body behind a GET is read by some servers as what it says, not as what it is called.
    if (hasBody(read) && !isSurelyOn(read, 'get')) return asked === 'GET' || asked === 'HEAD' ? 'POST' : asked
    return asked
  }
  if (valuesOf(read, 'upload-file').length > 0) return 'PUT'
  if (isSurelyOn(read, 'head')) return 'HEAD'
  return hasBody(read) && !isSurelyOn(read, 'get') ? 'POST' : 'GET'
}

const hasBody = (read: ReadArgv): boolean =>
  valuesOf(read, 'upload-file').length > 0 || CURL_BODIES.some(({ flag }) => valuesOf(read, flag).length > 0)

const gatherFiles = (call: Call, read: ReadArgv): Operands => {
  const operands = new Operands(call)
  for (const { flag, raw } of CURL_BODIES) {
    for (const value of raw ? [] : valuesOf(read, flag))
      for (const file of filesIn(flag, value)) operands.add(file)
  }
  for (const value of valuesOf(read, 'upload-file')) {
    if (/[{}[\]]/.test(value)) throw new Refusal('`--upload-file` with braces or brackets names many files')
    operands.add(value === '.' ? '-' : value)
  }
  for (const value of valuesOf(read, 'header')) {
    if (value.startsWith('@')) operands.add(value.slice(1))
    if (
      /^\s*(host|authorization|proxy-[a-z-]*|x-(?:original|rewrite|forwarded)-[a-z-]*|x-http-method[a-z-]*|x-method-override)\s*[:;]/i.test(
        value,
      )
    ) {
      throw new Refusal(
        `the header \`${value.split(/[:;]/, 1)[0] ?? ''}\` changes who is asked, as whom, or for what`,
      )
    }
    if (/[\r\n]/.test(value)) throw new Refusal('a header holds a line break')
  }
  for (const value of valuesOf(read, 'cookie')) if (!value.includes('=')) operands.add(value)
  for (const value of valuesOf(read, 'write-out')) {
    if (value.startsWith('@')) operands.add(value.slice(1))
    if (/%output\{/i.test(value)) throw new Refusal('`%output{…}` writes to a file that no rule covers')
  }
  for (const value of valuesOf(read, 'url-query'))
    if (value.includes('@')) throw new Refusal('`@` in --url-query')
  const folder = lastValue(read, 'output-dir')
  if (folder !== null) operands.add(folder, { access: 'write' })
  for (const flag of ['output', 'dump-header']) {
    for (const value of valuesOf(read, flag)) {
      const isSink = value === '-' || value.startsWith('/')
      operands.add(folder === null || isSink ? value : `${folder}/${value}`, { access: 'write' })
    }
  }
  return operands
}

const filesIn = (flag: string, value: string): string[] => {
  if (flag === 'form') {
    // `name=@a;type=x,b` and `name=<a`; a quoted name may hold anything.
    const content = value.slice(value.indexOf('=') + 1)
    if (/;\s*headers\s*=/i.test(content)) throw new Refusal('`;headers=` of `--form` reads files')
    if (!/^[@<(]/.test(content)) return []
    if (/["\\(]/.test(content)) throw new Refusal('quotes in the file of `--form`')
    return content
      .slice(1)
      .split(',')
      .map(part => part.split(';', 1)[0] ?? '')
  }
  if (flag === 'data-urlencode') {
    // `@file` and `name@file`, unless `=` comes first.
    const at = value.indexOf('@')
    const equals = value.indexOf('=')
    return at >= 0 && (equals < 0 || at < equals) ? [value.slice(at + 1)] : []
  }
  return value.startsWith('@') ? [value.slice(1)] : []
}
