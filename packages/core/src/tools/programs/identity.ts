/**
 * Whom a tool acts as, and where. Asked of the tool where only it knows. Never holds a secret: what the operator's
 * `args` say beyond that is told as a digest.
 */

import { createHash } from 'node:crypto'
import type { AskTool, ToolIdentity } from '../calls.ts'
import { CallError } from '../protocol.ts'
import { operatorFlag } from './operator-args.ts'
import type { PreparedTool } from './prepare.ts'

export interface IdentityOptions {
  readonly tool: string
  readonly prepared: PreparedTool
  readonly ask: AskTool
  /** A file that the tool is given; null: it is not there. */
  readCredential(path: string): string | null
}

/** @throws {CallError} TOOL_FAILED */
export async function identityOf(options: IdentityOptions): Promise<ToolIdentity> {
  const { tool, prepared } = options
  const fields =
    prepared.kubernetes !== null
      ? withoutEmpty(prepared.kubernetes)
      : tool === 'aws'
        ? await awsIdentity(options)
        : tool === 'psql'
          ? await postgresIdentity(options)
          : tool === 'amtool'
            ? { alertmanager: alertmanagerOf(options) }
            : {}
  const all = { ...fields, program: prepared.program, args: digestOf(prepared.args) }
  return { tool, summary: summaryOf(tool, all), fields: all }
}

async function awsIdentity(options: IdentityOptions): Promise<Record<string, string>> {
  const { environment, args } = options.prepared
  const text = await asked(options, ['sts', 'get-caller-identity', '--output', 'json'])
  const caller = parsed(text) as { readonly Account?: unknown; readonly Arn?: unknown }
  if (typeof caller.Account !== 'string' || typeof caller.Arn !== 'string')
    throw cannotSay(options.tool, text)
  const profile =
    operatorFlag(args, ['--profile']) ??
    environment.AWS_PROFILE ??
    environment.AWS_DEFAULT_PROFILE ??
    'default'
  const region =
    operatorFlag(args, ['--region']) ??
    environment.AWS_REGION ??
    environment.AWS_DEFAULT_REGION ??
    regionOf(options.readCredential(environment.AWS_CONFIG_FILE ?? ''), profile) ??
    'none'
  return { account: caller.Account, arn: caller.Arn, region, profile }
}

/** `region` of `[profile NAME]`, or of `[default]`. */
export function regionOf(text: string | null, profile: string): string | null {
  let section = ''
  for (const line of text?.split('\n') ?? []) {
    const header = /^\s*\[\s*(?:profile\s+)?["']?([^\]"']+?)["']?\s*\]/.exec(line)
    if (header !== null) section = header[1]!
    const region = /^region\s*=\s*(\S+)/.exec(line)
    if (region !== null && section === profile) return region[1]!
  }
  return null
}

async function postgresIdentity(options: IdentityOptions): Promise<Record<string, string>> {
  const question =
    "select session_user, current_database(), coalesce(host(inet_server_addr()), 'local'), current_setting('port')"
  const argv = ['-A', '-t', '-F', '\t', '-c', '\\echo :HOST', '-c', question]
  const [named = '', row = ''] = (await asked(options, argv)).trim().split('\n')
  const [user, database, address, port] = row.split('\t')
  if (user === undefined || database === undefined || address === undefined || port === undefined) {
    throw cannotSay(options.tool, row)
  }
  return { host: named, address, port, database, user }
}

function alertmanagerOf(options: IdentityOptions): string {
  const { args, grants } = options.prepared
  const named = operatorFlag(args, ['--alertmanager.url'])
  const files = grants.credentials.filter(mount => mount.target.endsWith('.yml')).map(mount => mount.source)
  const lines = files.map(file =>
    /^alertmanager\.url:\s*["']?([^"'\s]+)/m.exec(options.readCredential(file) ?? ''),
  )
  const url = named ?? lines.find(line => line !== null)?.[1] ?? 'none'
  return url.replace(/^(https?:\/\/)[^/@]*@/, '$1')
}

async function asked(options: IdentityOptions, argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await options.ask(argv)
  if (exitCode !== 0) throw cannotSay(options.tool, stderr)
  return stdout
}

function parsed(text: string): object {
  try {
    return (JSON.parse(text) as object | null) ?? {}
  } catch {
    return {}
  }
}

function cannotSay(tool: string, said: string): CallError {
  const line = said.trim().split('\n').at(-1)?.trim().slice(0, 300) ?? ''
  const expired = /expired|sso login|no credentials|unable to locate credentials/i.test(said)
  return new CallError('TOOL_FAILED', `${tool} cannot say whom it acts as${line === '' ? '' : `: ${line}`}`, {
    hint:
      tool === 'aws' && expired
        ? 'log in and try again: aws sso login, or what your account uses'
        : `srecodex doctor shows what ${tool} is given; the config's \`[tools.${tool}]\` adds to it`,
  })
}

function summaryOf(tool: string, fields: Readonly<Record<string, string>>): string {
  if (fields.server !== undefined) {
    return `${fields.context || 'no context'} at ${fields.server || 'no server'}, namespace ${fields.namespace}`
  }
  if (fields.account !== undefined)
    return `${fields.arn} in account ${fields.account}, region ${fields.region}`
  if (fields.database !== undefined) {
    return `${fields.user} on database ${fields.database} at ${fields.host}:${fields.port}`
  }
  return fields.alertmanager === undefined
    ? `${tool} (${fields.program})`
    : `Alertmanager at ${fields.alertmanager}`
}

function withoutEmpty(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value === '' ? 'none' : value]),
  )
}

function digestOf(args: readonly string[]): string {
  return args.length === 0
    ? 'none'
    : createHash('sha256').update(JSON.stringify(args)).digest('hex').slice(0, 16)
}
