# Carries the sandbox's network to the host's proxy: TCP on the sandbox's loopback, bytes to a unix socket.
#
# Decides nothing: the proxy does. It runs as the script's own user and the script may end it; then there is no
# network. Modules are not loaded: perl alone starts in under 2 ms.
#
# Arguments: PORT SOCKET READY-FD. Writes "1" to READY-FD once it listens; ends with status 70 if it cannot.
#
# One process and one loop, whatever the number of connections: a process for each would count against the
# script's limit. A side that has ended is passed on and the other goes on. A side is read only while there is
# room for its bytes. Connections past the limit, or past the descriptors there are, wait in the backlog.

my ($port, $path, $ready_fd) = @ARGV;

my $CHUNK = 65_536;
my $MAX_CONNECTIONS = 500;    # the proxy takes 512
my ($F_SETFL, $O_NONBLOCK) = (4, 2048);
my ($EINTR, $EAGAIN, $EMFILE, $ENFILE) = (4, 11, 24, 23);

$SIG{$_} = 'IGNORE' for qw(PIPE INT HUP);
$0 = 'srecodex-network';

exit 70 if length $path > 107;
my $unix_address = pack 'S a108', 1, $path;    # AF_UNIX

socket(my $listener, 2, 1, 0) or exit 70;      # AF_INET, SOCK_STREAM
setsockopt $listener, 1, 2, pack('i', 1);      # SOL_SOCKET, SO_REUSEADDR
bind($listener, pack 'S n C4 x8', 2, $port, 127, 0, 0, 1) or exit 70;
listen($listener, 4096) or exit 70;
fcntl $listener, $F_SETFL, $O_NONBLOCK;

open(my $ready, '>&=', $ready_fd) or exit 70;
syswrite $ready, '1';
close $ready;

# A side, by its descriptor: `socket`, `fd`, `other`, what is `pending` for it, whether its input has `ended` and
# its output was `shut`.
my %sides;
my ($readable, $writable) = ('', '');
my $listening = fileno $listener;
my $waiting = 0;                               # the listener is left alone until a connection ends
vec($readable, $listening, 1) = 1;

while (1) {
    my $count = select my $read = $readable, my $write = $writable, undef, undef;
    if ($count < 0) {
        next if $! == $EINTR;
        exit 71;
    }
    for my $fd (keys %sides) {                 # one connection that ends takes two sides away
        flush($sides{$fd}) if $sides{$fd} && vec $write, $fd, 1;
        take($sides{$fd}) if $sides{$fd} && vec $read, $fd, 1;
    }
    admit() if vec $read, $listening, 1;
}

# The outside first: with no descriptor left for it, the connection stays in the backlog.
sub admit {
    while (1) {
        return pause() if keys %sides >= 2 * $MAX_CONNECTIONS;
        socket(my $outside, 1, 1, 0) or return pause();
        my $client;
        if (!accept $client, $listener) {
            return pause() if $! == $EMFILE || $! == $ENFILE;
            return;
        }
        connect($outside, $unix_address) or next;    # no proxy: both close here
        setsockopt $client, 6, 1, pack('i', 1);      # IPPROTO_TCP, TCP_NODELAY
        my ($one, $other) = map { { socket => $_, fd => fileno $_, pending => '' } } $client, $outside;
        ($one->{other}, $other->{other}) = ($other, $one);
        for my $side ($one, $other) {
            fcntl $side->{socket}, $F_SETFL, $O_NONBLOCK;
            $sides{$side->{fd}} = $side;
            vec($readable, $side->{fd}, 1) = 1;
        }
    }
}

sub pause {
    return select undef, undef, undef, 0.05 if !%sides;    # there is no connection whose end would wake it
    $waiting = 1;
    vec($readable, $listening, 1) = 0;
}

sub take {
    my ($side) = @_;
    my $got = sysread $side->{socket}, $side->{other}{pending}, $CHUNK, length $side->{other}{pending};
    if (!$got) {
        return if !defined $got && ($! == $EAGAIN || $! == $EINTR);
        $side->{ended} = 1;
        vec($readable, $side->{fd}, 1) = 0;
        broken($side) if !defined $got;
    }
    flush($side->{other});
}

# Nothing can be sent there any more; what came from there before is still passed on.
sub broken {
    my ($side) = @_;
    $side->{shut} = 1;
    $side->{pending} = '';
    $side->{other}{ended} = 1;
    vec($writable, $side->{fd}, 1) = vec($readable, $side->{other}{fd}, 1) = 0;
}

# Sends what is pending, then passes on the end of the other side; reading goes on only when nothing is pending.
sub flush {
    my ($side) = @_;
    my $other = $side->{other};
    if (length $side->{pending}) {
        my $sent = syswrite $side->{socket}, $side->{pending};
        if (defined $sent) { substr $side->{pending}, 0, $sent, '' }
        elsif ($! != $EAGAIN && $! != $EINTR) { return drop($side) }
    }
    my $more = length $side->{pending} ? 1 : 0;
    vec($writable, $side->{fd}, 1) = $more;
    vec($readable, $other->{fd}, 1) = $more || $other->{ended} ? 0 : 1;
    return if $more || !$other->{ended} || $side->{shut};
    shutdown $side->{socket}, 1;
    $side->{shut} = 1;
    drop($side) if $other->{shut};
}

sub drop {
    for my $side ($_[0], $_[0]{other}) {
        my $fd = $side->{fd};
        vec($readable, $fd, 1) = vec($writable, $fd, 1) = 0;
        delete $sides{$fd};
        close $side->{socket};
    }
    delete $_[0]{other}{other};                # the two refer to each other
    if ($waiting) {
        $waiting = 0;
        vec($readable, $listening, 1) = 1;
    }
}
