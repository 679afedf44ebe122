#!/usr/bin/env perl
# A chat on the terminal, on the library's transport.
#
#     chat.pl PROMPT
#
# OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it
# comes, what is known of it to standard error.
#
# Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response; Ctrl-C ends it by the
# signal, which a shell shows as 130.
use v5.26;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Deltawire;
use Terminal;

# A handler in Perl runs only once C has returned, so it would leave the program in its wait for the next delta.
# The default ends it at once, and what came has been written.
$SIG{INT} = 'DEFAULT';

my $prompt = Terminal::prompt('chat.pl');
my $end = eval {
    my $client = Deltawire::Client->new(
        base_url => Terminal::setting('OPENAI_BASE_URL'), key => Terminal::setting('OPENAI_API_KEY'), retries => 0,
    );
    my $stream = $client->stream(
        model => Terminal::setting('OPENAI_MODEL', 'gpt-4o-mini'), include_usage => 1,
        messages => [{ role => 'user', content => $prompt }],
    );
    while (my $delta = $stream->next) {
        Terminal::show($delta);
    }
    $stream->end;
};
my $why = $@;
print "\n";
if (!defined $end) {
    print STDERR ref $why ? $why->message . "\n" : $why;
    exit 3;
}
exit Terminal::status($end);
