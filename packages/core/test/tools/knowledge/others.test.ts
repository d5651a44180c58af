/** Tools without a cluster at hand: what they are asked, and what their answers become. */

import { describe, expect, test } from 'vitest'
import type { Rehearsal } from '../../../src/tools/knowledge/knowledge.ts'
import { knowledgeOf, located } from '../../../src/tools/knowledge/known.ts'
import { decideLine } from '../effects/command-line.ts'
import { callOfLine } from './scenarios.ts'

type Answers = Readonly<
  Record<string, { readonly exitCode?: number; readonly stdout?: string; readonly stderr?: string }>
>

const FIELDS = { namespace: 'shop', region: 'eu-west-1', host: 'db1', database: 'orders' }

/** What is asked and has no answer fails the test. */
const askOf = (answers: Answers) => (argv: readonly string[]) => {
  const answer = answers[argv.join(' ')]
  if (answer === undefined) return Promise.reject(new Error(`asked: ${argv.join(' ')}`))
  return Promise.resolve({ exitCode: 0, stdout: '', stderr: '', ...answer })
}

const rehearse = (line: string, answers: Answers = {}): Promise<Rehearsal> => {
  const call = callOfLine(line)
  const policy = { mutates: ['https://h.example/*'] }
  const decision = located(decideLine(line, policy), { fields: FIELDS })
  return knowledgeOf(call.tool).rehearse(call, decision, askOf(answers), [], null)
}

const asItStands = (line: string, rest: Partial<Rehearsal>): Rehearsal => ({
  exitCode: 0,
  stdout: '',
  stderr: '',
  runs: [callOfLine(line).argv],
  targets: [],
  incomplete: null,
  before: {},
  ...rest,
})

const NOTHING = { runs: [], targets: [], incomplete: null, before: {} }

describe('aws', () => {
  const STOP = 'aws ec2 stop-instances --instance-ids i-1 i-2'
  const DRY = 'ec2 stop-instances --instance-ids i-1 i-2 --dry-run'
  const wouldSucceed =
    '\nAn error occurred (DryRunOperation) when calling the StopInstances operation: Request would have succeeded, but DryRun flag is set.\n'

  test('a dry run that would succeed ends in an error, and is none', async () => {
    expect(await rehearse(STOP, { [DRY]: { exitCode: 254, stderr: wouldSucceed } })).toEqual(
      asItStands(STOP, { stdout: '{}\n', targets: ['eu-west-1/ec2/i-1', 'eu-west-1/ec2/i-2'] }),
    )
  })

  test('in the form that is asked for', async () => {
    const form = async (flags: string): Promise<string> =>
      (
        await rehearse(`${STOP} ${flags}`, {
          [`${DRY.replace(' --dry-run', '')} ${flags} --dry-run`]: { exitCode: 254, stderr: wouldSucceed },
        })
      ).stdout
    expect(await form('--output text')).toBe('')
    expect(await form('--query StoppingInstances[0].InstanceId')).toBe('null\n')
    expect(await form('--output text --query StoppingInstances[0].InstanceId')).toBe('None\n')
  })

  test('one that would not is what the script gets', async () => {
    const stderr =
      '\nAn error occurred (UnauthorizedOperation) when calling the StopInstances operation: no\n'
    expect(await rehearse(STOP, { [DRY]: { exitCode: 254, stderr } })).toEqual({
      exitCode: 254,
      stdout: '',
      stderr,
      ...NOTHING,
    })
  })

  test('what makes something has no id yet', async () => {
    const line = 'aws ec2 create-volume --size 1 --availability-zone a'
    const answers = { [`${line.slice(4)} --dry-run`]: { exitCode: 254, stderr: wouldSucceed } }
    expect(await rehearse(line, answers)).toMatchObject({
      incomplete: 'what `ec2 create-volume` makes has no id before it ran',
    })
  })

  test('an operation without one', async () => {
    const line = 'aws ec2 wobble-instances'
    const answers = {
      'ec2 wobble-instances --dry-run': { exitCode: 252, stderr: '\nUnknown options: --dry-run\n' },
    }
    expect(await rehearse(line, answers)).toMatchObject({
      runs: [['ec2', 'wobble-instances']],
      incomplete: '`ec2 wobble-instances` has no dry run: what it prints is known only once it ran',
    })
  })

  test('s3 says what it would do', async () => {
    const line = 'aws s3 rm s3://b/k'
    expect(
      await rehearse(line, { 's3 rm s3://b/k --dryrun': { stdout: '(dryrun) delete: s3://b/k\n' } }),
    ).toEqual(asItStands(line, { stdout: 'delete: s3://b/k\n', targets: ['s3://b/k'] }))
  })

  test('other services are not asked', async () => {
    const line = 'aws iam delete-role --role-name r'
    expect(await rehearse(line)).toEqual(
      asItStands(line, {
        targets: ['eu-west-1/iam/r'],
        incomplete: '`aws iam delete-role` has no dry run: what it prints is known only once it ran',
      }),
    )
  })
})

describe('psql', () => {
  test('SQL is not run, not even to look', async () => {
    const line = `psql -c 'UPDATE orders SET a = 1; -- all\n DELETE FROM old'`
    expect(await rehearse(line)).toEqual(
      asItStands(line, {
        targets: ['db1/orders: UPDATE orders SET', 'db1/orders: DELETE FROM old'],
        incomplete: 'what SQL prints is known only once it ran',
      }),
    )
  })

  // A plan is read by a person: what is hidden there is approved unseen.
  test.each([
    [
      'a comment that strings only seem to open and to close',
      `SELECT "/*" FROM a; DROP TABLE users; SELECT "*/" FROM b`,
      ['SELECT "/*" FROM', 'DROP TABLE users', 'SELECT "*/" FROM'],
    ],
    ['a line that is no comment', `SELECT "--"; DROP TABLE users`, ['SELECT "--"', 'DROP TABLE users']],
    [
      'a comment in a comment',
      'SELECT 1 /* /* */ ; DROP TABLE no; */ ; DELETE FROM a',
      ['SELECT 1', 'DELETE FROM a'],
    ],
    [
      'a block with statements of its own',
      'DO $x$ BEGIN DELETE FROM a; END $x$; DELETE FROM b',
      ['DO $x$ BEGIN', 'DELETE FROM b'],
    ],
    ['more than one to a line', 'SELECT 1 \\; DROP TABLE users', ['SELECT 1', 'DROP TABLE users']],
    ['what psql is told', 'BEGIN\\g\nDELETE FROM a', ['BEGIN', '\\g', 'DELETE FROM a']],
  ])('shows each statement: %s', async (_, sql, heads) => {
    const { targets } = await rehearse(`psql -c '${sql}'`)
    expect(targets).toEqual(heads.map(head => `db1/orders: ${head}`))
  })
})

describe('helm', () => {
  const DRY_RUN = `Release "web" has been upgraded. Happy Helming!
NAME: web
NAMESPACE: shop
STATUS: pending-upgrade
REVISION: 4
TEST SUITE: None
HOOKS:
MANIFEST:
---
kind: Secret
data: {password: c2VjcmV0}

NOTES:
Visit us.
`
  const HISTORY = 'history web --namespace shop --max 1 --output json'

  test('an upgrade: the usual words, without the manifest', async () => {
    const line = 'helm upgrade web ./chart'
    const answers = {
      'upgrade web ./chart --dry-run': { stdout: DRY_RUN },
      [HISTORY]: { stdout: '[{"revision":3}]' },
    }
    const stdout = `Release "web" has been upgraded. Happy Helming!
NAME: web
NAMESPACE: shop
STATUS: deployed
REVISION: 4
TEST SUITE: None
NOTES:
Visit us.
`
    expect(await rehearse(line, answers)).toEqual(
      asItStands(line, {
        stdout,
        targets: ['shop/release/web'],
        before: { 'shop/release/web': '{"revision":"3"}' },
      }),
    )
  })

  test('its failure is what the script gets', async () => {
    const stderr = 'Error: uninstall: Release not loaded: web: release: not found\n'
    const answers = {
      'uninstall web --dry-run': { exitCode: 1, stderr },
      [HISTORY]: { exitCode: 1, stderr: 'Error: release: not found' },
    }
    expect(await rehearse('helm uninstall web', answers)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr,
      ...NOTHING,
    })
  })

  test('unless it asked for none to be missed', async () => {
    const answers = {
      'uninstall web --ignore-not-found --dry-run': { exitCode: 1, stderr: 'Error: release: not found' },
      [HISTORY]: { exitCode: 1, stderr: 'Error: release: not found' },
    }
    expect(await rehearse('helm uninstall web --ignore-not-found', answers)).toMatchObject({
      exitCode: 0,
      runs: [],
    })
  })

  test.each([
    ['not-done', 'helm upgrade web ./chart', { stdout: '[{"revision":3}]' }],
    ['unknown', 'helm upgrade web ./chart', { stdout: '[{"revision":4}]' }],
    ['unknown', 'helm upgrade web ./chart', { exitCode: 1, stderr: 'EOF' }],
    ['done', 'helm uninstall web', { exitCode: 1, stderr: 'Error: release: not found' }],
    ['unknown', 'helm uninstall web', { stdout: '[{"revision":3}]' }],
  ])('%s: %s, and now %o', async (verdict, line, history) => {
    const decision = located(decideLine(line), { fields: FIELDS })
    const before = { 'shop/release/web': '{"revision":"3"}' }
    const started = { call: 'ID', argv: callOfLine(line).argv, decision, before }
    expect(await knowledgeOf('helm').settle?.(started, askOf({ [HISTORY]: history }))).toBe(verdict)
  })
})

test.each<[string, Partial<Rehearsal>]>([
  [
    'amtool silence add alertname=a -c x',
    {
      stdout: '00000000-0000-0000-0000-000000000000\n',
      targets: ['silence alertname=a'],
      incomplete: 'the id of a silence is known only once it is added',
    },
  ],
  ['amtool silence expire a b', { targets: ['silence/a', 'silence/b'] }],
  [
    'curl -X POST https://h.example/x',
    {
      targets: ['POST https://h.example/x'],
      incomplete: 'what POST https://h.example/x answers is known only once it ran',
    },
  ],
  [
    'gcloud compute instances stop a',
    {
      targets: ['gcloud compute instances stop'],
      incomplete: 'what `gcloud compute instances stop` prints is known only once it ran',
    },
  ],
  [
    'toString x',
    { targets: ['toString x'], incomplete: 'what `toString x` prints is known only once it ran' },
  ],
])('%s', async (line, rest) => {
  expect(await rehearse(line)).toEqual(asItStands(line, rest))
})
