/** The folder that a call may have a script write: asked of the client only where its own words do not settle it. */

import type { Call, Outcome } from './client.ts'
import type { Session } from './session.ts'
import { outside, rootFolders, workspaceIn } from './workspace.ts'

/** @throws {SrecodexError} WORKSPACE_INVALID */
export async function withWorkspace(
  { terminal: { cwd } }: Session,
  call: Call,
  given: string,
  then: (call: Call, workspace: string) => Promise<Outcome>,
): Promise<Outcome> {
  const own = workspaceIn([cwd], cwd, given)
  if (own !== null) return then(call, own)
  if (!call.hasRoots) throw outside(given, cwd)
  return call.roots((next, uris) => {
    const workspace = workspaceIn(rootFolders(uris), cwd, given)
    if (workspace === null) throw outside(given, cwd)
    return then(next, workspace)
  })
}
