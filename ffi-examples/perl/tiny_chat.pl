#!/usr/bin/env perl
# A chat on the terminal, over HTTP::Tiny: the bytes of the body go into a decoder as they arrive.
#
#     tiny_chat.pl PROMPT
#
# Settings and exit status are those of chat.pl, but Ctrl-C is handled: the status is 130. For https, HTTP::Tiny
# needs IO::Socket::SSL.
use v5.26;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HTTP::Tiny;
use JSON::PP ();
use Deltawire;

# HTTP::Tiny waits in Perl, so that a handler runs at once; dying in it ends the request.
my $is_interrupted = 0;
$SIG{INT} = sub { $is_interrupted = 1; die "interrupted\n" };
$| = 1;
binmode $_, ':encoding(UTF-8)' for \*STDOUT, \*STDERR;

sub setting {
    my ($name, $otherwise) = @_;
    my $value = $ENV{$name};
    return defined $value && $value ne '' ? $value : $otherwise;
}

if (@ARGV != 1) {
    print STDERR "usage: tiny_chat.pl PROMPT\n";
    exit 2;
}
my $prompt = shift @ARGV;
utf8::decode($prompt);

my $decoder = Deltawire::Decoder->new;
my $is_faulty = 0;

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

my $key = setting('OPENAI_API_KEY');
my $http = HTTP::Tiny->new(max_redirect => 0, timeout => 300); # seconds without a byte
my $response = eval {
    $http->post(
        setting('OPENAI_BASE_URL', 'https://api.openai.com/v1') . '/chat/completions', {
            headers => { 'content-type' => 'application/json', $key ? (authorization => "Bearer $key") : () },
            content => JSON::PP::encode_json({
                model => setting('OPENAI_MODEL', 'gpt-4o-mini'), stream => JSON::PP::true(),
                stream_options => { include_usage => JSON::PP::true() },
                messages => [{ role => 'user', content => $prompt }],
            }),
            # Called for the body of a response, not for that of a refusal.
            data_callback => sub { show($decoder->feed($_[0])) },
        },
    );
};
show($decoder->finish) if !$is_interrupted;
print "\n";
exit 130 if $is_interrupted;
if (!$response || !$response->{success}) {
    # 599 stands for what went wrong on this side; its content says what.
    print STDERR !$response ? $@
        : $response->{status} == 599 ? $response->{content}
        : "HTTP status $response->{status}: $response->{content}\n";
    exit 3;
}
exit($is_faulty || $decoder->end ne 'complete' ? 1 : 0);
