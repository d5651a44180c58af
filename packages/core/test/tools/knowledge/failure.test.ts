import { describe, expect, test } from 'vitest'
import { knowledgeOf } from '../../../src/tools/knowledge/known.ts'

const said = (tool: string, stderr: string, exitCode = 1, stdout = ''): string => {
  const { class: kind, definite, throttled } = knowledgeOf(tool).failure(exitCode, stderr, stdout)
  return `${kind}${definite ? ', definite' : ''}${throttled ? ', throttled' : ''}`
}

/** Said by kubectl 1.32.4, most of it to a Kubernetes 1.20. */
const KUBECTL: readonly (readonly [string, string])[] = [
  [
    'forbidden, definite',
    'Error from server (Forbidden): pods "app-x" is forbidden: User "viewer" cannot delete resource "pods" in API group "" in the namespace "shop"',
  ],
  [
    'forbidden, definite',
    'error: failed to patch: deployments.apps "app-002" is forbidden: User "viewer" cannot patch resource "deployments" in API group "apps" in the namespace "shop"',
  ],
  ['expired login, definite', 'error: You must be logged in to the server (Unauthorized)'],
  [
    'expired login, definite',
    'Error loading SSO Token: Token for x does not exist\nUnable to connect to the server: getting credentials: exec: executable /opt/aws failed with exit code 255',
  ],
  [
    'failed, definite',
    'Unable to connect to the server: getting credentials: exec: executable aws not found',
  ],
  ['not found, definite', 'Error from server (NotFound): deployments.apps "nope" not found'],
  ['not found, definite', 'error: the server doesn\'t have a resource type "widgets"'],
  ['not found, definite', 'error: unable to find specified revision 99 in history'],
  ['not found, definite', 'error: no rollout history found for deployment "app-000"'],
  [
    'conflict, definite',
    'Error from server (Conflict): Operation cannot be fulfilled on deployments.apps "app-002": the object has been modified; please apply your changes to the latest version and try again',
  ],
  ['conflict, definite', 'Error from server (AlreadyExists): namespaces "shop" already exists'],
  ['conflict, definite', 'error: Expected replicas to be 7, was 2'],
  ['conflict, definite', 'error: Expected resource version to be 1, was 983'],
  [
    'conflict, definite',
    'error: failed to create patch for app-002: if restart has already been triggered within the past second, please wait before attempting to trigger another',
  ],
  [
    'invalid, definite',
    'The Deployment "app-002" is invalid: \n* spec.selector: Invalid value: v1.LabelSelector{}: field is immutable',
  ],
  [
    'invalid, definite',
    'The request is invalid: patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32',
  ],
  [
    'invalid, definite',
    'error: error validating "two.yaml": error validating data: [ValidationError(Deployment.spec): missing required field "selector" in io.k8s.api.apps.v1.DeploymentSpec]; if you choose to ignore these errors, turn validation off with --validate=false',
  ],
  ['invalid, definite', "error: 'app' already has a value (app-000), and --overwrite is false"],
  [
    'invalid, definite',
    'error: deployments.apps "app-006" can\'t restart paused deployment (run rollout resume first)',
  ],
  ['invalid, definite', 'error: replicasets.apps "x" restarting is not supported'],
  [
    'throttled, definite, throttled',
    'Error from server (TooManyRequests): the server has received too many requests and has asked us to try again later (patch deployments.apps web)',
  ],
  [
    'denied, definite',
    'Error from server: error when creating "a.yaml": admission webhook "policy.example" denied the request: no',
  ],
  [
    'denied, definite',
    'Error from server (InternalError): Internal error occurred: failed calling webhook "a.example": Post "https://a.svc:443/?timeout=10s": context deadline exceeded',
  ],
  ['timed out', 'error: timed out waiting for the condition on deployments/app-000'],
  [
    'timed out',
    'Error from server (Timeout): the server was unable to return a response in the time allotted, but may still be processing the request (patch deployments.apps web)',
  ],
  [
    'timed out',
    'Unable to connect to the server: net/http: request canceled (Client.Timeout exceeded while awaiting headers)',
  ],
  [
    'unreachable',
    'The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?',
  ],
  [
    'unreachable',
    'Unable to connect to the server: dial tcp: lookup nohost.invalid on 10.0.0.2:53: no such host',
  ],
  ['unreachable', 'Unable to connect to the server: EOF'],
  ['failed', 'error: something that nobody has heard of'],
  ['failed', ''],
  // One of two objects timed out: nobody can say that nothing was done.
  [
    'not found',
    'Error from server (NotFound): pods "a" not found\nerror: timed out waiting for the condition on pods/b',
  ],
]

describe('kubectl', () => {
  test.each(KUBECTL)('%s: %s', (expected, stderr) => {
    expect(said('kubectl', stderr)).toBe(expected)
  })

  test('what was printed was done, so nothing after it is definite', () => {
    const stderr = 'Error from server (NotFound): pods "nope" not found'
    expect(said('kubectl', stderr, 1, 'pod "a" deleted\n')).toBe('not found')
  })

  test.each([
    ['getting credentials: exec: executable /opt/aws failed with exit code 255', 'run `aws sso login`'],
    [
      'getting credentials: exec: executable gke-gcloud-auth-plugin failed with exit code 1',
      'run `gcloud auth login`',
    ],
    [
      'getting credentials: exec: executable our-login failed with exit code 1',
      'log in again: the kubeconfig asks `our-login` for credentials',
    ],
    [
      'error: You must be logged in to the server (Unauthorized)',
      'the credentials of the kubeconfig are not accepted: log in again',
    ],
    [
      'getting credentials: exec: executable aws not found',
      'the kubeconfig asks a program for credentials: name it in `[tools.kubectl] helpers`',
    ],
    ['Error from server (NotFound): pods "a" not found', null],
  ])('%s: the hint', (stderr, hint) => {
    expect(knowledgeOf('kubectl').failure(1, stderr).hint).toBe(hint)
  })
})

const called = (code: string): string =>
  `\nAn error occurred (${code}) when calling the StopInstances operation: words`

const OTHERS: readonly (readonly [string, string, string, number])[] = [
  ['aws', 'throttled, definite, throttled', called('ThrottlingException'), 254],
  ['aws', 'throttled, definite, throttled', called('RequestLimitExceeded'), 254],
  ['aws', 'throttled, definite, throttled', called('Throttling'), 254],
  ['aws', 'expired login, definite', called('ExpiredToken'), 254],
  ['aws', 'expired login, definite', called('ExpiredTokenException'), 254],
  ['aws', 'expired login, definite', 'Error loading SSO Token: Token for x does not exist', 255],
  [
    'aws',
    'expired login, definite',
    'The SSO session associated with this profile has expired or is otherwise invalid.',
    255,
  ],
  [
    'aws',
    'expired login, definite',
    'Unable to locate credentials. You can configure credentials by running "aws configure".',
    255,
  ],
  ['aws', 'forbidden, definite', called('AccessDenied'), 254],
  ['aws', 'forbidden, definite', called('AccessDeniedException'), 254],
  ['aws', 'forbidden, definite', called('UnauthorizedOperation'), 254],
  ['aws', 'not found', called('InvalidInstanceID.NotFound'), 254],
  ['aws', 'not found', called('NoSuchBucket'), 254],
  ['aws', 'conflict', called('EntityAlreadyExists'), 254],
  ['aws', 'conflict', called('IncorrectInstanceState'), 254],
  ['aws', 'invalid, definite', called('ValidationException'), 254],
  ['aws', 'invalid, definite', 'Unknown options: --dry-rum', 252],
  ['aws', 'unreachable', 'Could not connect to the endpoint URL: "http://127.0.0.1:1/"', 255],
  ['aws', 'timed out', 'Read timeout on endpoint URL: "https://ec2.eu-west-1.amazonaws.com/"', 255],
  [
    'psql',
    'unreachable, definite',
    'psql: error: connection to server at "127.0.0.1", port 1 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?',
    2,
  ],
  [
    'psql',
    'unreachable, definite',
    'psql: error: could not translate host name "nohost.invalid" to address: Name or service not known',
    2,
  ],
  [
    'psql',
    'expired login, definite',
    'psql: error: connection to server at "h", port 5432 failed: FATAL:  password authentication failed for user "a"',
    2,
  ],
  [
    'psql',
    'throttled, definite, throttled',
    'psql: error: connection to server at "h", port 5432 failed: FATAL:  sorry, too many clients already',
    2,
  ],
  ['psql', 'forbidden', 'ERROR:  permission denied for table a', 1],
  ['psql', 'conflict', 'ERROR:  duplicate key value violates unique constraint "a_pkey"', 1],
  ['psql', 'unreachable', 'server closed the connection unexpectedly', 2],
  ['psql', 'timed out', 'ERROR:  canceling statement due to statement timeout', 1],
  [
    'helm',
    'conflict, definite',
    'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress',
    1,
  ],
  ['helm', 'not found, definite', 'Error: uninstall: Release not loaded: web: release: not found', 1],
  ['helm', 'timed out', 'Error: UPGRADE FAILED: timed out waiting for the condition', 1],
  [
    'curl',
    'unreachable',
    "curl: (7) Failed to connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to server",
    7,
  ],
  ['curl', 'timed out', '', 28],
  ['curl', 'throttled, throttled', 'curl: (22) The requested URL returned error: 429', 22],
  ['curl', 'forbidden', 'curl: (22) The requested URL returned error: 403', 22],
  [
    'amtool',
    'unreachable',
    'amtool: error: Post "http://localhost:9093/api/v2/silences": dial tcp 127.0.0.1:9093: connect: connection refused',
    1,
  ],
  ['amtool', 'unreachable', 'amtool: error: Post "http://localhost:9093/api/v2/silences": EOF', 1],
  ...(
    [
      [
        'forbidden, definite',
        `response status code does not match any response statuses defined (status 403): {}`,
      ],
      [
        'throttled, definite, throttled',
        `response status code does not match any response statuses defined (status 429): {}`,
      ],
      ['failed', `response status code does not match any response statuses defined (status 503): {}`],
      [
        'invalid, definite',
        '[POST /silences][400] postSilencesBadRequest  silence invalid: at least one matcher must not match',
      ],
      ['invalid, definite', 'matcher value contains unescaped double quote: alertname=~"("'],
      ['invalid, definite', 'silence cannot start after it ends'],
      ['invalid, definite', 'comment required by config'],
      ['invalid, definite', 'not a valid duration string: "1x"'],
      [
        'not found, definite',
        '[DELETE /silence/{silenceID}][500] deleteSilenceInternalServerError  silence not found',
      ],
    ] as const
  ).map(([kind, words]): (typeof OTHERS)[number] => ['amtool', kind, `amtool: error: ${words}`, 1]),
  ['ours', 'unreachable', 'dial tcp: connection refused', 1],
  ['ours', 'failed', 'Forbidden', 1],
]

test.each(OTHERS)('%s, %s: %s', (tool, expected, stderr, exitCode) => {
  expect(said(tool, stderr, exitCode)).toBe(expected)
})

test('the AWS CLI: how to log in again', () => {
  expect(knowledgeOf('aws').failure(254, called('ExpiredToken')).hint).toBe(
    'run `aws sso login`, or refresh the credentials of the profile',
  )
})
