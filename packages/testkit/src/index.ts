/** What tests share: stand-ins, generators and launchers. Private. */

export {
  project,
  WITHOUT_BUBBLEWRAP,
  type Outcome,
  type Project,
  type ProjectOptions,
  type RunOptions,
} from './project.ts'
export {
  accessibilityFaults,
  chromiumProgram,
  startBrowser,
  type Browser,
  type BrowserContext,
  type Page,
} from './browser.ts'
export { FINANCE_PROGRAM, startFinanceServer, type FinanceHttpServer } from './mcp/launch.ts'
export { kubectlProgram, KUBECTL_VERSION } from './kubectl.ts'
export { startKubernetes, type Kubernetes, type KubernetesOptions } from './kubernetes/kubernetes.ts'
export { spawnKubernetes, type KubernetesProcess } from './kubernetes/process.ts'
export { applied, type Fault, type RequestEntry } from './kubernetes/request-log.ts'
export { resourceOf } from './kubernetes/resources.ts'
export type { FaultRule } from './kubernetes/fault-rules.ts'
export { crowdOf, manifestOf, type CrowdSeed, type WorkloadSeed } from './kubernetes/seed.ts'
export { AWS_CLI_VERSION, awsProgram } from './aws-program.ts'
export { startAws, type Aws, type AwsOptions } from './aws/aws.ts'
export type { InstanceSeed } from './aws/ec2.ts'
export type { LogEvent, QueryAnswer, StartedQuery } from './aws/logs.ts'
export type { AwsFault, AwsRequest } from './aws/request-log.ts'
export { alertmanagerProgram, type AlertmanagerPrograms } from './alertmanager-program.ts'
export {
  startAlertmanager,
  type Alertmanager,
  type AlertmanagerFault,
  type AlertmanagerRequest,
  type SeedAlert,
  type Silence,
} from './alertmanager.ts'
export { psqlFolder, startPostgres, type Postgres, type PostgresOptions } from './postgres.ts'
