/** What tests and benchmarks share of agents: the real programs, and the scripted models that they work by. */

export type { Agent } from './agent.ts'
export { conversation, textOf, type ChatRequest } from './chat-completions.ts'
export {
  CODEX_MODELS,
  CODEX_VERSION,
  installCodex,
  startCodex,
  type CodexMode,
  type CodexOptions,
  type CodexResult,
} from './codex.ts'
export { installAgent } from './install.ts'
export type { Model, ModelCall, ModelReply, ModelTurn } from './model.ts'
export {
  installOpencode,
  OPENCODE_VERSION,
  startOpencode,
  type OpencodeOptions,
  type OpencodeResult,
  type OpencodeServer,
} from './opencode.ts'
