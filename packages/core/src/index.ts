/**
 * The public API of `@srecodex/core`. Every export here is one: a new export is a decision.
 */

export { SrecodexError, type ErrorCode, type Problem, type SourcePlace } from './errors.ts'
export { nearest } from './suggestion.ts'
export { homes, type Homes } from './config/paths.ts'
export { loadConfig, type LoadedConfig } from './config/load.ts'
export type { ResolvedConfig } from './config/schema.ts'
export { configRows, renderConfigToml, type ConfigRow } from './config/show.ts'
export { isTrusted, trustFile, untrustFile, type TrustedFile } from './config/trust.ts'
export {
  applyPlan,
  resumeRun,
  runScript,
  showPlan,
  type ApplyOptions,
  type ContinueOptions,
} from './runs/api.ts'
export { listRuns, showRun, stopRun, watchRun, type StopResult } from './runs/manage.ts'
export {
  readRunHistory,
  type Approval,
  type ItemHistory,
  type OutsideCall,
  type PlanHistory,
  type PlannedState,
  type ShownHistory,
} from './runs/run-history.ts'
export { commandText } from './runs/call-words.ts'
export { openOnDesktop } from './runs/desktop.ts'
export { openProgress, type RunProgress } from './runs/progress.ts'
export { readTimeline, type TimelineEntry, type TimelineOptions } from './runs/timeline.ts'
export { listArtifacts, type Artifact } from './runs/artifacts.ts'
export { readArtifact, type ArtifactContent } from './runs/read-artifact.ts'
export { readOutput, searchRuns, type SearchHit } from './runs/output.ts'
export { pruneRuns, type PruneResult } from './runs/prune.ts'
export type { RunReport, RunStatus, ScriptLanguage } from './runs/report.ts'
export type { RunEvent, RunScriptOptions } from './runs/options.ts'
export { isOpen, type RunRecord } from './runs/store.ts'
export { auditSkills, renderChecklist, writeChecklist, type Audit } from './skills/audit.ts'
export {
  installFolder,
  installSkills,
  uninstallSkills,
  type InstallClient,
  type InstallResult,
} from './skills/install.ts'
export { inputFaults, type InputFault } from './skills/inputs.ts'
export { openLibrarian, type FoundSkill, type Librarian } from './skills/librarian.ts'
export { applyFixes, lintSkills, type LintReport } from './skills/lint.ts'
export { createSkill, type NewSkillOptions } from './skills/new.ts'
export {
  findSkills,
  loadRegistry,
  readSkill,
  similarIds,
  type RegisteredSkill,
  type Registry,
} from './skills/registry.ts'
export type { Skill, SkillProblem } from './skills/skill.ts'
export {
  builtInTools,
  decide,
  describeTable,
  type Call,
  type Decision,
  type Effect,
  type TableRow,
  type ToolPolicy,
} from './tools/effects/effects.ts'
export { checkTools, listTools, type Lack, type ListedProgram, type ProgramCheck } from './tools/diagnose.ts'
export { openMcpServers, type McpServerListing, type McpTool } from './tools/mcp.ts'
export { blastRadius, countPlan, type Plan, type PlanCount, type PlannedCall } from './tools/plan.ts'
export { checkCodexConfig, type CodexConfigCheck } from './sandbox/codex-config.ts'
export { diagnose, planRepair, repair, type Check, type Repair } from './sandbox/diagnose.ts'
export { protectionReason } from './sandbox/guard/protected-names.ts'
export { createRedactor, type Redactor, type RedactorOptions } from './runs/redact.ts'
