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
use Terminal;

# HTTP::Tiny waits in Perl, so that a handler runs at once; dying in it ends the request.
my $is_interrupted = 0;
$SIG{INT} = sub { $is_interrupted = 1; die "interrupted\n" };

my $prompt = Terminal::prompt('tiny_chat.pl');
my $decoder = Deltawire::Decoder->new;
my $key = Terminal::setting('OPENAI_API_KEY');
my $http = HTTP::Tiny->new(max_redirect => 0, timeout => 300); # seconds without a byte
my $response = eval {
    $http->post(
        Terminal::setting('OPENAI_BASE_URL', 'https://api.openai.com/v1') . '/chat/completions', {
            headers => { 'content-type' => 'application/json', $key ? (authorization => "Bearer $key") : () },
            content => JSON::PP::encode_json({
                model => Terminal::setting('OPENAI_MODEL', 'gpt-4o-mini'), stream => JSON::PP::true(),
                stream_options => { include_usage => JSON::PP::true() },
                messages => [{ role => 'user', content => $prompt }],
            }),
            # Called for the body of a response, not for that of a refusal.
            data_callback => sub { Terminal::show($decoder->feed($_[0])) },
        },
    );
};
Terminal::show($decoder->finish) if !$is_interrupted;
print "\n";
exit 130 if $is_interrupted;
if (!$response || !$response->{success}) {
    # 599 stands for what went wrong on this side; its content says what.
    print STDERR !$response ? $@
        : $response->{status} == 599 ? $response->{content}
        : "HTTP status $response->{status}: $response->{content}\n";
    exit 3;
}
exit Terminal::status($decoder->end);
