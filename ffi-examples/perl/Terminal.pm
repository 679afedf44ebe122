package Terminal;

# What both chats do with the terminal: settings, and how a reply is shown.

use v5.26;
use warnings;

$| = 1;
binmode $_, ':encoding(UTF-8)' for \*STDOUT, \*STDERR;

my $is_faulty = 0;

sub setting {
    my ($name, $otherwise) = @_;
    my $value = $ENV{$name};
    return defined $value && $value ne '' ? $value : $otherwise;
}

# The only argument; ends the program with status 2 where there is another number of them.
sub prompt {
    my ($program) = @_;
    if (@ARGV != 1) {
        print STDERR "usage: $program PROMPT\n";
        exit 2;
    }
    utf8::decode(my $prompt = $ARGV[0]);
    return $prompt;
}

# The reply goes to standard output, what is known of it to standard error.
sub show {
    for my $delta (@_) {
        my $type = $delta->{type};
        if ($type eq 'text') {
            print $delta->{text};
        } elsif ($type eq 'usage') {
            printf STDERR '(%d tokens)', $delta->{usage}{output_tokens} // 0;
        } elsif ($type eq 'error') {
            print STDERR "$delta->{kind}: $delta->{message}\n";
            $is_faulty = 1;
        } elsif ($type eq 'event_error') {
            print STDERR $delta->message, "\n";
            $is_faulty = 1;
        }
    }
}

# The exit status of a reply that came to its end.
sub status {
    my ($end) = @_;
    return $is_faulty || $end ne 'complete' ? 1 : 0;
}

1;
