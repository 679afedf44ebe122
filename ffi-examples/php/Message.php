<?php

declare(strict_types=1);

namespace Deltawire;

require_once __DIR__ . '/Deltawire.php';

/** One of the replies to a prompt. `finishReason` is null where it has not ended. */
final readonly class Choice
{
    public function __construct(
        public int $index,
        public ?FinishReason $finishReason,
        public string $finishRaw,
        public string $text,
        public string $reasoning,
        public string $refusal,
    ) {
    }
}

/** A call of a tool. `arguments` is JSON text, if the model wrote it right. */
final readonly class ToolCall
{
    public function __construct(
        public int $choice,
        public int $index,
        public ?string $id,
        public ?string $name,
        public string $arguments,
    ) {
    }
}

/** What the provider said went wrong. */
final readonly class ProviderError
{
    /** @param bool $transient whether the same request may succeed later */
    public function __construct(
        public ErrorKind $kind,
        public ?string $code,
        public string $message,
        public bool $transient,
    ) {
    }
}

/** A reply put together: of deltas, or of a whole response that was not streamed. */
final class Message
{
    private readonly \FFI $ffi;
    private readonly \FFI\CData $handle;

    public function __construct()
    {
        $this->ffi = Library::get();
        $handle = $this->ffi->new('dw_message *');
        Library::check($this->ffi->dw_message_new(\FFI::addr($handle)));
        $this->handle = $handle;
    }

    public function __destruct()
    {
        $this->ffi->dw_message_free($this->handle);
    }

    /** Reads a whole response. An error that the provider reports in it is the message's, and no exception. */
    public static function read(string $body): self
    {
        $message = new self();
        $bytes = $body === '' ? null : Library::bytes($body);
        Library::check($message->ffi->dw_message_read($message->handle, $bytes, strlen($body), null));
        return $message;
    }

    /** Takes in a delta. */
    public function push(Delta $delta): void
    {
        $keep = [];
        Library::check($this->ffi->dw_message_push($this->handle, \FFI::addr($delta->struct($keep))));
    }

    /** Notes how the stream ended. */
    public function finish(End $end): void
    {
        Library::check($this->ffi->dw_message_finish($this->handle, $end->value));
    }

    public function id(): ?string
    {
        $info = $this->info();
        return Library::textOrNull($info->id);
    }

    public function model(): ?string
    {
        $info = $this->info();
        return Library::textOrNull($info->model);
    }

    public function role(): ?string
    {
        $info = $this->info();
        return Library::textOrNull($info->role);
    }

    /** Token counts: of each the last that came. */
    public function usage(): Usage
    {
        $info = $this->info();
        return Usage::ofCounts($info->usage);
    }

    /** The reply of the first choice. */
    public function text(): string
    {
        return ($this->choices()[0] ?? null)?->text ?? '';
    }

    /** @return list<Choice> */
    public function choices(): array
    {
        return $this->all('dw_choice', 'dw_message_choice', $this->info()->choices, fn ($c) => new Choice(
            $c->index,
            FinishReason::of($c->finish_reason),
            ...array_map(Library::text(...), [$c->finish_raw, $c->text, $c->reasoning, $c->refusal]),
        ));
    }

    /** @return list<ToolCall> */
    public function toolCalls(): array
    {
        return $this->calls('dw_message_tool_call', $this->info()->tool_calls);
    }

    /**
     * The calls of tools that the provider ran itself.
     *
     * @return list<ToolCall>
     */
    public function serverToolCalls(): array
    {
        return $this->calls('dw_message_server_tool_call', $this->info()->server_tool_calls);
    }

    /** As `finish` noted it. */
    public function end(): End
    {
        return End::tryFrom($this->info()->end) ?? End::Unknown;
    }

    /** Whether the stream came to its end and reported no error. */
    public function isComplete(): bool
    {
        return $this->info()->is_complete === 1;
    }

    /** The first error that the provider reported. */
    public function error(): ?ProviderError
    {
        $info = $this->info();
        $kind = ErrorKind::of($info->error_kind);
        return $kind === null ? null : new ProviderError(
            $kind,
            Library::textOrNull($info->error_code),
            Library::text($info->error_message),
            $info->error_transient === 1,
        );
    }

    /** @internal */
    public function fetch(\FFI\CData $stream): int
    {
        return $this->ffi->dw_stream_fetch($stream, $this->handle);
    }

    /** Its slices are views of it: they are good as long as a variable holds it. */
    private function info(): \FFI\CData
    {
        $info = $this->ffi->new('dw_message_info');
        Library::check($this->ffi->dw_message_get($this->handle, \FFI::addr($info)));
        return $info;
    }

    private function all(string $type, string $function, int $count, \Closure $make): array
    {
        $made = [];
        for ($at = 0; $at < $count; $at++) {
            $struct = $this->ffi->new($type);
            Library::check($this->ffi->$function($this->handle, $at, \FFI::addr($struct)));
            $made[] = $make($struct);
        }
        return $made;
    }

    private function calls(string $function, int $count): array
    {
        return $this->all('dw_tool_call', $function, $count, fn ($call) => new ToolCall(
            $call->choice,
            $call->index,
            Library::textOrNull($call->id),
            Library::textOrNull($call->name),
            Library::text($call->arguments),
        ));
    }
}
