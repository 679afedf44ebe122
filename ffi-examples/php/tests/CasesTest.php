<?php

declare(strict_types=1);

require_once __DIR__ . '/Helper.php';

/** Every case reads as the command reads it, however its bytes are cut. */
final class CasesTest extends Helper
{
    public static function cases(): array
    {
        $cases = [];
        foreach (file(getenv('DELTAWIRE_CASES') . '/cases.tsv', FILE_IGNORE_NEW_LINES) as $row) {
            [$name, $file, $dialect, $isShort] = explode("\t", $row);
            $cases[$name] = [
                getenv('DELTAWIRE_CASES') . "/$file",
                getenv('DELTAWIRE_CASES') . "/$name.lines",
                $dialect,
                $isShort === '1',
            ];
        }
        return $cases;
    }

    private static function lines(array $pieces, string $dialect): string
    {
        $decoder = new Deltawire\Decoder(new Deltawire\Options(
            dialect: $dialect === 'auto' ? null : Deltawire\Dialect::from($dialect),
            onError: function (): void {
            },
        ));
        $lines = '';
        foreach ($decoder->deltas($pieces) as $delta) {
            $lines .= Deltawire\Lines\line($delta) . "\n";
        }
        return $lines . Deltawire\Lines\lineOfEnd($decoder->end()) . "\n";
    }

    /** @dataProvider cases */
    public function testReadsAsTheCommandDoes(string $file, string $lines, string $dialect, bool $isShort): void
    {
        $bytes = file_get_contents($file);
        $expected = file_get_contents($lines);
        $this->assertSame($expected, self::lines([$bytes], $dialect), 'whole');
        foreach ([1, 7, 64] as $size) {
            $this->assertSame($expected, self::lines(str_split($bytes, $size), $dialect), "pieces of $size bytes");
        }
        for ($at = 1; $isShort && $at < strlen($bytes); $at++) {
            $halves = [substr($bytes, 0, $at), substr($bytes, $at)];
            $this->assertSame($expected, self::lines($halves, $dialect), "cut at $at");
        }
    }

    public function testThereAreCases(): void
    {
        $this->assertGreaterThanOrEqual(30, count(self::cases()));
        $this->assertNotEmpty(array_filter(self::cases(), fn ($case) => $case[3]));
    }

    public function testControlCharactersAreEscapedAndNothingElse(): void
    {
        $this->assertSame(
            '{"type":"text","choice":0,"text":"\u0000\b\t\n\u000b\f\r\u001f\"\\\\/é' . "\x7f\u{2028}\"}",
            Deltawire\Lines\line(new Deltawire\Text(0, "\0\x08\t\n\v\f\r\x1f\"\\/é\x7f\u{2028}")),
        );
    }

    public function testTheProgramPrintsWhatTheCommandPrints(): void
    {
        $cases = array_values(self::cases());
        foreach ([0, intdiv(count($cases), 2), count($cases) - 1] as $at) {
            [$file, $lines, $dialect] = $cases[$at];
            $expected = file_get_contents($lines);
            $this->assertSame($expected, $this->program(self::php('deltas.php', '--dialect', $dialect, $file))[0]);
            $this->assertSame($expected, $this->program(
                self::php('deltas.php', '--dialect', $dialect, '--chunk-size', '1', $file),
            )[0]);
            $this->assertSame($expected, $this->program(
                self::php('deltas.php', '--dialect', $dialect),
                file_get_contents($file),
            )[0]);
        }
    }

    public function testTheProgramSaysByItsExitStatusWhatBecameOfTheStream(): void
    {
        $status = fn (string ...$arguments) => $this->program(self::php('deltas.php', ...$arguments))[2];
        $this->assertSame(0, $status(self::DATA . '/serve-chat.sse'));
        $this->assertSame(1, $status(self::DATA . '/serve-error.sse'));
        $this->assertSame(1, $status(self::DATA . '/serve-cut.sse'));
        $this->assertSame(2, $status('--dialect', 'none', self::DATA . '/serve-chat.sse'));
        $this->assertSame(2, $status('--chunk-size', '0', self::DATA . '/serve-chat.sse'));
        $this->assertSame(2, $status(self::DATA . '/absent.sse'));
        [, $err, $exit] = $this->program(self::php('deltas.php'), "data: {oops\n\n" . self::DONE);
        $this->assertSame(1, $exit);
        $this->assertStringContainsString('JSON', $err);
    }
}
