/**
 * `srecodex mcp`: the agent's door, over stdin and stdout.
 *
 * stdout carries the protocol and nothing else. When the client goes, or a signal comes, what runs is interrupted, and
 * the server leaves once it has ended: no run outlives it, and each can be resumed.
 */

import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import type { Server } from '@modelcontextprotocol/server'
import type { Command } from 'commander'
import { DEFAULT_ANSWER_MS, MAX_MESSAGE_BYTES } from '../mcp/limits.ts'
import { createServer } from '../mcp/server.ts'
import type { Session } from '../mcp/session.ts'
import type { Terminal } from '../terminal.ts'

interface McpFlags {
  readonly skillsDir?: readonly string[]
  /** Seconds that a question waits for its answer. */
  readonly answerWithin?: number
}

export async function mcp(terminal: Terminal, flags: McpFlags, command: Command): Promise<number> {
  const { skillsDir, answerWithin } = flags
  const answerMs = answerWithin === undefined ? DEFAULT_ANSWER_MS : answerWithin * 1000
  if (skillsDir !== undefined) {
    // A folder that is not there is said at once, and not with the first script.
    const { skillFolders } = await import('../skill-folders.ts')
    skillFolders(skillsDir, terminal)
  }
  let made: Promise<Session> | null = null
  let server: Server | null = null
  const session = (): Promise<Session> => (made ??= openSession())
  const openSession = async (): Promise<Session> => {
    const { LiveRuns } = await import('../mcp/live-runs.ts')
    const runs = new LiveRuns({ environment: terminal.env, answerMs })
    const artifactsChanged = (): void => void server?.sendResourceListChanged().catch(() => {})
    return { terminal, skillsDir, runs, artifactsChanged }
  }

  const transport = new StdioServerTransport(process.stdin, process.stdout, {
    maxBufferSize: MAX_MESSAGE_BYTES,
  })
  const version = command.parent?.version() ?? ''
  const handle = serveStdio(
    ({ era }) => (server = createServer({ session, version, era, answerMs, terminal })),
    { transport, onerror: error => terminal.err(`srecodex mcp: ${error.message}\n`) },
  )
  await closed(transport, () => void handle.close())
  if (made !== null) await (await (made as Promise<Session>)).runs.close()
  return 0
}

/** The client went away, or somebody wants the server to. */
function closed(transport: StdioServerTransport, close: () => void): Promise<void> {
  return new Promise(resolve => {
    const { onclose } = transport
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- it is no event target
    transport.onclose = () => {
      onclose?.()
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, close)
  })
}
