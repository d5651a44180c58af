/** Numbers as people read them. */

export function bytes(size: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = size
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`
}

/** Not `toLocaleString`: the first use of Intl costs a start 40 ms. */
export function count(value: number): string {
  return String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min${rest(seconds % 60, 's')}`
    : `${Math.floor(minutes / 60)} h${rest(minutes % 60, 'min')}`
}

const rest = (value: number, unit: string): string => (value === 0 ? '' : ` ${value} ${unit}`)

/** How long ago, in the largest unit that says something. */
export function age(since: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000))
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

/** By the clock on the wall, with its offset: `2026-11-22 11:29:20 +01:00`. */
export function time(date: Date): string {
  const two = (value: number): string => String(Math.floor(Math.abs(value))).padStart(2, '0')
  const offset = -date.getTimezoneOffset()
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  const zone = offset === 0 ? 'UTC' : `${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`
  return `${day} ${clock} ${zone}`
}

export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}
