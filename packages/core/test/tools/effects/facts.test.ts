/** What a decision says besides its effect: targets, files, stdin, and what the operator's patterns change. */

import { describe, expect, test } from 'vitest'
import { builtInTools, decide, describeTable } from '../../../src/tools/effects/effects.ts'
import { matchesPattern } from '../../../src/tools/effects/patterns.ts'
import { callOf, decideLine, OPEN_POLICY, splitWords } from './command-line.ts'

const kubernetes = (parts: object) => ({
  kind: 'kubernetes',
  namespace: null,
  allNamespaces: false,
  objects: [],
  unresolved: [],
  ...parts,
})

test('a whole decision', () => {
  expect(decideLine('kubectl -n web rollout restart deploy/api deploy/web')).toEqual({
    effect: 'mutate',
    verb: 'rollout restart',
    target: kubernetes({
      namespace: 'web',
      objects: [
        { resource: 'deployments', name: 'api' },
        { resource: 'deployments', name: 'web' },
      ],
    }),
    readsStdin: false,
    files: [],
    ownDryRun: false,
    needs: [],
    reason: '`rollout restart` changes the cluster',
    hint: null,
  })
})

describe('targets of kubectl', () => {
  test.each([
    [
      'kubectl delete pod a b',
      {
        objects: [
          { resource: 'pods', name: 'a' },
          { resource: 'pods', name: 'b' },
        ],
      },
    ],
    [
      'kubectl delete po/a sts/b',
      {
        objects: [
          { resource: 'pods', name: 'a' },
          { resource: 'statefulsets', name: 'b' },
        ],
      },
    ],
    [
      'kubectl get po,svc',
      {
        objects: [
          { resource: 'pods', name: null },
          { resource: 'services', name: null },
        ],
      },
    ],
    ['kubectl get deployments.v1.apps a', { objects: [{ resource: 'deployments', name: 'a' }] }],
    ['kubectl get widgets.example.com a', { objects: [{ resource: 'widgets.example.com', name: 'a' }] }],
    [
      'kubectl delete pods -l a=b',
      { objects: [{ resource: 'pods', name: null }], unresolved: ['selector', 'all'] },
    ],
    [
      'kubectl rollout restart deploy',
      { objects: [{ resource: 'deployments', name: null }], unresolved: ['all'] },
    ],
    [
      'kubectl delete pods --all -A',
      { allNamespaces: true, objects: [{ resource: 'pods', name: null }], unresolved: ['all'] },
    ],
    ['kubectl apply -f a.yaml -n web', { namespace: 'web', unresolved: ['file'] }],
    ['kubectl apply -f -', { unresolved: ['stdin'] }],
    ['kubectl apply -k prod', { unresolved: ['kustomization'] }],
    ['kubectl label pod a x=y z-', { objects: [{ resource: 'pods', name: 'a' }] }],
    ['kubectl set image deploy/a app=b', { objects: [{ resource: 'deployments', name: 'a' }] }],
    ['kubectl set sa deploy a robot', { objects: [{ resource: 'deployments', name: 'a' }] }],
    [
      'kubectl drain n1 n2',
      {
        objects: [
          { resource: 'nodes', name: 'n1' },
          { resource: 'nodes', name: 'n2' },
        ],
      },
    ],
    ['kubectl create deploy a --image=b', { objects: [{ resource: 'deployments', name: 'a' }] }],
    ['kubectl run a --image=b -- sleep 1', { objects: [{ resource: 'pods', name: 'a' }] }],
    ['kubectl logs a -c b', { objects: [{ resource: 'pods', name: 'a' }] }],
    ['kubectl -n one delete pod a -n two', { namespace: 'two', objects: [{ resource: 'pods', name: 'a' }] }],
  ])('%s', (line, parts) => {
    expect(decideLine(line).target).toEqual(kubernetes(parts))
  })
})

describe('targets of other tools', () => {
  test.each([
    [
      'aws ec2 stop-instances --instance-ids i-1 i-2 --region eu-west-1',
      { kind: 'aws', service: 'ec2', operation: 'stop-instances', region: 'eu-west-1', ids: ['i-1', 'i-2'] },
    ],
    ['aws s3 rm s3://b/k', { kind: 'aws', service: 's3', operation: 'rm', region: null, ids: ['s3://b/k'] }],
    ["psql app -c 'select 1'", { kind: 'sql', database: 'app', statements: ['select 1'] }],
    ['helm -n web upgrade api ./chart', { kind: 'helm', namespace: 'web', release: 'api', chart: './chart' }],
    ['amtool silence expire 1 2', { kind: 'words', words: ['1', '2'] }],
    ['shipit deploy web', { kind: 'words', words: ['deploy', 'web'] }],
  ])('%s', (line, target) => {
    expect(decideLine(line).target).toEqual(target)
  })
})

describe('files', () => {
  const file = (operand: string, path: string, access = 'read', form = 'file') => ({
    operand,
    path,
    access,
    form,
  })

  test.each([
    ['kubectl apply -f a.yaml,b/c.yaml', [file('a.yaml', '/ws/a.yaml'), file('b/c.yaml', '/ws/b/c.yaml')]],
    ['kubectl apply -f /tmp/a.yaml', [file('/tmp/a.yaml', '/tmp/a.yaml')]],
    ["kubectl apply -f '*.yaml'", [file('*.yaml', '/ws/*.yaml', 'read', 'glob')]],
    ['kubectl apply -k prod', [file('prod', '/ws/prod', 'read', 'kustomization')]],
    ['kubectl create cm a --from-file=x=a.txt', [file('a.txt', '/ws/a.txt')]],
    ['kubectl cluster-info dump --output-directory=d', [file('d', '/ws/d', 'write')]],
    ['aws s3 cp s3://b/k out', [file('out', '/ws/out', 'write')]],
    ['aws s3api get-object --bucket b --key k out', [file('out', '/ws/out', 'write')]],
    ['aws lambda update-function-code --zip-file fileb://a.zip', [file('a.zip', '/ws/a.zip')]],
    ["psql -c 'select 1' -o out", [file('out', '/ws/out', 'write')]],
    ['helm install a ./chart -f v.yaml', [file('v.yaml', '/ws/v.yaml'), file('./chart', '/ws/chart')]],
  ])('%s', (line, files) => {
    expect(decideLine(line).files).toEqual(files)
  })

  test('a relative path is one of the folder that the script stands in', () => {
    expect(decideLine('kubectl apply -f ../a.yaml', {}, { cwd: '/ws/deep' }).files[0]?.path).toBe(
      '/ws/a.yaml',
    )
    expect(decideLine('kubectl apply -f ../a.yaml').effect).toBe('refuse')
    expect(decideLine('kubectl apply -f a.yaml', {}, { cwd: '/usr' }).effect).toBe('refuse')
  })
})

describe('stdin', () => {
  test.each([
    ['kubectl apply -f -', true],
    ['kubectl apply -f /dev/stdin', true],
    ['kubectl delete pod a -i', true],
    ['kubectl get pods', false],
    ['aws s3 cp - s3://b/k', true],
    ['aws s3 ls', false],
    ['psql', true],
    ['psql -f -', true],
    ["psql -c 'select 1'", false],
    ['helm upgrade a ./c -f -', true],
    ['shipit deploy', false],
  ])('%s: %s', (line, readsStdin) => {
    expect(decideLine(line).readsStdin).toBe(readsStdin)
  })
})

describe("the operator's patterns", () => {
  test.each([
    ['get pods', 'get pods', true],
    ['get pods', 'get pods -A', false],
    ['get *', 'get', true],
    ['get *', 'get pods -A', true],
    ['get * web', 'get pods web', true],
    ['get * web', 'get -A web', false],
    ['compute * list *', 'compute instances delete list', false],
    ['list-*', 'list-pods', true],
    ['list-*', 'list-pods x', false],
    ['l*t', 'list', true],
    ['a.c', 'abc', false],
    ['', '', false],
  ])('%j on %j: %s', (pattern, argv, matched) => {
    expect(matchesPattern(pattern, splitWords(argv))).toBe(matched)
  })

  test.each([
    ['a house tool reads', { reads: ['status *'] }, 'shipit status web', 'read'],
    [
      'a mutation wins over a read',
      { reads: ['status *'], mutates: ['status *'] },
      'shipit status web',
      'mutate',
    ],
    ['a reveal wins over both', { mutates: ['key *'], reveals: ['key *'] }, 'shipit key', 'reveal'],
    ['a session is allowed as a mutation', { mutates: ['exec *'] }, 'kubectl exec a -- ls', 'mutate'],
    ['with flags before the verb too', { mutates: ['exec *'] }, 'kubectl -n web exec a -- ls', 'mutate'],
    ['but no identity', { mutates: ['exec *'] }, 'kubectl exec a --token=x -- ls', 'refuse'],
    ['a plug-in reads', { reads: ['neat *'] }, 'kubectl neat get pods', 'read'],
    ['but no identity either', { reads: ['neat *'] }, 'kubectl neat get pods -s=x', 'refuse'],
    ['a wildcard lets no secret out', { reads: ['get *'] }, 'kubectl get secret a -o yaml', 'reveal'],
    ['the whole call does', { reads: ['get secret a -o yaml'] }, 'kubectl get secret a -o yaml', 'read'],
    ['no other one', { reads: ['get secret a -o yaml'] }, 'kubectl get secret b -o yaml', 'reveal'],
    [
      'nor with a flag before',
      { reads: ['get secret a -o yaml'] },
      'kubectl -n x get secret a -o yaml',
      'reveal',
    ],
    ['a wildcard lets no unknown flag in', { reads: ['get *'] }, 'kubectl get pods --brand-new', 'refuse'],
    ['the whole call does', { reads: ['get pods --brand-new'] }, 'kubectl get pods --brand-new', 'read'],
    ['files outside stay refused', { mutates: ['apply *'] }, 'kubectl apply -f /etc/x', 'refuse'],
    ['a read can be made a reveal', { reveals: ['get cm *'] }, 'kubectl get cm a -o yaml', 'reveal'],
    ['a read can be made a mutation', { mutates: ['s3 ls *'] }, 'aws s3 ls', 'mutate'],
    [
      'an operation can be made a read',
      { reads: ['athena start-query-execution *'] },
      'aws athena start-query-execution --x y',
      'read',
    ],
    ['a role that can only read', { reads: ['sql'] }, "psql -c 'select 1'", 'read'],
    ['starts no program all the same', { reads: ['sql'] }, String.raw`psql -c '\! id'`, 'refuse'],
  ])('%s', (_name, policy, line, effect) => {
    expect(decideLine(line, policy).effect).toBe(effect)
  })

  test("the operator's own identity may be said again, and no other", () => {
    const policy = { args: ['--context', 'prod'] }
    expect(decideLine('kubectl --context prod get pods', policy).effect).toBe('read')
    expect(decideLine('kubectl get pods --context=prod', policy).effect).toBe('read')
    expect(decideLine('kubectl get pods --context=dev', policy).effect).toBe('refuse')
    expect(decideLine('aws s3 ls --profile ops', { args: ['--profile', 'ops'] }).effect).toBe('read')
    expect(decideLine('aws s3 ls --profile dev', { args: ['--profile', 'ops'] }).effect).toBe('refuse')
    const several = { args: ['--profile', 'dev', '--profile=ops'] }
    expect(decideLine('aws s3 ls --profile dev', several).effect).toBe('read')
    expect(decideLine('aws s3 ls --profile prod', several).effect).toBe('refuse')
    expect(decideLine('aws ec2 stop-instances --instance-ids i-1 --profile dev', several).effect).toBe(
      'refuse',
    )
    expect(decideLine('aws sts get-session-token --profile dev', several).effect).toBe('refuse')
    expect(decideLine('aws ec2 stop-instances --instance-ids i-1 --profile ops', several).effect).toBe(
      'mutate',
    )
    const endpoints = { args: ['--endpoint-url=http://a', '--endpoint-url=http://b'] }
    expect(decideLine('aws s3 ls --endpoint-url http://a', endpoints).effect).toBe('refuse')
    expect(decideLine("psql -h db -c 'select 1'", { args: ['--host=db'] }).effect).toBe('mutate')
    expect(decideLine('gcloud x --account=a', { args: ['--account=a'] }).effect).toBe('mutate')
    expect(decideLine('gcloud x --account a --account b', { args: ['--account', 'a'] }).effect).toBe('refuse')
    expect(decideLine('helm list --kube-context prod', { args: ['--kube-context=prod'] }).effect).toBe('read')
  })
})

describe('a refusal says what, why and what to do', () => {
  test.each([
    ['kubectl gett pods', 'the verb `gett` is not in the table: it may be a plug-in', 'did you mean `get`?'],
    [
      'kubectl get pods --token=x',
      "`--token` decides where the operator's identity goes",
      'leave it out; the operator sets it in `[tools.kubectl] args`',
    ],
    [
      'kubectl apply -f /etc/a.yaml',
      '`/etc/a.yaml` lies outside the workspace and /tmp',
      'a tool reads and writes files only below /ws and /tmp',
    ],
  ])('%s', (line, reason, hint) => {
    expect(decideLine(line)).toMatchObject({ effect: 'refuse', reason, hint })
  })
})

describe('the tables as rows', () => {
  test('every built-in tool has some', () => {
    expect(builtInTools()).toEqual(['kubectl', 'helm', 'aws', 'psql', 'amtool', 'curl'])
    for (const tool of builtInTools()) expect(describeTable(tool).length).toBeGreaterThan(3)
    expect(describeTable('gcloud').length).toBeGreaterThan(3)
    expect(describeTable('shipit')).toEqual([])
  })

  test('a row', () => {
    expect(describeTable('kubectl').find(row => row.verb === 'rollout undo')).toEqual({
      verb: 'rollout undo',
      effect: 'mutate',
      note: 'twice returns to the first revision',
    })
  })
})

test('nothing that a script can write makes decide throw', () => {
  const words = [
    '',
    '-',
    '--',
    '-o',
    '--=x',
    '-n',
    '=',
    '\\',
    "'",
    '--a=b',
    'get',
    'secret',
    '/',
    '..',
    '\n',
    '𝔾',
    '-=',
    '---',
  ]
  for (const tool of [...builtInTools(), 'gcloud', 'shipit', 'constructor', '__proto__']) {
    for (const one of words) {
      for (const two of words) {
        for (const three of words) {
          expect(() => decide(callOf([tool, one, two, three]), OPEN_POLICY)).not.toThrow()
        }
      }
    }
  }
})
