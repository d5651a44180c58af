/**
 * What each tool with a built-in table is given when the operator says nothing: one row a tool, as data.
 *
 * Paths begin at `~`. A file that is not there is left out; `[tools.NAME]` in the config replaces a list as a whole.
 */

export interface ToolDefaults {
  /** Mounted read-only at their own paths. */
  readonly credentials: readonly string[]
  /** Variables that name a file in place of a default one, and what it stands for. */
  readonly credentialVariables: Readonly<Record<string, string>>
  /** Passed on from the caller. A file that one of them names is mounted. */
  readonly env: readonly string[]
  /** Mounted writable at their own paths, made 0700 where absent. */
  readonly cache: readonly string[]
  /** The tool's environment unless a variable that is passed on says otherwise. */
  readonly fixedEnv: Readonly<Record<string, string>>
  /** Put before the operator's `args`. */
  readonly args: readonly string[]
  /** A call that changes and asks nothing: shows that the program starts. */
  readonly harmless: readonly string[]
  /**
   * Words of calls whose exit code is that of another program, which may well be 137; null: any call's may be.
   * For the others a code above 128 can only mean a signal.
   */
  readonly foreignCodes: readonly string[] | null
  /** The kubeconfig is pinned for the run. */
  readonly kubernetes: boolean
}

const NETWORK = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
  ...['all_proxy', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
]

/** A tool of the operator's own, of which nothing is known. */
export const HOUSE_DEFAULTS: ToolDefaults = {
  credentials: [],
  credentialVariables: {},
  env: [],
  cache: [],
  fixedEnv: {},
  args: [],
  harmless: ['--version'],
  foreignCodes: null,
  kubernetes: false,
}

const DEFAULTS: Readonly<Record<string, ToolDefaults>> = {
  kubectl: {
    ...HOUSE_DEFAULTS,
    credentials: ['~/.kube/config'],
    env: ['KUBECONFIG', ...NETWORK],
    // Preferences of the user hold aliases and default flags: what was judged must be what runs.
    fixedEnv: { KUBECTL_KUBERC: 'false', KUBERC: 'off' },
    harmless: ['version', '--client'],
    foreignCodes: ['exec', 'attach', 'run', 'debug'],
    kubernetes: true,
  },
  helm: {
    ...HOUSE_DEFAULTS,
    credentials: [
      '~/.kube/config',
      '~/.config/helm/repositories.yaml',
      '~/.config/helm/registry/config.json',
    ],
    env: ['KUBECONFIG', 'HELM_DRIVER', 'HELM_KUBECONTEXT', 'HELM_NAMESPACE', ...NETWORK],
    cache: ['~/.cache/helm'],
    // An empty place: plug-ins are programs, and some of them run unasked.
    fixedEnv: { HELM_PLUGINS: '/run/srecodex/plugins' },
    harmless: ['version', '--short'],
    foreignCodes: [],
    kubernetes: true,
  },
  aws: {
    ...HOUSE_DEFAULTS,
    credentials: ['~/.aws/config', '~/.aws/credentials', '~/.aws/sso/cache', '~/.aws/login/cache'],
    credentialVariables: {
      AWS_CONFIG_FILE: '~/.aws/config',
      AWS_SHARED_CREDENTIALS_FILE: '~/.aws/credentials',
    },
    env: [
      ...['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_ACCESS_KEY_ID'],
      ...[
        'AWS_SECRET_ACCESS_KEY',
        'AWS_SESSION_TOKEN',
        'AWS_CA_BUNDLE',
        'AWS_ROLE_ARN',
        'AWS_STS_REGIONAL_ENDPOINTS',
      ],
      ...['AWS_ROLE_SESSION_NAME', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_MAX_ATTEMPTS', 'AWS_RETRY_MODE'],
      ...['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'],
      ...['AWS_CONTAINER_AUTHORIZATION_TOKEN', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'],
      ...['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT', 'AWS_SDK_LOAD_CONFIG', ...NETWORK],
    ],
    cache: ['~/.aws/cli/cache'],
    fixedEnv: { AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true', AWS_CLI_AUTO_PROMPT: 'off' },
    harmless: ['--version'],
    foreignCodes: [],
  },
  psql: {
    ...HOUSE_DEFAULTS,
    credentials: ['~/.pgpass', '~/.pg_service.conf', '~/.postgresql'],
    credentialVariables: { PGPASSFILE: '~/.pgpass', PGSERVICEFILE: '~/.pg_service.conf' },
    env: [
      ...['PGHOST', 'PGHOSTADDR', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGPASSWORD', 'PGSERVICE', 'PGAPPNAME'],
      ...['PGSSLMODE', 'PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY', 'PGSSLCRL', 'PGSSLNEGOTIATION'],
      ...['PGREQUIREAUTH', 'PGCHANNELBINDING', 'PGTARGETSESSIONATTRS', 'PGCONNECT_TIMEOUT', 'PGOPTIONS'],
      ...['PGGSSENCMODE', 'PGKRBSRVNAME', 'KRB5CCNAME', 'PGCLIENTENCODING', 'PGTZ', 'PGDATESTYLE'],
    ],
    fixedEnv: { PSQLRC: '/dev/null', PSQL_HISTORY: '/dev/null', PSQL_PAGER: '', PAGER: '' },
    // Without it an error in SQL that came by stdin ends with 0.
    args: ['-X', '-v', 'ON_ERROR_STOP=1'],
    harmless: ['--version'],
    foreignCodes: [],
  },
  amtool: {
    ...HOUSE_DEFAULTS,
    credentials: [
      '~/.config/amtool/config.yml',
      '/etc/amtool/config.yml',
      // Debian's
      '~/.config/prometheus/amtool.yml',
      '/etc/prometheus/amtool.yml',
    ],
    env: NETWORK,
    harmless: ['--version'],
    foreignCodes: [],
  },
  curl: {
    ...HOUSE_DEFAULTS,
    env: [...NETWORK, 'CURL_CA_BUNDLE'],
    // ~/.curlrc is not there; `-q` says that none is looked for either.
    args: ['-q'],
    harmless: ['--version'],
    foreignCodes: [],
  },
}

export const toolDefaults = (tool: string): ToolDefaults =>
  Object.hasOwn(DEFAULTS, tool) ? DEFAULTS[tool]! : HOUSE_DEFAULTS

/** Scripts may use these in their own sandbox as well, so they become tools only where the operator says so. */
export const BY_ENTRY_ONLY: ReadonlySet<string> = new Set(['curl'])
