/**
 * Keeps a server's processes together, so that none outlives srecodex.
 *
 * A small Perl program stands between Node and the server. It adopts what the server's processes leave behind,
 * and ends them all when its control channel closes: on purpose, or because srecodex was killed. Dies the warden
 * itself, the kernel ends the server. Stdin, stdout and stderr are the server's own: no byte passes through it.
 *
 * Not held: what a server has others start for it (a container daemon, systemd), programs that change their
 * user, and the server's descendants (not the server) when both srecodex and the warden are killed at once. Those
 * see their stdin close if it is the server's.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import type { Duplex, Readable, Writable } from 'node:stream'

export interface WardedProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** The server has started: the warden is there and has its program in hand. */
  readonly started: Promise<void>
  /** Resolves when no process is left and all output is read. */
  readonly ended: Promise<ServerEnding>
  /** Asks (SIGTERM), then ends (SIGKILL), the server and all its descendants. */
  terminate(): void
  /** For a warden that does not answer. */
  kill(): void
}

export interface ServerEnding {
  readonly exitCode: number | null
  readonly signal: number | null
}

const PERL = '/usr/bin/perl'
/** The number of the system call on this processor. */
const PRCTL: Partial<Record<NodeJS.Architecture, number>> = { x64: 157, arm64: 167 }

/** Arguments: PRCTL PROGRAM ARGS…; descriptor 3 is the control channel: its end ends the server. */
const WARDEN = String.raw`
my ($prctl, @command) = @ARGV;
my $parent = $$;
syscall($prctl + 0, 36, 1, 0, 0, 0);               # PR_SET_CHILD_SUBREAPER: orphans become ours
open(my $control, '+<&=', 3) or die "control: $!";
fcntl($control, 2, 1);
my $server = fork // die "fork: $!";
if (!$server) {
    syscall($prctl + 0, 1, 9, 0, 0, 0);            # PR_SET_PDEATHSIG, SIGKILL
    exit 1 if getppid != $parent;
    exec { $command[0] } @command;
    syswrite STDERR, "cannot start $command[0]: $!\n";
    exit 127;
}
open STDIN, '<', '/dev/null';
open STDOUT, '>', '/dev/null';
open STDERR, '>', '/dev/null';
$SIG{PIPE} = $SIG{INT} = $SIG{HUP} = 'IGNORE';
my ($status, $stop);
$SIG{CHLD} = sub { };
$SIG{TERM} = sub { $stop = 1 };
while (!$stop && !defined $status) {
    reap();
    last if defined $status;
    my $ready = '';
    vec($ready, 3, 1) = 1;
    next unless select($ready, undef, undef, 0.5) > 0;
    my $read = sysread $control, my $order, 16;
    $stop = 1 if defined $read && $read == 0;
}
# A subreaper without a child has no descendant. Signals go to those that are found, again and again: who forks
# meanwhile is found the next time.
my $grace = $stop ? 50 : 0;                        # rounds of 20 ms
for my $round (0 .. $grace + 500) {
    last if !reap();
    kill 'TERM', descendants() if $round == 0 && $grace;
    kill 'KILL', descendants() if $round >= $grace;
    select undef, undef, undef, 0.02;
}
syswrite $control, "$status\n" if defined $status;
exit 0;

# False when no child is left.
sub reap {
    while ((my $pid = waitpid -1, 1) != 0) {
        return 0 if $pid < 0;
        $status = $? if $pid == $server;
    }
    return 1;
}

sub descendants {
    my %parent;
    opendir(my $processes, '/proc') or return;
    for my $process (grep { /^\d+$/ } readdir $processes) {
        open(my $stat, '<', "/proc/$process/stat") or next;
        my ($pid, $state, $ppid) = <$stat> =~ /^(\d+) \(.*\) (\S) (\d+)/s or next;
        $parent{$pid} = $ppid if $state ne 'Z';
    }
    return grep {
        my $pid = $_;
        $pid = $parent{$pid} while $pid && $pid != $$;
        $_ != $$ && defined $pid && $pid == $$
    } keys %parent;
}
`

export function startWarded(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): WardedProcess {
  const prctl = PRCTL[process.arch]
  if (prctl === undefined) throw new Error(`no MCP server can be started on a ${process.arch} processor`)
  const child = spawn(PERL, ['-e', WARDEN, '--', String(prctl), ...command], {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    detached: true, // a session of its own: a Ctrl-C on the terminal is srecodex's to answer
  })
  const { stdin, stdout, stderr } = child
  const control = child.stdio[3] as Duplex
  let told = ''
  for (const stream of [stdin, control]) stream.on('error', () => {}) // it has ended: 'close' follows
  control.on('data', (chunk: Buffer) => (told += chunk.toString()))
  return {
    stdin,
    stdout,
    stderr,
    started: startOf(child),
    ended: new Promise(resolve => {
      child.once('close', () => resolve(endingOf(told)))
    }),
    terminate: () => void control.end(),
    kill: () => void child.kill('SIGKILL'),
  }
}

function startOf(child: ChildProcess): Promise<void> {
  const started = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve).once('error', reject)
  })
  started.catch(() => {})
  return started
}

/** The wait status of the server; empty where the warden was killed. */
function endingOf(told: string): ServerEnding {
  const status = Number.parseInt(told, 10)
  if (Number.isNaN(status)) return { exitCode: null, signal: null }
  const signal = status & 127
  return signal === 0 ? { exitCode: status >> 8, signal: null } : { exitCode: null, signal }
}
