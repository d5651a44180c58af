#!/usr/bin/perl
# Stands in for a tool inside the sandbox: kubectl, aws, psql. The tool is the name by which this file is started.
#
# It hands the call to srecodex over SRECODEX_SOCKET (../guest/PROTOCOL.md, "Commands"), prints what comes back and
# ends as the tool ended. It decides nothing and holds nothing that the script could not have.
#
# Ends by itself with 126 where the call cannot be carried (arguments that are not UTF-8, or past 2 MiB), 127
# outside a sandbox, 70 where srecodex does not answer or hangs up under way. SIGPIPE ends it as soon as nobody
# reads what it prints, whatever the script made of that signal: the hang-up is how a tool hears of it.
#
# Builtins only, not even `use strict`: see bin/srecodex-call.pl. Everything here is bytes. The tests compile it
# under strict and warnings instead. It shares no file with the commands: a `require` is a tenth of a call's time.

our $MAX_COMMAND_BYTES = 2 * 1024 * 1024;
our $MAX_ENTRIES_BYTES = 1024 * 1024;
our $PIECE = 65536;
our ($EINTR, $EBADF, $EAGAIN, $EPIPE) = (4, 9, 11, 32);
our ($COMMAND, $WANT, $BYTES, $END, $STDOUT, $STDERR, $EXIT) = (16 .. 22);
our %ERRORS = (1 => 'EPERM', 2 => 'ENOENT', 5 => 'EIO', 6 => 'ENXIO', 9 => 'EBADF', 13 => 'EACCES', 20 => 'ENOTDIR',
    21 => 'EISDIR', 22 => 'EINVAL', 23 => 'ENFILE', 24 => 'EMFILE', 36 => 'ENAMETOOLONG', 40 => 'ELOOP');
our %SIGNALS = (HUP => 1, INT => 2, QUIT => 3, ILL => 4, TRAP => 5, ABRT => 6, BUS => 7, FPE => 8, KILL => 9,
    USR1 => 10, SEGV => 11, USR2 => 12, PIPE => 13, ALRM => 14, TERM => 15);

$SIG{PIPE} = 'DEFAULT';
# PERL_UNICODE makes characters of all of these.
binmode $_ for \*STDIN, \*STDOUT, \*STDERR;
utf8::encode($_) for grep { utf8::is_utf8($_) } @ARGV;

our $tool = substr $0, rindex($0, '/') + 1;
fail(127, 'OUTSIDE', "$tool here is a stand-in that works inside a srecodex sandbox only")
    if !defined $ENV{SRECODEX_SOCKET} || $ENV{SRECODEX_SOCKET} eq '';

# Started without a descriptor 0, perl has this very file there.
our $has_stdin = 1;
our @stdin = stat STDIN;
our @self = stat $0;
if (!@stdin || (@self && $stdin[0] == $self[0] && $stdin[1] == $self[1])) {
    $has_stdin = 0;
    open STDIN, '<', '/dev/null';
}
# Else the socket could become descriptor 1, and the tool's output would land in it.
our @held;
while (open(my $null, '+<', '/dev/null')) {
    last if fileno $null > 2;
    push @held, $null;
}

our $cwd = readlink '/proc/self/cwd';
our $item = $ENV{SRECODEX_ITEM};
our $call = join '', '{"v":1,"tool":', checked($tool), ',"argv":[', join(',', map { checked($_) } @ARGV), '],"cwd":',
    checked(defined $cwd ? $cwd : $ENV{PWD}), ',"item":', defined $item && $item ne '' ? checked($item) : 'null',
    ',"stdin":', $has_stdin ? 'true' : 'false', '}';
fail(126, 'TOO_LARGE', "the arguments take " . length($call) . " bytes, and a call carries at most $MAX_COMMAND_BYTES",
    'hand them over in a file, or on stdin')
    if length $call > $MAX_COMMAND_BYTES;

lost('SRECODEX_SOCKET is too long for a socket') if length $ENV{SRECODEX_SOCKET} > 107;
socket(our $socket, 1, 1, 0) or lost($!);
connect($socket, pack('S a108', 1, $ENV{SRECODEX_SOCKET})) or lost($!);
binmode $socket;
# A host that hung up already may have said why.
tell_host($COMMAND, $call);

our ($buffer, $at) = ('', 0);
while (1) {
    need(5);
    my ($type, $length) = unpack 'C N', substr $buffer, $at, 5;
    $at += 5;
    if ($type == $STDOUT || $type == $STDERR) { pass_on($type == $STDOUT ? \*STDOUT : \*STDERR, $length) }
    elsif ($type == $WANT && $length <= $PIECE) { hand_over(member(taken($length), 'path')) }
    elsif ($type == $EXIT && $length <= $PIECE) { leave(taken($length)) }
    elsif ($type == 2 && $length <= 1024 * 1024) {
        my $refusal = taken($length);
        fail(70, member($refusal, 'code'), member($refusal, 'message'), member($refusal, 'hint'));
    }
    else { lost('this is not its protocol') }
}

# Reads until that many bytes are there.
sub need {
    my ($count) = @_;
    while (length($buffer) - $at < $count) {
        substr($buffer, 0, $at, '');
        $at = 0;
        my $read = sysread $socket, $buffer, 2 * $PIECE, length $buffer;
        lost('it hung up before the command ended') if defined $read && $read == 0;
        lost($!) if !defined $read && $! != $EINTR;
    }
}

sub taken {
    my ($length) = @_;
    need($length);
    $at += $length;
    return substr $buffer, $at - $length, $length;
}

# What is there already is printed at once: a frame need not be whole.
sub pass_on {
    my ($to, $length) = @_;
    while ($length > 0) {
        need(1);
        my $count = length($buffer) - $at;
        $count = $length if $count > $length;
        $length -= $count;
        while ($count > 0) {
            my $written = syswrite $to, $buffer, $count, $at;
            if (defined $written) { $at += $written; $count -= $written }
            elsif ($! == $EAGAIN) { await($to, 1) }
            # The caller closed it: nobody wants to know.
            elsif ($! == $EBADF) { $at += $count; $count = 0 }
            # SIGPIPE is blocked, or it would have ended this.
            elsif ($! == $EPIPE) { end_by('PIPE') }
            elsif ($! != $EINTR) { fail(1, 'OUTPUT', "$tool: cannot write: $!") }
        }
    }
}

# Answers a want: the contents of a file, the names in a folder, or why not.
sub hand_over {
    my ($path) = @_;
    lost('this is not its protocol') if !defined $path;
    my $file;
    if ($path eq '-' || $path =~ m{\A/(?:dev/stdin|dev/fd/0|proc/self/fd/0)\z}) { $file = \*STDIN }
    elsif (-d $path) {
        opendir(my $folder, $path) or return refuse($!);
        my $names = join ',', map { well_formed($_) ? quoted($_) : return refuse(84) }
            sort grep { $_ ne '.' && $_ ne '..' } readdir $folder;
        return refuse(27) if length $names > $MAX_ENTRIES_BYTES - 64;
        return tell_host($END, qq({"kind":"folder","entries":[$names]}));
    }
    else { open($file, '<:raw', $path) or return refuse($!) }
    while (1) {
        # A host that speaks before it was answered to the end wants no more of it.
        return if await($file, 0, $socket);
        my $piece = '';
        my $count = sysread $file, $piece, $PIECE;
        if (!defined $count) {
            next if $! == $EINTR || $! == $EAGAIN;
            return refuse($!);
        }
        return tell_host($END, '{"kind":"file"}') if $count == 0;
        return if !tell_host($BYTES, $piece);
    }
}

sub refuse {
    my ($error) = $_[0] + 0;
    my $name = $ERRORS{$error} || ($error == 84 ? 'EILSEQ' : $error == 27 ? 'EFBIG' : 'EIO');
    tell_host($END, qq({"kind":"failed","error":"$name"}));
}

# Sends one frame. False where the host speaks, or is gone, before it took all of it: what it says comes next.
sub tell_host {
    my ($type, $payload) = @_;
    my $frame = pack('C N', $type, length $payload) . $payload;
    while (length $frame) {
        # MSG_DONTWAIT | MSG_NOSIGNAL: nobody reads is a matter of stdout alone.
        my $sent = send $socket, $frame, 0x4040;
        if (defined $sent) { substr($frame, 0, $sent, '') }
        elsif ($! == $EAGAIN) { return 0 if await($socket, 1, $socket) }
        elsif ($! != $EINTR) { return 0 }
    }
    return 1;
}

# Waits until a handle can be read, or written; true once the other one has something to read.
sub await {
    my ($handle, $write, $other) = @_;
    my ($read, $written) = ('', '');
    vec($write ? $written : $read, fileno $handle, 1) = 1;
    vec($read, fileno $other, 1) = 1 if defined $other;
    return 0 if select($read, $written, undef, undef) < 0;
    return defined $other && vec $read, fileno $other, 1;
}

sub leave {
    my ($how) = @_;
    exit $1 if $how =~ /"code":([0-9]{1,3})\b/;
    my $signal = member($how, 'signal');
    end_by($1) if defined $signal && $signal =~ /\ASIG([A-Z0-9]+)\z/;
    lost('this is not its protocol');
}

# A signal that this perl does not know, or that is blocked, becomes the code that a shell makes of it.
sub end_by {
    my ($signal) = @_;
    my $number = $SIGNALS{$signal};
    if (defined $number) {
        $SIG{$signal} = 'DEFAULT' if $signal ne 'KILL';
        kill $number, $$;
    }
    exit 128 + ($number || 0);
}

sub well_formed {
    my ($text) = @_;
    return 1 if $text !~ /[^\x00-\x7f]/;
    # No quantifier around the group: perl gives up past 65,535 rounds.
    $text =~ s/
        [\x00-\x7f]+
        | [\xc2-\xdf][\x80-\xbf]
        | \xe0[\xa0-\xbf][\x80-\xbf] | [\xe1-\xec\xee\xef][\x80-\xbf]{2} | \xed[\x80-\x9f][\x80-\xbf]
        | \xf0[\x90-\xbf][\x80-\xbf]{2} | [\xf1-\xf3][\x80-\xbf]{3} | \xf4[\x80-\x8f][\x80-\xbf]{2}
    //gx;
    return $text eq '';
}

# One that is not UTF-8 would reach the tool as another one.
sub checked {
    my ($text) = @_;
    fail(126, 'INVALID_PARAMS', "$tool: the arguments and the current folder are UTF-8, and these are not")
        if !well_formed($text);
    return quoted($text);
}

sub quoted {
    my ($text) = @_;
    $text =~ s/(["\\\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
    return qq("$text");
}

# The value of a string member of a JSON object, or undef.
sub member {
    my ($json, $name) = @_;
    return undef if $json !~ /"$name":"((?:[^"\\]++|\\.)*+)"/;
    my $text = $1;
    my %plain = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");
    $text =~ s{\\(?:u([dD][89abAB]..)\\u([dD][c-fC-F]..)|u(....)|(.))}{
        defined $4 ? exists $plain{$4} ? $plain{$4} : $4
            : bytes_of(defined $3 ? hex $3 : 0x10000 + ((hex($1) & 0x3ff) << 10) + (hex($2) & 0x3ff))
    }ge;
    return $text;
}

sub bytes_of {
    my $character = chr $_[0];
    utf8::encode($character);
    return $character;
}

sub fail {
    my ($status, $code, $message, $hint) = @_;
    print STDERR "error[$code]: $message\n";
    print STDERR "\nhint: $hint\n" if defined $hint;
    exit $status;
}

sub lost { fail(70, 'DISCONNECTED', "$tool: srecodex does not answer: $_[0]") }
