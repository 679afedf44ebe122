<?php

declare(strict_types=1);

namespace Deltawire;

require_once __DIR__ . '/Message.php';

/** Whose conventions a request follows. */
enum Provider: int
{
    /** OpenAI, or any server that speaks its API below a base URL of its own. */
    case OpenAi = 0;
    case Azure = 1;
    case Anthropic = 2;
    case Gemini = 3;
    case Ollama = 4;
}

/** A request was not answered, or not to its end. What does not apply is null. */
class TransportException extends Exception
{
    /**
     * @param ?int       $httpStatus the HTTP status, such as 429
     * @param ?ErrorKind $kind       what the provider says went wrong
     * @param bool       $transient  whether the same request may succeed later
     * @param ?float     $retryAfter how long the server asks to wait before another attempt, in seconds
     * @param ?string    $providerCode the provider's code, else its type
     * @param ?string    $said       the provider's message
     * @param ?string    $requestId  what the provider calls the request, for its support
     * @param ?string    $body       the body of the refusal, up to 64 KiB of it
     */
    final public function __construct(
        string $message,
        string $status,
        public readonly ?int $httpStatus,
        public readonly ?ErrorKind $kind,
        public readonly bool $transient,
        public readonly ?float $retryAfter,
        public readonly ?string $providerCode,
        public readonly ?string $said,
        public readonly ?string $requestId,
        public readonly ?string $body,
    ) {
        parent::__construct($message, $status);
    }

    /** @internal */
    public static function of(\FFI\CData $f): self
    {
        $class = match ($f->status) {
            -23 => TimeoutException::class,
            -24 => StatusException::class,
            -33 => CancelledException::class,
            default => self::class,
        };
        return new $class(
            Library::text($f->message),
            Library::get()->dw_status_name($f->status),
            $f->http_status ?: null,
            ErrorKind::of($f->error_kind),
            $f->transient === 1,
            $f->retry_after_ms === 0 ? null : $f->retry_after_ms / 1000,
            ...array_map(Library::textOrNull(...), [$f->code, $f->said, $f->request_id, $f->body]),
        );
    }
}

/** `Stream::cancel` was called. */
final class CancelledException extends TransportException
{
}

/** Timed out waiting for data. */
final class TimeoutException extends TransportException
{
}

/** The server refused, by an HTTP status other than 2xx. */
final class StatusException extends TransportException
{
}

/** What is asked: a conversation, which is put as the provider wants it; or with `json` what the caller wrote. */
final readonly class Request
{
    private const INCLUDE_USAGE = 1;
    private const TEMPERATURE = 2;

    /**
     * @param list<array{role: string, content: string}> $messages
     * @param bool    $includeUsage asks for token counts, which some providers send only then
     * @param ?string $path         where to post `json` to, below the base URL, such as "/chat/completions"
     * @param ?string $json         the body, which asks for a stream itself
     */
    public function __construct(
        public string $model = '',
        public array $messages = [],
        public bool $includeUsage = false,
        public ?float $temperature = null,
        public ?int $maxTokens = null,
        public ?int $n = null,
        public ?string $path = null,
        public ?string $json = null,
    ) {
    }

    /**
     * @internal
     * @param list<\FFI\CData> $keep
     */
    public function struct(array &$keep): \FFI\CData
    {
        $ffi = Library::get();
        $keep[] = $request = $ffi->new('dw_request');
        $request->struct_size = \FFI::sizeof($request);
        $request->flags = ($this->includeUsage ? self::INCLUDE_USAGE : 0)
            | ($this->temperature === null ? 0 : self::TEMPERATURE);
        Library::lend($request->model, $this->model, $keep);
        $count = count($this->messages);
        if ($count > 0) {
            $keep[] = $turns = $ffi->new("dw_turn[$count]");
            foreach (array_values($this->messages) as $at => $message) {
                Library::lend($turns[$at]->role, $message['role'], $keep);
                Library::lend($turns[$at]->content, $message['content'], $keep);
            }
            $request->turns = \FFI::addr($turns[0]);
            $request->turns_len = $count;
        }
        $request->max_tokens = $this->maxTokens ?? 0;
        $request->n = $this->n ?? 0;
        $request->temperature = $this->temperature ?? 0.0;
        Library::lend($request->path, $this->path, $keep);
        Library::lend($request->json, $this->json, $keep);
        return $request;
    }
}

/** Asks one provider, and keeps its connections for the next request. */
final class Client
{
    private readonly \FFI $ffi;
    private ?\FFI\CData $handle = null;
    private readonly Options $options;

    /**
     * Timeouts are in seconds: null for the default, INF for none.
     *
     * @param ?string $baseUrl   what precedes every path, null for the provider's own
     * @param ?string $proxy     null for what the environment says, "direct" for none
     * @param ?string $caFile    certificates in PEM that are trusted in place of Mozilla's
     * @param array<string, string> $headers
     * @param ?float  $connect   for a connection; 10 unless set
     * @param ?float  $firstByte for the first byte of the body; 600 unless set
     * @param ?float  $idle      for the next bytes; 300 unless set
     * @param ?float  $content   for more than comments and pings; none unless set
     * @param ?int    $retries   attempts besides the first, where no connection came about or the server
     *                           refused; 2 unless set
     * @param Options $decoder   how responses are decoded
     */
    public function __construct(
        Provider $provider = Provider::OpenAi,
        ?string $baseUrl = null,
        #[\SensitiveParameter] ?string $key = null,
        ?string $apiVersion = null,
        ?string $proxy = null,
        ?string $caFile = null,
        #[\SensitiveParameter] array $headers = [],
        ?float $connect = null,
        ?float $firstByte = null,
        ?float $idle = null,
        ?float $content = null,
        ?int $retries = null,
        ?int $maxResponseBytes = null,
        Options $decoder = new Options(),
    ) {
        $this->ffi = Library::get();
        $this->options = $decoder;
        $keep = [];
        $options = $this->ffi->new('dw_client_options');
        $options->struct_size = \FFI::sizeof($options);
        $options->provider = $provider->value;
        Library::lend($options->base_url, $baseUrl, $keep);
        Library::lend($options->key, $key, $keep);
        Library::lend($options->api_version, $apiVersion, $keep);
        Library::lend($options->proxy, $proxy, $keep);
        Library::lend($options->ca_file, $caFile, $keep);
        if ($headers !== []) {
            $keep[] = $structs = $this->ffi->new('dw_header[' . count($headers) . ']');
            foreach (array_keys($headers) as $at => $name) {
                Library::lend($structs[$at]->name, (string) $name, $keep);
                Library::lend($structs[$at]->value, $headers[$name], $keep);
            }
            $options->headers = \FFI::addr($structs[0]);
            $options->headers_len = count($headers);
        }
        $options->timeout_connect_ms = self::milliseconds($connect);
        $options->timeout_first_byte_ms = self::milliseconds($firstByte);
        $options->timeout_idle_ms = self::milliseconds($idle);
        $options->timeout_content_ms = self::milliseconds($content);
        $options->retries = $retries === 0 ? 0xFFFFFFFF : $retries ?? 0;
        $options->max_response_bytes = $maxResponseBytes ?? 0;
        $options->decoder = \FFI::addr($decoder->struct($keep));
        $handle = $this->ffi->new('dw_client *');
        $why = $this->ffi->new('char[512]');
        $status = $this->ffi->dw_client_new(\FFI::addr($options), \FFI::addr($handle), $why, 512);
        if ($status < 0 && $why[0] !== "\0") {
            throw new Exception(\FFI::string($why), $this->ffi->dw_status_name($status));
        }
        Library::check($status);
        $this->handle = $handle;
    }

    public function __destruct()
    {
        $this->close();
    }

    /** Frees the client. Its streams go on. */
    public function close(): void
    {
        if ($this->handle !== null) {
            $this->ffi->dw_client_free($this->handle);
        }
        $this->handle = null;
    }

    /** Makes a stream of a request, which is sent when the first delta is asked for. */
    public function stream(Request $request): Stream
    {
        return new Stream($this->open($request), $this->options);
    }

    /** Waits for a whole response, which is not streamed. */
    public function fetch(Request $request): Message
    {
        $stream = $this->open($request);
        $message = new Message();
        try {
            $status = $message->fetch($stream);
            if ($status <= -20) {
                $failure = $this->ffi->new('dw_failure');
                Library::check($this->ffi->dw_stream_failure($stream, \FFI::addr($failure)));
                throw TransportException::of($failure);
            }
            Library::check($status);
            return $message;
        } finally {
            $this->ffi->dw_stream_free($stream);
        }
    }

    private function open(Request $request): \FFI\CData
    {
        if ($this->handle === null) {
            throw new ClosedException('the client is closed');
        }
        $keep = [];
        $stream = $this->ffi->new('dw_stream *');
        Library::check($this->ffi->dw_client_stream(
            $this->handle,
            \FFI::addr($request->struct($keep)),
            \FFI::addr($stream),
        ));
        return $stream;
    }

    private static function milliseconds(?float $seconds): int
    {
        return match (true) {
            $seconds === null => 0,
            $seconds === INF => -1, // UINT64_MAX
            $seconds > 0 => (int) ceil($seconds * 1000),
            default => throw new \ValueError("no time to wait: $seconds"),
        };
    }
}

/**
 * One request and its response: `foreach ($stream as $delta)`. Each delta comes once; after `break` another
 * `foreach` goes on where the first one was.
 *
 * PHP does nothing else while it waits for the next delta, so no signal handler runs then: see `cancel`.
 *
 * @implements \IteratorAggregate<int, Delta>
 */
final class Stream implements \IteratorAggregate
{
    private readonly \FFI $ffi;

    /** @internal */
    public function __construct(private ?\FFI\CData $handle, private readonly Options $options)
    {
        $this->ffi = Library::get();
    }

    public function __destruct()
    {
        $this->close();
    }

    /**
     * The deltas as they come. An event that cannot be read goes to the option `onError`, else EventException is
     * thrown, and another `foreach` goes on behind it; TransportException where no response came, or it broke off.
     *
     * @return \Generator<int, Delta>
     */
    public function getIterator(): \Generator
    {
        $memory = $this->ffi->new('dw_delta');
        $address = \FFI::addr($memory);
        while (($status = $this->ffi->dw_stream_next($this->handle(), $address)) !== 0) {
            if ($status < 0) {
                $this->failed($status);
            } elseif (($delta = Delta::of($memory)) !== null) {
                yield $delta;
            }
        }
    }

    /**
     * Ends the stream: the next delta that is asked for is a CancelledException. Called between two deltas, or by a
     * handler of pcntl_signal with pcntl_async_signals, which PHP runs when a delta has come. A limit on the wait
     * itself is one of the client's timeouts.
     */
    public function cancel(): void
    {
        $this->ffi->dw_stream_cancel($this->handle);
    }

    /** How the stream ended, or would have if it ended here. */
    public function end(): End
    {
        return End::tryFrom($this->ffi->dw_stream_end($this->handle())) ?? End::Unknown;
    }

    /** Frees the stream, and closes its connection if the response is not at its end. */
    public function close(): void
    {
        if ($this->handle !== null) {
            $this->ffi->dw_stream_free($this->handle);
        }
        $this->handle = null;
    }

    private function handle(): \FFI\CData
    {
        return $this->handle ?? throw new ClosedException('the stream is closed');
    }

    private function failed(int $status): void
    {
        if ($status > -10) {
            Library::check($status);
        }
        $failure = $this->ffi->new('dw_failure');
        Library::check($this->ffi->dw_stream_failure($this->handle(), \FFI::addr($failure)));
        if (!Library::isEventError($status)) {
            throw TransportException::of($failure);
        }
        $exception = new EventException(
            Library::text($failure->message),
            $this->ffi->dw_status_name($status),
            $failure->offset,
        );
        if ($this->options->onError === null) {
            throw $exception;
        }
        ($this->options->onError)($exception);
    }
}
