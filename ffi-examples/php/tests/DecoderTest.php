<?php

declare(strict_types=1);

require_once __DIR__ . '/Helper.php';

use Deltawire\Decoder;
use Deltawire\End;
use Deltawire\EventException;
use Deltawire\Options;

final class DecoderTest extends Helper
{
    public function testATextIsRightAfterTheNextCallAndAfterTheDecoderIsClosed(): void
    {
        $decoder = new Decoder();
        $kept = self::texts($decoder->feed(self::event('first')));
        array_push($kept, ...self::texts($decoder->feed(self::event('es\\\\caped'))));
        $cut = self::event('cut');
        array_push($kept, ...self::texts($decoder->feed(substr($cut, 0, 20))));
        array_push($kept, ...self::texts($decoder->feed(substr($cut, 20))));
        self::texts($decoder->feed(self::event(str_repeat('x', 5000))));
        $decoder->close();
        $this->assertSame(['first', 'es\\caped', 'cut'], $kept);
    }

    public function testPiecesOfAnySizeAreTaken(): void
    {
        $decoder = new Decoder();
        $long = str_repeat('ü', 100_000);
        $this->assertSame([$long], self::texts($decoder->feed(self::event($long))));
        $all = self::texts($decoder->feed(str_repeat(self::event('b'), 1000)));
        $this->assertSame(array_fill(0, 1000, 'b'), $all);
        $this->assertSame([], self::texts($decoder->feed('')));
    }

    public function testNulAndCharactersOfAllLengthsSurvive(): void
    {
        $texts = self::texts((new Decoder())->feed(self::event('a\\u0000b \\u00fc € 😀')));
        $this->assertSame(["a\0b ü € 😀"], $texts);
    }

    public function testRawBytesThatAreNoUtf8ComeUntouched(): void
    {
        $decoder = new Decoder(new Options(onError: fn () => null));
        [$other] = iterator_to_array($decoder->feed("data: \xFF\xFE oops\n\n"), false);
        $this->assertInstanceOf(Deltawire\Other::class, $other);
        $this->assertSame("\xFF\xFE oops", $other->raw);
    }

    public function testUseAfterCloseIsAnErrorAndClosingAgainIsNone(): void
    {
        $decoder = new Decoder();
        $decoder->close();
        $decoder->close();
        $uses = [
            fn () => $decoder->feed('data: 1'),
            fn () => self::texts($decoder->finish()),
            fn () => $decoder->end(),
            fn () => $decoder->dialect(),
            fn () => $decoder->reset(),
            fn () => $decoder->seen(),
        ];
        foreach ($uses as $at => $use) {
            try {
                $use();
                $this->fail("use $at");
            } catch (Deltawire\ClosedException $error) {
                $this->assertSame('the decoder is closed', $error->getMessage());
            }
        }
    }

    public function testTheLoopMayCloseTheDecoder(): void
    {
        $decoder = new Decoder();
        $seen = [];
        foreach ($decoder->feed(str_repeat(self::event('a\\n'), 10)) as $delta) {
            $seen[] = $delta;
            $decoder->close();
        }
        $this->assertContains("a\n", self::texts($seen));
    }

    public function testNamesAndNumbersThatMeanNothingAreRefused(): void
    {
        foreach (['', 'openai', "openai-chat\0"] as $name) {
            $this->assertNull(Deltawire\Dialect::tryFrom($name));
        }
        foreach ([fn () => new Options(maxEventBytes: 0), fn () => new Decoder(batch: 0)] as $make) {
            try {
                $make();
                $this->fail('taken');
            } catch (\ValueError $error) {
                $this->assertStringContainsString('above 0', $error->getMessage());
            }
        }
    }

    public function testADialectIsRecognisedOrGiven(): void
    {
        $decoder = new Decoder();
        $this->assertNull($decoder->dialect());
        self::texts($decoder->feed(self::event('a')));
        $this->assertSame(Deltawire\Dialect::OpenAiChat, $decoder->dialect());
        foreach (Deltawire\Dialect::cases() as $dialect) {
            $this->assertSame($dialect, (new Decoder(new Options($dialect)))->dialect());
        }
    }

    public function testAStreamThatIsCutSaysSo(): void
    {
        $decoder = new Decoder();
        self::texts($decoder->deltas([self::event('a')]));
        $this->assertSame(End::Truncated, $decoder->end());
        $decoder->reset();
        self::texts($decoder->deltas([self::event('a'), self::DONE]));
        $this->assertSame(End::Complete, $decoder->end());
        $decoder->reset();
        self::texts($decoder->deltas(["<html>\nBad gateway\n"]));
        $this->assertSame(End::Unrecognised, $decoder->end());
        $this->assertStringContainsString('Bad gateway', $decoder->seen());
    }

    public function testAnEventOverTheLimitIsThrownAndTheStreamGoesOn(): void
    {
        $decoder = new Decoder(new Options(maxEventBytes: 500));
        $bytes = self::event('before') . self::event(str_repeat('x', 600)) . self::event('behind');
        $seen = [];
        try {
            foreach ($decoder->feed($bytes) as $delta) {
                $seen[] = $delta;
            }
            $this->fail('taken');
        } catch (EventException $error) {
            $this->assertSame('DW_ERR_EVENT_TOO_LARGE', $error->status);
            $this->assertSame(strlen(self::event('before')), $error->offset);
            $this->assertStringContainsString('500', $error->getMessage());
        }
        foreach ($decoder->deltas([self::event('next'), self::DONE]) as $delta) {
            $seen[] = $delta;
        }
        $this->assertSame(['before', 'behind', 'next'], self::texts($seen));
        $this->assertSame(End::Complete, $decoder->end());
    }

    public function testOnErrorIsCalledInPlaceOfThrowing(): void
    {
        $errors = [];
        $decoder = new Decoder(new Options(
            maxEventBytes: 500,
            onError: function (EventException $error) use (&$errors): void {
                $errors[] = $error->status;
            },
        ));
        $pieces = [self::event('a') . self::event(str_repeat('x', 600)), self::event('b'), self::DONE];
        $this->assertSame(['a', 'b'], self::texts($decoder->deltas($pieces)));
        $this->assertSame(['DW_ERR_EVENT_TOO_LARGE'], $errors);
    }

    public function testAnErrorBehindTheLastDeltaComesWithTheNextCallAndSoDoesItsPayload(): void
    {
        $seen = [];
        $decoder = new Decoder(new Options(onError: function (EventException $error) use (&$seen): void {
            $seen[] = $error->status;
        }));
        foreach ($decoder->feed(self::event('a') . "data: oops\n\n") as $delta) {
            $seen[] = $delta::KIND;
        }
        foreach ($decoder->finish() as $delta) {
            $seen[] = $delta::KIND;
        }
        $this->assertSame(['text', 'DW_ERR_NOT_JSON', 'other'], array_slice($seen, -3));
    }

    public function testWhatALoopLeavesComesWithTheNextCall(): void
    {
        $decoder = new Decoder();
        $expected = array_map('strval', range(0, 149));
        $bytes = implode('', array_map(self::event(...), $expected));
        $seen = [];
        foreach ($decoder->feed($bytes) as $delta) {
            if ($delta instanceof Deltawire\Text) {
                $seen[] = $delta;
                break;
            }
        }
        $decoder->feed(self::event('unread'));
        foreach ($decoder->feed(self::event('last')) as $delta) {
            $seen[] = $delta;
        }
        $this->assertSame([...$expected, 'unread', 'last'], self::texts($seen));
    }

    public function testAStreamIsReadAsItsBytesCome(): void
    {
        [$reader, $writer] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        fwrite($writer, self::event('at once'));
        stream_set_timeout($reader, 5);
        foreach ((new Decoder())->deltas($reader) as $delta) {
            if ($delta instanceof Deltawire\Text) {
                break;
            }
        }
        $this->assertSame('at once', $delta->text);
        $decoder = new Decoder();
        $deltas = iterator_to_array($decoder->deltas(fopen(self::DATA . '/serve-chat.sse', 'rb')), false);
        $this->assertSame(['start', 'other', 'reasoning', 'text', 'text', 'finish', 'usage', 'done'], self::kinds($deltas));
        $this->assertEquals(new Deltawire\Usage(9, 4, 13, 2), $deltas[6]);
        $this->assertEquals(new Deltawire\Finish(0, Deltawire\FinishReason::Stop, 'stop'), $deltas[5]);
        $this->assertSame('tiny-chat-1', $deltas[0]->model);
    }

    public function testAllDeltasOfAnEventComeWithItsPieceWhateverTheBatch(): void
    {
        foreach ([1, 2, 3, 1000] as $batch) {
            $decoder = new Decoder(batch: $batch);
            $deltas = $decoder->feed(file_get_contents(self::DATA . '/serve-single.sse'));
            // The detail is the time at which it was made.
            $this->assertSame(['start', 'text', 'finish', 'other'], self::kinds($deltas));
        }
    }

    public function testDecodersThatNobodyClosesAreFreed(): void
    {
        $cut = 'data: ' . str_repeat('x', 50_000);
        $drop = function () use ($cut): int {
            for ($count = 0; $count < 2000; $count++) {
                self::texts((new Decoder())->feed($cut));
            }
            return 4096 * (int) explode(' ', file_get_contents('/proc/self/statm'))[1];
        };
        $before = $drop();
        for ($round = 0; $round < 4; $round++) {
            $after = $drop();
        }
        // Each had 50 KB: 400 MB if they stayed.
        $this->assertLessThan(50_000_000, $after - $before);
    }

    public function testDeltasArePutTogether(): void
    {
        $collect = function (string $bytes): Deltawire\Message {
            $decoder = new Decoder();
            $message = new Deltawire\Message();
            foreach ($decoder->deltas([$bytes]) as $delta) {
                $message->push($delta);
            }
            $message->finish($decoder->end());
            return $message;
        };
        $message = $collect(file_get_contents(self::DATA . '/serve-chat.sse'));
        $told = [$message->id(), $message->model(), $message->role(), $message->text()];
        $this->assertSame(['chatcmpl-t1', 'tiny-chat-1', 'assistant', 'Grüß dich'], $told);
        $stop = Deltawire\FinishReason::Stop;
        $this->assertEquals([new Deltawire\Choice(0, $stop, 'stop', 'Grüß dich', 'Greet.', '')], $message->choices());
        $this->assertEquals(new Deltawire\Usage(9, 4, 13, 2), $message->usage());
        $this->assertSame([End::Complete, true, null], [$message->end(), $message->isComplete(), $message->error()]);

        $message = $collect(file_get_contents(self::DATA . '/serve-error.sse'));
        $error = [Deltawire\ErrorKind::Overloaded, 'overloaded', 'The engine is overloaded', true];
        $this->assertEquals(new Deltawire\ProviderError(...$error), $message->error());
        $this->assertFalse($message->isComplete());

        $message = $collect(<<<'SSE'
            data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"add","arguments":"{\"a\""}}]}}]}

            data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":"tool_calls"}]}

            data: [DONE]


            SSE);
        $this->assertEquals([new Deltawire\ToolCall(0, 0, 't', 'add', '{"a":1}')], $message->toolCalls());
        $this->assertSame([], $message->serverToolCalls());
    }

    public function testAWholeResponseIsRead(): void
    {
        $body = '{"id":"w","model":"m","object":"chat.completion","choices":[{"index":0,"message":'
            . '{"role":"assistant","content":"Hello\u0000"},"finish_reason":"stop"}]}';
        $this->assertSame("Hello\0", Deltawire\Message::read($body)->text());
        foreach (['{}' => 'DW_ERR_NOT_A_RESPONSE', '<html>' => 'DW_ERR_NOT_JSON'] as $body => $status) {
            try {
                Deltawire\Message::read($body);
                $this->fail('taken');
            } catch (Deltawire\Exception $error) {
                $this->assertSame($status, $error->status);
            }
        }
    }
}
