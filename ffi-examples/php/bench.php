#!/usr/bin/env -S php -d ffi.enable=1
<?php

/*
 * What reading a stream costs, beside what PHP programs do now: `bench.php FILE`, a stream of OpenAI chat
 * chunks. Rows, tab-separated: name, mode, nanoseconds an event, deltas of text, bytes of text. In the mode
 * `16k` the bytes come in pieces of 16 KiB, in `event` one event a piece. The least of five rounds counts.
 */

declare(strict_types=1);

require __DIR__ . '/Deltawire.php';

const ROUNDS = 5;

/** @param list<string> $pieces */
function byDeltawire(array $pieces, int $batch = 64): array
{
    $decoder = new Deltawire\Decoder(batch: $batch);
    $count = 0;
    $text = '';
    foreach ($decoder->deltas($pieces) as $delta) {
        if ($delta instanceof Deltawire\Text) {
            $text .= $delta->text;
            $count++;
        }
    }
    $decoder->end() === Deltawire\End::Complete or throw new Exception('cut short');
    return [$count, $text];
}

/** The same by a call of `feed` for each piece, as a callback that gets the bytes does it. */
function byFeed(array $pieces): array
{
    $decoder = new Deltawire\Decoder();
    $count = 0;
    $text = '';
    foreach ($pieces as $piece) {
        foreach ($decoder->feed($piece) as $delta) {
            if ($delta instanceof Deltawire\Text) {
                $text .= $delta->text;
                $count++;
            }
        }
    }
    return [$count, $text];
}

/**
 * The usual way: lines, and JSON of what follows "data: ".
 *
 * @param list<string> $pieces
 */
function byJson(array $pieces, bool $asArrays): array
{
    $count = 0;
    $text = $rest = '';
    foreach ($pieces as $piece) {
        $rest .= $piece;
        $start = 0;
        while (($stop = strpos($rest, "\n", $start)) !== false) {
            $line = substr($rest, $start, $stop - $start);
            $start = $stop + 1;
            if (!str_starts_with($line, 'data: ') || $line === 'data: [DONE]') {
                continue;
            }
            $chunk = json_decode(substr($line, 6), $asArrays, 512, JSON_THROW_ON_ERROR);
            $content = $asArrays
                ? $chunk['choices'][0]['delta']['content'] ?? null
                : $chunk->choices[0]->delta->content ?? null;
            if ($content !== null) {
                $text .= $content;
                $count++;
            }
        }
        $rest = substr($rest, $start);
    }
    return [$count, $text];
}

function measure(string $name, string $mode, int $events, callable $read): void
{
    $least = INF;
    for ($round = 0; $round <= ROUNDS; $round++) {
        gc_collect_cycles();
        $start = hrtime(true);
        [$count, $text] = $read();
        $time = hrtime(true) - $start;
        if ($round > 0) {
            $least = min($least, $time);
        }
    }
    printf("%s\t%s\t%d\t%d\t%d\n", $name, $mode, $least / $events, $count, strlen($text));
}

if ($argc !== 2 || ($bytes = @file_get_contents($argv[1])) === false) {
    fwrite(STDERR, "usage: bench.php FILE\n");
    exit(2);
}
$byEvent = preg_split('/(?<=\n\n)/', $bytes, -1, PREG_SPLIT_NO_EMPTY);
foreach (['16k' => str_split($bytes, 16 * 1024), 'event' => $byEvent] as $mode => $pieces) {
    $events = count($byEvent);
    measure('deltawire', $mode, $events, fn () => byDeltawire($pieces));
    measure('deltawire, a feed a piece', $mode, $events, fn () => byFeed($pieces));
    measure('deltawire, one call a delta', $mode, $events, fn () => byDeltawire($pieces, batch: 1));
    measure('lines + json_decode, arrays', $mode, $events, fn () => byJson($pieces, true));
    measure('lines + json_decode, objects', $mode, $events, fn () => byJson($pieces, false));
}
