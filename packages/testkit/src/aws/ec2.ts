/** EC2 and STS, as far as an inventory asks: DescribeRegions, DescribeInstances, GetCallerIdentity. Pure. */

import { pageOf } from './pages.ts'
import { AwsFailure } from './request-log.ts'
import { xml, type XmlValue } from './xml.ts'

export interface InstanceSeed {
  readonly id: string
  readonly region: string
  /** @default 'a' of its region */
  readonly zone?: string
  /** @default 't3.micro' */
  readonly type?: string
  /** @default 'running' */
  readonly state?: string
  /** @default 2026-01-01T00:00:00Z */
  readonly launched?: string
  readonly tags?: Readonly<Record<string, string>>
}

export interface Account {
  /** Twelve digits. */
  readonly id: string
  readonly accessKeyId: string
  readonly instances: InstanceSeed[]
}

export interface Ec2Options {
  readonly regions: readonly string[]
  readonly pageSize: number
  readonly emptyPages: boolean
}

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/'

const STATE_CODES: Readonly<Record<string, number>> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
}

/** @throws {AwsFailure} */
export function answerEc2(
  operation: string,
  form: Readonly<Record<string, string>>,
  { account, region, options }: { account: Account; region: string; options: Ec2Options },
): string {
  if (operation === 'DescribeRegions') {
    const regions = options.regions.map(name => ({
      regionName: name,
      regionEndpoint: `ec2.${name}.amazonaws.com`,
      optInStatus: 'opt-in-not-required',
    }))
    return envelope(operation, { regionInfo: regions })
  }
  if (operation !== 'DescribeInstances') {
    throw new AwsFailure('InvalidAction', `The action ${operation} is not valid for this web service.`)
  }
  const filters = filtersOf(form)
  const found = account.instances.filter(one => one.region === region && filters.every(fits => fits(one)))
  const { items, token } = pageOf(found, {
    token: form.NextToken,
    size: Math.min(Number(form.MaxResults ?? options.pageSize), options.pageSize),
    withEmptyPages: options.emptyPages,
    tokenError: 'InvalidNextToken',
  })
  return envelope(operation, {
    reservationSet: items.map((one, index) => ({
      reservationId: `r-${index}`,
      ownerId: account.id,
      instancesSet: [instance(one)],
    })),
    nextToken: token,
  })
}

function instance({
  id,
  region,
  zone,
  type,
  state = 'running',
  launched,
  tags = {},
}: InstanceSeed): XmlValue {
  return {
    instanceId: id,
    instanceType: type ?? 't3.micro',
    instanceState: { code: STATE_CODES[state] ?? 16, name: state },
    launchTime: launched ?? '2026-01-01T00:00:00.000Z',
    placement: { availabilityZone: zone ?? `${region}a` },
    tagSet: Object.entries(tags).map(([key, value]) => ({ key, value })),
  }
}

function filtersOf(form: Readonly<Record<string, string>>): ((one: InstanceSeed) => boolean)[] {
  return Object.entries(form).flatMap(([key, name]) => {
    const number = /^Filter\.(\d+)\.Name$/.exec(key)?.[1]
    if (number === undefined) return []
    const values = Object.entries(form)
      .filter(([other]) => other.startsWith(`Filter.${number}.Value.`))
      .map(([, value]) => pattern(value))
    const fits = (text: string | undefined): boolean =>
      text !== undefined && values.some(value => value.test(text))
    if (name === 'instance-state-name') return [one => fits(one.state ?? 'running')]
    if (name === 'instance-type') return [one => fits(one.type ?? 't3.micro')]
    if (name === 'tag-key') return [one => Object.keys(one.tags ?? {}).some(fits)]
    if (name.startsWith('tag:')) return [one => fits(one.tags?.[name.slice('tag:'.length)])]
    throw new AwsFailure('InvalidParameterValue', `The filter '${name}' is invalid`)
  })
}

/** `*` and `?`, and a backslash that takes their meaning. */
function pattern(value: string): RegExp {
  const source = value.replaceAll(/\\?[^]/g, one => {
    if (one === '*') return '.*'
    if (one === '?') return '.'
    return one.slice(-1).replace(/[$()*+./?[\\\]^{|}-]/, String.raw`\$&`)
  })
  return new RegExp(`^${source}$`, 's')
}

function envelope(operation: string, body: XmlValue): string {
  return `<${operation}Response xmlns="${NAMESPACE}">${xml({ requestId: 'stand-in' })}${xml(body)}</${operation}Response>`
}

export function answerSts(operation: string, account: Account): string {
  if (operation !== 'GetCallerIdentity') {
    throw new AwsFailure('InvalidAction', `Could not find operation ${operation}`)
  }
  const result = {
    Arn: `arn:aws:iam::${account.id}:user/stand-in`,
    UserId: account.accessKeyId,
    Account: account.id,
  }
  return (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
    xml({ GetCallerIdentityResult: result, ResponseMetadata: { RequestId: 'stand-in' } }) +
    '</GetCallerIdentityResponse>'
  )
}
