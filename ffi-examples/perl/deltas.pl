#!/usr/bin/env perl
# Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
#
#     deltas.pl [--dialect D] [--chunk-size N] [FILE]      standard input where there is no FILE or it is -
#
# Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
use v5.26;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Deltawire;
use Lines;

sub usage {
    my ($why) = @_;
    print STDERR "deltas: $why\nusage: deltas.pl [--dialect D] [--chunk-size N] [FILE]\n";
    exit 2;
}

my ($dialect, $size, $path);
while (@ARGV) {
    my $word = shift @ARGV;
    if ($word eq '--dialect') {
        $dialect = shift(@ARGV) // usage('--dialect needs a name');
    } elsif ($word eq '--chunk-size') {
        $size = shift(@ARGV) // '';
        usage('--chunk-size needs a number from 1') if $size !~ /^[1-9][0-9]{0,8}\z/;
    } elsif (defined $path || $word =~ /^-./) {
        usage("what is $word?");
    } else {
        $path = $word;
    }
}

my $decoder = eval { Deltawire::Decoder->new(dialect => $dialect) } // usage($@->message);
my $file = \*STDIN;
if (defined $path && $path ne '-') {
    open $file, '<', $path or usage("$path: $!");
}
binmode $_ for $file, \*STDOUT;

my $is_faulty = 0;

sub show {
    for my $delta (@_) {
        if ($delta->{type} eq 'event_error') {
            print STDERR 'deltas: ', $delta->message, "\n";
            $is_faulty = 1;
        } else {
            $is_faulty = 1 if $delta->{type} eq 'error';
            print Lines::delta($delta);
        }
    }
}

$| = 1;
while (1) {
    # Without a size each piece is what is there, so that lines come as soon as they can.
    my $chunk;
    my $read = defined $size ? read($file, $chunk, $size) : sysread($file, $chunk, 16_384);
    usage("$!") if !defined $read;
    last if $read == 0;
    show($decoder->feed($chunk));
}
show($decoder->finish);
my $end = $decoder->end;
print Lines::ended($end);
exit($is_faulty || $end ne 'complete' ? 1 : 0);
