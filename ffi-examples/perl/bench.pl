#!/usr/bin/env perl
# What reading a stream costs, beside lines and JSON::XS: `bench.pl FILE`, a stream of OpenAI chat chunks.
# Rows, tab-separated: name, mode, nanoseconds an event, deltas of text, bytes of text. In the mode `16k` the
# bytes come in pieces of 16 KiB, in `event` one event a piece. The least of five rounds counts.
use v5.26;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use JSON::XS ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
use Deltawire;

sub by_deltawire {
    my %options = @_;
    return sub {
        my ($pieces) = @_;
        my ($decoder, $count, $text) = (Deltawire::Decoder->new(%options), 0, '');
        for my $piece (@$pieces) {
            for my $delta ($decoder->feed($piece)) {
                if ($delta->{type} eq 'text') {
                    $count++;
                    $text .= $delta->{text};
                }
            }
        }
        $decoder->finish;
        die "not complete\n" if $decoder->end ne 'complete';
        return ($count, $text);
    };
}

# Lines, and JSON of what follows "data: ".
sub by_json {
    my ($pieces) = @_;
    my ($json, $count, $text, $rest) = (JSON::XS->new->utf8, 0, '', '');
    for my $piece (@$pieces) {
        $rest .= $piece;
        my ($start, $stop) = (0);
        while (($stop = index $rest, "\n", $start) >= 0) {
            if (substr($rest, $start, 6) eq 'data: ') {
                my $data = substr $rest, $start + 6, $stop - $start - 6;
                if ($data ne '[DONE]') {
                    my $choice = $json->decode($data)->{choices}[0];
                    my $content = $choice && $choice->{delta}{content};
                    if (defined $content) {
                        $count++;
                        $text .= $content;
                    }
                }
            }
            $start = $stop + 1;
        }
        substr $rest, 0, $start, '';
    }
    return ($count, $text);
}

sub measure {
    my ($name, $mode, $events, $pieces, $run) = @_;
    my ($least, $count, $text);
    for my $round (0 .. 5) {
        my $start = clock_gettime(CLOCK_MONOTONIC);
        ($count, $text) = $run->($pieces);
        my $took = clock_gettime(CLOCK_MONOTONIC) - $start;
        $least = $took if $round > 0 && (!defined $least || $took < $least);
    }
    utf8::encode($text);
    printf "%s\t%s\t%d\t%d\t%d\n", $name, $mode, $least * 1e9 / $events, $count, length $text;
}

if (@ARGV != 1) {
    print STDERR "usage: bench.pl FILE\n";
    exit 2;
}
$| = 1;
open my $file, '<:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
my $bytes = do { local $/; <$file> };
my %pieces = ('16k' => [unpack '(a16384)*', $bytes], event => [$bytes =~ /(.*?\n\n|.+)/gs]);
for my $mode ('16k', 'event') {
    my @rest = ($mode, scalar @{ $pieces{event} }, $pieces{$mode});
    measure('deltawire', @rest, by_deltawire());
    measure('deltawire, one call a delta', @rest, by_deltawire(batch => 1));
    measure('lines + JSON::XS', @rest, \&by_json);
}
