/**
 * What is known of the AWS CLI.
 *
 * `ec2` has a dry run that ends in an error where the call would succeed; `s3` has one that says what it would copy.
 * For every other service only the words are known. The CLI repeats calls by itself, so "there is one already" may
 * be the answer to its own first attempt, and is not definite.
 */

import type { AskTool } from '../calls.ts'
import { readAws } from '../effects/aws.ts'
import type { ParsedAws } from '../effects/aws.ts'
import type { Call, Decision } from '../effects/decision.ts'
import { AWS_FILE_FLAGS, AWS_GLOBAL_FLAGS } from '../effects/tables/aws.ts'
import { failureBy, NETWORK_FAILURES } from './failures.ts'
import type { FailureRule } from './failures.ts'
import { unheard } from './generic.ts'
import type { Rehearsal, ToolKnowledge } from './knowledge.ts'

const HARMLESS = new Set([
  'region',
  'color',
  'no-cli-pager',
  'no-cli-auto-prompt',
  'cli-read-timeout',
  'cli-connect-timeout',
])

const canonical = (call: Call, { target, verb }: Decision): readonly string[] => {
  const parsed = readAws(call.argv)
  if (parsed === null) return call.argv
  const region = target.kind === 'aws' ? target.region : null
  const isTold = (name: string): boolean =>
    !HARMLESS.has(name) &&
    !(Object.hasOwn(AWS_GLOBAL_FLAGS, name) && AWS_GLOBAL_FLAGS[name]?.refused !== null)
  const isFile = (name: string): boolean =>
    AWS_FILE_FLAGS.some(
      one => one.flag === name && one.access === 'read' && (one.of === null || one.of.has(verb)),
    )
  const flags = parsed.flags
    .filter(({ name }) => isTold(name))
    .map(({ name, values }) => [name, ...values.map(value => (isFile(name) ? '<file>' : withoutPath(value)))])
    // Of equals the order counts.
    .toSorted(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0))
  return [
    parsed.service ?? '',
    parsed.operation ?? '',
    ...(region === null ? [] : [`--region=${region}`]),
    ...flags.flatMap(([name = '', ...values]) => [`--${name}`, ...values.map(value => `=${value}`)]),
    '--',
    ...parsed.operands,
  ]
}

const withoutPath = (value: string): string => value.replace(/^(fileb?:\/\/)[^]*$/i, '$1<file>')

const rehearse = async (
  call: Call,
  decision: Decision,
  ask: AskTool,
  stdin: string | null,
): Promise<Rehearsal> => {
  const parsed = readAws(call.argv)
  const { service = null } = parsed ?? {}
  const targets = targetsOf(decision)
  if (parsed !== null && service === 'ec2') return rehearseEc2(call, parsed, ask, targets)
  if (parsed !== null && service === 's3' && ['cp', 'mv', 'rm', 'sync'].includes(parsed.operation ?? '')) {
    return rehearseS3(call, ask, targets, stdin)
  }
  return unheard(call, noDryRun(decision), targets)
}

const noDryRun = ({ verb }: Decision): string =>
  `\`aws ${verb}\` has no dry run: what it prints is known only once it ran`

const targetsOf = ({ target, verb }: Decision): readonly string[] => {
  if (target.kind !== 'aws') return [`aws ${verb}`]
  const place = target.region === null ? '' : `${target.region}/`
  if (target.ids.length === 0) return [`${place}${target.service} ${target.operation}`]
  return target.ids.map(id => (id.startsWith('s3://') ? id : `${place}${target.service}/${id}`))
}

/** What a real call returns holds the id of what it made. */
const MAKES =
  /^(create|run|allocate|copy|import|register|request|purchase|associate|provision|bundle|export)-/

const rehearseEc2 = async (
  call: Call,
  parsed: ParsedAws,
  ask: AskTool,
  targets: readonly string[],
): Promise<Rehearsal> => {
  const words = call.argv.filter(word => word !== '--no-dry-run' && word !== '--dry-run')
  const told = await ask([...words, '--dry-run'])
  const { operation } = parsed
  if (/\(DryRunOperation\)/.test(told.stderr)) {
    const incomplete = MAKES.test(operation ?? '')
      ? `what \`ec2 ${operation}\` makes has no id before it ran`
      : null
    return { ...unheard(call, incomplete, targets), stdout: emptyAnswer(parsed) }
  }
  if (/Unknown options?: --dry-run|unrecognized arguments: --dry-run/.test(told.stderr)) {
    return unheard(
      call,
      `\`ec2 ${operation}\` has no dry run: what it prints is known only once it ran`,
      targets,
    )
  }
  if (told.exitCode !== 0) return { ...told, runs: [], targets: [], incomplete: null, before: {} }
  return { ...unheard(call, null, targets), stdout: told.stdout, stderr: told.stderr }
}

const emptyAnswer = ({ flags }: ParsedAws): string => {
  const last = (name: string): string | undefined => flags.findLast(one => one.name === name)?.values[0]
  const form = last('output') ?? 'json'
  const isAsked = last('query') !== undefined
  if (form === 'json' || form === 'yaml') return isAsked ? 'null\n' : '{}\n'
  return form === 'text' && isAsked ? 'None\n' : ''
}

const rehearseS3 = async (
  call: Call,
  ask: AskTool,
  targets: readonly string[],
  stdin: string | null,
): Promise<Rehearsal> => {
  const told = await ask([...call.argv, '--dryrun'], { stdin })
  const stdout = told.stdout.replaceAll(/^\(dryrun\) /gm, '')
  if (told.exitCode !== 0 && stdout === '')
    return { ...told, stdout, runs: [], targets: [], incomplete: null, before: {} }
  return { ...unheard(call, null, targets), exitCode: told.exitCode, stdout, stderr: told.stderr }
}

const LOGIN = 'run `aws sso login`, or refresh the credentials of the profile'

const RULES: readonly FailureRule[] = [
  {
    class: 'expired login',
    definite: true,
    when: /\((?:ExpiredToken|ExpiredTokenException|RequestExpired|InvalidClientTokenId|UnrecognizedClientException|AuthFailure|InvalidAccessKeyId|TokenRefreshRequired|UnauthorizedException)\)|Token has expired|Error loading SSO Token|SSO session (?:associated with this profile )?has expired|Unable to locate credentials|Partial credentials found|Error when retrieving (?:token|credentials)/,
    hint: LOGIN,
  },
  {
    class: 'throttled',
    definite: true,
    throttled: true,
    when: /\((?:Throttling\w*|RequestLimitExceeded|TooManyRequests\w*|SlowDown|RequestThrottled\w*|ProvisionedThroughputExceeded\w*|EC2ThrottledException|PriorRequestNotComplete|LimitExceededException: Rate)\)|Rate exceeded/,
  },
  {
    class: 'forbidden',
    definite: true,
    when: /\((?:AccessDenied\w*|UnauthorizedOperation|Forbidden\w*|AuthorizationError\w*|403|OptInRequired)\)/,
  },
  {
    class: 'not found',
    definite: false,
    when: /\((?:[\w.]*NotFound\w*|NoSuch\w+|ResourceNotFound\w*|404)\)/,
  },
  {
    class: 'conflict',
    definite: false,
    when: /\([\w.]*(?:AlreadyExists|Conflict|Duplicate|InUse|Incorrect\w*State|InvalidState|OperationAborted|ConcurrentModification|BucketAlreadyOwnedByYou)\w*\)/,
  },
  {
    class: 'invalid',
    definite: true,
    when: /\((?:Validation\w*|Invalid[\w.]*|Malformed\w*|Missing\w*|ParamValidation|UnknownOperation\w*|UnsupportedOperation)\)|Parameter validation failed|Unknown options|the following arguments are required|Invalid choice|invalid choice|Expected: '='|Error parsing parameter/,
  },
  { class: 'timed out', definite: false, when: /(?:Connect|Read) timeout on endpoint URL/ },
  {
    class: 'unreachable',
    definite: false,
    when: /Could not connect to the endpoint URL|Connection was closed before/,
  },
]

export const AWS: ToolKnowledge = {
  canonical,
  rehearse: (call, decision, ask, _files, stdin) => rehearse(call, decision, ask, stdin),
  failure: (_exitCode, stderr, stdout = '') =>
    failureBy([...RULES, ...NETWORK_FAILURES], stderr, { didSomething: stdout !== '' }),
}
