/**
 * What each verb of amtool does. Closed. Held to the help of amtool 0.25 by a test; `silence query --id` and
 * `--enable-feature` are of 0.27.
 */

import type { Effect } from '../decision.ts'

export interface AmtoolVerb {
  readonly effect: Effect
  readonly flags: string
  readonly note: string
  /** Operands are files. */
  readonly files?: true
}

const ALERT = 'i/inhibited s/silenced a/active u/unprocessed r/receiver='
const SILENCE = 'expired q/quiet created-by= id= within='

export const AMTOOL_VERBS: Readonly<Record<string, AmtoolVerb>> = {
  'alert query': { effect: 'read', flags: ALERT, note: 'also plain `alert`' },
  'alert add': { effect: 'mutate', flags: 'generator-url= start= end= annotation=', note: '' },
  'silence query': { effect: 'read', flags: SILENCE, note: 'also plain `silence`' },
  'silence add': {
    effect: 'mutate',
    flags: 'a/author= d/duration= start= end= c/comment= require-comment',
    note: '',
  },
  'silence update': { effect: 'mutate', flags: 'q/quiet d/duration= start= end= c/comment=', note: '' },
  'silence expire': { effect: 'mutate', flags: '', note: '' },
  'silence import': { effect: 'mutate', flags: 'f/force w/worker=', note: '', files: true },
  'check-config': { effect: 'read', flags: '', note: '', files: true },
  'cluster show': { effect: 'read', flags: '', note: 'also plain `cluster`' },
  'config show': { effect: 'read', flags: '', note: 'Alertmanager masks its secrets; also plain `config`' },
  'config routes show': { effect: 'read', flags: 'config.file=', note: 'also plain `config routes`' },
  'config routes test': { effect: 'read', flags: 'config.file= verify.receivers= tree', note: '' },
  'template render': {
    effect: 'read',
    flags: 'template.glob= template.text= template.type= template.data=',
    note: '',
  },
  help: { effect: 'read', flags: '', note: '' },
}

/** The sub-command that stands in where none is named. */
export const AMTOOL_DEFAULTS: Readonly<Record<string, string>> = {
  alert: 'query',
  silence: 'query',
  cluster: 'show',
  config: 'show',
  'config routes': 'show',
}

export const AMTOOL_GLOBAL_FLAGS =
  'h/help version v/verbose o/output= date.format= timeout= alertmanager.url= http.config.file= version-check enable-feature='

/** Where to send, and as whom: only the operator's `args` may say. */
export const AMTOOL_IDENTITY: ReadonlySet<string> = new Set(['alertmanager.url', 'http.config.file'])

/** Flags whose values name files. */
export const AMTOOL_FILE_FLAGS: readonly string[] = ['config.file', 'template.glob', 'template.data']
