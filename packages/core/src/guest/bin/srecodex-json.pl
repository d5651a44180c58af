# What the commands that carry JSON share: reading it, and making an object of `key=value` words. Builtins only.

# The value of a JSON text, strings as bytes, numbers as they are written; dies where it is none.
sub decoded {
    local $_ = $_[0];
    pos = 0;
    my $value = next_value();
    /\G[ \t\n\r]*/gc;
    die "JSON ends before its end\n" if pos() < length;
    return $value;
}

sub is_json {
    my ($text) = @_;
    return eval { decoded($text); 1 };
}

# Reads $_ on from its position.
sub next_value {
    my ($depth) = (($_[0] || 0) + 1);
    die "JSON is too deep\n" if $depth > 500;
    /\G[ \t\n\r]*/gc;
    if (/\G"/gc) { return next_string() }
    if (/\G\{/gc) {
        my %object;
        return \%object if /\G[ \t\n\r]*\}/gc;
        while (1) {
            /\G[ \t\n\r]*"/gc or die "JSON lacks a name\n";
            my $name = next_string();
            /\G[ \t\n\r]*:/gc or die "JSON lacks a colon\n";
            $object{$name} = next_value($depth);
            next if /\G[ \t\n\r]*,/gc;
            return \%object if /\G[ \t\n\r]*\}/gc;
            die "JSON lacks a brace\n";
        }
    }
    if (/\G\[/gc) {
        my @array;
        return \@array if /\G[ \t\n\r]*\]/gc;
        while (1) {
            push @array, next_value($depth);
            next if /\G[ \t\n\r]*,/gc;
            return \@array if /\G[ \t\n\r]*\]/gc;
            die "JSON lacks a bracket\n";
        }
    }
    return $1 if /\G(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)/gc;
    return 1 if /\Gtrue/gc;
    return 0 if /\Gfalse/gc;
    return undef if /\Gnull/gc;
    die "this is no JSON\n";
}

sub next_string {
    my $start = pos;
    while (1) {
        /\G[^"\\\x00-\x1f]+/gc;
        last if /\G"/gc;
        /\G\\(?:["\\\/bfnrt]|u[0-9a-fA-F]{4})/gc or die "JSON has a string that does not end\n";
    }
    return unquoted(substr $_, $start - 1, pos() - $start + 1);
}

# What a JSON string says; other JSON as it is.
sub unquoted {
    my ($json) = @_;
    return $json if $json !~ /\A"/;
    return substr $json, 1, -1 if $json !~ /\\/;
    return unescaped(substr $json, 1, -1);
}

# One JSON object, or key=value words whose values are JSON where they can be, else strings.
sub object_of {
    my (@words) = @_;
    if (@words == 1 && $words[0] =~ /\A\s*\{/) {
        my $object = eval { decoded($words[0]) };
        fail('INVALID_PARAMS', "the arguments are no JSON object: $words[0]") if ref $object ne 'HASH';
        return well_formed($words[0]);
    }
    my %seen;
    my @members;
    for my $word (@words) {
        my ($name, $value) = $word =~ /\A([^=]+)=(.*)\z/s
            or fail('INVALID_PARAMS', "arguments are one JSON object, or key=value words, and `$word` is neither");
        fail('INVALID_PARAMS', "$name is given twice") if $seen{$name}++;
        push @members, quoted($name) . ':' . ($value !~ /\A\s|\s\z/ && is_json($value) ? well_formed($value) : quoted($value));
    }
    return '{' . join(',', @members) . '}';
}

# The raw JSON of a response's result.
sub last_result {
    my ($response) = @_;
    return $1 if $response =~ /\A\{"id":1,"result":(.*)\}\z/s;
    lost('this is not its protocol');
}

sub item_json { return defined $ENV{SRECODEX_ITEM} && $ENV{SRECODEX_ITEM} ne '' ? quoted($ENV{SRECODEX_ITEM}) : 'null' }

1;
