/** A skill's folder is installed by itself, so what several of them share is carried by each: the same, byte by byte. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const of = (skill: string): string =>
  readFileSync(new URL(`../../../dotcodex/skills/${skill}/scripts/cluster.py`, import.meta.url), 'utf8')

test.each(['k8s/crashloop-triage', 'deploy/rollout'])(
  '%s carries the cluster.py of k8s/pod-cleanup',
  skill => {
    expect(of(skill)).toBe(of('k8s/pod-cleanup'))
  },
)
