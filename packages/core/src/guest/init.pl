# The first process of the sandbox (pid 1), and the parent of the script.
#
# Promises: the script starts with descriptors 0 to 2 and no other, the environment that the specification
# names and no other, and limits that it cannot raise; every orphan is reaped; the exact wait status of the
# script is reported. Modules are not loaded: perl alone starts in under 2 ms.
#
# Arguments: SPECIFICATION-FD STATUS-FD RUN (only to be told by). The specification is a list of fields, each ended by NUL:
#   N<prlimit64>,<prctl>,<close>  numbers of these system calls on this processor
#   L<resource>,<value>           a limit, soft and hard alike
#   E<name>=<value>               the script's environment
#   F<port>,<socket>              start the network forwarder
#   M<device>:<inode>,<path>      a mount, and what must stand there; without numbers it is only a mount
#   A<argument>                   the script's command line, in order
# Reports on STATUS-FD: "started", then "ended <wait status>" or "failed <errno>"; or "moved <path>".

my ($specification, $status) = @ARGV;
my (@limits, @argv, @mounts, %environment, $forwarder, $prlimit, $prctl, $close);

open(my $fields, '<&=', $specification) or exit 70;
{
    local $/ = "\0";
    while (defined(my $field = <$fields>)) {
        chop $field;
        my $kind = substr $field, 0, 1, '';
        if    ($kind eq 'A') { push @argv, $field }
        elsif ($kind eq 'E') { my ($name, $value) = split /=/, $field, 2; $environment{$name} = $value }
        elsif ($kind eq 'L') { push @limits, [split /,/, $field] }
        elsif ($kind eq 'N') { ($prlimit, $prctl, $close) = split /,/, $field }
        elsif ($kind eq 'F') { $forwarder = [split /,/, $field, 2] }
        elsif ($kind eq 'M') { push @mounts, [split /,/, $field, 2] }
    }
}
close $fields;
open(my $report, '>&=', $status) or exit 70;

# Another run in the same workspace can put a link in the place of what bubblewrap is just mounting, and have the
# host's HOME mounted instead. So nothing starts unless each path is a mount of its own and shows what was looked at.
# Both are asked of one descriptor, since the path may name something else a moment later. With as many mounts as
# there are paths, none of them lies elsewhere.
my %mounted;
for (@mounts) {
    my ($expected, $path) = @$_;
    my $mount;
    if (sysopen my $place, $path, 0x200000) {    # O_PATH
        my ($device, $inode) = stat $place;
        if ($expected eq '' || $expected eq "$device:$inode") {
            open(my $information, '<', '/proc/self/fdinfo/' . fileno $place) or exit 70;
            while (<$information>) { $mount = $1 if /^mnt_id:\s*(\d+)/ }
        }
    }
    next if defined $mount && !$mounted{$mount}++;
    syswrite $report, "moved $path\n";
    exit 70;
}

# Not dumpable: the script, of the same user, can open nothing below /proc/1.
syscall($prctl, 4, 0, 0, 0, 0);

# Callers leak descriptors that they inherited themselves; none of them may reach the script.
opendir(my $listing, '/proc/self/fd');
my @open = grep { /^\d+$/ && $_ > 2 && $_ != $status } readdir $listing;
closedir $listing;
syscall($close, $_ + 0) for @open;
fcntl($report, 2, 1);    # F_SETFD, FD_CLOEXEC

%ENV = %environment;

if ($forwarder) {
    pipe(my $ready, my $listening);
    if (!fork) {
        close $ready;
        fcntl($listening, 2, 0);
        exec '/usr/bin/perl', '/run/srecodex/guest/forwarder.pl', @$forwarder, fileno $listening;
        exit 70;
    }
    close $listening;
    sysread $ready, my $byte, 1;
    close $ready;
}

$SIG{TERM} = sub { kill 'INT', -$main::script if $main::script };

our $script = fork;
if (!$script) {
    $SIG{TERM} = 'DEFAULT';
    setpgrp;
    for (@limits) {
        my $value = pack 'QQ', $_->[1], $_->[1];
        syscall($prlimit, 0, $_->[0] + 0, $value, 0);
    }
    exec { $argv[0] } @argv;
    syswrite $report, 'failed ' . ($! + 0) . "\n";
    exit 127;
}
syswrite $report, "started\n";

while (1) {
    my $ended = waitpid -1, 0;
    if ($ended == $script) { syswrite $report, "ended $?\n"; last }
    last if $ended == -1 && $! != 4;    # EINTR: the handler above ran
}
exit 0;
