/** What fires, as groups: the most severe first, with what their alerts differ by, and how much looks like noise. Pure. */

import { byText } from './matchers.js'

const RANKS = { critical: 0, page: 0, emergency: 0, error: 1, high: 1, warning: 2, info: 3, low: 3, none: 3 }
const UNKNOWN_RANK = 4
const DAY_MS = 86_400_000

export const stateOf = ({ status = {} }) =>
  (status.silencedBy ?? []).length > 0
    ? 'silenced'
    : (status.inhibitedBy ?? []).length > 0
      ? 'inhibited'
      : 'active'

const labelsOf = ({ labels }) =>
  JSON.stringify(
    Object.keys(labels)
      .toSorted(byText)
      .map(name => [name, labels[name]]),
  )

/** Alerts with the same labels are one. */
export function distinct(alerts) {
  const seen = new Map(alerts.map(alert => [labelsOf(alert), alert]))
  return [...seen.values()]
}

const rankOf = ({ labels }) => RANKS[labels.severity?.toLowerCase()] ?? UNKNOWN_RANK

const hasRunbook = ({ annotations = {} }) =>
  Object.keys(annotations).some(name => /runbook|playbook/i.test(name))

/**
 * @param shown Alerts that are told of.
 * @param all Those that are silenced as well: a group that is silenced in part is known to somebody.
 */
export function grouped(shown, all, labels, now) {
  const keyOf = alert => labels.map(label => alert.labels[label] ?? '')
  const silenced = new Map()
  for (const alert of all) {
    const key = JSON.stringify(keyOf(alert))
    if (stateOf(alert) === 'silenced') silenced.set(key, (silenced.get(key) ?? 0) + 1)
  }
  const members = new Map()
  for (const alert of shown) {
    const key = JSON.stringify(keyOf(alert))
    const alerts = members.get(key)
    if (alerts === undefined) members.set(key, [alert])
    else alerts.push(alert)
  }
  const groups = [...members].map(([key, alerts]) => {
    const times = alerts
      .map(({ startsAt }) => startsAt)
      .sort((one, other) => Date.parse(one) - Date.parse(other))
    const worst = alerts.reduce((one, other) => (rankOf(other) < rankOf(one) ? other : one))
    const quiet = (silenced.get(key) ?? 0) / Math.max(1, alerts.length + (silenced.get(key) ?? 0))
    return {
      key: Object.fromEntries(labels.map((label, at) => [label, JSON.parse(key)[at]])),
      count: alerts.length,
      severity: worst.labels.severity ?? 'none',
      oldest: times[0],
      newest: times.at(-1),
      differs_by: differing(alerts),
      noise: noiseOf(alerts, { rank: rankOf(worst), oldest: times[0], quiet, now }),
      alerts,
    }
  })
  const rank = ({ alerts }) => Math.min(...alerts.map(rankOf))
  return groups.sort((a, b) => rank(a) - rank(b) || Date.parse(a.oldest) - Date.parse(b.oldest))
}

function differing(alerts) {
  const names = new Set(alerts.flatMap(({ labels }) => Object.keys(labels)))
  return [...names]
    .filter(name => new Set(alerts.map(({ labels }) => labels[name])).size > 1)
    .toSorted(byText)
}

/** Shares of one: severity 0.3, age 0.3 (a week is all of it), number 0.2 (100 is), runbook 0.1, silenced 0.1. */
function noiseOf(alerts, { rank, oldest, quiet, now }) {
  const age = Math.min(1, Math.max(0, now - Date.parse(oldest)) / (7 * DAY_MS))
  const number = Math.min(1, Math.log10(alerts.length) / 2)
  const unguided = alerts.filter(alert => !hasRunbook(alert)).length / alerts.length
  const noise =
    0.3 * Math.min(1, rank / 3) + 0.3 * age + 0.2 * number + 0.1 * unguided + 0.1 * Math.min(1, quiet)
  return Math.round(noise * 100) / 100
}

export function ageOf(time, now) {
  const minutes = Math.max(0, now - Date.parse(time)) / 60_000
  if (minutes < 120) return `${Math.round(minutes)} min`
  return minutes < 2880 ? `${(minutes / 60).toFixed(1)} h` : `${Math.round(minutes / 1440)} d`
}
