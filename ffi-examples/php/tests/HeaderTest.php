<?php

declare(strict_types=1);

require_once __DIR__ . '/Helper.php';

/** What Deltawire.php declares is what the header declares. */
final class HeaderTest extends Helper
{
    private static function header(): string
    {
        $header = file_get_contents(getenv('DELTAWIRE_PREFIX') . '/include/deltawire.h');
        return self::plain(preg_replace(['{/\*.*?\*/}s', '/\bDW_NODISCARD /'], ' ', $header));
    }

    private static function plain(string $text): string
    {
        return trim(preg_replace(['/\s+/', '/ ?([(){},;]) ?/'], [' ', '$1'], $text));
    }

    public function testEveryDeclarationIsTheHeaders(): void
    {
        $header = self::header();
        $declarations = preg_split(
            '/(?<=;)(?![^{}]*})/',
            self::plain(Deltawire\Library::DECLARATIONS),
            -1,
            PREG_SPLIT_NO_EMPTY,
        );
        $this->assertGreaterThan(50, count($declarations));
        foreach ($declarations as $declaration) {
            if ($declaration !== 'typedef int dw_status;') {
                $this->assertStringContainsString($declaration, $header);
            }
        }
    }

    public function testTheNumbersOfEnumerations(): void
    {
        $ffi = Deltawire\Library::get();
        $names = [];
        foreach ([Deltawire\Framing::class, Deltawire\Eof::class, Deltawire\End::class] as $enum) {
            foreach ($enum::cases() as $case) {
                $short = strtoupper(substr($enum, strlen('Deltawire\\')));
                $name = strtoupper(preg_replace('/(?<=.)[A-Z]/', '_$0', $case->name));
                $names["DW_{$short}_$name"] = $case->value;
            }
        }
        foreach (Deltawire\Provider::cases() as $case) {
            $names['DW_PROVIDER_' . strtoupper($case->name)] = $case->value;
        }
        for ($kind = 1; ($name = $ffi->dw_delta_kind_name($kind)) !== 'unknown'; $kind++) {
            $class = 'Deltawire\\' . str_replace('_', '', ucwords($name, '_'));
            $this->assertSame([$kind, $name], [$class::NUMBER, $class::KIND]);
        }
        $this->assertSame(14, $kind);
        for ($number = 1; $number <= count(Deltawire\FinishReason::cases()); $number++) {
            $this->assertSame($ffi->dw_finish_reason_name($number), Deltawire\FinishReason::of($number)->value);
        }
        $this->assertSame('unknown', $ffi->dw_finish_reason_name($number));
        for ($number = 1; $number <= count(Deltawire\ErrorKind::cases()); $number++) {
            $this->assertSame($ffi->dw_error_kind_name($number), Deltawire\ErrorKind::of($number)->value);
        }
        $this->assertSame('unknown', $ffi->dw_error_kind_name($number));
        $header = self::header();
        $this->assertGreaterThan(14, count($names));
        foreach ($names as $name => $value) {
            $this->assertStringContainsString("$name = $value,", $header);
        }
    }

    public function testTheVersionIsTheHeaders(): void
    {
        preg_match_all('/#define DW_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)/', self::header(), $found);
        $this->assertSame(implode('.', $found[1]), Deltawire\Library::version());
    }
}
