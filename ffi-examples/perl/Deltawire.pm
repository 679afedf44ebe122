package Deltawire;

use v5.26;
use warnings;

our $VERSION = '0.1.0';

use Carp ();
use Config ();
use FFI::Platypus 2.00;

# Structs as templates of `pack`, with the sizes that the header's have on 64-bit machines. A slice is JJ, its
# address and its length; there is no padding but in dw_usage.
my %layouts = (
    delta           => ['LLlLLL (JJ)7 Lx4Q6 Q4', 224],
    error           => ['lLQQ JJ Q4', 72],
    usage           => ['Lx4Q6', 56],
    decoder_options => ['L6 J (JJ)2', 64],
    message_info    => ['(JJ)3 Lx4Q6 J3 L4 (JJ)2 Q4', 208],
    choice          => ['LL (JJ)4 Q4', 104],
    tool_call       => ['Ll (JJ)3 Q4', 88],
    client_options  => ['LL (JJ)5 JJ Q4 LL J J', 160],
    request         => ['LL JJ JJ LL d (JJ)2', 88],
    failure         => ['lLLL QQ (JJ)5 Q4', 144],
);
die "deltawire: Deltawire.pm is for machines of 64 bits\n"
    if $Config::Config{ptrsize} != 8 || $Config::Config{ivsize} != 8;
my (%template, %size);
for my $name (keys %layouts) {
    ($template{$name}, $size{$name}) = @{ $layouts{$name} };
    die "deltawire: wrong size of dw_$name\n" if length(pack $template{$name}, (0) x 64) != $size{$name};
}
# A count and so many deltas, of each only the choice and the text's length.
my $batch_template = 'J/(x4Lx24Jx184)';
die "deltawire: wrong size of a batch\n" if length(pack 'x4Lx24Jx184', 0, 0) != $size{delta};
# What a delta of text begins with, its kind; and a batch of nothing but one, of the first choice: count, kind, choice.
my ($text_kind, $one_text) = (pack('L', 2), pack('JLL', 1, 2, 0));

my %names = (darwin => 'libdeltawire.dylib', MSWin32 => 'deltawire.dll');
my $library = $ENV{DELTAWIRE_LIBRARY} || $names{$^O} || 'libdeltawire.so.0.1';
my $ffi = FFI::Platypus->new(api => 2, lib => $library);
$ffi->find_symbol('dw_abi_version')
    or die "deltawire: no library at $library; DELTAWIRE_LIBRARY says where it is\n";

# What returns what of which arguments. A `string` is the memory of a Perl string, which C reads and writes where
# it lies.
my @functions = (
    [string => [], qw(version)],
    [string => ['sint32'], qw(status_name status_message)],
    [string => ['uint32'], qw(dialect_name finish_reason_name error_kind_name delta_kind_name)],
    [uint32 => [], qw(abi_version)],
    [uint32 => [qw(string size_t)], qw(dialect_by_name)],
    [uint32 => ['opaque'], qw(decoder_end decoder_dialect stream_end)],
    [uint64 => ['opaque'], qw(decoder_offset decoder_events)],
    [void   => ['opaque'], qw(decoder_free message_free client_free stream_free stream_cancel)],
    [sint32 => ['opaque*'], qw(message_new)],
    [sint32 => [qw(string opaque*)], qw(decoder_new)],
    [sint32 => [qw(string opaque* string size_t)], qw(client_new)],
    [sint32 => [qw(opaque string opaque*)], qw(client_stream)],
    [sint32 => ['opaque'], qw(decoder_reset)],
    [sint32 => [qw(opaque string)], qw(decoder_seen decoder_error message_push message_get stream_next
                                       stream_failure)],
    [sint32 => [qw(opaque opaque)], qw(decoder_finish stream_fetch)],
    [sint32 => [qw(opaque uint32)], qw(message_finish)],
    [sint32 => [qw(opaque string size_t string)], qw(message_read)],
    [sint32 => [qw(opaque size_t string)], qw(message_choice message_tool_call message_server_tool_call)],
    [sint32 => [qw(opaque string opaque size_t opaque)], qw(decoder_next_batch)],
);
for my $row (@functions) {
    my ($result, $arguments, @known) = @$row;
    $ffi->attach(["dw_$_" => "Deltawire::C::$_"], $arguments, $result) for @known;
}
die "deltawire: the library has another ABI than Deltawire.pm\n" if Deltawire::C::abi_version() != 1;

use constant { OK => 0, DELTA => 1, CANCELLED => -33, WHOLE => 1, TRANSIENT => 2, NONE => 0xFFFFFFFF };

my @kinds   = ('unknown', map { Deltawire::C::delta_kind_name($_) } 1 .. 13);
my @reasons = (undef,     map { Deltawire::C::finish_reason_name($_) } 1 .. 6);
my @errors  = (undef,     map { Deltawire::C::error_kind_name($_) } 1 .. 11);
my @ends    = qw(unknown complete truncated unrecognised);
my @counts  = qw(input_tokens output_tokens total_tokens cached_tokens cache_creation_tokens reasoning_tokens);
my %providers = (openai => 0, azure => 1, anthropic => 2, gemini => 3, ollama => 4);

sub version { return Deltawire::C::version() }

sub number_of {
    my ($names, $name) = @_;
    return 0 if !defined $name;
    for my $number (0 .. $#$names) {
        return $number if defined $names->[$number] && $names->[$number] eq $name;
    }
    return 0;
}

# A string of the library's, copied.
sub bytes_at {
    my ($address, $len) = @_;
    return $len ? unpack("P$len", pack 'J', $address) : '';
}

sub text_at {
    my $text = &bytes_at;
    utf8::decode($text);
    return $text;
}

# A pair for a hash, or none where the provider gave nothing.
sub some {
    my ($key, $address, $len) = @_;
    return $len ? ($key => text_at($address, $len)) : ();
}

# The bytes of a string; one of characters beyond 255 is none.
sub bytes {
    my ($bytes) = @_;
    fail(-1, 'a string of bytes is expected, got ' . (ref $bytes || 'undef')) if !defined $bytes || ref $bytes;
    utf8::downgrade($bytes, 1) or fail(-1, 'a string of bytes is expected, got one with wide characters');
    return $bytes;
}

# A slice for `pack`. The bytes it points to live as long as `$keep` does.
sub slice_of_bytes {
    my ($keep, $value) = @_;
    return (0, 0) if !defined $value;
    # Each has a reference of its own: the array may move its elements, never what they refer to.
    my $bytes = bytes($value);
    push @$keep, \$bytes;
    return (address_of(\$bytes), length $bytes);
}

# Where a string's bytes lie, for as long as it is not changed.
sub address_of { return unpack 'J', pack 'P', ${ $_[0] } }

sub slice {
    my ($keep, $text) = @_;
    fail(-1, 'a string is expected, got ' . ref $text) if ref $text;
    utf8::encode($text) if defined $text;
    return slice_of_bytes($keep, $text);
}

# Memory of its own that C may write to: a string that shares its memory with another one gets a copy.
sub memory {
    my ($size) = @_;
    my $memory = "\0" x $size;
    vec($memory, 0, 8) = 0;
    return $memory;
}

sub only {
    my ($options, @known) = @_;
    my %is_known = map { $_ => 1 } @known;
    for my $name (sort keys %$options) {
        fail(-1, "unknown option: $name") if !$is_known{$name};
    }
}

sub problem {
    my ($status, %fields) = @_;
    return bless {
        type    => 'event_error',
        status  => Deltawire::C::status_name($status),
        message => Deltawire::C::status_message($status),
        %fields,
    }, 'Deltawire::Error';
}

sub raise {
    my ($problem) = @_;
    $problem->{where} = Carp::shortmess('');
    die $problem;
}

sub fail {
    my ($status, $message) = @_;
    return raise(problem($status, defined $message ? (message => $message) : ()));
}

sub check {
    my ($status) = @_;
    fail($status) if $status != OK;
}

sub is_event_error { return $_[0] <= -10 && $_[0] > -20 }

sub usage_of {
    my ($known, @values) = @_;
    return { map { $known >> $_ & 1 ? ($counts[$_] => $values[$_]) : () } 0 .. $#counts };
}

# The delta that lies `$at` bytes into the memory `$$memory`.
sub delta_of {
    my ($memory, $at) = @_;
    my ($kind, $choice, $index, $flags, $reason, $error, @rest) = unpack "x$at $template{delta}", $$memory;
    my ($text, $id, $name, $model, $role, $code, $raw) = map { [splice @rest, 0, 2] } 1 .. 7;
    my %delta = (type => $kinds[$kind] // 'unknown');
    if ($kind == 1) {
        return { %delta, some(id => @$id), some(model => @$model), some(role => @$role) };
    } elsif ($kind <= 4) {
        return { %delta, choice => $choice, text => text_at(@$text) };
    } elsif ($kind == 5 || $kind == 7) {
        return { %delta, choice => $choice, index => $index, some(id => @$id), some(name => @$name) };
    } elsif ($kind == 6 || $kind == 8) {
        return { %delta, choice => $choice, index => $index, fragment => text_at(@$text),
                 $flags & WHOLE ? (whole => 1) : () };
    } elsif ($kind == 9) {
        return { %delta, choice => $choice, reason => $reasons[$reason] // 'unknown', raw => bytes_at(@$raw) };
    } elsif ($kind == 10) {
        return { %delta, usage => usage_of(@rest) };
    } elsif ($kind == 11) {
        return { %delta, kind => $errors[$error] // 'unknown', some(code => @$code),
                 message => text_at(@$text), transient => $flags & TRANSIENT ? 1 : 0, raw => bytes_at(@$raw) };
    } elsif ($kind == 12) {
        return { %delta, event => text_at(@$name), raw => bytes_at(@$raw) };
    }
    return \%delta;
}

# An object with a handle of the library's. One that is dropped is closed; one that came by a fork is not, since
# the connection is the parent's. New threads get none.
@{$_} = 'Deltawire::Handle'
    for \(@Deltawire::Decoder::ISA, @Deltawire::Message::ISA, @Deltawire::Client::ISA, @Deltawire::Stream::ISA);

sub Deltawire::Handle::make {
    my ($class, $handle, %fields) = @_;
    return bless { handle => $handle, pid => $$, %fields }, $class;
}

sub Deltawire::Handle::handle { return $_[0]{handle} // fail(-2, 'used after close') }

sub Deltawire::Handle::close {
    my ($self) = @_;
    my $handle = delete $self->{handle};
    $self->free($handle) if defined $handle;
    return;
}

sub Deltawire::Handle::DESTROY {
    my ($self) = @_;
    return if ${^GLOBAL_PHASE} eq 'DESTRUCT' || $self->{pid} != $$;
    local ($!, $@);
    $self->close;
}

sub Deltawire::Handle::CLONE_SKIP { return 1 }

package Deltawire::Error {
    use overload '""' => sub { "deltawire: $_[0]{message}" . ($_[0]{where} // '') }, fallback => 1;
}

for my $name (qw(status message offset cancelled http_status kind code said body transient retry_after_ms
                 request_id)) {
    no strict 'refs';
    *{"Deltawire::Error::$name"} = sub { return $_[0]{$name} };
}

sub decoder_options {
    my ($keep, $options, @more) = @_;
    only($options, qw(dialect max_event_bytes text_field reasoning_field), @more);
    my $dialect = $options->{dialect} // 'auto';
    utf8::encode(my $name = $dialect);
    my $number = Deltawire::C::dialect_by_name($name, length $name);
    fail(-1, "unknown dialect: $dialect") if $number == 0 && $dialect ne 'auto';
    return pack $template{decoder_options}, $size{decoder_options}, $number, 0, 0, 0, 0,
        $options->{max_event_bytes} // 0,
        slice($keep, $options->{text_field}), slice($keep, $options->{reasoning_field});
}

sub Deltawire::Decoder::new {
    my ($class, %options) = @_;
    my $capacity = $options{batch} // 64;
    fail(-1, 'batch has to be 1 or more') if $capacity !~ /^[1-9][0-9]*\z/;
    check(Deltawire::C::decoder_new(decoder_options(\my @keep, \%options, 'batch'), \my $handle));
    # Room for a count and so many deltas. Perl neither moves nor copies it: nobody changes it but C, or assigns it.
    my $batch = memory(8 + $capacity * $size{delta});
    vec($batch, 0, 8) = 0;
    my $at = address_of(\$batch);
    return $class->make($handle, capacity => $capacity, batch => \$batch, count_at => $at, room_at => $at + 8);
}

sub Deltawire::Decoder::free { Deltawire::C::decoder_free($_[1]) }

sub decoder_problem {
    my ($self, $status) = @_;
    my $details = memory($size{error});
    check(Deltawire::C::decoder_error($self->{handle}, $details));
    my (undef, undef, $offset, undef, @message) = unpack $template{error}, $details;
    return problem($status, message => text_at(@message[0, 1]), offset => $offset);
}

# A read of one event costs as much in Perl's own operations as in all that C does. So the usual one, a piece of text
# of the first choice, has a way of its own, with few of them.
sub Deltawire::Decoder::feed {
    my ($self, $chunk) = @_;
    use bytes;
    my $len = length $chunk;
    no bytes;
    if (!$len || ref $chunk || $len != length $chunk) {
        $chunk = bytes($chunk);
        $len = length $chunk;
    }
    my $input = pack 'PJx8', $chunk, $len;
    my $batch = $self->{batch};
    my $status = Deltawire::C::decoder_next_batch($self->{handle} // $self->handle, $input,
                                                  $self->{room_at}, $self->{capacity}, $self->{count_at});
    if ($status == DELTA && substr($$batch, 0, 16) eq $one_text && unpack('x16J', $input) == $len
        && $self->{capacity} > 1 && wantarray) {
        my $delta = { type => 'text', choice => 0, text => unpack 'x32P' . unpack('x40J', $$batch), $$batch };
        utf8::decode($delta->{text});
        return $delta;
    }
    my @items;
    while ($status != OK) {
        if ($status == DELTA) {
            my $at = 8;
            my @fields = unpack $batch_template, $$batch;
            while (@fields) {
                my ($choice, $text_len) = (shift @fields, shift @fields);
                if (substr($$batch, $at, 4) eq $text_kind) {
                    utf8::decode(my $text = unpack 'x' . ($at + 24) . "P$text_len", $$batch);
                    push @items, { type => 'text', choice => $choice, text => $text };
                } else {
                    push @items, delta_of($batch, $at);
                }
                $at += $size{delta};
            }
            # With room left and the input used up nothing waits: a call is spared.
            last if unpack('J', $$batch) < $self->{capacity} && unpack('x16J', $input) == $len;
        } elsif (is_event_error($status)) {
            push @items, decoder_problem($self, $status);
        } else {
            fail($status);
        }
        $status = Deltawire::C::decoder_next_batch($self->{handle}, $input,
                                                   $self->{room_at}, $self->{capacity}, $self->{count_at});
    }
    return @items;
}

sub Deltawire::Decoder::finish {
    my ($self) = @_;
    my @items;
    while ((my $status = Deltawire::C::decoder_finish($self->handle, $self->{room_at})) != OK) {
        if ($status == DELTA) {
            push @items, delta_of($self->{batch}, 8);
        } elsif (is_event_error($status)) {
            push @items, decoder_problem($self, $status);
        } else {
            fail($status);
        }
    }
    return @items;
}

sub Deltawire::Decoder::end { return $ends[Deltawire::C::decoder_end($_[0]->handle)] // 'unknown' }

sub Deltawire::Decoder::dialect {
    my $dialect = Deltawire::C::decoder_dialect($_[0]->handle);
    return $dialect ? Deltawire::C::dialect_name($dialect) : undef;
}

sub Deltawire::Decoder::offset { return Deltawire::C::decoder_offset($_[0]->handle) }

sub Deltawire::Decoder::events { return Deltawire::C::decoder_events($_[0]->handle) }

sub Deltawire::Decoder::seen {
    my $slice = memory(16);
    check(Deltawire::C::decoder_seen($_[0]->handle, $slice));
    return bytes_at(unpack 'JJ', $slice);
}

sub Deltawire::Decoder::reset {
    check(Deltawire::C::decoder_reset($_[0]->handle));
    return;
}

sub Deltawire::Message::new {
    my ($class) = @_;
    check(Deltawire::C::message_new(\my $handle));
    return $class->make($handle);
}

sub Deltawire::Message::free { Deltawire::C::message_free($_[1]) }

sub Deltawire::Message::push {
    my ($self, $delta) = @_;
    my $handle = $self->handle;
    my $type = $delta->{type} // '';
    return if $type eq 'event_error' || $type eq 'unknown';
    my @keep;
    my $known = 0;
    my $usage = $delta->{usage} // {};
    $known |= defined $usage->{ $counts[$_] } ? 1 << $_ : 0 for 0 .. $#counts;
    my $packed = pack $template{delta}, number_of(\@kinds, $type), $delta->{choice} // 0,
        $delta->{index} // 0,
        ($delta->{whole} ? WHOLE : 0) | ($delta->{transient} ? TRANSIENT : 0),
        number_of(\@reasons, $delta->{reason}), number_of(\@errors, $delta->{kind}),
        slice(\@keep, $delta->{text} // $delta->{fragment} // $delta->{message}),
        slice(\@keep, $delta->{id}), slice(\@keep, $delta->{name} // $delta->{event}),
        (map { slice(\@keep, $delta->{$_}) } qw(model role code)),
        slice_of_bytes(\@keep, $delta->{raw}), $known, (map { $usage->{$_} // 0 } @counts), (0) x 4;
    check(Deltawire::C::message_push($handle, $packed));
    return;
}

sub Deltawire::Message::finish {
    my ($self, $end) = @_;
    check(Deltawire::C::message_finish($self->handle, number_of(\@ends, $end)));
    return;
}

sub Deltawire::Message::read {
    my ($self, $body) = @_;
    $body = bytes($body);
    my $details = memory($size{error});
    my $status = Deltawire::C::message_read($self->handle, $body, length $body, $details);
    fail($status, text_at((unpack $template{error}, $details)[4, 5])) if $status == -13 || $status == -5;
    check($status);
    return;
}

sub calls_of {
    my ($handle, $how_many, $get) = @_;
    my $call = memory($size{tool_call});
    return [map {
        check($get->($handle, $_, $call));
        my ($choice, $index, @texts) = unpack $template{tool_call}, $call;
        { choice => $choice, index => $index, id => text_at(@texts[0, 1]),
          name => text_at(@texts[2, 3]), arguments => text_at(@texts[4, 5]) };
    } 0 .. $how_many - 1];
}

sub Deltawire::Message::get {
    my ($self) = @_;
    my $handle = $self->handle;
    my ($info, $choice) = map { memory($size{$_}) } qw(message_info choice);
    check(Deltawire::C::message_get($handle, $info));
    my @info = unpack $template{message_info}, $info;
    my ($choices, $calls, $server_calls, $end, $is_complete, $error, $is_transient) = @info[13 .. 19];
    my @choices = map {
        check(Deltawire::C::message_choice($handle, $_, $choice));
        my ($index, $reason, @texts) = unpack $template{choice}, $choice;
        { index => $index, defined $reasons[$reason] ? (reason => $reasons[$reason]) : (),
          $texts[1] ? (raw => bytes_at(@texts[0, 1])) : (),
          text => text_at(@texts[2, 3]), reasoning => text_at(@texts[4, 5]),
          refusal => text_at(@texts[6, 7]) };
    } 0 .. $choices - 1;
    return {
        some(id => @info[0, 1]), some(model => @info[2, 3]),
        some(role => @info[4, 5]), usage => usage_of(@info[6 .. 12]),
        choices => \@choices, end => $ends[$end] // 'unknown', complete => $is_complete,
        tool_calls => calls_of($handle, $calls, \&Deltawire::C::message_tool_call),
        server_tool_calls => calls_of($handle, $server_calls, \&Deltawire::C::message_server_tool_call),
        $error == 0 ? () : (error => {
            kind => $errors[$error] // 'unknown', some(code => @info[20, 21]),
            message => text_at(@info[22, 23]), transient => $is_transient,
        }),
    };
}

sub Deltawire::Client::new {
    my ($class, %options) = @_;
    my @texts = qw(base_url key api_version proxy ca_file);
    my @times = map { "timeout_${_}_ms" } qw(connect first_byte idle content);
    only(\%options, 'provider', @texts, 'headers', @times, qw(retries max_response_bytes decoder));
    my $provider = $providers{ $options{provider} // 'openai' }
        // fail(-1, "unknown provider: $options{provider}");
    my @keep;
    my %headers = %{ $options{headers} // {} };
    my $headers = pack 'J*', map { slice(\@keep, $_) } %headers;
    my $decoder = decoder_options(\@keep, $options{decoder} // {});
    my $retries = $options{retries} // 0;
    $retries = NONE if defined $options{retries} && $retries == 0;
    my $packed = pack $template{client_options}, $size{client_options}, $provider,
        (map { slice(\@keep, $options{$_}) } @texts),
        address_of(\$headers), scalar keys %headers, (map { $options{$_} // 0 } @times),
        $retries, 0, $options{max_response_bytes} // 0, address_of(\$decoder);
    my $why = memory(512);
    my $status = Deltawire::C::client_new($packed, \my $handle, $why, length $why);
    if ($status != OK) {
        $why = unpack 'Z*', $why;
        utf8::decode($why);
        fail($status, length $why ? $why : undef);
    }
    return $class->make($handle);
}

sub Deltawire::Client::free { Deltawire::C::client_free($_[1]) }

sub Deltawire::Client::stream {
    my ($self, %request) = @_;
    my $handle = $self->handle;
    only(\%request, qw(model messages include_usage temperature max_tokens n path json));
    my @messages = @{ $request{messages} // [] };
    my @keep;
    my $turns = pack 'J*', map { slice(\@keep, $_) } map { @$_{qw(role content)} } @messages;
    my $packed = pack $template{request}, $size{request},
        ($request{include_usage} ? 1 : 0) | (defined $request{temperature} ? 2 : 0),
        slice(\@keep, $request{model}), address_of(\$turns), scalar @messages,
        $request{max_tokens} // 0, $request{n} // 0, $request{temperature} // 0,
        slice(\@keep, $request{path}), slice_of_bytes(\@keep, $request{json});
    check(Deltawire::C::client_stream($handle, $packed, \my $stream));
    return Deltawire::Stream->make($stream, delta => memory($size{delta}));
}

# Waits for a canceller that is at work in another thread; those that come later find the stream closed.
sub Deltawire::Stream::free {
    my ($self, $handle) = @_;
    if (my $is_open = $self->{is_open}) {
        lock($$is_open);
        $$is_open = 0;
    }
    Deltawire::C::stream_free($handle);
}

sub stream_problem {
    my ($self, $status) = @_;
    my $memory = memory($size{failure});
    check(Deltawire::C::stream_failure($self->{handle}, $memory));
    my ($failed, $http_status, $kind, $is_transient, $retry_after_ms, $offset, @texts)
        = unpack $template{failure}, $memory;
    return problem($status) if $failed != $status;
    my @names = qw(message code said request_id body);
    return problem(
        $status,
        (map { some($names[$_], @texts[2 * $_, 2 * $_ + 1]) } 0 .. $#names),
        $http_status ? (http_status => $http_status) : (),
        $kind ? (kind => $errors[$kind] // 'unknown') : (),
        $retry_after_ms ? (retry_after_ms => $retry_after_ms) : (),
        transient => $is_transient, offset => $offset, cancelled => $status == CANCELLED ? 1 : 0,
    );
}

sub Deltawire::Stream::next {
    my ($self) = @_;
    my $status = Deltawire::C::stream_next($self->handle, $self->{delta});
    return delta_of(\$self->{delta}, 0) if $status == DELTA;
    return undef if $status == OK;
    my $problem = stream_problem($self, $status);
    return $problem if is_event_error($status);
    return raise($problem);
}

sub Deltawire::Stream::each {
    my ($self, $callback) = @_;
    while (my $delta = $self->next) {
        $callback->($delta);
    }
    return;
}

sub Deltawire::Stream::fetch {
    my ($self, $message) = @_;
    my $status = Deltawire::C::stream_fetch($self->handle, $message->handle);
    raise(stream_problem($self, $status)) if $status != OK;
    return;
}

sub Deltawire::Stream::cancel {
    Deltawire::C::stream_cancel($_[0]->handle);
    return;
}

sub Deltawire::Stream::canceller {
    my ($self) = @_;
    my $handle = $self->handle;
    my $is_open = $self->{is_open} //= do {
        no warnings 'once';
        my $flag = 1;
        if ($threads::threads) {
            require threads::shared;
            &threads::shared::share(\$flag);
        }
        \$flag;
    };
    return sub {
        lock($$is_open);
        Deltawire::C::stream_cancel($handle) if $$is_open;
        return;
    };
}

sub Deltawire::Stream::end { return $ends[Deltawire::C::stream_end($_[0]->handle)] // 'unknown' }

# Errors name the place in the program that called.
$Carp::Internal{ +__PACKAGE__ }++;

1;
