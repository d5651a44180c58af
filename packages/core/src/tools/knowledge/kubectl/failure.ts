/** What kubectl says when it fails. */

import { failureBy, NETWORK_FAILURES } from '../failures.ts'
import type { FailureRule } from '../failures.ts'
import type { FailureKind } from '../knowledge.ts'

/** By the program that the kubeconfig names for logins. */
const LOGINS: Readonly<Record<string, string>> = {
  aws: 'aws sso login',
  'aws-iam-authenticator': 'aws sso login',
  'gke-gcloud-auth-plugin': 'gcloud auth login',
  gcloud: 'gcloud auth login',
  kubelogin: 'az login',
  doctl: 'doctl auth init',
  tsh: 'tsh login',
}

const loginHint = (stderr: string): string => {
  const path = /exec: executable (\S+) /.exec(stderr)?.[1]
  if (path === undefined) return 'the credentials of the kubeconfig are not accepted: log in again'
  const program = path.split('/').at(-1) ?? path
  const command = Object.hasOwn(LOGINS, program) ? LOGINS[program] : undefined
  return command === undefined
    ? `log in again: the kubeconfig asks \`${program}\` for credentials`
    : `run \`${command}\``
}

const ADMISSION =
  /admission webhook ".*" denied the request|failed calling webhook|ValidatingAdmissionPolicy .* denied/

const RULES: readonly FailureRule[] = [
  {
    class: 'failed',
    definite: true,
    when: /exec: executable \S+ not found/,
    hint: 'the kubeconfig asks a program for credentials: name it in `[tools.kubectl] helpers`',
  },
  {
    class: 'expired login',
    definite: true,
    when: /getting credentials: exec|\(Unauthorized\)|must be logged in to the server|tls: expired certificate|asked for the client to provide credentials/,
    hint: loginHint,
  },
  // A webhook comes before anything is stored, whatever it is that it could not do.
  { class: 'denied', definite: true, when: ADMISSION },
  {
    class: 'throttled',
    definite: true,
    throttled: true,
    when: /\(TooManyRequests\)|too many requests|status code 429|etcdserver: too many requests/i,
  },
  {
    class: 'conflict',
    definite: true,
    when: /\((?:Conflict|AlreadyExists)\)|the object has been modified|already exists|Apply failed with \d+ conflict|Expected (?:resource version|replicas) to be|triggered within the past second/,
  },
  { class: 'forbidden', definite: true, when: /\(Forbidden\)|is forbidden: / },
  {
    class: 'not found',
    definite: true,
    when: /\(NotFound\)|doesn't have a resource type|no matches for kind|unable to find specified revision|no rollout history found|unable to find container/,
  },
  {
    class: 'invalid',
    definite: true,
    when: /\((?:Invalid|BadRequest)\)| is invalid: |The request is invalid|error validating|field is immutable|unknown (?:shorthand )?flag|is not supported$|already has a value|resource mapping not found|^error: required flag|no name was specified|can't restart paused|is already paused|is not paused|error parsing/m,
  },
]

/** The time that a webhook took is not the time of the call. */
const withoutAdmission = (stderr: string): string =>
  stderr
    .split('\n')
    .filter(line => !ADMISSION.test(line))
    .join('\n')

export const kubectlFailure = (_exitCode: number | null, stderr: string, stdout = ''): FailureKind => {
  const options = { didSomething: stdout !== '' }
  const broken = failureBy(NETWORK_FAILURES, withoutAdmission(stderr), options)
  const told = failureBy(RULES, stderr, options)
  // Where there is no login, no request was sent, whatever else is said of connections.
  if (told.class === 'expired login' || /getting credentials: exec/.test(stderr) || broken.class === 'failed')
    return told
  return told.class === 'failed' ? broken : { ...told, definite: false }
}
