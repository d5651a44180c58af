/**
 * What a run leaves behind, taken away after every outcome, also by the next run when srecodex was killed.
 *
 * Follows no link that a script planted: folders are opened one by one without following, and a file is removed
 * only where it is still the one that was staged.
 */

import { closeSync, constants, lstatSync, openSync, readFileSync, rmSync, unlinkSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { removeControlGroup } from '../sandbox/cgroup.ts'
import { verifyWorkspace, type WorkspaceScan } from '../sandbox/guard/guard.ts'
import { countKept } from '../sandbox/count.ts'
import { endSurvivors } from '../sandbox/survivors.ts'
import { interruptedReport } from './interrupted.ts'
import { sanitise } from './sanitise.ts'
import { claimDeadRuns, markEnded, readRecord, runFolder, writeRecord, type RunFolder } from './store.ts'

/**
 * Quarantines what the script planted for programs of the host to run.
 *
 * @returns notices, one for each thing that was moved.
 */
export function restoreWorkspace(folder: RunFolder, scan: WorkspaceScan | null): string[] {
  if (scan === null) return []
  const { quarantined, notices } = verifyWorkspace(scan, { quarantineFolder: folder.quarantine })
  const said = [
    ...quarantined.map(({ path, reason, movedTo }) =>
      movedTo === null ? `could not quarantine ${path}: ${reason}` : `quarantined ${path}: ${reason}`,
    ),
    ...notices,
  ]
  // The names are the script's own: they may drive a terminal, or look like lines of srecodex.
  return said.map(line => sanitise(line.replaceAll(/[\n\r]/g, ' ')))
}

/**
 * Removes a temporary script of the user's workspace; the run's folder keeps its own copy.
 *
 * @param path its real path, below the workspace.
 */
export function removeTemporaryScript(workspace: string, path: string): void {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
  const steps = relative(workspace, path).split(sep)
  const name = steps.pop()!
  let folder = -1
  try {
    folder = openSync(workspace, O_RDONLY | O_DIRECTORY)
    for (const step of steps) {
      const next = openSync(`/proc/self/fd/${folder}/${step}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      closeSync(folder)
      folder = next
    }
    const file = `/proc/self/fd/${folder}/${name}`
    if (lstatSync(file).isFile()) unlinkSync(file)
  } catch {
    // moved or replaced: what stands there now is not ours to remove
  } finally {
    if (folder !== -1) closeSync(folder)
  }
}

/** The supervisor ends the run by itself once srecodex is gone, and keeps what was printed until then. */
const SUPERVISOR_GRACE_MS = 2000

/** Finishes what killed processes left: their workspaces, temporary scripts, control groups, records. */
export async function recoverInterrupted(stateFolder: string): Promise<void> {
  for (const live of claimDeadRuns(stateFolder)) {
    try {
      await recover(stateFolder, live)
    } catch {
      // A disk that is full, a store that is read-only: runs are listed all the same. The claim goes with this
      // process, and whoever comes next tries again.
    }
  }
}

async function recover(stateFolder: string, live: string): Promise<void> {
  // Whoever still runs could plant again what is taken away here.
  await endSurvivors(live, SUPERVISOR_GRACE_MS)
  const folder = runFolder(stateFolder, live)
  const record = await readRecord(stateFolder, live)
  if (record === null) {
    // Killed before anything ran: there is nothing to tell, and no script was started.
    rmSync(folder.path, { recursive: true, force: true })
  } else {
    const notices = restoreWorkspace(folder, readScan(folder))
    if (record.temporary !== null) removeTemporaryScript(record.workspace, record.temporary)
    // Also what tools were given: a copy of the operator's credentials may be among it.
    for (const left of [folder.sockets, folder.tools, folder.spool])
      rmSync(left, { recursive: true, force: true })
    const isInterrupted = record.report.status === 'interrupted'
    const report = isInterrupted ? await interruptedReport(folder, record) : record.report
    const output = isInterrupted
      ? { stdout: await countKept(folder.stdout), stderr: await countKept(folder.stderr) }
      : report.output
    writeRecord(folder, {
      ...record,
      report: { ...report, output, notices: [...report.notices, ...notices] },
    })
  }
  await removeControlGroup(live)
  markEnded(stateFolder, live)
}

function readScan(folder: RunFolder): WorkspaceScan | null {
  try {
    return JSON.parse(readFileSync(folder.guard, 'utf8')) as WorkspaceScan
  } catch {
    return null
  }
}
