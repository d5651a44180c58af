/**
 * Ends what is left of a run whose supervisor cannot: it was killed, or srecodex was and nobody waited for it.
 *
 * In a sandbox the namespace takes its processes with it; without one they go on as orphans. They are told by
 * what a run gives to its own processes and to no others, so that a pager in the run's folder is left alone.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { membersOf } from './cgroup.ts'

const INTERVAL_MS = 20

/**
 * @param id the run's.
 * @param graceMs how long a supervisor may take to end them itself, and to keep what they printed.
 * @returns when none is left, or after 5 s: a process that the kernel cannot end now is not waited for.
 */
export async function endSurvivors(id: string, graceMs: number): Promise<void> {
  let looksWithoutAny = 0
  for (let waitedMs = 0; waitedMs < 5000 + graceMs; waitedMs += INTERVAL_MS) {
    const survivors = survivorsOf(id)
    // Twice: a process that is just starting another program is for a moment told by nothing.
    looksWithoutAny = survivors.length === 0 ? looksWithoutAny + 1 : 0
    if (looksWithoutAny === 2) return
    if (waitedMs >= graceMs) for (const pid of survivors) kill(pid)
    await sleep(INTERVAL_MS)
  }
}

function survivorsOf(id: string): number[] {
  const members = new Set(membersOf(id))
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (
      Number.isInteger(pid) &&
      pid !== process.pid &&
      (isOfRun(name, id) || isSupervisorOf(name, id) || isToolOf(name, id))
    )
      members.add(pid)
  }
  return [...members].filter(isRunning)
}

/** The environment that a script starts with; other users' cannot be read. */
function isOfRun(pid: string, id: string): boolean {
  return read(`/proc/${pid}/environ`).split('\0').includes(`SRECODEX_RUN=${id}`)
}

/** The command lines of the supervisor, of bubblewrap and of init all end as `guest/init.pl` is called. */
function isSupervisorOf(pid: string, id: string): boolean {
  const argv = read(`/proc/${pid}/cmdline`).split('\0')
  return (argv.at(-5) ?? '').endsWith('/init.pl') && argv.at(-2) === id
}

/**
 * The sandbox of a tool that srecodex was starting when it was killed, and the launcher that starts them: until
 * bubblewrap has tied itself to its parent, a change would still be made, and whoever resumes would have found that it
 * was not.
 */
function isToolOf(pid: string, id: string): boolean {
  const argv = read(`/proc/${pid}/cmdline`).split('\0')
  const isOne = argv.includes('--json-status-fd') || (argv[1] ?? '').endsWith('/launcher.pl')
  return isOne && argv.some(word => word.includes(`/runs/${id}/tools/`))
}

function isRunning(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`)
  return stat !== '' && !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1))
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone in between
  }
}
