# Starts programs for srecodex, one after another: a fork of this small process takes a quarter of what one of Node
# takes, and srecodex's own thread goes on meanwhile.
#
# Promises: a program starts with descriptors 0 to 3 and no other, with the environment that its request names and no
# other; how each ended is told once; when srecodex goes away, so does this, and bubblewrap with its parent. What
# srecodex asked for just before is not started then.
#
# Argument: the folder of the run's tools, only to be told by: see sandbox/survivors.ts.
# Requests on descriptor 0, each a length (32 bits, big-endian) and that many bytes, fields between NULs:
#   start ID STDIN STDOUT STDERR STATUS COUNT NAME=VALUE… ARGUMENT…   paths; COUNT variables, then the command line
#   kill ID SIGNAL
# Answers on descriptor 1, a line each: "ID ended <wait status>", or "ID failed <why>" where nothing was started.

# Callers leak descriptors that they inherited themselves.
opendir(my $listing, '/proc/self/fd') or die "descriptors: $!";
my @inherited = grep { /^\d+$/ && $_ > 2 && $_ != fileno $listing } readdir $listing;
closedir $listing;
for (@inherited) { open(my $handle, '<&=', $_) and close $handle }
open(my $reserved, '<', '/dev/null') or die "descriptor 3: $!";    # a program's status takes its place

my ($EINTR, $O_WRONLY, $O_NONBLOCK, $F_GETFL, $F_SETFL, $MAX_REQUEST) = (4, 1, 0x800, 3, 4, 1 << 24);
my (%ids, %pids);
my $srecodex = getppid;
my $buffer = '';
$SIG{CHLD} = sub { };                                              # wakes select

while (1) {
    while ((my $pid = waitpid -1, 1) > 0) {
        my $id = delete $ids{$pid} // next;
        delete $pids{$id};
        answer("$id ended $?");
    }
    vec(my $ready = '', 0, 1) = 1;
    # One that ends just before select is told a moment later.
    next if select($ready, undef, undef, %ids ? 0.05 : undef) < 1;
    my $read = sysread STDIN, $buffer, 1 << 16, length $buffer;
    next if !defined $read && $! == $EINTR;
    exit if !$read;
    while (length $buffer >= 4) {
        my $length = unpack 'N', $buffer;
        exit 70 if $length > $MAX_REQUEST;
        last if length $buffer < 4 + $length;
        my ($kind, @fields) = split /\0/, substr($buffer, 4, $length), -1;
        substr($buffer, 0, 4 + $length, '');
        if ($kind eq 'start') { start(@fields) }
        elsif ($kind eq 'kill') { kill $fields[1], $pids{$fields[0]} if exists $pids{$fields[0]} }
    }
}

sub start {
    my ($id, $stdin, $stdout, $stderr, $status, $count, @words) = @_;
    my @environment = splice @words, 0, $count;
    my @opened;
    for ([$stdin, 0], [$stdout, $O_WRONLY | $O_NONBLOCK], [$stderr, $O_WRONLY | $O_NONBLOCK], [$status, $O_WRONLY | 0x240]) {
        my ($path, $flags) = @$_;                                  # 0x240: O_CREAT | O_TRUNC
        sysopen(my $file, $path, $flags, 0600) or return answer("$id failed cannot open $path: $!");
        # Not blocking while it is opened: whoever reads may have gone.
        fcntl($file, $F_SETFL, fcntl($file, $F_GETFL, 0) & ~$O_NONBLOCK) if $flags & $O_NONBLOCK;
        push @opened, $file;
    }
    exit if getppid != $srecodex;                                  # nobody would know of it
    my $pid = fork;
    return answer("$id failed $!") if !defined $pid;
    if ($pid) {
        $ids{$pid} = $id;
        $pids{$id} = $pid;
        return;
    }
    open STDIN, '<&', $opened[0];
    open STDOUT, '>&', $opened[1];
    open STDERR, '>&', $opened[2];
    close $reserved;
    $^F = 3;                                                       # what is opened up to there stays open
    open(my $third, '>&', $opened[3]);
    %ENV = map { split /=/, $_, 2 } @environment;
    exec { $words[0] } @words;
    print STDERR "bwrap: $words[0]: $!\n";                         # as bubblewrap says it of the program
    exit 127;
}

sub answer {
    my ($line) = @_;
    $line =~ tr/\n/ /;
    my ($text, $at) = ("$line\n", 0);
    # Where srecodex is busy this waits, and every program that ends meanwhile interrupts it.
    while ($at < length $text) {
        my $written = syswrite STDOUT, $text, length($text) - $at, $at;
        if (defined $written) { $at += $written }
        elsif ($! != $EINTR) { exit 70 }
    }
}
