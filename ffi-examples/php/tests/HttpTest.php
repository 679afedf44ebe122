<?php

declare(strict_types=1);

require_once __DIR__ . '/Helper.php';

use Deltawire\Client;
use Deltawire\Request;

/** The library's transport and both chats, against `deltawire serve`. */
final class HttpTest extends Helper
{
    private const SLOW = ['--interval-ms', '10000', 'serve-chat.sse'];

    private static function client(string $url, mixed ...$options): Client
    {
        return new Client(...$options, baseUrl: $url, key: 'secret-key', retries: 0);
    }

    private static function ask(): Request
    {
        $messages = [['role' => 'user', 'content' => 'Say hello']];
        return new Request('tiny-chat-1', $messages, includeUsage: true);
    }

    public function testAReplyIsStreamed(): void
    {
        $stream = self::client($this->serve('--interval-ms', '150', 'serve-chat.sse'))->stream(self::ask());
        $deltas = [];
        $took = self::seconds(function () use ($stream, &$deltas): void {
            foreach ($stream as $delta) {
                $first ??= hrtime(true);
                $deltas[] = $delta;
            }
            $this->assertGreaterThan(0.5, (hrtime(true) - $first) / 1e9);
        });
        $this->assertLessThan(5, $took);
        $this->assertSame('Grüß dich', implode('', self::texts($deltas)));
        $this->assertSame(['start', 'other', 'reasoning', 'text', 'text', 'finish', 'usage', 'done'], self::kinds($deltas));
        $this->assertSame('created', $deltas[1]->event);
        $this->assertSame(4, $deltas[6]->outputTokens);
        $this->assertSame(Deltawire\End::Complete, $stream->end());
    }

    public function testCancelledBetweenTwoDeltasItKeepsWhatCame(): void
    {
        $stream = self::client($this->serve('--interval-ms', '200', 'serve-chat.sse'))->stream(self::ask());
        $kept = [];
        $since = null;
        try {
            foreach ($stream as $delta) {
                $kept[] = $delta;
                if ($delta instanceof Deltawire\Text) {
                    $since = hrtime(true);
                    $stream->cancel();
                }
            }
            $this->fail('not cancelled');
        } catch (Deltawire\CancelledException $error) {
            $this->assertLessThan(0.15, (hrtime(true) - $since) / 1e9);
            $this->assertSame('DW_ERR_CANCELLED', $error->status);
        }
        $this->assertSame(['Grüß'], self::texts($kept));
        $this->assertSame(Deltawire\End::Truncated, $stream->end());
    }

    public function testASignalCancelsWhenTheNextDeltaComes(): void
    {
        $stream = self::client($this->serve('--interval-ms', '400', 'serve-chat.sse'))->stream(self::ask());
        pcntl_async_signals(true);
        pcntl_signal(SIGALRM, fn () => $stream->cancel());
        pcntl_alarm(1);
        $kept = [];
        try {
            $took = self::seconds(function () use ($stream, &$kept): void {
                try {
                    foreach ($stream as $delta) {
                        $kept[] = $delta;
                    }
                    $this->fail('not cancelled');
                } catch (Deltawire\CancelledException) {
                }
            });
        } finally {
            pcntl_signal(SIGALRM, SIG_DFL);
        }
        // The whole takes 2.4 s. The delta that ended the wait is the last one.
        $this->assertLessThan(1.7, $took);
        $this->assertSame(['start', 'other', 'reasoning', 'text', 'text'], self::kinds($kept));
    }

    public function testARefusalSaysWhyAndShowsNoKey(): void
    {
        $client = self::client($this->serve('--key', 'other', 'serve-chat.sse'));
        foreach (['stream', 'fetch'] as $way) {
            try {
                $answer = $client->$way(self::ask());
                self::texts($answer);
                $this->fail('answered');
            } catch (Deltawire\StatusException $error) {
                $this->assertSame(['DW_ERR_STATUS', 401], [$error->status, $error->httpStatus]);
                $this->assertSame(Deltawire\ErrorKind::Authentication, $error->kind);
                $this->assertStringContainsString('key', $error->said);
                $this->assertSame([false, null], [$error->transient, $error->retryAfter]);
                $shown = print_r([$error->getMessage(), $error->body, (string) $error, $client], true);
                $this->assertStringContainsString('401', $shown);
                $this->assertStringNotContainsString('secret-key', $shown);
            }
        }
    }

    public function testNobodyThereAndNothingToAskAreToldApart(): void
    {
        try {
            self::texts(self::client('http://127.0.0.1:9/v1')->stream(self::ask()));
            $this->fail('answered');
        } catch (Deltawire\TransportException $error) {
            $this->assertSame('DW_ERR_CONNECT', $error->status);
        }
        // So that a trace shows arguments, as far as they are not sensitive.
        $before = ini_set('zend.exception_ignore_args', '0');
        try {
            new Client(key: 'secret-key', caFile: '/absent.pem');
            $this->fail('taken');
        } catch (Deltawire\Exception $error) {
            $this->assertStringContainsString('SensitiveParameterValue', (string) $error);
            $this->assertStringNotContainsString('secret-key', (string) $error);
        } finally {
            ini_set('zend.exception_ignore_args', $before);
        }
        try {
            self::client('http://127.0.0.1:9', caFile: '/absent.pem');
            $this->fail('taken');
        } catch (Deltawire\Exception $error) {
            $this->assertSame('DW_ERR_REQUEST', $error->status);
            $this->assertStringContainsString('absent.pem', $error->getMessage());
            $this->assertStringNotContainsString('secret-key', (string) $error);
        }
        $this->expectException(\ValueError::class);
        self::client('http://127.0.0.1:9', idle: 0.0);
    }

    public function testSilenceHasALimit(): void
    {
        $this->expectException(Deltawire\TimeoutException::class);
        self::texts(self::client($this->serve(...self::SLOW), idle: 0.2)->stream(self::ask()));
    }

    public function testAnEventThatCannotBeReadDoesNotEndAStream(): void
    {
        $options = new Deltawire\Options(maxEventBytes: 205);
        $stream = self::client($this->serve('serve-chat.sse'), decoder: $options)->stream(self::ask());
        $kinds = $errors = [];
        do {
            $again = false;
            try {
                foreach ($stream as $delta) {
                    $kinds[] = $delta::KIND;
                }
            } catch (Deltawire\EventException $error) {
                $errors[] = $error->status;
                $again = true;
            }
        } while ($again);
        $this->assertContains('DW_ERR_EVENT_TOO_LARGE', $errors);
        $this->assertSame('done', end($kinds));
    }

    public function testABreakLeavesTheRest(): void
    {
        $stream = self::client($this->serve('serve-chat.sse'))->stream(self::ask());
        foreach ($stream as $delta) {
            if ($delta instanceof Deltawire\Reasoning) {
                break;
            }
        }
        $this->assertSame('Greet.', $delta->text);
        $this->assertSame('Grüß dich', implode('', self::texts($stream)));
    }

    public function testUseAfterCloseIsAnErrorAndClosingAgainIsNone(): void
    {
        $client = self::client($this->serve(...self::SLOW));
        $stream = $client->stream(self::ask());
        $client->close();
        $client->close();
        foreach ($stream as $delta) {
            // It does not need its client any more.
            $this->assertInstanceOf(Deltawire\Start::class, $delta);
            break;
        }
        $this->assertLessThan(2, self::seconds(function () use ($stream): void {
            $stream->close();
            $stream->close();
        }));
        $stream->cancel();
        foreach ([fn () => self::texts($stream), fn () => $stream->end(), fn () => $client->stream(self::ask())] as $use) {
            try {
                $use();
                $this->fail('taken');
            } catch (Deltawire\ClosedException $error) {
                $this->assertStringContainsString('is closed', $error->getMessage());
            }
        }
    }

    public function testAWholeResponseIsFetched(): void
    {
        $message = self::client($this->serve('serve-chat.sse'))->fetch(self::ask());
        $this->assertSame('Grüß dich', $message->text());
        $this->assertTrue($message->isComplete());
    }

    public function testJsonOfTheCallersOwnIsPosted(): void
    {
        $json = '{"model":"tiny-chat-1","stream":true,"messages":[]}';
        $request = new Request(path: '/chat/completions', json: $json);
        $stream = self::client($this->serve('serve-chat.sse'))->stream($request);
        $this->assertSame('Grüß dich', implode('', self::texts($stream)));
    }

    private static function environment(string $url, string $model = 'tiny-chat-1'): array
    {
        return ['OPENAI_BASE_URL' => $url, 'OPENAI_API_KEY' => 'secret-key', 'OPENAI_MODEL' => $model];
    }

    public static function chats(): array
    {
        return ['chat' => ['chat.php'], 'curl_chat' => ['curl_chat.php']];
    }

    /** @dataProvider chats */
    public function testTheReplyIsPrintedAsItComes(string $chat): void
    {
        $url = $this->serve('--key', 'secret-key', '--interval-ms', '200', 'serve-chat.sse');
        $this->start(self::php($chat, 'Say hello'), self::environment($url), $pipes);
        $this->assertSame('Grüß', fread($pipes[1], 100));
        $this->assertGreaterThan(0.3, self::seconds(function () use ($pipes): void {
            $this->assertSame(" dich\n", stream_get_contents($pipes[1]));
        }));
        $this->assertSame('(4 tokens)', stream_get_contents($pipes[2]));
    }

    /** @dataProvider chats */
    public function testTheExitStatusSaysWhatBecameOfIt(string $chat): void
    {
        $url = $this->serve('serve-chat.sse', 'serve-error.sse', 'serve-cut.sse');
        $ask = fn (string $model) => $this->program(self::php($chat, 'hi'), '', self::environment($url, $model))[2];
        $this->assertSame([0, 1, 1], array_map($ask, ['tiny-chat-1', 'serve-error', 'serve-cut']));
        $this->assertSame(2, $this->program(self::php($chat))[2]);
        $environment = self::environment('http://127.0.0.1:9/v1');
        $this->assertSame(3, $this->program(self::php($chat, 'hi'), '', $environment)[2]);
    }

    /** @dataProvider chats */
    public function testARefusalIsToldAndNoKey(string $chat): void
    {
        $url = $this->serve('--key', 'other', 'serve-chat.sse');
        [$out, $err, $status] = $this->program(self::php($chat, 'hi'), '', self::environment($url));
        $this->assertSame(3, $status);
        $this->assertMatchesRegularExpression('/401.*Incorrect API key/', $err);
        $this->assertStringNotContainsString('secret-key', $out . $err);
    }

    /** @dataProvider chats */
    public function testCtrlCEndsItAtOnceAndWhatCameWasPrinted(string $chat): void
    {
        $url = $this->serve('--interval-ms', '1000', 'serve-chat.sse');
        $process = $this->start(self::php($chat, 'hi'), self::environment($url), $pipes);
        $this->assertSame('Grüß', fread($pipes[1], 100));
        proc_terminate($process, SIGINT);
        $this->assertLessThan(0.8, self::seconds(fn () => stream_get_contents($pipes[1])));
        do {
            $status = proc_get_status($process);
        } while ($status['running'] && usleep(1000) === null);
        // The one handles the signal; the other leaves it its effect, for which a shell shows 130 too.
        $expected = $chat === 'curl_chat.php' ? [false, 130] : [true, SIGINT];
        $this->assertSame($expected, [$status['signaled'], $status['signaled'] ? $status['termsig'] : $status['exitcode']]);
    }

    public function testCurlChatPrintsTheLastEventThoughItsBlankLineIsMissing(): void
    {
        $server = stream_socket_server('tcp://127.0.0.1:0');
        $url = 'http://' . stream_socket_get_name($server, false) . '/v1';
        $process = $this->start(self::php('curl_chat.php', 'hi'), self::environment($url), $pipes);
        $socket = stream_socket_accept($server, 5);
        fread($socket, 10_000);
        fwrite($socket, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
        fwrite($socket, rtrim(self::event('Hi')));
        fclose($socket);
        $this->assertSame("Hi\n", stream_get_contents($pipes[1]));
    }
}
