# What the commands beside this file share: one call to srecodex over SRECODEX_SOCKET. See ../PROTOCOL.md.
#
# Builtins only: `use strict` is a quarter of a command's 3 ms and `use Socket` three times all of it. The tests
# compile these files under strict and warnings instead. Everything here is bytes.

our $MAX_CALL_BYTES = 1024 * 1024;
our $MAX_ANSWER_BYTES = 16 * 1024 * 1024;
our @held;

# A reader that went away is an error that is reported, not a silent death. Programs that are started get it back.
our $inherited_pipe = $SIG{PIPE} || 'DEFAULT';
$SIG{PIPE} = 'IGNORE';
binmode $_ for \*STDIN, \*STDOUT, \*STDERR;
# PERL_UNICODE turns arguments into characters.
utf8::encode($_) for grep { utf8::is_utf8($_) } @ARGV;

sub fail {
    my ($code, $message, $hint) = @_;
    print STDERR "error[$code]: $message\n";
    print STDERR "\nhint: $hint\n" if defined $hint;
    exit 1;
}

# Exits when help is asked for, or when the arguments are wrong.
sub usage {
    my ($text, $wrong) = @_;
    if ($wrong) { print STDERR $text; exit 2 }
    print STDOUT $text;
    exit 0;
}

# Another file that some of the commands share.
sub load { require(($0 =~ m{^/} ? '' : './') . substr($0, 0, rindex($0, '/') + 1) . $_[0]) }

sub wants_help { return @ARGV == 1 && ($ARGV[0] eq '--help' || $ARGV[0] eq '-h') }

sub outside { return !defined $ENV{SRECODEX_SOCKET} || $ENV{SRECODEX_SOCKET} eq '' }

sub say_out {
    my ($text) = @_;
    print STDOUT $text and close STDOUT or fail('OUTPUT', "cannot write to stdout: $!");
}

# Bytes that are not UTF-8 become U+FFFD. No quantifier around the group: perl gives up past 65,535 rounds.
sub well_formed {
    my ($text) = @_;
    return $text if $text !~ /[^\x00-\x7f]/;
    $text =~ s/(
        [\x00-\x7f]+
        | [\xc2-\xdf][\x80-\xbf]
        | \xe0[\xa0-\xbf][\x80-\xbf] | [\xe1-\xec\xee\xef][\x80-\xbf]{2} | \xed[\x80-\x9f][\x80-\xbf]
        | \xf0[\x90-\xbf][\x80-\xbf]{2} | [\xf1-\xf3][\x80-\xbf]{3} | \xf4[\x80-\x8f][\x80-\xbf]{2}
    ) | [\x80-\xff] /defined $1 ? $1 : "\xef\xbf\xbd"/gex;
    return $text;
}

sub quoted {
    my ($text) = @_;
    $text = well_formed($text);
    $text =~ s/(["\\\x00-\x1f])/sprintf '\\u%04x', ord $1/ge;
    return qq("$text");
}

# The value of a string member of a response, or undef.
sub member {
    my ($json, $name) = @_;
    return undef if $json !~ /"$name":"((?:[^"\\]++|\\.)*+)"/;
    return unescaped($1);
}

# What stands between the quotes of a JSON string.
sub unescaped {
    my ($text) = @_;
    my %plain = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");
    $text =~ s{\\(?:u([dD][89abAB]..)\\u([dD][c-fC-F]..)|u(....)|(.))}{
        defined $4 ? exists $plain{$4} ? $plain{$4} : $4
            : bytes_of(defined $3 ? hex $3 : 0x10000 + ((hex($1) & 0x3ff) << 10) + (hex($2) & 0x3ff))
    }ge;
    return $text;
}

# The raw JSON of a response whose result has that one member, or ends in it.
sub last_member {
    my ($response, $name) = @_;
    return $1 if $response =~ /\A\{"id":1,"result":\{(?:"known":true,)?"\Q$name\E":(.*)\}\}\z/s;
    lost('this is not its protocol');
}

sub bytes_of {
    my $character = chr $_[0];
    utf8::encode($character);
    return $character;
}

# Sends one request, its params as JSON, and returns the text of the response; or nothing where none is wanted.
# Ends with what the host says against it.
sub call {
    my ($method, $params, $answered) = @_;
    my $response = exchange($method, $params, $answered);
    return $answered ? accepted($response) : undef;
}

sub accepted {
    my ($response) = @_;
    # A response has its error first, or a result that may hold anything.
    if ($response =~ /\A\{"id":(?:1|null),"error":(\{.*)/s) {
        my $error = $1;
        fail(member($error, 'code'), member($error, 'message'), member($error, 'hint'));
    }
    return $response;
}

sub exchange {
    my ($method, $params, $answered) = @_;
    my $id = $answered ? 1 : 'null';
    my $payload = qq({"v":1,"id":$id,"method":"$method","params":$params});
    fail('TOO_LARGE', "$method takes " . length($payload) . " bytes, and a call carries at most $MAX_CALL_BYTES",
        $method eq 'summary' ? 'write the whole of it to the path that `artifact NAME` prints' : undef)
        if length $payload > $MAX_CALL_BYTES;
    # Else the socket could become descriptor 1, and a print would land in it.
    while (open(my $null, '+<', '/dev/null')) {
        last if fileno $null > 2;
        push @held, $null;
    }
    my $path = $ENV{SRECODEX_SOCKET};
    lost('SRECODEX_SOCKET is too long for a socket') if length $path > 107;
    socket(my $socket, 1, 1, 0) or lost($!);
    connect($socket, pack('S a108', 1, $path)) or lost($!);
    binmode $socket;
    my $frame = pack('C N', 1, length $payload) . $payload;
    my $sent = 0;
    while ($sent < length $frame) {
        my $count = syswrite $socket, $frame, length($frame) - $sent, $sent;
        $sent += $count and next if defined $count;
        lost($!) if $! != 4; # EINTR
    }
    return if !$answered;
    my ($type, $length) = unpack 'C N', received($socket, 5);
    lost('this is not its protocol') if $type != 2 || $length > $MAX_ANSWER_BYTES;
    return received($socket, $length);
}

sub received {
    my ($socket, $length) = @_;
    my $bytes = '';
    while (length $bytes < $length) {
        my $count = sysread $socket, $bytes, $length - length $bytes, length $bytes;
        lost('it hung up') if defined $count && $count == 0;
        lost($!) if !defined $count && $! != 4; # EINTR
    }
    return $bytes;
}

sub lost { fail('DISCONNECTED', "srecodex does not answer: $_[0]") }

1;
