<?php

declare(strict_types=1);

/** The vocabulary: one set of words for all providers, and a class for each kind of delta. */

namespace Deltawire;

/** The providers' wire formats. */
enum Dialect: string
{
    case OpenAiChat = 'openai-chat';
    case OpenAiCompletions = 'openai-completions';
    case OpenAiResponses = 'openai-responses';
    case OpenAiAssistants = 'openai-assistants';
    case Anthropic = 'anthropic';
    case AnthropicComplete = 'anthropic-complete';
    case Gemini = 'gemini';
    case GeminiInteractions = 'gemini-interactions';
    case Cohere = 'cohere';
    case Ollama = 'ollama';
    case Tgi = 'tgi';
    case Watsonx = 'watsonx';
    case Replicate = 'replicate';
    case LlamaCpp = 'llamacpp';
    case Bedrock = 'bedrock';
}

/** How events are told apart in the bytes. */
enum Framing: int
{
    case Auto = 0;
    case Sse = 1;
    case Ndjson = 2;
    case EventStream = 3;
}

/** What becomes of an event whose blank line is missing at the end of the stream. */
enum Eof: int
{
    case Default = 0;
    case Discard = 1;
    case Flush = 2;
}

/** How a stream ended. */
enum End: int
{
    /** Nobody has said yet. */
    case Unknown = 0;
    /** All came. */
    case Complete = 1;
    /** Something is missing, or an error took its place. */
    case Truncated = 2;
    /** It was no stream of a known provider. */
    case Unrecognised = 3;
}

/** Why a choice ended. */
enum FinishReason: string
{
    case Stop = 'stop';
    case Length = 'length';
    case ToolCalls = 'tool_calls';
    case ContentFilter = 'content_filter';
    case Error = 'error';
    case Other = 'other';

    /** @internal */
    public static function of(int $number): ?self
    {
        return $number === 0
            ? null
            : self::tryFrom(Library::get()->dw_finish_reason_name($number)) ?? self::Other;
    }
}

/** What went wrong at the provider's. */
enum ErrorKind: string
{
    case Authentication = 'authentication';
    case Permission = 'permission';
    case NotFound = 'not_found';
    case RateLimit = 'rate_limit';
    case Overloaded = 'overloaded';
    case ContextLength = 'context_length';
    case InvalidRequest = 'invalid_request';
    case ContentFilter = 'content_filter';
    case Timeout = 'timeout';
    case Server = 'server';
    case Other = 'other';

    /** @internal */
    public static function of(int $number): ?self
    {
        return $number === 0
            ? null
            : self::tryFrom(Library::get()->dw_error_kind_name($number)) ?? self::Other;
    }
}

/**
 * One piece of news from a stream. Text is UTF-8; `raw` is what came on the wire and may not be. What the
 * provider did not give is null.
 */
abstract readonly class Delta
{
    /** The kind's number, a `dw_delta_kind`, and its name as the command `deltawire deltas` prints it. */
    public const NUMBER = 0;
    public const KIND = 'unknown';

    /** The fields of a `dw_delta` that have other names than the properties. */
    private const FIELDS = ['fragment' => 'text', 'message' => 'text', 'event' => 'name'];

    private const WHOLE = 1;
    private const TRANSIENT = 2;

    /**
     * What a `dw_delta` says; null for a kind that is newer than this file.
     *
     * @internal
     */
    final public static function of(\FFI\CData $d): ?self
    {
        return match ($d->kind) {
            Start::NUMBER => new Start(...array_map(Library::textOrNull(...), [$d->id, $d->model, $d->role])),
            Text::NUMBER => new Text($d->choice, Library::text($d->text)),
            Reasoning::NUMBER => new Reasoning($d->choice, Library::text($d->text)),
            Refusal::NUMBER => new Refusal($d->choice, Library::text($d->text)),
            ToolCallStart::NUMBER => new ToolCallStart(...self::call($d)),
            ToolCallArguments::NUMBER => new ToolCallArguments(...self::fragment($d)),
            ServerToolCallStart::NUMBER => new ServerToolCallStart(...self::call($d)),
            ServerToolCallArguments::NUMBER => new ServerToolCallArguments(...self::fragment($d)),
            Finish::NUMBER => new Finish(
                $d->choice,
                FinishReason::of($d->finish_reason) ?? FinishReason::Other,
                Library::text($d->raw),
            ),
            Usage::NUMBER => Usage::ofCounts($d->usage),
            Error::NUMBER => new Error(
                ErrorKind::of($d->error_kind) ?? ErrorKind::Other,
                Library::textOrNull($d->code),
                Library::text($d->text),
                ($d->flags & self::TRANSIENT) !== 0,
                Library::text($d->raw),
            ),
            Other::NUMBER => new Other(Library::text($d->name), Library::text($d->raw)),
            Done::NUMBER => new Done(),
            default => null,
        };
    }

    /**
     * The same as a `dw_delta`, for as long as `$keep` is.
     *
     * @internal
     * @param list<\FFI\CData> $keep
     */
    final public function struct(array &$keep): \FFI\CData
    {
        $ffi = Library::get();
        $keep[] = $delta = $ffi->new('dw_delta');
        $delta->kind = static::NUMBER;
        foreach (get_object_vars($this) as $name => $value) {
            match (true) {
                is_string($value) => Library::lend($delta->{self::FIELDS[$name] ?? $name}, $value, $keep),
                $name === 'whole' => $delta->flags = $value ? self::WHOLE : 0,
                $name === 'transient' => $delta->flags = $value ? self::TRANSIENT : 0,
                $name === 'reason' => $delta->finish_reason = self::number($value, 'dw_finish_reason_name'),
                $name === 'kind' => $delta->error_kind = self::number($value, 'dw_error_kind_name'),
                $this instanceof Usage || $value === null => null,
                default => $delta->$name = $value,
            };
        }
        if ($this instanceof Usage) {
            $this->fill($delta->usage);
        }
        return $delta;
    }

    /** @return array{int, int, ?string, ?string} */
    private static function call(\FFI\CData $d): array
    {
        return [$d->choice, $d->index, Library::textOrNull($d->id), Library::textOrNull($d->name)];
    }

    /** @return array{int, int, string, bool} */
    private static function fragment(\FFI\CData $d): array
    {
        return [$d->choice, $d->index, Library::text($d->text), ($d->flags & self::WHOLE) !== 0];
    }

    private static function number(\BackedEnum $case, string $function): int
    {
        for ($number = 1; ($name = Library::get()->$function($number)) !== 'unknown'; $number++) {
            if ($name === $case->value) {
                return $number;
            }
        }
        return 0;
    }
}

/** The message begins. Comes again where the provider changes one of these. */
final readonly class Start extends Delta
{
    public const NUMBER = 1;
    public const KIND = 'start';

    public function __construct(public ?string $id, public ?string $model, public ?string $role)
    {
    }
}

/** A piece of the reply. */
final readonly class Text extends Delta
{
    public const NUMBER = 2;
    public const KIND = 'text';

    public function __construct(public int $choice, public string $text)
    {
    }
}

/** A piece of the model's reasoning or of its summary. */
final readonly class Reasoning extends Delta
{
    public const NUMBER = 3;
    public const KIND = 'reasoning';

    public function __construct(public int $choice, public string $text)
    {
    }
}

/** A piece of the model's refusal to answer. */
final readonly class Refusal extends Delta
{
    public const NUMBER = 4;
    public const KIND = 'refusal';

    public function __construct(public int $choice, public string $text)
    {
    }
}

/** A tool call begins, or one that is known gets the ID or name it lacked, or is returned to. */
final readonly class ToolCallStart extends Delta
{
    public const NUMBER = 5;
    public const KIND = 'tool_call_start';

    public function __construct(
        public int $choice,
        public int $index,
        public ?string $id,
        public ?string $name,
    ) {
    }
}

/** A piece of a tool call's arguments; or with `whole` all of them, in place of any that came before. */
final readonly class ToolCallArguments extends Delta
{
    public const NUMBER = 6;
    public const KIND = 'tool_call_arguments';

    public function __construct(
        public int $choice,
        public int $index,
        public string $fragment,
        public bool $whole,
    ) {
    }
}

/** As ToolCallStart, of a tool that the provider runs: nothing is left to do. */
final readonly class ServerToolCallStart extends Delta
{
    public const NUMBER = 7;
    public const KIND = 'server_tool_call_start';

    public function __construct(
        public int $choice,
        public int $index,
        public ?string $id,
        public ?string $name,
    ) {
    }
}

/** As ToolCallArguments, of a tool that the provider runs. */
final readonly class ServerToolCallArguments extends Delta
{
    public const NUMBER = 8;
    public const KIND = 'server_tool_call_arguments';

    public function __construct(
        public int $choice,
        public int $index,
        public string $fragment,
        public bool $whole,
    ) {
    }
}

/** A choice is at its end; `raw` is the provider's word for it. */
final readonly class Finish extends Delta
{
    public const NUMBER = 9;
    public const KIND = 'finish';

    public function __construct(public int $choice, public FinishReason $reason, public string $raw)
    {
    }
}

/**
 * Token counts so far. Each number replaces the one before it. They have 64 bits without a sign: one above
 * PHP_INT_MAX, which no model has ever counted, comes as PHP's int of the same bits, and `%u` prints it.
 */
final readonly class Usage extends Delta
{
    public const NUMBER = 10;
    public const KIND = 'usage';

    /** In the order of the bits of `dw_usage.known`. */
    private const COUNTS = [
        'inputTokens' => 'input_tokens',
        'outputTokens' => 'output_tokens',
        'totalTokens' => 'total_tokens',
        'cachedTokens' => 'cached_tokens',
        'cacheCreationTokens' => 'cache_creation_tokens',
        'reasoningTokens' => 'reasoning_tokens',
    ];

    public function __construct(
        public ?int $inputTokens = null,
        public ?int $outputTokens = null,
        public ?int $totalTokens = null,
        public ?int $cachedTokens = null,
        public ?int $cacheCreationTokens = null,
        public ?int $reasoningTokens = null,
    ) {
    }

    /** @internal */
    public static function ofCounts(\FFI\CData $usage): self
    {
        $counts = [];
        foreach (array_values(self::COUNTS) as $bit => $name) {
            $counts[] = $usage->known >> $bit & 1 ? $usage->$name : null;
        }
        return new self(...$counts);
    }

    /** @internal */
    public function fill(\FFI\CData $usage): void
    {
        foreach (array_keys(self::COUNTS) as $bit => $property) {
            if ($this->$property !== null) {
                $usage->known |= 1 << $bit;
                $usage->{self::COUNTS[$property]} = $this->$property;
            }
        }
    }
}

/** The provider reports an error; `raw` is the whole payload. */
final readonly class Error extends Delta
{
    public const NUMBER = 11;
    public const KIND = 'error';

    /** @param bool $transient whether the same request may succeed later */
    public function __construct(
        public ErrorKind $kind,
        public ?string $code,
        public string $message,
        public bool $transient,
        public string $raw,
    ) {
    }
}

/** What has no place among the others: what it is, and the whole payload. */
final readonly class Other extends Delta
{
    public const NUMBER = 12;
    public const KIND = 'other';

    public function __construct(public string $event, public string $raw)
    {
    }
}

/** The provider's own end of the stream. More may follow it. */
final readonly class Done extends Delta
{
    public const NUMBER = 13;
    public const KIND = 'done';
}
