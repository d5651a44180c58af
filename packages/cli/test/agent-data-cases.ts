/** Cases of much data: the truth is known to whoever made the data. */

import { FINANCE_PROGRAM, project } from '@srecodex/testkit'
import { writeLog } from '@srecodex/testkit/demo/log'
import { closeSync, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { expensePage, LINES_PER_TEAM, TEAMS, violations } from '../../testkit/src/mcp/ledger.ts'
import { alive, printed, reports, writeUserConfig, type Case } from './agent-cases.ts'
import { reportIn, type Moves } from './agent-moves.ts'

const GROUP = `import sys
from srecodex import skill, summary
found = skill("logs/error-groups", paths=sys.argv[1:], top=100)
lines = ["%(lines)d lines, %(errors)d errors" % found] + ["%(count)d %(type)s" % one for one in found["groups"]]
summary("\\n".join(lines))
`

/** A log outside of the workspace, which the operator lets scripts read. */
export function largeData(bytes: number): Case {
  return {
    name: `large data: the errors of a log of ${bytes / 1e6} MB, grouped by type`,
    prompt: 'Find all ERROR lines in /var/log/app.log and group by error type.',
    calls: 2,
    set: async () => {
      const place = project()
      const log = join(dirname(place.workspace), 'var', 'log', 'app.log')
      mkdirSync(dirname(log), { recursive: true })
      const truth = await writeLog({ path: log, bytes, seed: 7 })
      writeUserConfig(place, `[execution_environment]\nreadable = [${JSON.stringify(dirname(log))}]\n`)
      return {
        place,
        env: {},
        moves: function* (): Moves {
          const query = 'find all ERROR lines of a log, group by error type'
          const skills = yield { tool: 'find_skills', input: { query } }
          if (!skills.includes('logs/error-groups')) throw new Error(`it was not found: ${skills}`)
          const input = { script: GROUP, language: 'python', args: [log] }
          return reportIn(yield { tool: 'run_script', input }).summary
        },
        // Each line of the log has a time of its day, to the millisecond.
        raw: [/2026-11-21T\d\d:\d\d:\d\d\.\d/, /^\s+at \S+\(|Traceback \(most/m],
        sample: () => beginningOf(log),
        kept: [place.workspace, dirname(log)],
        judge: ({ answer }) => {
          const [head, ...groups] = answer.split('\n')
          const written = Object.entries(truth.errors).map(([type, count]) => `${count} ${type}`)
          const errors = Object.values(truth.errors).reduce((sum, count) => sum + count, 0)
          expect(head).toBe(`${truth.lines} lines, ${errors} errors`)
          expect(groups).toEqual(written)
        },
      }
    },
  }
}

const BUDGETS = `import srecodex
srecodex.summary(srecodex.skill("finance/budget-compliance", period="2026-Q3")["summary"])
`

export const BUDGET: Case = {
  name: `budgets: ${TEAMS.length * LINES_PER_TEAM} expense lines of ${TEAMS.length} teams behind an MCP server`,
  prompt: 'Which teams went over their Q3 budget?',
  calls: 2,
  set: () => {
    const place = project()
    const args = JSON.stringify([FINANCE_PROGRAM])
    const command = JSON.stringify(process.execPath)
    writeUserConfig(place, `[mcp_servers.finance]\ncommand = ${command}\nargs = ${args}\n`)
    return Promise.resolve({
      place,
      env: {},
      moves: function* (): Moves {
        const skills = yield { tool: 'find_skills', input: { query: 'teams over budget', limit: 1 } }
        if (!skills.includes('finance/budget-compliance')) throw new Error(`it was not found: ${skills}`)
        return reportIn(yield { tool: 'run_script', input: { script: BUDGETS, language: 'python' } }).summary
      },
      raw: TEAMS.map(({ id }) => new RegExp(`\\b${id}-\\d`)),
      sample: () => JSON.stringify(TEAMS.map(({ id }) => expensePage(id, '2026-Q3', undefined))),
      judge: ({ answer }) => {
        const [first, second, third] = violations()
        expect(answer).toContain(`4 of 20 teams over budget in 2026-Q3 (2000 expense lines): `)
        for (const one of [first, second, third]) expect(answer).toContain(`${one!.team} ${one!.over}`)
        expect(reports(place)[0]).toMatchObject({ calls: { reads: 1 + TEAMS.length * 6, mutations: 0 } })
      },
    })
  },
}

/** Begins its third item, and never ends it. */
const HANGS = `import time
from srecodex import each, summary
def work(n):
    if n == 3: time.sleep(600)
    print("\\n".join("line %d of item %d" % (line, n) for line in range(1000)), flush=True)
each(range(1, 6), work, key=str, at_once=1)
summary("all five are done")
`

export const TIMEOUT: Case = {
  name: 'a timeout: the script and all that it started end, and the report says how far it came',
  prompt: 'Work through the five items.',
  calls: 1,
  set: () => {
    const place = project()
    return Promise.resolve({
      place,
      env: {},
      moves: function* (): Moves {
        const input = { script: HANGS, language: 'python', timeoutSeconds: 2 }
        const told = yield { tool: 'run_script', input }
        const { status, run } = reportIn(told)
        return `${status} after ${/"ok":(\d+)|(\d+) of \d+ items? ok/.exec(told)?.slice(1).join('')} items: ${run}`
      },
      // The end of what it printed stands in for the summary that it did not come to.
      raw: [/line \d+ of item 1/],
      sample: () => printed(place),
      judge: ({ answer }) => {
        expect(answer).toMatch(/^timed-out after 2 items: \w{26}$/)
        const scripts = alive(place, /bwrap|supervisor\.pl|init\.pl|script\.py/)
        expect(scripts).toEqual([])
      },
    })
  },
}

function beginningOf(path: string): string {
  const file = openSync(path, 'r')
  const bytes = Buffer.alloc(1 << 20)
  readSync(file, bytes)
  closeSync(file)
  return bytes.toString('latin1')
}
