import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { promisify } from 'node:util'

/**
 * A shim in a process of its own: sends its command, hands over `given` bytes of zeros when it is asked, and
 * prints how many bytes of frames it was sent and how its command ended. It pauses for `pauseMs` after every MiB,
 * looks for nothing while it sends, and reads what is there when a write fails.
 */
const SHIM = String.raw`
use strict;
$SIG{PIPE} = 'IGNORE';
my ($path, $given, $pause_ms) = @ARGV;
socket(my $s, 1, 1, 0) or die "socket: $!";
connect($s, pack('S a108', 1, $path)) or die "connect: $!";
sub frame { my ($type, $payload) = @_; my $bytes = pack('CN', $type, length $payload) . $payload;
  for (my $at = 0; $at < length $bytes;) { $at += syswrite($s, $bytes, length($bytes) - $at, $at) // return 0 } 1 }
frame(16, '{"v":1,"tool":"big","argv":[],"cwd":"/","item":null,"stdin":true}');
if ($given) {
  sysread($s, my $want, 1000) or die 'no want';
  my $piece = "\0" x 65536;
  for (my $sent = 0; $sent < $given; $sent += 65536) { frame(18, $piece) or last }
  frame(19, '{"kind":"file"}');
}
my ($count, $last) = (0, '');
while (my $got = sysread($s, my $bytes, 262144)) {
  $count += $got; $last = substr($last . $bytes, -20);
  select(undef, undef, undef, $pause_ms / 1000 * $got / 1048576) if $pause_ms;
}
print "$count ", $last =~ /({"code":\d+})$/, "\n";
`

export async function perlShim(
  socketPath: string,
  { given = 0, pauseMs = 0 }: { readonly given?: number; readonly pauseMs?: number },
): Promise<string> {
  const { stdout } = await promisify(execFile)('perl', ['-e', SHIM, socketPath, `${given}`, `${pauseMs}`])
  return stdout
}

/** The most that this process grew while something went on. */
export async function growthOf<T>(
  act: () => Promise<T>,
): Promise<{ result: T; grownBytes: number; ms: number }> {
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  let most = before
  const clock = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 10)
  const started = performance.now()
  try {
    const result = await act()
    return { result, grownBytes: most - before, ms: performance.now() - started }
  } finally {
    clearInterval(clock)
  }
}

export async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path)) digest.update(chunk)
  return digest.digest('hex')
}
