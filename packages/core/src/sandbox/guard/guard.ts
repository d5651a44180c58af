/**
 * The workspace guard: inside a folder that a script may write, what makes a program of the host run code later
 * must not be changed by the script, and what it newly plants is quarantined after the run.
 *
 * 1. `scanWorkspace` before the run says what is there. Keep the result (it is plain JSON, as private as the git
 *    config in it): after a crash it is what `verifyWorkspace` compares with.
 * 2. `protectionMounts` makes binds of it: nothing that is there can be changed or moved aside during the run.
 * 3. `verifyWorkspace`, when nothing of the script runs any more, finds what is new and moves it out.
 *
 * What a person runs on purpose (`make`, `npm test`), what an agent reads as instructions, and what a branch holds
 * that the script committed to is not guarded: that is the work itself.
 */

export type { WorkspaceScan } from './entries.ts'
export { protectionMounts, type ProtectionMounts } from './mounts.ts'
export { scanWorkspace } from './scan.ts'
export { verifyWorkspace, type VerifyResult } from './verify.ts'
