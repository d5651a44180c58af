/**
 * How a script calls the tools of MCP servers, as typed declarations: a Python stub, or TypeScript. Pure.
 *
 * One overload of `tool` for each tool, since that is the call that scripts write. Texts and schemas are the
 * servers': whatever they hold, what comes out is a valid file of its language.
 */

import { pythonSignatures } from './signatures-python.ts'
import { typescriptSignatures } from './signatures-typescript.ts'
import type { SignedTool } from './tool.ts'

export type SignatureLanguage = 'py' | 'ts'

export const renderSignatures = (tools: readonly SignedTool[], language: SignatureLanguage): string =>
  language === 'py' ? pythonSignatures(tools) : typescriptSignatures(tools)
