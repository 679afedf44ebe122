#!/usr/bin/env -S php -d ffi.enable=1
<?php

/*
 * The same chat over PHP's curl: the bytes of the body go into a decoder as they arrive.
 *
 *     curl_chat.php PROMPT
 *
 * OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. Ctrl-C ends the reply.
 *
 * Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
 */

declare(strict_types=1);

require __DIR__ . '/Message.php';

/** How long to wait for the next bytes, in seconds. */
const IDLE = 300;

final class Interrupted extends Exception
{
}

/**
 * The body of the response piece by piece. `curl_multi_select` ends its wait where a signal comes, so a handler
 * gets its turn at once, as it does not inside `curl_exec`.
 *
 * @return Generator<int, string>
 */
function pieces(CurlHandle $request): Generator
{
    $arrived = [];
    curl_setopt($request, CURLOPT_WRITEFUNCTION, function (CurlHandle $request, string $bytes) use (&$arrived): int {
        $arrived[] = $bytes;
        return strlen($bytes);
    });
    $all = curl_multi_init();
    curl_multi_add_handle($all, $request);
    do {
        curl_multi_exec($all, $running);
        [$here, $arrived] = [$arrived, []];
        yield from $here;
        if ($running && $here === []) {
            curl_multi_select($all, 1.0);
        }
    } while ($running);
    $result = curl_multi_info_read($all)['result'] ?? CURLE_OK;
    if ($result !== CURLE_OK) {
        throw new RuntimeException(curl_error($request) ?: curl_strerror($result));
    }
}

if ($argc !== 2) {
    fwrite(STDERR, "usage: curl_chat.php PROMPT\n");
    exit(2);
}
pcntl_async_signals(true);
pcntl_signal(SIGINT, fn () => throw new Interrupted('interrupted'), false);

$headers = ['Content-Type: application/json', 'Accept: text/event-stream'];
$key = getenv('OPENAI_API_KEY') ?: '';
if ($key !== '') {
    $headers[] = "Authorization: Bearer $key";
}
$request = curl_init(rtrim(getenv('OPENAI_BASE_URL') ?: 'https://api.openai.com/v1', '/') . '/chat/completions');
curl_setopt_array($request, [
    CURLOPT_HTTPHEADER => $headers,
    CURLOPT_POSTFIELDS => json_encode([
        'model' => getenv('OPENAI_MODEL') ?: 'gpt-4o-mini',
        'stream' => true,
        'stream_options' => ['include_usage' => true],
        'messages' => [['role' => 'user', 'content' => $argv[1]]],
    ], JSON_THROW_ON_ERROR),
    CURLOPT_CONNECTTIMEOUT => 10,
    CURLOPT_LOW_SPEED_LIMIT => 1,
    CURLOPT_LOW_SPEED_TIME => IDLE,
]);

$isFaulty = false;
$decoder = new Deltawire\Decoder(new Deltawire\Options(
    onError: function (Deltawire\EventException $error): void {
        fwrite(STDERR, "{$error->getMessage()}\n");
    },
));
$show = function (Deltawire\Delta $delta) use (&$isFaulty): void {
    if ($delta instanceof Deltawire\Text) {
        fwrite(STDOUT, $delta->text);
    } elseif ($delta instanceof Deltawire\Usage) {
        fwrite(STDERR, "({$delta->outputTokens} tokens)");
    } elseif ($delta instanceof Deltawire\Error) {
        fwrite(STDERR, "{$delta->kind->value}: {$delta->message}\n");
        $isFaulty = true;
    }
};

try {
    $refusal = '';
    foreach (pieces($request) as $bytes) {
        if (intdiv(curl_getinfo($request, CURLINFO_RESPONSE_CODE), 100) !== 2) {
            $refusal .= $bytes;
            continue;
        }
        foreach ($decoder->feed($bytes) as $delta) {
            $show($delta);
        }
    }
    $status = curl_getinfo($request, CURLINFO_RESPONSE_CODE);
    if (intdiv($status, 100) !== 2) {
        // A refusal is one JSON object, which a Message reads.
        $error = Deltawire\Message::read($refusal)->error();
        fwrite(STDERR, "HTTP $status: {$error?->kind->value}: {$error?->message}\n");
        exit(3);
    }
    foreach ($decoder->finish() as $delta) {
        $show($delta);
    }
    fwrite(STDOUT, "\n");
    exit($isFaulty || $decoder->end() !== Deltawire\End::Complete ? 1 : 0);
} catch (Interrupted $interrupted) {
    fwrite(STDOUT, "\n");
    fwrite(STDERR, "{$interrupted->getMessage()}\n");
    exit(130);
} catch (RuntimeException $error) {
    fwrite(STDOUT, "\n");
    fwrite(STDERR, "{$error->getMessage()}\n");
    exit(3);
}
