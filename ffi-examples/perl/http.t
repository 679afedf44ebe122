#!/usr/bin/env perl
# The tests over HTTP, of the library's transport and of HTTP::Tiny; as deltawire.t.
use v5.26;
use warnings;
use utf8;
use threads;
use FindBin;
use lib $FindBin::RealBin;
use HTTP::Tiny;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Deltawire;

my ($command, $build) = map { $ENV{$_} or die "$_ is not set\n" } qw(DELTAWIRE DELTAWIRE_BUILD);
my $here = $FindBin::RealBin;
my $reply = 'Grüß dich';
delete @ENV{ grep { /^OPENAI_/ || /_proxy$/i } keys %ENV };

sub contents {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return scalar(<$file>) // '';
}

# Starts a program whose standard error goes to a file; gives its ID and what reads its standard output.
sub start {
    my ($errors, @words) = @_;
    open my $log, '>', $errors or die "$errors: $!\n";
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    return ($pid, $out) if $pid;
    open STDERR, '>&', $log or POSIX::_exit(127);
    exec { $words[0] } @words or POSIX::_exit(127);
}

# Runs `$body` with the address of a server, which is ended whatever happens.
sub with_server {
    my ($options, $body) = @_;
    my $log = "$build/serve.log";
    my ($pid, $out) = start($log, $command, qw(serve --port 0), @$options, "$here/../../tests/data/serve-chat.sse");
    my $lived = eval {
        my $url;
        for (1 .. 200) {
            ($url) = contents($log) =~ /listening on (http:\S+)/ and last;
            sleep 0.05;
        }
        $body->($url // die "the server does not listen\n");
        1;
    };
    my $why = $@;
    kill TERM => $pid;
    close $out;
    die $why if !$lived;
}

sub ask {
    my ($url, %options) = @_;
    return Deltawire::Client->new(base_url => $url, retries => 0, %options)->stream(
        model => 'tiny-chat-1', include_usage => 1, messages => [{ role => 'user', content => 'Grüße' }],
    );
}

# The exception that a stream dies of, what its texts were before, and how long that took from the first.
sub death_of {
    my ($stream, $at_text) = @_;
    my ($texts, $first) = ('');
    eval {
        while (my $delta = $stream->next) {
            next if $delta->{type} ne 'text';
            $texts .= $delta->{text};
            $first //= time;
            $at_text->() if $at_text;
        }
    };
    return ($@, $texts, time - ($first // time));
}

subtest 'over the transport a reply is streamed, its first delta long before its last' => sub {
    with_server(['--interval-ms', 100], sub {
        my $stream = ask($_[0]);
        my ($texts, $first, $last) = ('');
        $stream->each(sub {
            $last = time;
            $first //= $last;
            $texts .= $_[0]{text} if $_[0]{type} eq 'text';
        });
        is($texts, $reply);
        is($stream->end, 'complete');
        cmp_ok($last - $first, '>', 0.2, 'not all at once');
        is($stream->next, undef, 'behind the end there is nothing');
        $stream->close;
        $stream->close;
        ok(!eval { $stream->next; 1 } && $@->status eq 'DW_ERR_ORDER', 'use after close is an error');
    });
};

subtest 'over the transport a whole response is fetched' => sub {
    with_server([], sub {
        my $message = Deltawire::Message->new;
        my $client = Deltawire::Client->new(base_url => $_[0]);
        my $body = '{"model":"tiny-chat-1","messages":[{"role":"user","content":"Hi"}]}';
        $client->stream(path => '/chat/completions', json => $body)->fetch($message);
        is($message->get->{choices}[0]{text}, $reply);
    });
};

subtest 'over the transport a stream is cancelled between deltas; what came stays' => sub {
    with_server(['--interval-ms', 400], sub {
        my $stream = ask($_[0]);
        my ($why, $texts, $took) = death_of($stream, sub { $stream->cancel });
        is($texts, 'Grüß');
        is(ref $why && $why->status, 'DW_ERR_CANCELLED');
        is($why->cancelled, 1);
        cmp_ok($took, '<', 0.3, 'it did not wait for the next event');
        is($stream->end, 'truncated');
    });
};

subtest 'over the transport a stream is cancelled by another thread while it waits' => sub {
    with_server(['--interval-ms', 3000], sub {
        my $stream = ask($_[0]);
        my $came = $stream->next;
        my ($cancel, $start) = ($stream->canceller, time);
        my $thread = threads->create(sub { sleep 0.3; $cancel->(); return 7 });
        my ($why) = death_of($stream);
        cmp_ok(time - $start, '>=', 0.25, 'not before it was asked to');
        cmp_ok(time - $start, '<', 2, 'at once');
        is($thread->join, 7);
        is($came->{type}, 'start', 'what came stays');
        is(ref $why && $why->cancelled, 1);
        $stream->close;
        is(eval { $cancel->(); 1 }, 1, 'behind the end it does nothing');
    });
};

subtest 'a thread that ends takes no object with it' => sub {
    with_server(['--interval-ms', 100], sub {
        my ($stream, $decoder) = (ask($_[0]), Deltawire::Decoder->new);
        $stream->next;
        is(threads->create(sub { ref $decoder eq 'Deltawire::Decoder' ? 'has it' : 'has none' })->join, 'has none');
        my ($why, $texts) = death_of($stream);
        is($why, '');
        is($texts, $reply);
        is(scalar($decoder->feed("data: [DONE]\n\n")), 1, 'the decoder too');
    });
};

subtest 'a wait of the transport ends with its limit; what came stays' => sub {
    with_server(['--interval-ms', 5000], sub {
        my ($stream, $start) = (ask($_[0], timeout_idle_ms => 200), time);
        is($stream->next->{type}, 'start');
        my ($why) = death_of($stream);
        is(ref $why && $why->status, 'DW_ERR_TIMEOUT');
        is($why->cancelled, 0);
        cmp_ok(time - $start, '<', 4, 'it did not wait for the event');
        is($stream->end, 'truncated');
    });
};

subtest 'over the transport a refusal says what the server said, and never the key' => sub {
    with_server(['--key', 'right-key'], sub {
        my ($why) = death_of(ask($_[0], key => 'sk-wrong-key', headers => { 'x-also' => 'another-wrong-key' }));
        is(ref $why && $why->status, 'DW_ERR_STATUS');
        is($why->http_status, 401);
        is($why->kind, 'authentication');
        like($why->said, qr/API key/);
        unlike(join(' ', "$why", values %$why), qr/wrong-key/);
        my ($none, $texts) = death_of(ask($_[0], key => 'right-key'));
        is($none, '');
        is($texts, $reply, 'with the right one there is a reply');
    });
};

for my $name (qw(chat.pl tiny_chat.pl)) {
    my $run = sub {
        my ($url, $key, @words) = @_;
        local @ENV{qw(OPENAI_BASE_URL OPENAI_MODEL OPENAI_API_KEY)} = ($url, 'tiny-chat-1', $key);
        return start("$build/chat.log", $^X, "$here/$name", @words);
    };

    subtest "$name prints the reply, and what is known of it" => sub {
        with_server(['--key', 'right-key'], sub {
            my $end = sub {
                my (undef, $out) = $run->($_[0], @_[1 .. $#_]);
                binmode $out, ':encoding(UTF-8)';
                my $text = do { local $/; <$out> } // '';
                close $out;
                return ($text, $? >> 8, contents("$build/chat.log"));
            };
            is_deeply([$end->($_[0], 'right-key', 'Hello')], ["$reply\n", 0, '(4 tokens)']);
            my (undef, $status, $errors) = $end->($_[0], 'wrong-key', 'Hello');
            is($status, 3);
            like($errors, qr/401/);
            unlike($errors, qr/wrong-key/);
            is(($end->($_[0], 'right-key'))[1], 2, 'without a prompt');
            is(($end->('http://127.0.0.1:1/v1', 'right-key', 'Hello'))[1], 3, 'without a server');
        });
    };

    subtest "$name ends with Ctrl-C while it waits, and has written what came" => sub {
        with_server(['--interval-ms', 1500], sub {
            my ($pid, $out) = $run->($_[0], '', 'Hello');
            binmode $out, ':encoding(UTF-8)';
            read $out, my $text, 4;
            my $start = time;
            kill INT => $pid;
            $text .= do { local $/; <$out> } // '';
            close $out;
            cmp_ok(time - $start, '<', 1, 'at once');
            is($text =~ s/\n\z//r, 'Grüß');
            # A shell shows both as 130.
            is($name eq 'chat.pl' ? $? & 127 : $? >> 8, $name eq 'chat.pl' ? 2 : 130);
        });
    };
}

subtest 'over HTTP::Tiny deltas come with the bytes, and dying ends the request' => sub {
    with_server(['--interval-ms', 300], sub {
        my ($decoder, $texts, $start) = (Deltawire::Decoder->new, '', time);
        my $response = HTTP::Tiny->new->post("$_[0]/chat/completions", {
            content => '{"model":"tiny-chat-1","stream":true,"messages":[{"role":"user","content":"Hi"}]}',
            data_callback => sub {
                $texts .= $_->{text} for grep { $_->{type} eq 'text' } $decoder->feed($_[0]);
                die "cancelled\n" if length $texts;
            },
        });
        is($response->{status}, 599);
        is($response->{content}, "cancelled\n");
        is($texts, 'Grüß', 'what came stays');
        cmp_ok(time - $start, '<', 1.4, 'it did not read to the end');
        $decoder->finish;
        is($decoder->end, 'truncated');
    });
};

done_testing;
