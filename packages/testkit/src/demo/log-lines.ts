/**
 * What a platform of a dozen services writes in a day, as templates.
 *
 * Placeholders: `{ts}` the time, `{xN}` N hex digits and `{dN}` N decimal digits differ on every line;
 * `{ip}`, `{ms}`, `{svc}` and the other words are chosen once for each variant of a template.
 */

export interface ErrorKind {
  /** What a reader of the log would call it: the class, the status or the root cause that the lines name. */
  readonly type: string
  /** The part of the day in which it happens, 0 to 1: an expired certificate does not fail at midnight. */
  readonly from: number
  readonly to: number
  readonly templates: readonly string[]
}

export const DAY = '2026-11-21'

/** The words that a placeholder stands for, apart from the numeric ones. */
export const WORDS: Readonly<Record<string, readonly string[]>> = {
  svc: [
    'checkout-api',
    'payments-api',
    'inventory-api',
    'cart-service',
    'auth-gateway',
    'search-indexer',
    'shipping-api',
    'notifier',
    'media-resizer',
  ],
  verb: ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'],
  route: ['/v1/cart/{d6}', '/v1/orders/{d8}', '/v2/items/{d7}/price', '/healthz', '/v1/users/{d6}/sessions'],
  ok: ['200', '200', '200', '201', '204', '304', '404'],
  region: ['eu-west-1', 'eu-central-1', 'us-east-1'],
  table: ['orders', 'order_lines', 'ledger_entries', 'sessions', 'parcels'],
  topic: ['orders.placed', 'payments.settled', 'parcels.moved'],
  cachehost: ['redis-0.cache.svc', 'redis-1.cache.svc', 'redis-2.cache.svc'],
  apihost: ['inventory-api:8080', 'pricing-api:8080', 'tax-api:9090', 'fraud-api:8443'],
  securehost: ['vault.internal:8200', 'ldap.internal:636', 'registry.internal:443'],
  mount: ['/var/lib/ledger/wal', '/var/lib/search/segments', '/var/spool/media'],
}

type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR'
type Fields = Readonly<Record<string, string>>

/** Ordinary records. What is listed more often is written more often. */
export function calmTemplates(): string[] {
  const traffic = [
    plain('INFO', '{svc}', 'req={x16} {verb} {route} {ok} {ms}ms bytes={d4} ip={ip}'),
    plain('INFO', '{svc}', 'req={x16} {verb} {route} {ok} {ms}ms bytes={d5} ip={ip} ua="kube-probe/1.32"'),
    plain('DEBUG', '{svc}', 'req={x16} cache hit key=item:{d7} shard={d1} age={ms}ms'),
    plain('DEBUG', 'session-cache', 'evicted {d3} of {d6} keys in {ms}ms from {cachehost}'),
    plain('INFO', 'notifier', 'sent receipt order={d8} to=user-{d6} template=receipt-v3 in {ms}ms'),
    plain('INFO', 'auth-gateway', 'token issued sub=user-{d6} session={x16} ttl=3600s region={region}'),
    json('INFO', 'inventory-api', {
      trace: '{x16}',
      msg: 'reserved sku {d7} for order {d8}',
      took: '{ms}ms',
    }),
    json('INFO', 'payments-api', { trace: '{x16}', msg: 'captured payment {x12}', amount: '{d3}.{d2} EUR' }),
    json('DEBUG', 'search-indexer', { trace: '{x16}', msg: 'indexed {d3} documents', lag: '{ms}ms' }),
    logfmt('INFO', 'shipping-api', { trace: '{x16}', msg: 'parcel scanned', parcel: '{d8}', dur: '{ms}ms' }),
    logfmt('INFO', 'cart-service', { trace: '{x16}', msg: 'cart updated', cart: '{d6}', items: '{d1}' }),
    logfmt('DEBUG', 'cart-service', {
      trace: '{x16}',
      msg: 'consumer poll',
      topic: '{topic}',
      offset: '{d8}',
    }),
  ]
  const warnings = [
    plain('WARN', '{svc}', 'req={x16} slow query on {table} took {ms}ms rows={d4}'),
    json('WARN', 'payments-api', { trace: '{x16}', msg: 'pool is at {d2} of 100 connections' }),
    logfmt('WARN', 'shipping-api', { trace: '{x16}', msg: 'rate limit near', used: '{d3}', window: '60s' }),
  ]
  const day = Array.from({ length: 9 }, () => traffic).flat()
  // A warning with the trace of an error that another try mended.
  const retried = quoteTimeout('WARN', 'parcel {d8} is tried again, below the ERROR threshold')
  return [...day, ...warnings, ...mentions(), retried]
}

/** The kinds of error, the most frequent first. */
export function errorKinds(): ErrorKind[] {
  const dial = 'dial tcp {ip}:{port}: connect: connection refused'
  const slow = 'Post "http://{apihost}/v1/reserve/{d6}": dial tcp {ip}:8080: i/o timeout'
  const expired = 'handshake with {securehost} failed: certificate has expired'
  const full = 'write {mount}/seg-{d8}.log: no space left on device'
  return [
    kind('connection refused', 0, 1, [
      plain('ERROR', 'cart-service', `req={x16} session load failed after {ms}ms: ${dial}`),
      plain('ERROR', 'checkout-api', `req={x16} redis get cart:{d6}: ${dial}`),
      json('ERROR', 'payments-api', { trace: '{x16}', msg: 'idempotency lookup failed', error: dial }),
      logfmt('ERROR', 'shipping-api', {
        trace: '{x16}',
        msg: 'queue publish failed',
        err: dial,
        try: '{d1}',
      }),
    ]),
    kind('i/o timeout', 0, 1, [
      plain('ERROR', 'checkout-api', `req={x16} reserve failed: ${slow}`),
      json('ERROR', 'inventory-api', { trace: '{x16}', msg: 'price lookup failed', error: slow }),
      logfmt('ERROR', 'cart-service', { trace: '{x16}', msg: 'reserve failed', err: slow, dur: '{ms}ms' }),
    ]),
    kind('HTTP 503', 0.1, 0.9, [
      plain(
        'ERROR',
        '{svc}',
        'req={x16} upstream {apihost} answered HTTP 503 Service Unavailable after {ms}ms',
      ),
      json('ERROR', 'payments-api', {
        trace: '{x16}',
        msg: 'fraud check failed',
        error: 'upstream {apihost}: HTTP 503 Service Unavailable after {ms}ms',
      }),
    ]),
    kind('NullPointerException', 0, 1, [nullPointer(), nullPointerAsJson()]),
    kind('SocketTimeoutException', 0, 1, [
      quoteTimeout('ERROR', 'quote failed for parcel {d8} after {ms} ms'),
    ]),
    kind('HTTP 502', 0.3, 0.34, [
      plain('ERROR', '{svc}', 'req={x16} upstream {apihost} answered HTTP 502 Bad Gateway after {ms}ms'),
      logfmt('ERROR', 'shipping-api', {
        trace: '{x16}',
        msg: 'carrier call failed',
        err: 'upstream {apihost}: HTTP 502 Bad Gateway',
      }),
    ]),
    kind('DeadlockDetected', 0, 1, [
      pythonTrace('ledger-worker', 'task post_entries[{x8}-{x4}-4{x3}-a{x3}-{x12}] failed after {d1} tries', [
        '  File "/srv/ledger/worker.py", line {line}, in run',
        '    self.post(entry)',
        '  File "/srv/ledger/store.py", line {line}, in post',
        '    cursor.execute(POST_ENTRY, entry)',
        'psycopg2.errors.DeadlockDetected: deadlock detected',
        'DETAIL:  Process {d5} waits for ShareLock on transaction {d8}; blocked by process {d5}.',
        'Process {d5} waits for ShareLock on transaction {d8}; blocked by process {d5}.',
        'HINT:  See server log for query details.',
      ]),
    ]),
    kind('certificate has expired', 0.375, 1, [
      plain('ERROR', 'auth-gateway', `req={x16} secret lookup: ${expired}`),
      json('ERROR', 'payments-api', { trace: '{x16}', msg: 'key fetch failed', error: expired }),
    ]),
    kind('no such host', 0, 1, [
      plain(
        'ERROR',
        'notifier',
        'receipt for order {d8}: dial tcp: lookup smtp-{d2}.mail.internal: no such host',
      ),
      logfmt('ERROR', 'cart-service', {
        trace: '{x16}',
        msg: 'warm-up failed',
        err: 'lookup {cachehost}: no such host',
      }),
    ]),
    kind('no space left on device', 0.55, 0.6, [
      plain('ERROR', 'search-indexer', `flush of segment {d6} failed: ${full}`),
      logfmt('ERROR', 'media-resizer', { trace: '{x16}', msg: 'spool failed', err: full }),
    ]),
    kind('JSONDecodeError', 0, 1, [
      pythonTrace('recommender', 'refresh of model {d4} failed for user-{d6}', [
        '  File "/srv/recommender/feed.py", line {line}, in refresh',
        '    features = json.loads(body)',
        '  File "/usr/lib/python3.12/json/decoder.py", line 356, in raw_decode',
        '    raise JSONDecodeError("Expecting value", s, err.value) from None',
        'json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)',
        '',
        'During handling of the above exception, another exception occurred:',
        '',
        'Traceback (most recent call last):',
        '  File "/srv/recommender/jobs.py", line {line}, in job',
        '    raise JSONDecodeError(e.msg, e.doc, e.pos)  # the caller logs ERROR [feed]',
        'requests.exceptions.JSONDecodeError: Expecting value: line 1 column 1 (char 0)',
      ]),
    ]),
    kind('OutOfMemoryError', 0.2, 0.95, [outOfMemory()]),
    kind('too many open files', 0.72, 0.76, [
      plain('ERROR', 'media-resizer', 'listener {d1}: accept tcp {ip}:8443: accept4: too many open files'),
    ]),
    kind('KeyError', 0, 1, [
      pythonTrace('recommender', 'scoring failed for user-{d6} in {ms}ms', [
        '  File "/srv/recommender/score.py", line {line}, in score',
        "    return weights[item['sku']] * item['rank']",
        "KeyError: 'sku-{d7}'",
      ]),
    ]),
  ]
}

function kind(type: string, from: number, to: number, templates: readonly string[]): ErrorKind {
  return { type, from, to, templates }
}

/** Records that say "error" and are none: what a plain search for the word counts too. */
function mentions(): string[] {
  const quoted = '{ts} ERROR [payments-api] req={x16} dial tcp {ip}:{port}: connect: connection refused'
  return [
    plain(
      'INFO',
      'alert-router',
      '0 ERROR lines in the last 60s for service={svc}, error budget 99.{d2}% left',
    ),
    plain('INFO', 'log-shipper', `last event shipped: "${quoted}"`),
    plain('DEBUG', 'log-shipper', 'filter " ERROR [" matched {d3} of {d5} lines, level=error forwarded'),
    plain(
      'WARN',
      '{svc}',
      'req={x16} try {d1} of 5: error="connection reset by peer", will try again in {ms}ms',
    ),
    plain('INFO', '{svc}', 'req={x16} GET /static/error.html 200 {ms}ms bytes={d4} ip={ip}'),
    json('INFO', 'alert-router', {
      msg: 'state of {svc}',
      last: { level: 'error', code: 'E{d4}', resolved: 'true' },
    }),
    json('WARN', 'inventory-api', {
      trace: '{x16}',
      msg: 'client sent {"level":"error"} as its body, ignored',
    }),
    logfmt('INFO', 'rule-engine', {
      msg: 'rule level=error matched 0 series',
      rule: 'r-{d4}',
      dur: '{ms}ms',
    }),
  ]
}

const NULL_POINTER =
  'java.lang.NullPointerException: Cannot invoke "com.acme.order.Customer.address()" because "customer" is null'

function nullPointer(): string {
  return [
    plain('ERROR', 'order-service', '[nio-8080-exec-{d1}] c.a.order.OrderController : order {d8} not placed'),
    NULL_POINTER,
    '\tat com.acme.order.OrderService.place(OrderService.java:{line})',
    '\tat com.acme.order.OrderController.create(OrderController.java:{line})',
    ...SERVLET_FRAMES,
  ].join('\n')
}

function nullPointerAsJson(): string {
  const stack = [
    NULL_POINTER,
    '\tat com.acme.order.OrderService.place(OrderService.java:{line})',
    ...SERVLET_FRAMES,
  ]
  return json('ERROR', 'order-service', {
    trace: '{x16}',
    msg: 'order {d8} not placed',
    stack: stack.join('\n'),
  })
}

const SERVLET_FRAMES = [
  '\tat java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(DirectMethodHandleAccessor.java:103)',
  '\tat org.springframework.web.method.support.InvocableHandlerMethod.doInvoke(InvocableHandlerMethod.java:255)',
  '\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)',
  '\tat org.apache.catalina.core.ApplicationFilterChain.doFilter(ApplicationFilterChain.java:138)',
  '\tat org.apache.tomcat.util.net.SocketProcessorBase.run(SocketProcessorBase.java:52)',
  '\tat java.base/java.lang.Thread.run(Thread.java:1583)',
]

function quoteTimeout(level: Level, text: string): string {
  return [
    plain(level, 'shipping-api', `[nio-8080-exec-{d1}] c.a.shipping.QuoteController : ${text}`),
    'org.springframework.web.client.ResourceAccessException: I/O error on GET request for ' +
      '"http://{ip}:8080/quotes/{d6}": Read timed out',
    '\tat org.springframework.web.client.RestTemplate.doExecute(RestTemplate.java:915)',
    '\tat com.acme.shipping.CarrierClient.quote(CarrierClient.java:{line})',
    ...SERVLET_FRAMES,
    'Caused by: java.net.SocketTimeoutException: Read timed out',
    '\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:278)',
    '\tat java.base/java.net.Socket$SocketInputStream.read(Socket.java:1099)',
    '\t... 41 more',
  ].join('\n')
}

function outOfMemory(): string {
  return [
    plain(
      'ERROR',
      'catalog-api',
      '[nio-8080-exec-{d1}] c.a.catalog.ExportJob : export {d5} stopped at row {d7}',
    ),
    'jakarta.servlet.ServletException: Handler dispatch failed: java.lang.OutOfMemoryError: Java heap space',
    '\tat org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1104)',
    ...SERVLET_FRAMES,
    'Caused by: java.lang.OutOfMemoryError: Java heap space',
    '\tat java.base/java.util.Arrays.copyOf(Arrays.java:3541)',
    '\tat com.acme.catalog.ExportJob.append(ExportJob.java:{line})',
    '\t... 17 more',
  ].join('\n')
}

function pythonTrace(service: string, head: string, frames: readonly string[]): string {
  return [plain('ERROR', service, head), 'Traceback (most recent call last):', ...frames].join('\n')
}

function plain(level: Level, service: string, text: string): string {
  return `{ts} ${level.padEnd(5)} [${service}] ${text}`
}

function json(level: Level, service: string, fields: Readonly<Record<string, string | Fields>>): string {
  return JSON.stringify({ ts: '{ts}', level: level.toLowerCase(), service, ...fields })
}

function logfmt(level: Level, service: string, fields: Fields): string {
  const pairs = Object.entries(fields).map(([key, value]) =>
    /[\s"=]/.test(value) ? `${key}=${JSON.stringify(value)}` : `${key}=${value}`,
  )
  return `ts={ts} level=${level.toLowerCase()} svc=${service} ${pairs.join(' ')}`
}
