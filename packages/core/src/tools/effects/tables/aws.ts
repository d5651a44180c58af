/**
 * What operations of the AWS CLI do: by the first word of their name, with exceptions by operation.
 *
 * The exceptions for reveals were read from the models of botocore 1.43.11: operations whose answer holds a member
 * that is marked sensitive and is a secret, a password, a token or a key.
 */

import type { Effect } from '../decision.ts'

/** First words of operations that only read. Not `check-`, `verify-`, `test-`, `detect-`, `query-`: some act. */
export const AWS_READ_WORDS: readonly string[] = [
  'describe',
  'list',
  'get',
  'head',
  'lookup',
  'search',
  'batch-get',
  'batch-describe',
  'view',
]

/** Names that read by their first word and print credentials by the rest. */
export const AWS_REVEALING_NAMES: readonly RegExp[] = [
  /(^|-)(password|passwords|credentials|secret-value|private-key|presigned-url|api-key)(-|$)/,
  /-tokens?(-|$)/,
]

export interface AwsOperation {
  readonly effect: Effect
  /** A reveal where this flag is given, or may be hidden in `--cli-input-json`. */
  readonly revealsWith?: string
  readonly note: string
}

const lines = (effect: Effect, note: string, text: string): [string, AwsOperation][] =>
  text
    .trim()
    .split('\n')
    .map(line => [line.trim(), { effect, note }])

/** `SERVICE OPERATION`, or `SERVICE *`. */
export const AWS_OPERATIONS: Readonly<Record<string, AwsOperation>> = Object.fromEntries([
  ...lines(
    'read',
    'reads under a name that does not say so',
    `
    logs start-query
    logs stop-query
    logs filter-log-events
    logs test-metric-filter
    logs test-transformer
    logs tail
    s3 ls
    s3api select-object-content
    dynamodb query
    dynamodb scan
    dynamodb transact-get-items
    athena batch-get-query-execution
    cloudformation validate-template
    cloudformation estimate-template-cost
    cloudtrail validate-logs
    iam simulate-principal-policy
    iam simulate-custom-policy
    iam get-account-password-policy
    accessanalyzer validate-policy
    accessanalyzer check-access-not-granted
    accessanalyzer check-no-new-access
    accessanalyzer check-no-public-access
    events test-event-pattern
    sts decode-authorization-message
    sts get-caller-identity
    rds download-db-log-file-portion
    ecr batch-check-layer-availability
    elasticbeanstalk check-dns-availability
    route53 test-dns-answer
    route53domains check-domain-availability
    kms verify
    kms verify-mac
    xray batch-get-traces
    configservice select-resource-config
    configservice select-aggregate-resource-config
    ssm get-deployable-patch-snapshot-for-instance
    secretsmanager describe-secret
    `,
  ),
  ...lines(
    'reveal',
    'prints a credential',
    `
    secretsmanager get-secret-value
    secretsmanager batch-get-secret-value
    secretsmanager get-random-password
    sts assume-role
    sts assume-role-with-saml
    sts assume-role-with-web-identity
    sts assume-root
    sts get-session-token
    sts get-federation-token
    sts get-delegated-access-token
    sts get-web-identity-token
    ecr get-authorization-token
    ecr get-login
    ecr get-login-password
    ecr-public get-authorization-token
    ecr-public get-login-password
    eks get-token
    eks-auth assume-role-for-pod-identity
    codeartifact get-authorization-token
    codecommit credential-helper
    rds generate-db-auth-token
    dsql generate-db-connect-auth-token
    dsql generate-db-connect-admin-auth-token
    redshift get-cluster-credentials
    redshift get-cluster-credentials-with-iam
    redshift get-identity-center-auth-token
    redshift-serverless get-credentials
    kms decrypt
    kms generate-data-key
    kms generate-data-key-pair
    kms generate-mac
    kms generate-random
    kms derive-shared-secret
    iam create-access-key
    iam create-virtual-mfa-device
    iam create-service-specific-credential
    iam reset-service-specific-credential
    ec2 create-key-pair
    ec2 get-password-data
    lightsail create-key-pair
    lightsail download-default-key-pair
    lightsail get-instance-access-details
    lightsail get-relational-database-master-user-password
    lightsail get-bucket-access-keys
    lightsail create-bucket-access-key
    acm export-certificate
    iot create-keys-and-certificate
    iot create-provisioning-claim
    iotsecuretunneling open-tunnel
    iotsecuretunneling rotate-tunnel-access-token
    cognito-identity get-credentials-for-identity
    cognito-identity get-open-id-token
    cognito-identity get-open-id-token-for-developer-identity
    cognito-idp admin-initiate-auth
    cognito-idp admin-respond-to-auth-challenge
    cognito-idp initiate-auth
    cognito-idp get-tokens-from-refresh-token
    cognito-idp create-user-pool-client
    cognito-idp describe-user-pool-client
    cognito-idp list-user-pool-client-secrets
    codecatalyst create-access-token
    codecatalyst start-dev-environment-session
    codepipeline get-job-details
    codepipeline get-third-party-job-details
    codepipeline poll-for-jobs
    connect get-federation-token
    connectparticipant create-participant-connection
    amplify get-app
    amplify list-apps
    amplify get-branch
    amplify list-branches
    amplifybackend get-backend-auth
    athena create-presigned-notebook-url
    athena get-session-endpoint
    chime get-bot
    chime list-bots
    chime-sdk-meetings get-attendee
    chime-sdk-meetings list-attendees
    datazone get-environment-credentials
    deadline assume-fleet-role-for-read
    deadline assume-fleet-role-for-worker
    deadline assume-queue-role-for-read
    deadline assume-queue-role-for-user
    deadline assume-queue-role-for-worker
    emr get-cluster-session-credentials
    emr-containers get-managed-endpoint-session-credentials
    emr-serverless get-session-endpoint
    finspace-data get-external-data-view-access-details
    finspace-data get-programmatic-access-credentials
    gamelift get-compute-access
    gamelift get-compute-auth-token
    gamelift get-instance-access
    grafana create-workspace-api-key
    grafana create-workspace-service-account-token
    lakeformation assume-decorated-role-with-saml
    lakeformation get-temporary-glue-table-credentials
    lakeformation get-temporary-glue-partition-credentials
    lambda get-function
    mediapackage describe-channel
    mediapackage list-channels
    mwaa create-cli-token
    mwaa create-web-login-token
    pca-connector-scep get-challenge-password
    apigateway get-api-key
    appsync list-api-keys
    s3 presign
    s3api create-session
    s3control get-data-access
    cloudfront sign
    ssm get-access-token
    sso get-role-credentials
    sso-oidc create-token
    sso-oidc create-token-with-iam
    signin create-o-auth2-token
    storagegateway describe-chap-credentials
    chime-sdk-identity describe-app-instance-user-endpoint
    connecthealth get-patient-insights-job
    datasync describe-location-fsx-ontap
    datasync describe-location-fsx-open-zfs
    datazone get-connection
    datazone list-connections
    dms describe-endpoints
    ds describe-directories
    ec2 describe-verified-access-trust-providers
    lexv2-models describe-bot-recommendation
    wickr get-oidc-info
    wickr get-opentdf-config
    `,
  ),
  ...lines(
    'refuse',
    'writes configuration or starts a session',
    `
    configure *
    history *
    login *
    logout *
    cli-dev *
    wizard *
    alias *
    sso login
    sso logout
    codeartifact login
    eks update-kubeconfig
    ecs execute-command
    ssm start-session
    emr ssh
    emr socks
    emr get
    emr put
    ec2-instance-connect ssh
    ec2-instance-connect open-tunnel
    cloudformation package
    cloudformation deploy
    deploy push
    ecs deploy
    deploy install
    deploy uninstall
    deploy register
    gamelift upload-build
    opsworks register
    servicecatalog generate
    `,
  ),
  [
    'ssm get-parameter',
    { effect: 'read', revealsWith: 'with-decryption', note: 'reveals with --with-decryption' },
  ],
  [
    'ssm get-parameters',
    { effect: 'read', revealsWith: 'with-decryption', note: 'reveals with --with-decryption' },
  ],
  [
    'ssm get-parameters-by-path',
    { effect: 'read', revealsWith: 'with-decryption', note: 'reveals with --with-decryption' },
  ],
  [
    'ssm get-parameter-history',
    { effect: 'read', revealsWith: 'with-decryption', note: 'reveals with --with-decryption' },
  ],
  [
    'apigateway get-api-keys',
    { effect: 'read', revealsWith: 'include-values', note: 'reveals with --include-values' },
  ],
] satisfies readonly (readonly [string, AwsOperation])[])

/** Operations that write their answer to a file, which the call names without a flag. */
export const AWS_WRITES_FILE: ReadonlySet<string> = new Set(
  `apigateway get-export,apigateway get-sdk,apigatewayv2 export-api,appconfig get-configuration,
  appconfig get-hosted-configuration-version,appconfigdata get-latest-configuration,
  appsync get-introspection-schema,cloudfront get-connection-function,cloudfront get-function,
  codeartifact get-package-version-asset,codeguruprofiler get-profile,datazone get-lineage-event,
  ebs get-snapshot-block,geo-maps get-glyphs,geo-maps get-sprites,geo-maps get-static-map,
  geo-maps get-style-descriptor,geo-maps get-tile,glacier get-job-output,iot-data get-thing-shadow,
  iotwireless get-position-estimate,iotwireless get-resource-position,
  kinesis-video-archived-media get-clip,kinesis-video-archived-media get-media-for-fragment-list,
  kinesis-video-media get-media,lakeformation get-work-unit-results,location get-map-glyphs,
  location get-map-sprites,location get-map-style-descriptor,location get-map-tile,
  medialive describe-input-device-thumbnail,mediastore-data get-object,medical-imaging get-image-frame,
  medical-imaging get-image-set-metadata,omics get-read-set,omics get-reference,s3api get-object,
  s3api get-object-torrent,sagemaker-geospatial get-tile,schemas get-code-binding-source,
  tnb get-sol-function-package-content,tnb get-sol-function-package-descriptor,
  tnb get-sol-network-package-content,tnb get-sol-network-package-descriptor,
  workmailmessageflow get-raw-message-content,lambda invoke,bedrock-runtime invoke-model,
  sagemaker-runtime invoke-endpoint,polly synthesize-speech,gamelift get-game-session-log`
    .split(',')
    .map(one => one.trim()),
)

export interface AwsGlobalFlag {
  readonly takes: 'nothing' | 'value'
  /** Why a script may not give it; null: it may. */
  readonly refused: string | null
}

const IDENTITY = "decides where the operator's identity goes"

/** They may stand before or after the operation. */
export const AWS_GLOBAL_FLAGS: Readonly<Record<string, AwsGlobalFlag>> = {
  debug: { takes: 'nothing', refused: 'prints the headers of requests, tokens included' },
  'v2-debug': { takes: 'nothing', refused: 'prints the headers of requests, tokens included' },
  'endpoint-url': { takes: 'value', refused: IDENTITY },
  'no-verify-ssl': { takes: 'nothing', refused: 'does not check who answers' },
  profile: { takes: 'value', refused: IDENTITY },
  'no-sign-request': { takes: 'nothing', refused: IDENTITY },
  'ca-bundle': { takes: 'value', refused: 'decides who is believed' },
  'cli-auto-prompt': { takes: 'nothing', refused: 'asks on a terminal' },
  region: { takes: 'value', refused: null },
  output: { takes: 'value', refused: null },
  query: { takes: 'value', refused: null },
  color: { takes: 'value', refused: null },
  version: { takes: 'nothing', refused: null },
  'no-paginate': { takes: 'nothing', refused: null },
  'no-cli-pager': { takes: 'nothing', refused: null },
  'no-cli-auto-prompt': { takes: 'nothing', refused: null },
  'cli-read-timeout': { takes: 'value', refused: null },
  'cli-connect-timeout': { takes: 'value', refused: null },
  'cli-binary-format': { takes: 'value', refused: null },
}

/** Flags that name the resource of a call. */
export const AWS_ID_FLAGS: RegExp =
  /^(bucket|key|queue-url|topic-arn|stack-name|cluster|clusters|service|services|function-name|table-name|[a-z0-9-]*-(ids?|identifier|names?|arns?))$/

/** Flags of `aws s3` that take one value. Any other is read as a switch, which makes its value a place to check. */
export const AWS_S3_VALUE_FLAGS: ReadonlySet<string> = new Set([
  'acl',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'exclude',
  'expected-size',
  'expires',
  'include',
  'metadata-directive',
  'page-size',
  'source-region',
  'sse-kms-key-id',
  'storage-class',
])

/**
 * Flags whose values are paths as they stand, without `file://`: streamed bodies, and files that customized
 * commands open. `of`: only of these operations; elsewhere the same flag is plain text.
 */
export const AWS_FILE_FLAGS: readonly {
  readonly flag: string
  readonly access: 'read' | 'write'
  readonly of: ReadonlySet<string> | null
}[] = [
  {
    flag: 'body',
    access: 'read',
    of: new Set([
      'glacier upload-archive',
      'glacier upload-multipart-part',
      'mediastore-data put-object',
      's3api put-object',
      's3api upload-part',
      's3api write-get-object-response',
    ]),
  },
  { flag: 'payload', access: 'read', of: new Set(['omics upload-read-set-part']) },
  { flag: 'documents', access: 'read', of: new Set(['cloudsearchdomain upload-documents']) },
  { flag: 'asset-content', access: 'read', of: new Set(['codeartifact publish-package-version']) },
  { flag: 'block-data', access: 'read', of: new Set(['ebs put-snapshot-block']) },
  { flag: 'invoke-args', access: 'read', of: new Set(['lambda invoke-async']) },
  {
    flag: 'input-stream',
    access: 'read',
    of: new Set(['lex-runtime post-content', 'lexv2-runtime recognize-utterance']),
  },
  { flag: 'priv-launch-key', access: 'read', of: null },
  { flag: 'outfile', access: 'write', of: null },
  { flag: 'certificate-pem-outfile', access: 'write', of: null },
  { flag: 'public-key-outfile', access: 'write', of: null },
  { flag: 'private-key-outfile', access: 'write', of: null },
  { flag: 'save-as', access: 'write', of: null },
]
