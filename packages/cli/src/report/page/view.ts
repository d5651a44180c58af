/** The part of a run that is seen. Pure: what is given back lies within the run, and is as long as can be seen. */

export interface View {
  readonly fromMs: number
  readonly toMs: number
}

/** Less than this no zoom shows. */
const MIN_VIEW_MS = 2

export function whole(lengthMs: number): View {
  return { fromMs: 0, toMs: lengthMs }
}

export function isWhole({ fromMs, toMs }: View, lengthMs: number): boolean {
  return toMs - fromMs >= lengthMs
}

/** As long as it was, where the run has room for it. */
export function clamped({ fromMs, toMs }: View, lengthMs: number): View {
  const spanMs = Math.min(lengthMs, Math.max(MIN_VIEW_MS, toMs - fromMs))
  const startMs = Math.min(lengthMs - spanMs, Math.max(0, fromMs))
  return { fromMs: startMs, toMs: startMs + spanMs }
}

/** By a share of what is seen; below 0: back. */
export function shifted({ fromMs, toMs }: View, share: number, lengthMs: number): View {
  const byMs = (toMs - fromMs) * share
  return clamped({ fromMs: fromMs + byMs, toMs: toMs + byMs }, lengthMs)
}

/** `factor` below 1 shows less; `aroundMs` stays where it is, but at the ends of the run. */
export function zoomed({ fromMs, toMs }: View, factor: number, aroundMs: number, lengthMs: number): View {
  const startMs = aroundMs - (aroundMs - fromMs) * factor
  return clamped({ fromMs: startMs, toMs: startMs + (toMs - fromMs) * factor }, lengthMs)
}

export function middleOf({ fromMs, toMs }: View): number {
  return (fromMs + toMs) / 2
}
