<?php

declare(strict_types=1);

/** Deltas as the command `deltawire deltas` prints them: a JSON object a line, keys in a fixed order. */

namespace Deltawire\Lines;

use Deltawire\Delta;
use Deltawire\End;
use Deltawire\Error;
use Deltawire\Other;
use Deltawire\ServerToolCallArguments;
use Deltawire\ToolCallArguments;
use Deltawire\Usage;

require_once __DIR__ . '/Deltawire.php';

/** An object of members in their order, those that are null left out, non-ASCII as it is. */
function object(array $members): string
{
    // What is not UTF-8, which only `raw` can be, shows as U+FFFD.
    return json_encode(
        array_filter($members, static fn (mixed $value): bool => $value !== null),
        JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_LINE_TERMINATORS
            | JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR,
    );
}

/** The line of a delta. */
function line(Delta $delta): string
{
    $members = ['type' => $delta::KIND];
    if ($delta instanceof ToolCallArguments || $delta instanceof ServerToolCallArguments) {
        $members += ['choice' => $delta->choice, 'index' => $delta->index, 'fragment' => $delta->fragment];
        $members += $delta->whole ? ['whole' => true] : [];
    } elseif ($delta instanceof Error) {
        $members += ['kind' => $delta->kind, 'code' => $delta->code, 'message' => $delta->message];
        $members += ['transient' => $delta->transient];
    } elseif ($delta instanceof Other) {
        $members += ['event' => $delta->event, 'raw' => $delta->raw];
    } elseif ($delta instanceof Usage) {
        // By hand, since json_encode has no unsigned numbers.
        $counts = '';
        foreach (array_filter(get_object_vars($delta), is_int(...)) as $name => $count) {
            $counts .= sprintf(',"%s":%u', strtolower(preg_replace('/[A-Z]/', '_$0', $name)), $count);
        }
        return '{"type":"usage"' . $counts . '}';
    } else {
        foreach (get_object_vars($delta) as $name => $value) {
            $members[$name] = $value;
        }
    }
    return object($members);
}

/** The last line. */
function lineOfEnd(End $end): string
{
    return object(['type' => 'end', 'complete' => $end === End::Complete]);
}
