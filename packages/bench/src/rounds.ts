/**
 * Times several ways to do one thing, side by side.
 *
 * Promises: each round does every way once, in an order that shifts from round to round, so that what else the
 * machine does meanwhile falls on all of them alike. The median of the rounds counts, and the median of what is
 * compared within a round: a round that was disturbed disturbs one of them.
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
  return timeRounds(options, async round => {
    const took = new Map<string, number>()
    for (let turn = 0; turn < ways.length; turn++) {
      const way = ways[(round + turn) % ways.length]!
      way.before?.()
      const begun = performance.now()
      await way.once()
      took.set(way.name, performance.now() - begun)
    }
    return ways.map(({ name }) => [name, took.get(name)!])
  })
}

/** @param act One round. @returns What took how long, by names that are the same in each round. */
export async function timeRounds(
  { rounds, warmUpRounds, onRound }: RoundsOptions,
  act: (round: number) => Promise<readonly (readonly [name: string, ms: number])[]>,
): Promise<Timing[]> {
  const samples = new Map<string, number[]>()
  const total = warmUpRounds + rounds
  for (let round = 0; round < total; round++) {
    const took = await act(round)
    if (round >= warmUpRounds)
      for (const [name, ms] of took) samples.set(name, [...(samples.get(name) ?? []), ms])
    onRound?.(round + 1, total)
  }
  return [...samples].map(([name, samplesMs]) => timing(name, samplesMs))
}

/** Median over the rounds of what `how` makes of the times of two ways in the same round. */
export function overRounds(
  timings: readonly Timing[],
  above: string,
  below: string,
  how: (above: number, below: number) => number,
): number {
  const [over, under] = [above, below].map(name => timings.find(one => one.name === name)!.samplesMs)
  return quantile(
    over!.map((ms, round) => how(ms, under![round]!)),
    0.5,
  )
}

export function ratioOf(timings: readonly Timing[], numerator: string, denominator: string): number {
  return overRounds(timings, numerator, denominator, (above, below) => above / below)
}

function timing(name: string, samplesMs: readonly number[]): Timing {
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
