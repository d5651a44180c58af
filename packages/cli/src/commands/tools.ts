/** `srecodex tools list|show`: what scripts may call in a workspace, and what each call does. */

import {
  builtInTools,
  describeTable,
  listTools,
  openMcpServers,
  SrecodexError,
  type ListedProgram,
  type LoadedConfig,
  type McpServerListing,
  type McpTool,
  type TableRow,
} from '@srecodex/core'
import { loadConfig } from '../config.ts'
import { renderHint, renderNotice, renderNotices } from '../render/error.ts'
import { givenPath, homePath } from '../render/path.ts'
import { plain } from '../render/plan.ts'
import { renderTable } from '../render/table.ts'
import { paint, type Terminal } from '../terminal.ts'

interface ToolsFlags {
  readonly workspace?: string
  readonly json?: boolean
}

interface ListFlags extends ToolsFlags {
  readonly types?: 'py' | 'ts'
}

type Servers = ReturnType<typeof openMcpServers>

export async function list(terminal: Terminal, flags: ListFlags): Promise<number> {
  const workspace = givenPath(flags.workspace ?? '.', terminal)
  const loaded = await loadConfig({ workspace, env: terminal.env })
  if (flags.types !== undefined) return listTypes(flags.types, workspace, loaded, terminal)
  const tools = listTools({ config: loaded.config, workspace, environment: terminal.env })
  const servers = await withServers(workspace, loaded, terminal, opened => opened.list())
  if (flags.json) {
    terminal.out(`${JSON.stringify({ tools, servers })}\n`)
    return 0
  }
  terminal.err(renderNotices(loaded.notices, terminal))
  terminal.out(renderPrograms(tools, terminal))
  terminal.out(renderServers(servers, terminal))
  for (const server of servers) tellServer(server, terminal)
  for (const { tool } of tools.filter(isUnclassified)) {
    terminal.err(renderNotice(`${tool} has no patterns: each call of it counts as a change`))
  }
  return 0
}

function isUnclassified({ builtIn, callable, reads, mutates, reveals }: ListedProgram): boolean {
  return !builtIn && callable && reads.length + mutates.length + reveals.length === 0
}

async function listTypes(
  language: 'py' | 'ts',
  workspace: string,
  loaded: LoadedConfig,
  terminal: Terminal,
): Promise<number> {
  await withServers(workspace, loaded, terminal, async servers => {
    terminal.out(await servers.signatures(language))
    for (const server of await servers.list()) tellServer(server, terminal)
  })
  return 0
}

/** None of their processes is left afterwards. */
async function withServers<Result>(
  workspace: string,
  { config }: LoadedConfig,
  terminal: Terminal,
  use: (servers: Servers) => Promise<Result>,
): Promise<Result> {
  const servers = openMcpServers({ servers: config.mcpServers, workspace, callerEnvironment: terminal.env })
  try {
    return await use(servers)
  } finally {
    await servers.close()
  }
}

function renderPrograms(tools: readonly ListedProgram[], terminal: Terminal): string {
  return renderTable(
    [
      { title: 'TOOL' },
      { title: 'FOUND AT', most: Math.max(20, Math.floor(terminal.outColumns / 3)) },
      { title: 'AT ONCE', align: 'right' },
      { title: 'RATE', align: 'right' },
      { title: 'CREDENTIALS', flexible: true },
    ],
    tools.map(tool => [
      tool.tool,
      tool.callable ? homePath(tool.program!, terminal) : whyNot(tool),
      tool.callable ? String(tool.concurrency) : '',
      tool.callable ? rate(tool.ratePerSecond) : '',
      tool.callable ? tool.credentials.map(path => homePath(path, terminal)).join(' ') || 'none' : '',
    ]),
    terminal.outColumns,
  )
}

function whyNot({ tool, program }: ListedProgram): string {
  return program === null ? 'not on PATH' : `needs [tools.${tool}]`
}

function rate(perSecond: number): string {
  if (perSecond >= 1) return `${round(perSecond)}/s`
  return perSecond * 60 >= 1 ? `${round(perSecond * 60)}/m` : `${round(perSecond * 3600)}/h`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function renderServers(servers: readonly McpServerListing[], terminal: Terminal): string {
  const tools = servers.flatMap(server => (server.state === 'listed' ? server.tools : []))
  if (tools.length === 0) return ''
  const table = renderTable(
    [
      { title: 'MCP TOOL' },
      { title: 'EFFECT', paint: effectCell },
      { title: 'WHAT IT DOES', flexible: true },
    ],
    tools.map(({ server, name, effect, description, title }) => [
      plain(`mcp:${server}/${name}`),
      effect,
      plain(description.split('\n', 1)[0] || title),
    ]),
    terminal.outColumns,
  )
  return `\n${table}`
}

function tellServer(server: McpServerListing, terminal: Terminal): void {
  if (server.state === 'disabled') terminal.err(renderNotice(`MCP server ${server.server} is disabled`))
  if (server.state !== 'failed') return
  terminal.err(renderNotice(`MCP server ${server.server} has not answered: ${plain(server.message)}`))
  if (server.hint !== null) terminal.err(`\n${renderHint(plain(server.hint))}`)
}

const COLOURS: Readonly<Record<string, 'green' | 'yellow' | 'red'>> = {
  read: 'green',
  mutate: 'yellow',
  reveal: 'red',
  refuse: 'red',
}

function effectCell(cell: string): string {
  return paint.out(COLOURS[cell.trim()] ?? 'dim', cell)
}

export async function show(terminal: Terminal, tool: string, flags: ToolsFlags): Promise<number> {
  const workspace = givenPath(flags.workspace ?? '.', terminal)
  const loaded = await loadConfig({ workspace, env: terminal.env })
  if (tool.startsWith('mcp:')) return showMcp(tool.slice('mcp:'.length), workspace, loaded, terminal, flags)
  const rows = [...patternRows(tool, loaded), ...describeTable(tool)]
  const isConfigured = Object.hasOwn(loaded.config.tools, tool)
  if (!isConfigured && rows.length === 0) {
    throw new SrecodexError('USAGE', `there is no built-in table for \`${tool}\`, and no [tools.${tool}]`, {
      hint: `there is a table for ${builtInTools().join(', ')}; other tools are classified by patterns in [tools.${tool}]`,
    })
  }
  if (flags.json) {
    terminal.out(`${JSON.stringify(rows)}\n`)
    return 0
  }
  const others: TableRow[] =
    isConfigured && describeTable(tool).length === 0
      ? [{ verb: 'any other', effect: 'mutate', note: 'no table and no pattern says that it reads' }]
      : []
  terminal.out(
    renderTable(
      [{ title: 'CALL' }, { title: 'EFFECT', paint: effectCell }, { title: 'NOTE', flexible: true }],
      [...rows, ...others].map(({ verb, effect, note }) => [verb, effect, note]),
      terminal.outColumns,
    ),
  )
  return 0
}

/** In the order in which they are asked: what reveals, what changes, what reads. */
function patternRows(tool: string, { config }: LoadedConfig): TableRow[] {
  const entry = Object.hasOwn(config.tools, tool) ? config.tools[tool] : undefined
  if (entry === undefined) return []
  const rows = (patterns: readonly string[], effect: TableRow['effect']): TableRow[] =>
    patterns.map(verb => ({ verb, effect, note: 'a pattern of the operator' }))
  return [...rows(entry.reveals, 'reveal'), ...rows(entry.mutates, 'mutate'), ...rows(entry.reads, 'read')]
}

async function showMcp(
  words: string,
  workspace: string,
  loaded: LoadedConfig,
  terminal: Terminal,
  flags: ToolsFlags,
): Promise<number> {
  const [server = '', ...rest] = words.split('/')
  const name = rest.join('/')
  return withServers(workspace, loaded, terminal, async servers => {
    const listing = (await servers.list()).find(one => one.server === server)
    if (listing === undefined) {
      throw new SrecodexError('USAGE', `there is no MCP server \`${server}\``, {
        hint: `servers are configured as [mcp_servers.NAME]; there ${knownServers(servers)}`,
      })
    }
    if (listing.state !== 'listed') {
      const why = listing.state === 'disabled' ? 'is disabled' : `has not answered: ${plain(listing.message)}`
      throw new SrecodexError('REFUSED', `MCP server \`${server}\` ${why}`, {
        ...(listing.state === 'failed' && listing.hint !== null ? { hint: listing.hint } : {}),
      })
    }
    const tools = name === '' ? listing.tools : listing.tools.filter(tool => tool.name === name)
    if (tools.length === 0) {
      throw new SrecodexError('USAGE', `MCP server \`${server}\` has no tool \`${name}\``, {
        hint: `it has ${listing.tools.map(tool => tool.name).join(', ') || 'none'}`,
      })
    }
    if (flags.json) terminal.out(`${JSON.stringify(name === '' ? tools : tools[0])}\n`)
    else terminal.out(tools.map(tool => renderMcpTool(tool)).join('\n'))
    return 0
  })
}

function knownServers({ names }: Servers): string {
  return names.length === 0 ? 'is none' : `is ${names.join(', ')}`
}

function renderMcpTool({ server, name, effect, why, description, inputSchema }: McpTool): string {
  const lines = [
    `${paint.out('bold', plain(`mcp:${server}/${name}`))}  ${effectCell(effect)}  ${paint.out('dim', plain(why))}`,
    ...description.split('\n').map(line => `  ${plain(line)}`.trimEnd()),
    ...JSON.stringify(inputSchema, null, 2).split('\n').map(plainKeepingIndent),
  ]
  return `${lines.join('\n')}\n`
}

function plainKeepingIndent(line: string): string {
  return `  ${plain(line)}`
}
