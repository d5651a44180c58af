/**
 * Times several ways to do one thing, side by side.
 *
 * Promises: each round does every way once, in an order that shifts from round to round, so that what else the
 * machine does meanwhile falls on all of them alike. The median of the rounds counts, and the median of the
 * ratios within a round: a round that was disturbed disturbs one of them.
 */

export interface Way {
  readonly name: string
  /** Makes room for `once`, untimed. */
  readonly before?: () => void
  /** Does the thing once. What it does before the first await is timed too. */
  readonly once: () => Promise<void>
}

export interface Timing {
  readonly name: string
  readonly medianMs: number
  /** Middle half of the rounds, by its ends. */
  readonly quartilesMs: readonly [number, number]
  readonly samplesMs: readonly number[]
}

export interface RoundsOptions {
  readonly rounds: number
  /** Rounds that are not counted: caches fill, code is compiled. */
  readonly warmUpRounds: number
  readonly onRound?: (done: number, total: number) => void
}

export async function timeWays(ways: readonly Way[], options: RoundsOptions): Promise<Timing[]> {
  const samples = new Map(ways.map(way => [way.name, [] as number[]]))
  const total = options.warmUpRounds + options.rounds
  for (let round = 0; round < total; round++) {
    for (let turn = 0; turn < ways.length; turn++) {
      const way = ways[(round + turn) % ways.length]!
      way.before?.()
      const begun = performance.now()
      await way.once()
      const tookMs = performance.now() - begun
      if (round >= options.warmUpRounds) samples.get(way.name)!.push(tookMs)
    }
    options.onRound?.(round + 1, total)
  }
  return ways.map(({ name }) => timing(name, samples.get(name)!))
}

/** Median over the rounds of `numerator / denominator`. */
export function ratioOf(timings: readonly Timing[], numerator: string, denominator: string): number {
  const [above, below] = [numerator, denominator].map(
    name => timings.find(one => one.name === name)!.samplesMs,
  )
  return quantile(
    above!.map((ms, round) => ms / below![round]!),
    0.5,
  )
}

export function timing(name: string, samplesMs: readonly number[]): Timing {
  return {
    name,
    medianMs: quantile(samplesMs, 0.5),
    quartilesMs: [quantile(samplesMs, 0.25), quantile(samplesMs, 0.75)],
    samplesMs,
  }
}

/** Between two values where the share falls between them. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!]
  return low + (high - low) * (place - Math.floor(place))
}
