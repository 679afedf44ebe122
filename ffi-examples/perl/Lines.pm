package Lines;

# Deltas as the command `deltawire deltas` prints them: a JSON object a line, keys in a fixed order, absent ones
# left out, no spaces, non-ASCII as it is. The lines are bytes.

use v5.26;
use warnings;

my %escapes = ('"' => '\\"', '\\' => '\\\\', "\n" => '\\n', "\r" => '\\r', "\t" => '\\t', "\b" => '\\b',
               "\f" => '\\f');

my $character = qr/
    [\x00-\x7F]++ | [\xC2-\xDF][\x80-\xBF]
    | (?: \xE0[\xA0-\xBF] | [\xE1-\xEC\xEE\xEF][\x80-\xBF] | \xED[\x80-\x9F] ) [\x80-\xBF]
    | (?: \xF0[\x90-\xBF] | [\xF1-\xF3][\x80-\xBF] | \xF4[\x80-\x8F] ) [\x80-\xBF]{2}
/x;
# A character that breaks off counts as one that is invalid, as far as it goes.
my $beginning = qr/
    \xE0[\xA0-\xBF] | [\xE1-\xEC\xEE\xEF][\x80-\xBF] | \xED[\x80-\x9F]
    | (?: \xF0[\x90-\xBF] | [\xF1-\xF3][\x80-\xBF] | \xF4[\x80-\x8F] ) [\x80-\xBF]?
/x;

# A JSON string of bytes. What is not UTF-8, which only `raw` can be, shows as U+FFFD.
sub quote {
    my ($bytes) = @_;
    $bytes =~ s/($character)|$beginning|./$1 \/\/ "\xEF\xBF\xBD"/gse if $bytes =~ /[\x80-\xFF]/;
    $bytes =~ s/([\x00-\x1F"\\])/$escapes{$1} \/\/ sprintf '\\u%04x', ord $1/ge;
    return qq("$bytes");
}

sub number { return $_[0] }

sub text {
    my ($text) = @_;
    utf8::encode($text);
    return quote($text);
}

my @counts = qw(input_tokens output_tokens total_tokens cached_tokens cache_creation_tokens reasoning_tokens);
my %shown = (
    (map { $_ => \&number } qw(choice index)),
    (map { $_ => \&text } qw(id model role text name fragment reason kind code message event)),
    raw => \&quote,
    (map { $_ => sub { $_[0] ? 'true' : 'false' } } qw(transient whole)),
);
my %orders = (
    start  => [qw(id model role)],
    (map { $_ => [qw(choice text)] } qw(text reasoning refusal)),
    (map { $_ => [qw(choice index id name)] } qw(tool_call_start server_tool_call_start)),
    (map { $_ => [qw(choice index fragment whole)] } qw(tool_call_arguments server_tool_call_arguments)),
    finish => [qw(choice reason raw)],
    error  => [qw(kind code message transient)],
    other  => [qw(event raw)],
);

# The line of a delta.
sub delta {
    my ($delta) = @_;
    my $line = qq({"type":"$delta->{type}");
    for my $key (@{ $orders{ $delta->{type} } // [] }) {
        $line .= qq(,"$key":) . $shown{$key}->($delta->{$key}) if defined $delta->{$key};
    }
    for my $key ($delta->{usage} ? @counts : ()) {
        $line .= qq(,"$key":$delta->{usage}{$key}) if defined $delta->{usage}{$key};
    }
    return "$line}\n";
}

# The last line.
sub ended { return '{"type":"end","complete":' . ($_[0] eq 'complete' ? 'true' : 'false') . "}\n" }

1;
