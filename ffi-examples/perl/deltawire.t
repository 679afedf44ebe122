#!/usr/bin/env perl
# The tests: `check test`, or `prove deltawire.t` with DELTAWIRE, DELTAWIRE_LIBRARY, DELTAWIRE_CASES and
# DELTAWIRE_BUILD set. Those of the transport and of HTTP::Tiny are in http.t.
use v5.26;
use warnings;
use utf8;
use FindBin;
use lib $FindBin::RealBin;
use Test::More;
use Deltawire;
use Lines;

my $here = $FindBin::RealBin;
my $data = "$here/../../tests/data";
my $cases_folder = $ENV{DELTAWIRE_CASES} or die "DELTAWIRE_CASES is not set\n";

sub contents {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar(<$file>) // '';
}

# The exception that `$body` dies of; the test fails where there is none, or another one.
sub dies_with {
    my ($pattern, $body, $what) = @_;
    my $lived = eval { $body->(); 1 };
    my $why = $@;
    ok(!$lived && ref $why eq 'Deltawire::Error' && $why =~ $pattern, $what // "dies with $pattern")
        or diag($lived ? 'it lived' : "it died of $why");
    return $why;
}

# What a response says, cut into `@$pieces`: its lines, and the problems of its events.
sub read_pieces {
    my ($decoder, $pieces) = @_;
    my ($lines, $problems) = ('', '');
    my $take = sub {
        my ($delta) = @_;
        if ($delta->{type} eq 'event_error') {
            my $message = $delta->message . "\n";
            utf8::encode($message);
            $problems .= $message;
        } else {
            $lines .= Lines::delta($delta);
        }
    };
    for my $piece (@$pieces) {
        $take->($_) for $decoder->feed($piece);
    }
    $take->($_) for $decoder->finish;
    return ($lines . Lines::ended($decoder->end), $problems);
}

sub cut {
    my ($bytes, $size) = @_;
    return [unpack "(a$size)*", $bytes];
}

my @cases = map {
    /^([^\t]+)\t([^\t]+)\t([^\t]+)\t([01])$/ or die "cases.tsv: $_";
    { name => $1, file => "$cases_folder/$2", dialect => $3, is_short => $4 };
} split /\n/, contents("$cases_folder/cases.tsv");
cmp_ok(scalar @cases, '>=', 30, 'there are cases');

for my $case (@cases) {
    my $bytes = contents($case->{file});
    my $want = contents("$cases_folder/$case->{name}.lines");
    my $errors = -e "$cases_folder/$case->{name}.errors" ? contents("$cases_folder/$case->{name}.errors") : '';
    my $why = '';
    for my $batch (64, 1) {
        my $decoder = Deltawire::Decoder->new(dialect => $case->{dialect}, batch => $batch);
        my $try = sub {
            my ($pieces, $what) = @_;
            my ($lines, $problems) = read_pieces($decoder, $pieces);
            $why ||= "$what, batches of $batch: got\n$lines$problems" if $lines ne $want || $problems ne $errors;
            $decoder->reset;
        };
        $try->(cut($bytes, $_), "pieces of $_ bytes") for length $bytes || 1, 1, 7, 64;
        $try->([$bytes =~ /(.*?\n\n|.+)/gs], 'an event a piece');
        for my $at ($case->{is_short} ? 1 .. length($bytes) - 1 : ()) {
            $try->([substr($bytes, 0, $at), substr($bytes, $at)], "cut at $at");
        }
    }
    ok($why eq '', $case->{name}) or diag($why);
}

sub event { return qq(data: {"choices":[{"index":0,"delta":{"content":"$_[0]"}}]}\n\n) }

sub texts { return map { $_->{type} eq 'text' ? $_->{text} : () } @_ }

sub run {
    my ($line) = @_;
    my $out = qx($line);
    return ($out, $? & 127 ? 128 + ($? & 127) : $? >> 8);
}

sub shell { return "'" . $_[0] =~ s/'/'\\''/gr . "'" }

my $program = "$^X " . shell("$here/deltas.pl");

subtest 'the program prints what the command prints' => sub {
    for my $case (@cases[grep { $_ % 40 == 0 } 0 .. $#cases]) {
        my $want = contents("$cases_folder/$case->{name}.lines");
        my ($start, $file) = ("$program --dialect $case->{dialect}", shell($case->{file}));
        is((run("$start $file 2>/dev/null"))[0], $want, "$case->{name}, whole");
        is((run("$start --chunk-size 1 $file 2>/dev/null"))[0], $want, "$case->{name}, bytes");
        is((run("$start 2>/dev/null <$file"))[0], $want, "$case->{name}, standard input");
    }
};

subtest "the program's exit status is 0, 1 or 2" => sub {
    is((run("$program " . shell("$data/serve-chat.sse")))[1], 0, 'done');
    is((run("$program " . shell("$data/serve-cut.sse")))[1], 1, 'cut');
    is((run("$program " . shell("$data/serve-error.sse") . ' 2>/dev/null'))[1], 1, 'an error');
    is((run("$program --dialect nobody 2>/dev/null </dev/null"))[1], 2, 'no dialect');
    is((run("$program --chunk-size 0 2>/dev/null </dev/null"))[1], 2, 'no size');
    is((run("$program /nowhere/at/all 2>/dev/null </dev/null"))[1], 2, 'no file');
};

subtest 'a text that is kept is right after the next call and after the decoder is freed' => sub {
    my $decoder = Deltawire::Decoder->new;
    my $bytes = event('Grüß \\u0000 dich') . event('ganz');
    utf8::encode($bytes);
    my @kept = texts($decoder->feed($bytes));
    $bytes =~ tr/a-z/x/;
    $decoder->feed(event('x' x 40));
    $decoder->close;
    is($kept[0], "Grüß \0 dich", 'escaped, so made by the library');
    is($kept[1], 'ganz', 'of the chunk');
    is(length $kept[0], 11, 'characters, not bytes');
};

subtest 'a chunk stays as it is, and one that is a string of characters is read as bytes' => sub {
    my $decoder = Deltawire::Decoder->new;
    my $bytes = event('Grüß');
    utf8::encode($bytes);
    utf8::upgrade($bytes);
    is(join(' ', texts($decoder->feed($bytes))), 'Grüß', 'upgraded');
    ok(utf8::is_utf8($bytes), 'as it was');
    dies_with(qr/wide characters/, sub { $decoder->feed("\x{20AC}") });
};

subtest 'all deltas of a piece come with it, however few a call may bring' => sub {
    my $event = 'data: {"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}]}' . "\n\n";
    for my $batch (1, 2, 64) {
        my $decoder = Deltawire::Decoder->new(dialect => 'openai-chat', batch => $batch);
        is(join(' ', map { "$_->{choice}$_->{text}" } $decoder->feed($event)), '0a 1b', "batches of $batch");
        is(scalar($decoder->feed($event =~ s/,\{"index":1.*\}\]/]/r)), 1, 'as a number how many');
    }
};

subtest 'decoders at once mix nothing' => sub {
    my @decoders = map { Deltawire::Decoder->new } 1 .. 3;
    my @pieces = map { cut(event("$_-\\u00e4") x 50, 100) } 0 .. 2;
    my @texts = ('') x 3;
    for my $at (0 .. $#{ $pieces[0] }) {
        $texts[$_] .= join '', texts($decoders[$_]->feed($pieces[$_][$at])) for 0 .. 2;
    }
    is($texts[$_], "$_-ä" x 50) for 0 .. 2;
};

subtest 'use after close is an error, and a second close does nothing' => sub {
    my ($decoder, $message) = (Deltawire::Decoder->new, Deltawire::Message->new);
    $_->close for $decoder, $decoder, $message, $message;
    dies_with(qr/after close at \S*deltawire\.t line/, sub { $decoder->feed('') });
    dies_with(qr/after close/, sub { $decoder->$_ }, $_) for qw(finish end dialect offset events seen reset);
    dies_with(qr/after close/, sub { $message->get });
    dies_with(qr/after close/, sub { $message->push({ type => 'done' }) });
};

subtest 'names of no dialect and values that are no strings are refused' => sub {
    dies_with(qr/unknown dialect: nobody/, sub { Deltawire::Decoder->new(dialect => 'nobody') });
    dies_with(qr/unknown dialect/, sub { Deltawire::Decoder->new(dialect => $_) }) for '', 7, [], "\x{20AC}";
    dies_with(qr/unknown option: dialekt/, sub { Deltawire::Decoder->new(dialekt => 'gemini') });
    dies_with(qr/string is expected/, sub { Deltawire::Decoder->new(text_field => []) });
    dies_with(qr/batch/, sub { Deltawire::Decoder->new(batch => 0) });
    my $decoder = Deltawire::Decoder->new;
    dies_with(qr/bytes is expected, got undef/, sub { $decoder->feed(undef) });
    dies_with(qr/bytes is expected, got ARRAY/, sub { $decoder->feed([]) });
    dies_with(qr/unknown provider/, sub { Deltawire::Client->new(provider => 'nobody') });
    is(dies_with(qr/nowhere/, sub { Deltawire::Client->new(ca_file => '/nowhere/at/all') })->status, 'DW_ERR_REQUEST');
};

subtest 'a stream that is cut says so' => sub {
    my $decoder = Deltawire::Decoder->new;
    read_pieces($decoder, [contents("$data/serve-cut.sse")]);
    is($decoder->end, 'truncated');
    is($decoder->dialect, 'openai-chat');
};

subtest 'an event over the limit is an error, and the stream goes on' => sub {
    my $decoder = Deltawire::Decoder->new(max_event_bytes => 300);
    my @items = $decoder->feed(event('one') . event('x' x 400) . event('two'));
    is(join(' ', texts(@items)), 'one two');
    my @problems = grep { $_->{type} eq 'event_error' } @items;
    is(scalar @problems, 1);
    is($problems[0]->status, 'DW_ERR_EVENT_TOO_LARGE');
    is($problems[0]->offset, length event('one'));
    like("$problems[0]", qr/300/, 'in words');
};

subtest 'a message puts deltas together, and reads a whole response' => sub {
    my ($decoder, $message) = (Deltawire::Decoder->new, Deltawire::Message->new);
    $message->push($_) for $decoder->feed(contents("$data/serve-chat.sse")), $decoder->finish;
    $message->finish($decoder->end);
    my $all = $message->get;
    is($all->{choices}[0]{text}, 'Grüß dich');
    is($all->{choices}[0]{reason}, 'stop');
    is_deeply($all->{usage}, { input_tokens => 9, output_tokens => 4, total_tokens => 13, cached_tokens => 2 });
    is($all->{complete}, 1);
    is($all->{model}, 'tiny-chat-1');
    $message->push({ type => 'tool_call_start', choice => 0, index => 0, id => 'call-1', name => 'find' });
    $message->push({ type => 'tool_call_arguments', choice => 0, index => 0, fragment => '{"q":"ä"}' });
    is_deeply($message->get->{tool_calls},
              [{ choice => 0, index => 0, id => 'call-1', name => 'find', arguments => '{"q":"ä"}' }]);
    dies_with(qr/./, sub { $message->push({ type => 'nothing' }) }, 'a delta of no kind');
    $message->read('{"choices":[{"index":0,"message":{"role":"assistant","content":"a\\u0000b"}}]}');
    is($message->get->{choices}[0]{text}, "a\0b");
    is(dies_with(qr/JSON/, sub { $message->read('{') })->status, 'DW_ERR_NOT_JSON');
};

# In KiB.
sub resident { return contents('/proc/self/status') =~ /VmRSS:\s*(\d+)/ ? $1 : die 'no VmRSS' }

subtest 'objects that are dropped are freed' => sub {
    my $drop = sub {
        for (1 .. $_[0]) {
            # Far more than the decoder's own size stays with it, so that a leak shows.
            my $decoder = Deltawire::Decoder->new(batch => 1);
            $decoder->feed('data: ' . 'x' x 4000);
            Deltawire::Message->new;
        }
    };
    $drop->(1000);
    my $before = resident();
    $drop->(10_000);
    cmp_ok(resident() - $before, '<', 8192, 'KiB more');
};

done_testing;
