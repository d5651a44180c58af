# Host side of one run: owns the pipes that the script prints to, and ends the tree.
#
# Promises: what was printed is in the file, in order and cut exactly at the limit; everything is counted, also
# what was cut; the script never waits for the disk quota of its own output; when srecodex goes away, however,
# the whole tree of processes goes with it. The script holds a pipe and never the file, so that it cannot
# rewrite what it printed. Perl, because it starts in 2 ms; what is kept goes from pipe to file by splice(2), which
# costs less than a redirect, and its lines are counted once it is whole.
#
# Arguments: LIMIT SPLICE TREE CGROUP-FILES -- COMMAND…
#   LIMIT         bytes kept of each stream
#   SPLICE        number of splice(2) on this processor
#   TREE          "namespace:<prctl>,<unshare>,<mount>": killing COMMAND ends the tree; "none:<prctl>": descendants are
#                 hunted down. The numbers are those of the system calls on this processor
#   CGROUP-FILES  comma-separated cgroup.procs files that COMMAND joins, or ""
# Descriptors: 1 report, 3 control (its end of file ends the run; the byte "k" too), 4 stdout file, 5 stderr file.
# Report: "stop" on SIGTERM; at the end "<bytes> <lines> <kept> <errno>" for stdout, the same for stderr, the wait status of COMMAND.

my ($EINTR, $EAGAIN, $EINVAL, $ENOSYS) = (4, 11, 22, 38);
my ($limit, $splice, $tree, $cgroups) = splice @ARGV, 0, 4;
shift @ARGV;

my ($kind, $prctl, $unshare, $mount) = $tree =~ /^(none|namespace):(\d+)(?:,(\d+),(\d+))?$/;
my $hunting = $kind eq 'none';
syscall($prctl + 0, 36, 1, 0, 0, 0);                # PR_SET_CHILD_SUBREAPER: orphans become ours

open(my $control, '<&=', 3) or die "control: $!";
fcntl($control, 2, 1);
my @stream;
for my $target (1, 2) {
    pipe(my $reader, my $writer) or die "pipe: $!";
    fcntl($reader, 1031, 1 << 20);                  # F_SETPIPE_SZ: fewer turns; refused is fine
    open(my $file, '>&=', 3 + $target) or die "file: $!";
    fcntl($file, 2, 1);
    push @stream, { reader => $reader, writer => $writer, file => $file, bytes => 0, lines => 0, kept => 0, spliced => 0, errno => 0, last => "\n" };
}

my $command = fork // die "fork: $!";
if (!$command) {
    for (split /,/, $cgroups) {
        open(my $procs, '>', $_) or die "cgroup $_: $!\n";
        syswrite $procs, '0' or die "cgroup $_: $!\n";
        close $procs;
    }
    shield_devices() if $unshare && $> == 0;
    open STDOUT, '>&', $stream[0]{writer};
    open STDERR, '>&', $stream[1]{writer};
    exec { $ARGV[0] } @ARGV;
    print STDERR "cannot start $ARGV[0]: $!\n";
    exit 127;
}
close $_->{writer} for @stream;

$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = sub { };                               # wakes select
$SIG{INT} = $SIG{HUP} = 'IGNORE';                   # a terminal's Ctrl-C is srecodex's to answer
my ($killed, $deadline) = (0, 0);
$SIG{TERM} = sub { $deadline ||= time + 3; syswrite STDOUT, "stop\n" };    # `srecodex runs stop`: asked first, then killed

my ($status, $open, $late) = (undef, 2, 0);
while ($open) {
    my $ready = '';
    vec($ready, 3, 1) = 1 if $control;
    for (@stream) { vec($ready, fileno $_->{reader}, 1) = 1 if $_->{reader} }
    my $count = select $ready, undef, undef, $hunting || $deadline || $killed || defined $status ? 0.1 : undef;
    if ($deadline && !$killed && time > $deadline) { $killed = 1; kill 'KILL', $command unless defined $status }

    if (!defined $status && waitpid($command, 1) == $command) { $status = $? }
    # Also in a namespace: a bubblewrap that is killed as it starts has not yet tied its child's life to its own.
    # Then somebody still holds the pipes when all that fitted into them has been read.
    hunt() if $killed || defined $status && ($hunting || $count == 0 || $late++ > 64);
    next if $count < 1;

    if ($control && vec($ready, 3, 1)) {
        my $read = sysread $control, my $order, 16;
        if (!$read || $order =~ /k/) { $killed = 1; kill 'KILL', $command unless defined $status }
        if (!$read) { close $control; undef $control }
    }
    for (@stream) {
        next unless $_->{reader} && vec($ready, fileno $_->{reader}, 1);
        my $taken = take($_);
        next if !defined $taken || $taken;
        close $_->{reader};
        undef $_->{reader};
        $open--;
    }
}
if (!defined $status) { waitpid $command, 0; $status = $? }
hunt() if $hunting;

count_spliced($_) for @stream;
$_->{lines}++ for grep { $_->{last} ne "\n" } @stream;    # a last line without a line end is a line
syswrite STDOUT, join(' ', map({ ($_->{bytes}, $_->{lines}, $_->{kept}, $_->{errno}) } @stream), $status) . "\n";

# Real root owns /dev/null and its kin, and the sandbox shows the host's own: `chmod 0 /dev/null` in a script would
# take it from every user of the machine, as would fchmod on the descriptor 0 that Node opened. bubblewrap has no
# read-only bind for devices, but keeps the flags of what it binds; writing to a device needs no writable mount.
# Where root may not make a mount namespace (an unprivileged container), the devices are that container's own.
sub shield_devices {
    my ($none, $root) = ('none', '/');
    return if syscall($unshare + 0, 0x20000) != 0;                 # CLONE_NEWNS
    syscall($mount + 0, $none, $root, 0, 0x44000, 0) == 0          # MS_REC | MS_PRIVATE
        or die "mounts: $!\n";
    for my $name (qw(null zero full random urandom tty)) {
        my $device = "/dev/$name";
        next unless -e $device;
        syscall($mount + 0, $device, $device, 0, 0x1000, 0) == 0      # MS_BIND
            && syscall($mount + 0, $none, $device, 0, 0x1023, 0) == 0 # MS_REMOUNT | MS_BIND | MS_NOSUID | MS_RDONLY
            or die "device $device: $!\n";
    }
    open STDIN, '<', '/dev/null' or die "stdin: $!\n";
}

# How many bytes were taken from the pipe: 0 at its end, undef for none this time.
sub take {
    my ($stream) = @_;
    my $room = $limit - $stream->{kept};
    if ($splice && $room > 0 && !$stream->{errno}) {
        my ($from, $to) = (fileno $stream->{reader}, fileno $stream->{file});
        my $moved = syscall($splice + 0, $from, 0, $to, 0, $room < 1 << 20 ? $room : 1 << 20, 2);    # SPLICE_F_NONBLOCK
        if ($moved >= 0) {
            $stream->{$_} += $moved for qw(bytes kept spliced);
            return $moved;
        }
        return undef if $! == $EINTR || $! == $EAGAIN;
        if ($! == $EINVAL || $! == $ENOSYS) { $splice = 0 }    # not on this file system: read and written from here on
        else { $stream->{errno} = $! + 0 }
    }
    my $read = sysread $stream->{reader}, my $chunk, 131072;    # fits the processor's cache: 256 KiB took half as long again
    return defined $read || $! == $EINTR ? $read : 0 if !$read;
    $stream->{bytes} += $read;
    $stream->{lines} += ($chunk =~ tr/\n//);
    $stream->{last} = substr $chunk, -1;
    keep($stream, \$chunk) if $stream->{kept} < $limit && !$stream->{errno};
    return $read;
}

# The lines of what was moved unseen: the beginning of the file. wc counts eight times as fast as perl.
sub count_spliced {
    my ($stream) = @_;
    my $left = $stream->{spliced} or return;
    my $path = "/proc/$$/fd/" . fileno $stream->{file};
    my $counted;
    if ($left > 1 << 20 && $left == $stream->{kept} && open my $wc, '-|', 'wc', '-l', $path) {
        ($counted) = (<$wc> // '') =~ /^(\d+)/;
        close $wc or undef $counted;
    }
    open my $file, '<', $path or return;
    if (!defined $counted) {
        while ($left > 0 && (my $read = sysread $file, my $chunk, $left < 131072 ? $left : 131072)) {
            $counted += ($chunk =~ tr/\n//);
            $left -= $read;
        }
    }
    $stream->{lines} += $counted;
    return if $stream->{bytes} > $stream->{spliced};    # what came after it was seen
    sysseek $file, $stream->{spliced} - 1, 0;
    sysread $file, $stream->{last}, 1;
}

sub keep {
    my ($stream, $chunk) = @_;
    my $room = $limit - $stream->{kept};
    my $size = length $$chunk;
    $size = $room if $size > $room;
    my $offset = 0;
    while ($offset < $size) {
        my $written = syswrite $stream->{file}, $$chunk, $size - $offset, $offset;
        if (!defined $written) {
            next if $! == $EINTR;
            $stream->{errno} = $! + 0;
            last;
        }
        $offset += $written;
        $stream->{kept} += $written;
    }
}

# Without a PID namespace: whatever descends from us is killed until nothing does.
sub hunt {
    for (1 .. 50) {
        my %parent;
        opendir(my $processes, '/proc') or return;
        for my $process (grep { /^\d+$/ } readdir $processes) {
            open(my $stat, '<', "/proc/$process/stat") or next;
            my ($pid, $state, $ppid) = <$stat> =~ /^(\d+) \(.*\) (\S) (\d+)/s or next;
            $parent{$pid} = $ppid if $state ne 'Z';
        }
        my @doomed = grep {
            my $pid = $_;
            $pid = $parent{$pid} while $pid && $pid != $$;
            $_ != $$ && defined $pid && $pid == $$
        } keys %parent;
        kill 'KILL', @doomed if @doomed;
        while ((my $gone = waitpid -1, 1) > 0) { $status = $? if $gone == $command && !defined $status }
        return if !@doomed;
        select undef, undef, undef, 0.01;
    }
}
