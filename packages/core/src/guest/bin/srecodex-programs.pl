# What the commands that start others share. Builtins only.

# Inherited as ignored, it would hide how a child ended.
$SIG{CHLD} = 'DEFAULT';

our $inherited_pipe;
our %SIGNAL_NUMBERS = (HUP => 1, INT => 2, TERM => 15);

# Starts a command as Bash would: a program, a builtin or an exported function. Handles of %io become its stdin,
# stdout and stderr; `env` is added to its environment; `group` gives it a process group of its own.
sub started {
    my ($name, $command, %io) = @_;
    # --norc: Bash takes a socket on stdin for a login from afar, and reads ~/.bashrc.
    my @start = $io{direct} ? @$command : ('bash', '--norc', '-c', '"$@"', $name, @$command);
    my $child = fork;
    fail('INTERNAL', "cannot start a process: $!") if !defined $child;
    return $child if $child;
    $SIG{$_} = 'DEFAULT' for grep { ref $SIG{$_} } keys %SIGNAL_NUMBERS;
    $SIG{PIPE} = $inherited_pipe;
    setpgrp 0, 0 if $io{group};
    my ($env) = $io{env} || {};
    $ENV{$_} = $env->{$_} for keys %$env;
    open STDIN, '<&', $io{stdin} if $io{stdin};
    open STDOUT, '>&', $io{stdout} if $io{stdout};
    open STDERR, '>&', $io{stderr} if $io{stderr};
    exec { $start[0] } @start or print STDERR "$start[0]: $!\n";
    exit 127;
}

# What ends this ends those too: they are told first.
sub pass_signals_to {
    my ($targets) = @_;
    for my $name (keys %SIGNAL_NUMBERS) {
        next if ($SIG{$name} || '') eq 'IGNORE';
        $SIG{$name} = sub {
            kill $name, $targets->();
            $SIG{$name} = 'DEFAULT';
            kill $name, $$;
        };
    }
}

sub exit_code { return $_[0] & 127 ? 128 + ($_[0] & 127) : $_[0] >> 8 }

# A file without a name, read and written.
sub scratch {
    open(my $file, '+>', undef) or fail('INTERNAL', "cannot make a temporary file: $!");
    binmode $file;
    return $file;
}

1;
