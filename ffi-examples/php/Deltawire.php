<?php

declare(strict_types=1);

/**
 * Reads streaming responses of language models: the bytes of an HTTP body in, deltas out.
 *
 *     $decoder = new Deltawire\Decoder();
 *     foreach ($decoder->deltas($stream) as $delta) {
 *         if ($delta instanceof Deltawire\Text) {
 *             echo $delta->text;
 *         }
 *     }
 *     $decoder->end() === Deltawire\End::Complete or fwrite(STDERR, "cut short\n");
 *
 * Every string handed out is PHP's own, a copy. The library is found by DELTAWIRE_LIBRARY, a path, else by
 * the loader. PHP needs its extension FFI, with `ffi.enable=1` outside the command line.
 */

namespace Deltawire;

require_once __DIR__ . '/Deltas.php';

/** What goes wrong. `status` is the name the C ABI has for it, such as "DW_ERR_NOT_JSON". */
class Exception extends \RuntimeException
{
    public function __construct(string $message, public readonly ?string $status = null)
    {
        parent::__construct($message);
    }
}

/** The object was closed. */
final class ClosedException extends Exception
{
}

/** One event of a stream could not be read. The stream goes on: ask for deltas again. */
final class EventException extends Exception
{
    /** `offset` is where the event begins, in bytes from the start of the stream. */
    public function __construct(string $message, string $status, public readonly int $offset)
    {
        parent::__construct($message, $status);
    }
}

/**
 * The library, and what it takes and gives as PHP has it.
 *
 * @internal
 */
final class Library
{
    /** What of the header is used here. The tests hold it against the header. */
    public const DECLARATIONS = <<<'C'
        typedef int dw_status;
        typedef struct dw_parser dw_parser;
        typedef struct dw_decoder dw_decoder;
        typedef struct dw_message dw_message;
        typedef struct dw_client dw_client;
        typedef struct dw_stream dw_stream;
        typedef struct dw_slice { const uint8_t *ptr; size_t len; } dw_slice;
        typedef struct dw_input { const uint8_t *data; size_t len; size_t pos; } dw_input;
        typedef struct dw_error {
            int32_t status; uint32_t reserved0; uint64_t offset; uint64_t at; dw_slice message;
            uint64_t reserved[4];
        } dw_error;
        typedef struct dw_usage {
            uint32_t known; uint32_t reserved0; uint64_t input_tokens; uint64_t output_tokens;
            uint64_t total_tokens; uint64_t cached_tokens; uint64_t cache_creation_tokens;
            uint64_t reasoning_tokens;
        } dw_usage;
        typedef struct dw_delta {
            uint32_t kind; uint32_t choice; int32_t index; uint32_t flags; uint32_t finish_reason;
            uint32_t error_kind; dw_slice text; dw_slice id; dw_slice name; dw_slice model; dw_slice role;
            dw_slice code; dw_slice raw; dw_usage usage; uint64_t reserved[4];
        } dw_delta;
        typedef struct dw_decoder_options {
            uint32_t struct_size; uint32_t dialect; uint32_t framing; uint32_t eof; uint32_t flags;
            uint32_t reserved0; size_t max_event_bytes; dw_slice text_field; dw_slice reasoning_field;
        } dw_decoder_options;
        typedef struct dw_message_info {
            dw_slice id; dw_slice model; dw_slice role; dw_usage usage; size_t choices; size_t tool_calls;
            size_t server_tool_calls; uint32_t end; uint32_t is_complete; uint32_t error_kind;
            uint32_t error_transient; dw_slice error_code; dw_slice error_message; uint64_t reserved[4];
        } dw_message_info;
        typedef struct dw_choice {
            uint32_t index; uint32_t finish_reason; dw_slice finish_raw; dw_slice text; dw_slice reasoning;
            dw_slice refusal; uint64_t reserved[4];
        } dw_choice;
        typedef struct dw_tool_call {
            uint32_t choice; int32_t index; dw_slice id; dw_slice name; dw_slice arguments;
            uint64_t reserved[4];
        } dw_tool_call;
        typedef struct dw_header { dw_slice name; dw_slice value; } dw_header;
        typedef struct dw_client_options {
            uint32_t struct_size; uint32_t provider; dw_slice base_url; dw_slice key; dw_slice api_version;
            dw_slice proxy; dw_slice ca_file; const dw_header *headers; size_t headers_len;
            uint64_t timeout_connect_ms; uint64_t timeout_first_byte_ms; uint64_t timeout_idle_ms;
            uint64_t timeout_content_ms; uint32_t retries; uint32_t reserved0; size_t max_response_bytes;
            const dw_decoder_options *decoder;
        } dw_client_options;
        typedef struct dw_turn { dw_slice role; dw_slice content; } dw_turn;
        typedef struct dw_request {
            uint32_t struct_size; uint32_t flags; dw_slice model; const dw_turn *turns; size_t turns_len;
            uint32_t max_tokens; uint32_t n; double temperature; dw_slice path; dw_slice json;
        } dw_request;
        typedef struct dw_failure {
            int32_t status; uint32_t http_status; uint32_t error_kind; uint32_t transient;
            uint64_t retry_after_ms; uint64_t offset; dw_slice message; dw_slice code; dw_slice said;
            dw_slice request_id; dw_slice body; uint64_t reserved[4];
        } dw_failure;
        const char *dw_version(void);
        uint32_t dw_abi_version(void);
        const char *dw_status_name(int32_t status);
        const char *dw_status_message(int32_t status);
        const char *dw_dialect_name(uint32_t dialect);
        uint32_t dw_dialect_by_name(const char *name, size_t len);
        const char *dw_finish_reason_name(uint32_t reason);
        const char *dw_error_kind_name(uint32_t kind);
        const char *dw_delta_kind_name(uint32_t kind);
        dw_status dw_decoder_new(const dw_decoder_options *options, dw_decoder **decoder);
        void dw_decoder_free(dw_decoder *decoder);
        dw_status dw_decoder_next_batch(dw_decoder *decoder, dw_input *input, dw_delta *deltas,
            size_t capacity, size_t *count);
        dw_status dw_decoder_finish(dw_decoder *decoder, dw_delta *delta);
        dw_status dw_decoder_reset(dw_decoder *decoder);
        uint32_t dw_decoder_end(const dw_decoder *decoder);
        uint32_t dw_decoder_dialect(const dw_decoder *decoder);
        uint64_t dw_decoder_offset(const dw_decoder *decoder);
        uint64_t dw_decoder_events(const dw_decoder *decoder);
        dw_status dw_decoder_seen(const dw_decoder *decoder, dw_slice *seen);
        dw_status dw_decoder_error(const dw_decoder *decoder, dw_error *error);
        dw_status dw_message_new(dw_message **message);
        void dw_message_free(dw_message *message);
        dw_status dw_message_push(dw_message *message, const dw_delta *delta);
        dw_status dw_message_finish(dw_message *message, uint32_t end);
        dw_status dw_message_read(dw_message *message, const uint8_t *body, size_t len, dw_error *error);
        dw_status dw_message_get(const dw_message *message, dw_message_info *info);
        dw_status dw_message_choice(const dw_message *message, size_t at, dw_choice *choice);
        dw_status dw_message_tool_call(const dw_message *message, size_t at, dw_tool_call *call);
        dw_status dw_message_server_tool_call(const dw_message *message, size_t at, dw_tool_call *call);
        dw_status dw_client_new(const dw_client_options *options, dw_client **client, char *why,
            size_t size);
        void dw_client_free(dw_client *client);
        dw_status dw_client_stream(const dw_client *client, const dw_request *request,
            dw_stream **stream);
        void dw_stream_free(dw_stream *stream);
        dw_status dw_stream_next(dw_stream *stream, dw_delta *delta);
        dw_status dw_stream_fetch(dw_stream *stream, dw_message *message);
        void dw_stream_cancel(dw_stream *stream);
        uint32_t dw_stream_end(const dw_stream *stream);
        dw_status dw_stream_failure(const dw_stream *stream, dw_failure *failure);
        C;

    private const ABI_VERSION = 1;
    private const DELTA_BYTES = 224;

    private static ?\FFI $ffi = null;

    public static function get(): \FFI
    {
        return self::$ffi ??= self::load();
    }

    private static function load(): \FFI
    {
        $name = match (PHP_OS_FAMILY) {
            'Darwin' => 'libdeltawire.0.1.dylib',
            'Windows' => 'deltawire.dll',
            default => 'libdeltawire.so.0.1',
        };
        $ffi = \FFI::cdef(self::DECLARATIONS, \getenv('DELTAWIRE_LIBRARY') ?: $name);
        if ($ffi->dw_abi_version() !== self::ABI_VERSION) {
            throw new Exception("the library has the ABI {$ffi->dw_abi_version()}, not " . self::ABI_VERSION);
        }
        if (\FFI::sizeof($ffi->type('dw_delta')) !== self::DELTA_BYTES) {
            throw new Exception('Deltawire.php is written for platforms of 64 bits');
        }
        return $ffi;
    }

    /** The version of the library, such as "0.1.0". */
    public static function version(): string
    {
        return self::get()->dw_version();
    }

    public static function check(int $status): int
    {
        if ($status < 0) {
            $ffi = self::get();
            throw new Exception($ffi->dw_status_message($status), $ffi->dw_status_name($status));
        }
        return $status;
    }

    /** Whether a status says that one event could not be read, and that the stream goes on. */
    public static function isEventError(int $status): bool
    {
        return $status <= -10 && $status > -20;
    }

    /** A copy of what a slice lends. */
    public static function text(\FFI\CData $slice): string
    {
        return $slice->len === 0 ? '' : \FFI::string($slice->ptr, $slice->len);
    }

    public static function textOrNull(\FFI\CData $slice): ?string
    {
        return $slice->len === 0 ? null : \FFI::string($slice->ptr, $slice->len);
    }

    /**
     * Makes a slice lend a copy of a string, which `$keep` holds until the call is over.
     *
     * @param list<\FFI\CData> $keep
     */
    public static function lend(\FFI\CData $slice, ?string $text, array &$keep): void
    {
        if ($text === null || $text === '') {
            return;
        }
        $keep[] = $bytes = self::bytes($text);
        $slice->ptr = \FFI::addr($bytes[0]);
        $slice->len = \strlen($text);
    }

    /** Native memory with the bytes of a string that is not empty. */
    public static function bytes(string $text): \FFI\CData
    {
        $bytes = self::get()->new('uint8_t[' . \strlen($text) . ']');
        \FFI::memcpy($bytes, $text, \strlen($text));
        return $bytes;
    }
}

/** What a decoder is told before it begins. */
final readonly class Options
{
    /**
     * @param ?Dialect $dialect        null recognises it by the first events
     * @param ?int     $maxEventBytes  the largest event that is accepted, null for 16 MiB
     * @param ?string  $textField      a member of an OpenAI chat delta that carries text besides the known ones
     * @param ?string  $reasoningField the same for reasoning
     * @param ?\Closure(EventException): void $onError  called for an event that cannot be read; without it the
     *                                 exception is thrown, and what is behind it comes when asked for again
     */
    public function __construct(
        public ?Dialect $dialect = null,
        public Framing $framing = Framing::Auto,
        public Eof $eof = Eof::Default,
        public ?int $maxEventBytes = null,
        public ?string $textField = null,
        public ?string $reasoningField = null,
        public ?\Closure $onError = null,
    ) {
        if ($maxEventBytes !== null && $maxEventBytes < 1) {
            throw new \ValueError('maxEventBytes has to be above 0');
        }
    }

    /**
     * @internal
     * @param list<\FFI\CData> $keep
     */
    public function struct(array &$keep): \FFI\CData
    {
        $ffi = Library::get();
        $keep[] = $options = $ffi->new('dw_decoder_options');
        $options->struct_size = \FFI::sizeof($options);
        if ($this->dialect !== null) {
            $name = $this->dialect->value;
            $options->dialect = $ffi->dw_dialect_by_name($name, \strlen($name));
        }
        $options->framing = $this->framing->value;
        $options->eof = $this->eof->value;
        $options->max_event_bytes = $this->maxEventBytes ?? 0;
        Library::lend($options->text_field, $this->textField, $keep);
        Library::lend($options->reasoning_field, $this->reasoningField, $keep);
        return $options;
    }
}

/** Reads one response, or with `reset` one after the other. */
final class Decoder
{
    /** A `dw_delta` in words of 64 bits, and where in it are the pointer and the length of its text. */
    private const WORDS = 28;
    private const TEXT_AT = 3;
    private const LENGTH_AT = 4;

    private readonly \FFI $ffi;
    private ?\FFI\CData $handle = null;
    private readonly \FFI\CData $input;
    private readonly \FFI\CData $inputAt;
    private readonly \FFI\CData $count;
    private readonly \FFI\CData $countAt;
    private readonly \FFI\CData $deltas;
    private readonly \FFI\CData $deltasAt;
    /** The deltas as numbers, which are read without making an object of each. */
    private readonly \FFI\CData $words;
    /** Kind and choice of a delta of text, choice 0, as one number. */
    private readonly int $textWord;

    /** Native memory for input: FFI lends PHP's own strings only to arguments, not to structs. */
    private \FFI\CData $room;
    private int $roomBytes = 0;
    private int $roomAt;
    private string $piece = '';
    private bool $isUsedUp = true;
    /** @var list<Delta> */
    private array $ready = [];
    private int $at = 0;

    /** @param int $batch how many deltas one call of the library fetches, 224 bytes of memory each */
    public function __construct(
        private readonly Options $options = new Options(),
        private readonly int $batch = 64,
    ) {
        if ($batch < 1) {
            throw new \ValueError('batch has to be above 0');
        }
        $this->ffi = Library::get();
        $this->input = $this->ffi->new('dw_input');
        $this->inputAt = \FFI::addr($this->input);
        $this->count = $this->ffi->new('size_t');
        $this->countAt = \FFI::addr($this->count);
        $this->deltas = $this->ffi->new("dw_delta[$batch]");
        $this->deltasAt = \FFI::addr($this->deltas[0]);
        $this->words = $this->ffi->cast('uint64_t[' . $batch * self::WORDS . ']', $this->deltas);
        $this->textWord = \unpack('Q', \pack('LL', Text::NUMBER, 0))[1];
        $this->room(16 * 1024);
        $keep = [];
        $handle = $this->ffi->new('dw_decoder *');
        Library::check($this->ffi->dw_decoder_new(\FFI::addr($options->struct($keep)), \FFI::addr($handle)));
        $this->handle = $handle;
    }

    public function __destruct()
    {
        $this->close();
    }

    /** Frees the decoder. Again does nothing. */
    public function close(): void
    {
        if ($this->handle !== null) {
            $this->ffi->dw_decoder_free($this->handle);
        }
        $this->handle = null;
        $this->isUsedUp = true;
    }

    /**
     * Takes the next bytes of the response, cut wherever they may be, and gives the deltas in them. Those that
     * nobody asks for come with the next call.
     *
     * @return \Generator<int, Delta>
     */
    public function feed(string $bytes): \Generator
    {
        $this->take($bytes);
        return $this->drain();
    }

    /**
     * Gives what only the end of the response can show. Then `end` says how it ended.
     *
     * @return \Generator<int, Delta>
     */
    public function finish(): \Generator
    {
        yield from $this->drain();
        while (($status = $this->ffi->dw_decoder_finish($this->handle(), $this->deltasAt)) !== 0) {
            if ($status < 0) {
                $this->failed($status);
            } elseif (($delta = Delta::of($this->deltas[0])) !== null) {
                yield $delta;
            }
        }
    }

    /**
     * All deltas of a response: of a stream, as its bytes come, or of strings.
     *
     * @param resource|iterable<string> $source
     * @return \Generator<int, Delta>
     */
    public function deltas(mixed $source): \Generator
    {
        foreach (\is_resource($source) ? self::pieces($source) : $source as $bytes) {
            $this->take($bytes);
            // The loop of `drain`: a generator for each piece would cost as much as its deltas.
            do {
                while (isset($this->ready[$this->at])) {
                    yield $this->ready[$this->at++];
                }
            } while (!$this->isUsedUp && $this->fill());
        }
        yield from $this->finish();
    }

    /** Forgets the stream and begins another one. */
    public function reset(): void
    {
        Library::check($this->ffi->dw_decoder_reset($this->handle()));
        $this->ready = [];
        $this->at = 0;
        $this->isUsedUp = true;
    }

    /** How the stream ended, or would have if it ended here. */
    public function end(): End
    {
        return End::tryFrom($this->ffi->dw_decoder_end($this->handle())) ?? End::Unknown;
    }

    /** Whose response it is, null as long as that is not known. */
    public function dialect(): ?Dialect
    {
        return Dialect::tryFrom($this->ffi->dw_dialect_name($this->ffi->dw_decoder_dialect($this->handle())));
    }

    /** How many bytes of the stream were used. */
    public function offset(): int
    {
        return $this->ffi->dw_decoder_offset($this->handle());
    }

    /** How many events were dispatched. */
    public function events(): int
    {
        return $this->ffi->dw_decoder_events($this->handle());
    }

    /** What a server sent in place of a stream: lines, up to 64 KiB of them. */
    public function seen(): string
    {
        $slice = $this->ffi->new('dw_slice');
        Library::check($this->ffi->dw_decoder_seen($this->handle(), \FFI::addr($slice)));
        return Library::text($slice);
    }

    private function handle(): \FFI\CData
    {
        return $this->handle ?? throw new ClosedException('the decoder is closed');
    }

    /** @param resource $stream */
    private static function pieces($stream): \Generator
    {
        while (($bytes = \fread($stream, 16 * 1024)) !== false && ($bytes !== '' || !\feof($stream))) {
            yield $bytes;
        }
    }

    private function room(int $bytes): void
    {
        $this->room = $this->ffi->new("uint8_t[$bytes]");
        $this->roomBytes = $bytes;
        $this->input->data = \FFI::addr($this->room[0]);
        $this->roomAt = $this->ffi->cast('uintptr_t', $this->input->data)->cdata;
    }

    private function take(string $bytes): void
    {
        if (!$this->isUsedUp) {
            $bytes = \substr($this->piece, $this->input->pos) . $bytes;
        } elseif ($this->handle === null) {
            $this->handle();
        }
        $size = \strlen($bytes);
        if ($size === 0) {
            return;
        }
        if ($size > $this->roomBytes) {
            $this->room(\max($size, 2 * $this->roomBytes));
        }
        \FFI::memcpy($this->room, $bytes, $size);
        $input = $this->input;
        $input->len = $size;
        $input->pos = 0;
        $this->piece = $bytes;
        $this->isUsedUp = false;
    }

    /** @return \Generator<int, Delta> */
    private function drain(): \Generator
    {
        do {
            while (isset($this->ready[$this->at])) {
                yield $this->ready[$this->at++];
            }
        } while (!$this->isUsedUp && $this->fill());
    }

    /**
     * Makes all deltas of a call before the first of them is handed out, since the caller may do as it likes
     * with this decoder meanwhile. False where there is nothing more in the input.
     */
    private function fill(): bool
    {
        $status = $this->ffi->dw_decoder_next_batch(
            $this->handle,
            $this->inputAt,
            $this->deltasAt,
            $this->batch,
            $this->countAt,
        );
        if ($status === 0) {
            $this->isUsedUp = true;
            return false;
        }
        if ($status < 0) {
            $this->failed($status);
            return true;
        }
        $words = $this->words;
        $count = $this->count->cdata;
        $piece = $this->piece;
        $size = \strlen($piece);
        // An error that came behind these deltas is returned by the next call, be it that of the next piece.
        $this->isUsedUp = $count < $this->batch && $this->input->pos === $size;
        $ready = [];
        for ($at = 0, $word = 0; $at < $count; $at++, $word += self::WORDS) {
            $offset = $words[$word + self::TEXT_AT] - $this->roomAt;
            // It lies in the input, unless it had escapes or its event began in an earlier input.
            if ($words[$word] === $this->textWord && $offset >= 0 && $offset < $size) {
                $ready[] = new Text(0, \substr($piece, $offset, $words[$word + self::LENGTH_AT]));
            } elseif (($delta = Delta::of($this->deltas[$at])) !== null) {
                // Kinds that are newer than this file are passed over.
                $ready[] = $delta;
            }
        }
        $this->ready = $ready;
        $this->at = 0;
        return true;
    }

    /** Tells of an event that could not be read. */
    private function failed(int $status): void
    {
        $this->handle();
        if (!Library::isEventError($status)) {
            Library::check($status);
        }
        $error = $this->ffi->new('dw_error');
        Library::check($this->ffi->dw_decoder_error($this->handle(), \FFI::addr($error)));
        $exception = new EventException(
            Library::text($error->message),
            $this->ffi->dw_status_name($error->status),
            $error->offset,
        );
        if ($this->options->onError === null) {
            throw $exception;
        }
        ($this->options->onError)($exception);
    }
}
