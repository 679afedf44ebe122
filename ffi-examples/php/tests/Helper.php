<?php

declare(strict_types=1);

require_once __DIR__ . '/../lines.php';
require_once __DIR__ . '/../Client.php';

use PHPUnit\Framework\TestCase;

/** What the tests share. DELTAWIRE is the command, DELTAWIRE_CASES a folder of streams and their lines. */
abstract class Helper extends TestCase
{
    protected const FOLDER = __DIR__ . '/..';
    protected const DATA = __DIR__ . '/../../../tests/data';
    protected const DONE = "data: [DONE]\n\n";

    /** @var list<resource> */
    private array $processes = [];

    protected function tearDown(): void
    {
        foreach ($this->processes as $process) {
            proc_terminate($process, SIGKILL);
            proc_close($process);
        }
        $this->processes = [];
    }

    protected static function event(string $text): string
    {
        return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"$text\"}}]}\n\n";
    }

    /** @param iterable<Deltawire\Delta> $deltas */
    protected static function texts(iterable $deltas): array
    {
        $texts = [];
        foreach ($deltas as $delta) {
            if ($delta instanceof Deltawire\Text) {
                $texts[] = $delta->text;
            }
        }
        return $texts;
    }

    /** @param iterable<Deltawire\Delta> $deltas */
    protected static function kinds(iterable $deltas): array
    {
        $kinds = [];
        foreach ($deltas as $delta) {
            $kinds[] = $delta::KIND;
        }
        return $kinds;
    }

    /** Starts one of the programs, with pipes for its standard streams. */
    protected function start(array $command, array $environment, ?array &$pipes): mixed
    {
        $process = proc_open(
            $command,
            [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']],
            $pipes,
            null,
            $environment + getenv(),
        );
        $this->assertIsResource($process);
        return $this->processes[] = $process;
    }

    protected static function php(string $name, string ...$arguments): array
    {
        return [PHP_BINARY, '-d', 'ffi.enable=1', self::FOLDER . "/$name", ...$arguments];
    }

    /** Standard output, standard error and exit status of one of the programs. */
    protected function program(array $command, string $input = '', array $environment = []): array
    {
        $process = $this->start($command, $environment, $pipes);
        fwrite($pipes[0], $input);
        fclose($pipes[0]);
        $out = stream_get_contents($pipes[1]);
        $err = stream_get_contents($pipes[2]);
        array_pop($this->processes);
        return [$out, $err, proc_close($process)];
    }

    /** The base URL of a server that replays files of tests/data until the test is over. */
    protected function serve(string ...$arguments): string
    {
        $files = array_map(fn ($a) => str_ends_with($a, '.sse') ? self::DATA . "/$a" : $a, $arguments);
        $this->start([getenv('DELTAWIRE'), 'serve', '--port', '0', ...$files], [], $pipes);
        while (($line = fgets($pipes[2])) !== false) {
            if (preg_match('/^deltawire: listening on (\S+)/', $line, $found)) {
                // Closed pipes would end the server.
                $this->pipes[] = $pipes;
                return $found[1];
            }
        }
        $this->fail('the server tells no address');
    }

    /** @var list<array> */
    private array $pipes = [];

    protected static function seconds(callable $do): float
    {
        $start = hrtime(true);
        $do();
        return (hrtime(true) - $start) / 1e9;
    }
}
