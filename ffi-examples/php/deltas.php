#!/usr/bin/env -S php -d ffi.enable=1
<?php

/*
 * Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
 *
 *     deltas.php [--dialect D] [--chunk-size N] [FILE]      standard input where there is no FILE
 *
 * Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
 */

declare(strict_types=1);

require __DIR__ . '/lines.php';

function usage(string $fault): never
{
    fwrite(STDERR, "deltas: $fault\nusage: deltas.php [--dialect D] [--chunk-size N] [FILE]\n");
    exit(2);
}

$given = getopt('', ['dialect:', 'chunk-size:'], $next);
$files = array_slice($argv, $next);
$name = $given['dialect'] ?? 'auto';
$dialect = is_string($name) ? Deltawire\Dialect::tryFrom($name) : null;
$size = filter_var($given['chunk-size'] ?? 16 * 1024, FILTER_VALIDATE_INT, ['options' => ['min_range' => 1]]);
if ($dialect === null && $name !== 'auto') {
    usage('no such dialect');
} elseif ($size === false || count($files) > 1 || str_starts_with($files[0] ?? '', '--')) {
    usage('no such option or size, or more than one FILE');
}
$file = in_array($files[0] ?? '-', ['-'], true) ? STDIN : @fopen($files[0], 'rb');
if ($file === false) {
    usage("{$files[0]}: cannot be read");
}

$isFaulty = false;
$decoder = new Deltawire\Decoder(new Deltawire\Options(
    dialect: $dialect,
    onError: function (Deltawire\EventException $error) use (&$isFaulty): void {
        fwrite(STDERR, "deltas: {$error->getMessage()}\n");
        $isFaulty = true;
    },
));
$pieces = static function () use ($file, $size): Generator {
    while (($bytes = fread($file, $size)) !== false && $bytes !== '') {
        yield $bytes;
    }
};
foreach ($decoder->deltas($pieces()) as $delta) {
    $isFaulty = $isFaulty || $delta instanceof Deltawire\Error;
    echo Deltawire\Lines\line($delta), "\n";
}
echo Deltawire\Lines\lineOfEnd($decoder->end()), "\n";
exit($isFaulty || $decoder->end() !== Deltawire\End::Complete ? 1 : 0);
