/**
 * EC2, STS and CloudWatch Logs in memory, which the real AWS CLI takes for AWS when it is given as `--endpoint-url`.
 * Its log of requests is what tests judge by. Region and service come from the signature's scope.
 *
 * It checks the access key of a request and not its signature; has no IAM (a test says what is denied), knows few
 * operations and few filters, and refuses the others.
 */

import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerEc2, answerSts, type Account, type InstanceSeed } from './ec2.ts'
import { Logs, type LogEvent, type QueryAnswer, type StartedQuery } from './logs.ts'
import { AwsFailure, type AwsFault, type AwsRequest } from './request-log.ts'
import { xml } from './xml.ts'

export interface AwsOptions {
  /** By the name of the profile that has its key. @default one, `default` */
  readonly accounts?: Readonly<Record<string, string>>
  /** What DescribeRegions gives. @default eu-west-1, eu-west-3, us-east-1 */
  readonly regions?: readonly string[]
  /** At most so much on a page. @default 1000 */
  readonly pageSize?: number
  /** Between two pages comes an empty one with a token. @default false */
  readonly emptyPages?: boolean
  /** How long a query of Logs Insights runs. @default 0 */
  readonly queryMs?: number
  /** @default 30 */
  readonly maxQueries?: number
  /** What a query finds. @default nothing */
  readonly onQuery?: (query: StartedQuery) => QueryAnswer
  /** What is to become of a request. @default 'ok' for all */
  readonly onRequest?: (request: AwsRequest) => AwsFault
}

export interface Aws {
  readonly url: string
  readonly requests: readonly AwsRequest[]
  /** Replaces the hook. */
  onRequest: (request: AwsRequest) => AwsFault
  /** Queries that were started, and whether they were stopped. */
  queries(): readonly (StartedQuery & { readonly stopped: boolean })[]
  /** @param profile Whose account it is in. @default the first */
  addInstances(seeds: readonly InstanceSeed[], profile?: string): void
  addLogGroup(region: string, name: string, events?: readonly LogEvent[]): void
  /** Writes a shared credentials file and a config with a profile for each account, and gives their paths. */
  profiles(folder: string, region?: string): { readonly config: string; readonly credentials: string }
  stop(): Promise<void>
}

export async function startAws(options: AwsOptions = {}): Promise<Aws> {
  const { accounts = { default: '111111111111' }, pageSize = 1000, emptyPages = false } = options
  const regions = options.regions ?? ['eu-west-1', 'eu-west-3', 'us-east-1']
  const byProfile = new Map(
    Object.entries(accounts).map(([profile, id], index): [string, Account] => [
      profile,
      { id, accessKeyId: `AKIASTANDIN${String(index).padStart(9, '0')}`, instances: [] },
    ]),
  )
  const logs = new Logs({
    pageSize,
    emptyPages,
    queryMs: options.queryMs ?? 0,
    maxQueries: options.maxQueries ?? 30,
    onQuery: options.onQuery ?? ((): QueryAnswer => ({})),
  })
  const requests: AwsRequest[] = []
  let onRequest = options.onRequest ?? ((): AwsFault => 'ok')

  const server = createServer((request, response) => {
    take(request, response).catch((error: unknown) => {
      if (!request.destroyed && !response.headersSent) response.writeHead(500).end(String(error))
    })
  })

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { entry, account } = prepare(request, await readBody(request))
    requests.push(entry)
    const fault = onRequest(entry)
    if (fault === 'hang') return
    if (fault === 'drop') {
      request.socket.destroy()
      return
    }
    try {
      if (typeof fault === 'object') throw failureOf(fault, entry.service)
      const body = answer(entry, account)
      entry.status = 200
      send(response, 200, body, entry.service)
    } catch (error) {
      if (!(error instanceof AwsFailure)) throw error
      entry.status = error.status
      entry.error = error.code
      send(response, error.status, failureBody(error, entry.service), entry.service)
    }
  }

  function prepare(request: IncomingMessage, body: string): { entry: AwsRequest; account: Account | null } {
    const scope = /Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\/aws4_request/.exec(
      request.headers.authorization ?? '',
    )
    const [, key = '', region = '', service = ''] = scope ?? []
    const account = [...byProfile.values()].find(one => one.accessKeyId === key) ?? null
    const target = String(request.headers['x-amz-target'] ?? '')
    const params =
      target === '' ? Object.fromEntries(new URLSearchParams(body)) : (JSON.parse(body) as object)
    const entry: AwsRequest = {
      number: requests.length + 1,
      at: Date.now(),
      service,
      region,
      operation: target === '' ? String((params as { Action?: string }).Action) : target.replace(/^.*\./, ''),
      account: account?.id ?? null,
      params: params as Record<string, unknown>,
      status: null,
      error: null,
    }
    return { entry, account }
  }

  function answer({ service, operation, region, params }: AwsRequest, account: Account | null): string {
    if (account === null) throw unknownKey(service)
    if (service === 'sts') return answerSts(operation, account)
    if (service === 'logs') return JSON.stringify(logs.answer(operation, region, params))
    if (service === 'ec2') {
      const form = params as Record<string, string>
      return answerEc2(operation, form, { account, region, options: { regions, pageSize, emptyPages } })
    }
    throw new AwsFailure('UnknownService', `the stand-in has no ${service}`, 404)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get onRequest() {
      return onRequest
    },
    set onRequest(hook) {
      onRequest = hook
    },
    queries: () => [...logs.queries.values()].map(({ query, stopped }) => ({ ...query, stopped })),
    addInstances(seeds, profile) {
      const account = profile === undefined ? [...byProfile.values()][0] : byProfile.get(profile)
      if (account === undefined) throw new Error(`no profile ${profile}`)
      account.instances.push(...seeds)
    },
    addLogGroup: (region, name, events) => logs.add(region, name, events),
    profiles(folder, region = regions[0]) {
      const [config, credentials] = [`${folder}/config`, `${folder}/credentials`]
      const sections = [...byProfile].map(([profile, { accessKeyId }]) => ({ profile, accessKeyId }))
      const title = (profile: string): string => (profile === 'default' ? profile : `profile ${profile}`)
      const configured = sections.map(({ profile }) => `[${title(profile)}]\nregion = ${region}\n`)
      writeFileSync(config, configured.join('\n'))
      const keys = sections.map(
        ({ profile, accessKeyId }) =>
          `[${profile}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${randomUUID()}\n`,
      )
      writeFileSync(credentials, keys.join('\n'), { mode: 0o600 })
      return { config, credentials }
    },
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => {
        server.close(resolve)
      })
    },
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function unknownKey(service: string): AwsFailure {
  if (service === 'ec2') {
    const words = 'AWS was not able to validate the provided access credentials'
    return new AwsFailure('AuthFailure', words, 401)
  }
  const words = 'The security token included in the request is invalid.'
  return service === 'sts'
    ? new AwsFailure('InvalidClientTokenId', words, 403)
    : new AwsFailure('UnrecognizedClientException', words)
}

/** A throttle as each service tells it. */
function failureOf(
  { error, status, message }: { error: string; status?: number; message?: string },
  service: string,
): AwsFailure {
  const isThrottle = error === 'RequestLimitExceeded' || error.startsWith('Throttl')
  const words = isThrottle ? (service === 'logs' ? 'Rate exceeded' : 'Request limit exceeded.') : error
  return new AwsFailure(error, message ?? words, status ?? (isThrottle && service === 'ec2' ? 503 : 400))
}

function failureBody({ code, message }: AwsFailure, service: string): string {
  if (service === 'logs') return JSON.stringify({ __type: code, message })
  const error = { Code: code, Message: message }
  if (service === 'ec2') return xml({ Response: { Errors: { Error: error }, RequestID: 'stand-in' } })
  return xml({ ErrorResponse: { Error: { Type: 'Sender', ...error }, RequestId: 'stand-in' } })
}

function send(response: ServerResponse, status: number, body: string, service: string): void {
  const text = service === 'logs' ? body : `<?xml version="1.0" encoding="UTF-8"?>\n${body}`
  response.writeHead(status, {
    'content-type': service === 'logs' ? 'application/x-amz-json-1.1' : 'text/xml;charset=UTF-8',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': 'stand-in',
  })
  response.end(text)
}
