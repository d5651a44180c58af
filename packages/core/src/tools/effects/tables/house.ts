/**
 * Tools without a table of their own: the operator's patterns say what reads, and what is unknown is a mutation.
 * These few lines hold whatever the patterns say.
 */

export interface HouseTool {
  /** Calls that change the tool's identity or start programs. */
  readonly refuses: readonly string[]
  /** Calls that print credentials. */
  readonly reveals: readonly string[]
  /** Flags that only the operator's `args` may give. */
  readonly identity: readonly string[]
}

export const HOUSE_TOOLS: Readonly<Record<string, HouseTool>> = {
  gcloud: {
    refuses: [
      'auth login *',
      'auth revoke *',
      'auth activate-service-account *',
      'auth application-default login *',
      'auth configure-docker *',
      'config set *',
      'config unset *',
      'config configurations *',
      'init *',
      'components *',
      'compute ssh *',
      'compute scp *',
      'compute start-iap-tunnel *',
      'container clusters get-credentials *',
      'interactive *',
    ],
    reveals: [
      'auth print-access-token *',
      'auth print-identity-token *',
      'auth application-default print-access-token *',
      'secrets versions access *',
      'iam service-accounts keys create *',
      'iam service-accounts sign-blob *',
      'iam service-accounts sign-jwt *',
      'config config-helper *',
      'sql generate-login-token *',
    ],
    identity: [
      '--account',
      '--impersonate-service-account',
      '--configuration',
      '--access-token-file',
      '--flags-file',
      '--billing-project',
      '--log-http',
      '--trace-token',
    ],
  },
  az: {
    refuses: [
      'login *',
      'logout *',
      'account set *',
      'account clear *',
      'config *',
      'configure *',
      'extension *',
      'ssh *',
      'aks get-credentials *',
      'acr login *',
      'cloud *',
      'interactive *',
    ],
    reveals: [
      'account get-access-token *',
      'keyvault secret show *',
      'keyvault secret download *',
      'storage account keys *',
      'storage account show-connection-string *',
      'acr credential *',
      'ad sp create-for-rbac *',
      'ad sp credential *',
      'redis list-keys *',
      'cosmosdb keys *',
    ],
    identity: ['--debug', '--subscription'],
  },
  gh: {
    refuses: [
      'auth login *',
      'auth logout *',
      'auth refresh *',
      'auth setup-git *',
      'auth switch *',
      'config set *',
      'alias *',
      'extension *',
      'codespace *',
      'ssh-key *',
    ],
    reveals: ['auth token *', 'auth status *'],
    identity: ['--hostname'],
  },
  doctl: {
    refuses: ['auth *', 'kubernetes cluster kubeconfig *'],
    reveals: [],
    identity: ['--access-token', '--t', '-t', '--context', '--config', '--api-url', '-u', '--trace'],
  },
}
