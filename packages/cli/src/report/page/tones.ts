/** What each state looks like: a mark, a word and a tone. No state is told by its colour alone. */

import type { RunStatus } from '@srecodex/core'
import type { End, Kind, PagePlannedCall, ShownItemState } from '../page-data.ts'

export type Tone = 'ok' | 'bad' | 'warn' | 'info' | 'quiet'

export interface Look {
  readonly mark: string
  readonly word: string
  readonly tone: Tone
}

const look = (mark: string, word: string, tone: Tone): Look => ({ mark, word, tone })

export const RUN_LOOKS: Readonly<Record<RunStatus, Look>> = {
  succeeded: look('✔', 'succeeded', 'ok'),
  running: look('▶', 'running', 'info'),
  waiting: look('◔', 'waiting for an answer', 'warn'),
  planned: look('◇', 'planned', 'warn'),
  failed: look('✘', 'failed', 'bad'),
  'timed-out': look('✘', 'timed out', 'bad'),
  cancelled: look('■', 'cancelled', 'warn'),
  interrupted: look('✘', 'interrupted', 'bad'),
  refused: look('⊘', 'refused', 'bad'),
  drifted: look('!', 'drifted', 'bad'),
}

export const END_LOOKS: Readonly<Record<End, Look>> = {
  ok: look('✔', 'ok', 'ok'),
  rehearsed: look('◇', 'rehearsed', 'info'),
  known: look('↺', 'known', 'info'),
  failed: look('✘', 'failed', 'bad'),
  unknown: look('?', 'unknown', 'bad'),
  refused: look('⊘', 'refused', 'bad'),
  'not planned': look('!', 'not planned', 'bad'),
  running: look('▶', 'running', 'info'),
  'no result': look('?', 'no result', 'bad'),
}

export const KIND_WORDS: Readonly<Record<Kind, string>> = {
  read: 'read',
  change: 'change',
  foreseen: 'foreseen',
  undo: 'change back',
  refused: 'not made',
}

export const ITEM_LOOKS: Readonly<Record<ShownItemState, Look>> = {
  ok: look('✔', 'ok', 'ok'),
  failed: look('✘', 'failed', 'bad'),
  unknown: look('?', 'unknown', 'bad'),
  skipped: look('»', 'skipped', 'warn'),
  pending: look('○', 'pending', 'quiet'),
  running: look('▶', 'running', 'info'),
}

export const PLAN_LOOKS: Readonly<Record<PagePlannedCall['state'], Look>> = {
  unknown: look('?', 'Unknown: started, and nobody knows how it ended', 'bad'),
  failed: look('✘', 'Failed, and may have changed something', 'bad'),
  'failed-definite': look('✘', 'Failed, and changed nothing', 'bad'),
  'not-done': look('○', 'Not done', 'warn'),
  running: look('▶', 'Running', 'info'),
  waiting: look('◇', 'Waiting for approval', 'warn'),
  done: look('✔', 'Done', 'ok'),
  'done-before': look('✔', 'Done by an earlier run', 'ok'),
}
