#!/usr/bin/env node
/**
 * Works through what Alertmanager shows: groups it, ages it, ranks the noise; and sets the silences that are asked for.
 *
 * Inputs as a JSON object on stdin, outputs as one on stdout (both as SKILL.md has them), the log on stderr. All
 * silences are checked before the first is set, and one that is there already is not set again.
 */

import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { json } from 'node:stream/consumers'
import { SrecodexError, artifact, each, once, progress } from 'srecodex'
import { AmtoolError, amtool, ask } from './amtool.js'
import { isBroad, keyOf, parseMatcher, textOf } from './matchers.js'
import { ageOf, distinct, grouped, stateOf } from './triage.js'

const PLANNING = process.env.SRECODEX_PHASE === 'plan'
const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const KEY_CHARS = 200
const RETRIES = 3
const SHOWN = 8
/** Alertmanager may round the end of a silence. */
const CLOSE_MS = 60_000

class Refused extends Error {}

const durationMs = text => Number(text.slice(0, -1)) * UNITS_MS[text.at(-1)]

const matchersOf = texts => {
  try {
    return texts.map(parseMatcher)
  } catch (error) {
    throw new Refused(error.message)
  }
}

// --- silences

/** What is to be set, checked as a whole: a mistake in the last one is found before the first is set. */
function wantedOf({ matchers, author, reason, duration, end }, now, longest) {
  const parsed = matchersOf(matchers)
  const key = keyOf(parsed)
  if (parsed.every(isBroad)) {
    throw new Refused(
      `a silence of ${key || 'no matchers'} would cover nearly everything: name what it is for`,
    )
  }
  if (!author?.trim() || !(reason?.trim().length >= 5))
    throw new Refused(`a silence needs an author and a reason: ${key}`)
  if ((duration === undefined) === (end === undefined))
    throw new Refused(`a silence has a duration or an end: ${key}`)
  if (duration !== undefined && !/^\d+[mhd]$/.test(duration))
    throw new Refused(`${duration} is no duration: 90m, 8h, 2d`)
  const until = duration === undefined ? Date.parse(end) : now + durationMs(duration)
  if (Number.isNaN(until)) throw new Refused(`${end} is no time: 2026-05-01T08:00:00Z`)
  if (until <= now) throw new Refused(`a silence until ${iso(until)} has ended already: ${key}`)
  if (until - now > durationMs(longest))
    throw new Refused(`longer than max_silence, ${longest}: ${key} until ${iso(until)}`)
  return { key, matchers: parsed, author, reason, until }
}

const iso = ms => new Date(ms).toISOString().replace('.000Z', 'Z')

/** One with the same matchers that does not end earlier. A pattern as filter would look for values that fit it. */
async function findEqual({ key, matchers, until }) {
  const plain = matchers.filter(({ isEqual, isRegex }) => isEqual && !isRegex)
  const found = await ask('silence', 'query', ...plain.map(textOf))
  return found.find(
    one =>
      one.status.state !== 'expired' &&
      keyOf(one.matchers) === key &&
      Date.parse(one.endsAt) >= until - CLOSE_MS,
  )
}

async function silence(wanted) {
  const there = await findEqual(wanted)
  if (there !== undefined) return { id: there.id, isOld: true }
  const { author, reason, until, matchers } = wanted
  try {
    const words = [`--author=${author}`, `--comment=${reason}`, `--end=${iso(until)}`]
    return { id: (await amtool('silence', 'add', ...words, ...matchers.map(textOf))).trim(), isOld: false }
  } catch (error) {
    if (!(error instanceof AmtoolError)) throw error
    log(`${wanted.key}: ${error.message}`)
    // Whether the answer or the question was lost, a look at the silences tells.
    if (error.kind === 'unreachable') return { id: null, isOld: false }
    throw new SrecodexError(error.kind, error.message)
  }
}

/** What a ledger takes as a key: short, and in one line. */
function itemKey({ key }) {
  const plain = oneLine(key)
  if (plain === key && key.length <= KEY_CHARS) return key
  return `${plain.slice(0, KEY_CHARS - 9)}…${createHash('sha256').update(key).digest('hex').slice(0, 8)}`
}

async function setAll(wanted) {
  if (wanted.length === 0) return { silenced: [], failed: [], skipped: 0 }
  const covered = new Map()
  for (const one of wanted) covered.set(one.key, (await alertsOf(one.matchers.map(textOf))).length)
  let ended = 0
  const done = await each(
    wanted,
    async one => {
      const set = await silence(one).catch(asTold)
      progress((ended += 1), wanted.length, one.key)
      return set
    },
    { key: itemKey, atOnce: 1, retries: RETRIES, verify: async one => (await findEqual(one)) !== undefined },
  )
  const silenced = []
  for (const { item, value } of done.ok) {
    const id = PLANNING ? null : (value?.id ?? (await findEqual(item))?.id ?? null)
    const texts = item.matchers.map(textOf)
    const entry = { matchers: texts, end: iso(item.until), alerts: covered.get(item.key) }
    silenced.push({ ...(id === null ? {} : { id }), ...entry, isOld: value?.isOld === true })
  }
  const words = ({ item, error }, state) => `${item.key}: ${state}${error ? `: ${error.message}` : ''}`
  const failed = [
    ...done.failed.map(one => words(one, 'not set')),
    ...done.unknown.map(one => words(one, 'outcome unknown')),
    ...done.pending.map(one => words(one, 'not started')),
  ]
  return { silenced, failed, skipped: done.skipped.length }
}

function asTold(error) {
  throw error instanceof AmtoolError ? new SrecodexError(error.kind, error.message) : error
}

// --- alerts

/** Active, silenced and inhibited ones at one moment. */
const alertsOf = async (matchers, ...more) =>
  distinct(await ask('alert', 'query', '--active', '--silenced', '--inhibited', ...more, ...matchers))

const oneLine = text => text.replaceAll(/\p{Cc}+/gu, ' ')

function nameOf({ key }) {
  const [first, ...rest] = Object.entries(key)
  const named = ([label, value]) => `${label}=${value === '' ? '(none)' : value}`
  return [first[0] === 'alertname' && first[1] !== '' ? first[1] : named(first), ...rest.map(named)].join(' ')
}

const count = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`

function summarized({ shown, groups, top, all, set, now }) {
  const quiet = ['silenced', 'inhibited']
    .map(state => [all.filter(alert => stateOf(alert) === state).length, state])
    .filter(([number]) => number > 0)
    .map(([number, state]) => `${number} ${state}`)
    .join(', ')
  const beside = quiet === '' ? 'none silenced or inhibited' : quiet
  const lines =
    shown.length === 0
      ? [`nothing fires (${beside})`]
      : [`${count(shown.length, 'alert')} in ${count(groups.length, 'group')} (${beside}; all: alerts.json)`]
  for (const one of top.slice(0, SHOWN)) {
    const differs = one.differs_by.length > 0 ? `, differ by ${one.differs_by.slice(0, 3).join(', ')}` : ''
    lines.push(
      `${one.severity}  ${nameOf(one)} x${one.count}, for ${ageOf(one.oldest, now)}${differs}, noise ${one.noise}`,
    )
  }
  if (groups.length > SHOWN && top.length > 0)
    lines.push(`… and ${count(groups.length - Math.min(SHOWN, top.length), 'more group')}`)
  for (const { matchers, end, alerts, isOld } of set.silenced) {
    const how = isOld ? 'silenced already' : PLANNING ? 'to silence' : 'silenced'
    lines.push(`${how} until ${end}: ${matchers.join(' ')} (${count(alerts, 'alert')} now)`)
  }
  if (set.skipped > 0) lines.push(`${count(set.skipped, 'silence')} not in the plan`)
  lines.push(...set.failed.slice(0, 3))
  return lines.map(oneLine).join('\n')
}

// --- the whole

function log(words) {
  process.stderr.write(`${oneLine(words)}\n`)
}

const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([one]) => one !== name))

async function triage(inputs) {
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs))
    throw new Refused('the inputs are a JSON object')
  const { group_by: labels = ['alertname'], include = [], max_silence: longest = '7d' } = inputs
  const now = await once('now', () => Date.now())
  const filter = matchersOf(inputs.matchers ?? []).map(textOf)
  // The end of a silence as its seconds have it: plan, apply and resume mean the same one.
  const second = Math.floor(now / 1000) * 1000
  const wanted = (inputs.silences ?? []).map(one => wantedOf(one, second, longest))
  const twice = wanted.find((one, at) => wanted.findIndex(({ key }) => key === one.key) !== at)
  if (twice !== undefined) throw new Refused(`two silences for ${twice.key}`)

  // Alertmanager takes a pattern; a receiver is one name.
  const literal = inputs.receiver?.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
  const all = await alertsOf(filter, ...(literal === undefined ? [] : [`--receiver=${literal}`]))
  const shown = all.filter(alert => ['active', ...include].includes(stateOf(alert)))
  const groups = grouped(shown, all, labels, now)
  if (groups.length > 0)
    await writeFile(await artifact('alerts.json'), `${JSON.stringify(groups, null, 2)}\n`)

  const set = await setAll(wanted)
  const top = groups.slice(0, inputs.top ?? 15)
  return {
    summary: summarized({ shown, groups, top, all, set, now }),
    alerts: shown.length,
    groups: top.map(group => without(group, 'alerts')),
    silenced: set.silenced.map(one => without(one, 'isOld')),
    failed: set.failed,
  }
}

try {
  process.stdout.write(`${JSON.stringify(await triage(await json(process.stdin)))}\n`)
} catch (error) {
  if (!(error instanceof Refused || error instanceof AmtoolError || error instanceof SrecodexError))
    throw error
  log(`error: ${error.message}`)
  process.exitCode = 1
}
