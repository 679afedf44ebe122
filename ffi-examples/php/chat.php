#!/usr/bin/env -S php -d ffi.enable=1
<?php

/*
 * A chat on the terminal.
 *
 *     chat.php PROMPT
 *
 * OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it
 * comes, what is known of it to standard error. Ctrl-C ends the reply, and the program: PHP runs no handler
 * while it waits in C, so the signal keeps its own effect, which a shell reports as 130.
 *
 * Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response.
 */

declare(strict_types=1);

require __DIR__ . '/Client.php';

if ($argc !== 2) {
    fwrite(STDERR, "usage: chat.php PROMPT\n");
    exit(2);
}
$isFaulty = false;
try {
    $client = new Deltawire\Client(
        baseUrl: getenv('OPENAI_BASE_URL') ?: null,
        key: getenv('OPENAI_API_KEY') ?: null,
        retries: 0,
        decoder: new Deltawire\Options(onError: function (Deltawire\EventException $error): void {
            fwrite(STDERR, "{$error->getMessage()}\n");
        }),
    );
    $stream = $client->stream(new Deltawire\Request(
        model: getenv('OPENAI_MODEL') ?: 'gpt-4o-mini',
        messages: [['role' => 'user', 'content' => $argv[1]]],
        includeUsage: true,
    ));
    foreach ($stream as $delta) {
        if ($delta instanceof Deltawire\Text) {
            fwrite(STDOUT, $delta->text);
        } elseif ($delta instanceof Deltawire\Usage) {
            fwrite(STDERR, "({$delta->outputTokens} tokens)");
        } elseif ($delta instanceof Deltawire\Error) {
            fwrite(STDERR, "{$delta->kind->value}: {$delta->message}\n");
            $isFaulty = true;
        }
    }
    fwrite(STDOUT, "\n");
    exit($isFaulty || $stream->end() !== Deltawire\End::Complete ? 1 : 0);
} catch (Deltawire\Exception $error) {
    fwrite(STDOUT, "\n");
    fwrite(STDERR, "{$error->getMessage()}\n");
    exit(3);
}
