#!/usr/bin/env python3
"""What Python's json.loads reads, for tests/reader.rs to compare with the reader.

    tests/reader_python.py table >tests/data/reader.tsv    texts written by hand, and some random ones
    tests/reader_python.py random SEED COUNT               random texts, half of them damaged

Each line has a text as a JSON string, a tab, and the value in a notation that both sides write: n, t, f,
#number, "hex of UTF-8", [elements], {names:values}. A text that Python rejects has -, one with more than
128 levels has "deep". Lone surrogates count as U+FFFD.
"""

import json
import random
import re
import sys

sys.set_int_max_str_digits(0)

MAX_DEPTH = 128

HAND = [
    "", " ", "null", "true", "false", "nul", "nulll", "True", "None", "0", "-0", "-", "00", "01", "-01", "1.", ".5",
    "1.5", "1.5e", "1e5", "1E+5", "1e-5", "1e+", "1e400", "-1e400", "1e-400", "+1", "0x10", "1_000", "NaN", "-NaN", "nan",
    "Infinity", "-Infinity", "+Infinity", "Inf", "-Inf", "9" * 400, "-" + "9" * 400, "1." + "3" * 400, "0.0", "-0.0",
    "1e0001", "0e0", "0e", "1 2", "1,2", '""', '"', '"a', '"a"b', "'a'", '"\t"', '"\n"', '"\0"', '"\x1f"', '"\x7f"',
    '"\x80\x9f\u2028\u2029"', '"\\"', '"\\\\"', '"\\/"', '"\\b\\f\\n\\r\\t"', '"\\a"', '"\\\'"', '"\\x41"', '"\\0"', '"\\N"',
    '"\\u0041"', '"\\u00e9"', '"\\u00E9"', '"\\u00g9"', '"\\u 123"', '"\\u+123"', '"\\u-123"', '"\\u0x41"', '"\\u1_23"',
    '"\\u123"', '"\\u"', '"\\U00000041"', '"\\u\uff11\uff11\uff11\uff11"', '"\\ud83d\\ude00"', '"\\uD83D\\uDE00"',
    '"\\ud83d"', '"\\ude00"', '"\\ude00\\ud83d"', '"\\ud83d\\ud83d\\ude00"', '"\\ud83d\\u0041"', '"\\ud83d\\n"',
    '"\\ud83d\\\\ude00"', '"\\ud83d\\ude0"', '"\\ud83dx\\ude00"', '"\\u0000"', '"\U0001f600"', '"\ufeff"', '\ufeff1', '\ufeff"a"',
    "[]", "[ ]", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "[[]", "[]]", "[1,,2]", "[\u00a01]", "[\x0b1]", "[\x0c1]",
    "[\u20281]", " \t\n\r[ \t\n\r1 \t\n\r, \t\n\r2 \t\n\r] \t\n\r", "[1]x", "[1]\0", "\0", "[1]//", "[1/**/]",
    "{}", "{ }", "{", "}", "{1:2}", "{a:1}", "{'a':1}", '{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', '{"a":1 "b":2}', '{"a":1,,"b":2}',
    '{"a" 1}', '{"a"::1}', '{"a":1]', '{"a":1}}', '{"a":1,"a":2}', '{"\\u0061":1,"a":2}', '{"":0}', '{"a\tb":1}', '{"\\ud800":1}',
    '{ "a" : 1 , "b" : [ ] , "c" : { } }', '{"a":1,"b":[true,false,null,NaN,-Infinity,"x"],"c":{"d":{"e":[]}}}', '{"a":tru}',
    '{"a":nul}', '{"a":falsee}', '["' + "x" * 100 + '"]', '["' + "x" * 15 + '\n"]', '["' + "x" * 16 + '\\x"]', '["' + "é" * 50 + '"]',
    "[" * 128 + "]" * 128, "[" * 129 + "]" * 129, '{"a":' * 128 + "1" + "}" * 128, '{"a":' * 129 + "1" + "}" * 129, "[" * 200 + "]" * 200,
    "[" * 127 + "{}" + "]" * 127, "[" * 128 + "{}" + "]" * 128, "[" * 128, "[" * 128 + "1", '{"' + "k" * 300 + '":1}',
    '{"' + "\\u006b" * 140 + '":1}', "[1.0,3e0,-1.0,18446744073709551615,18446744073709551616,9007199254740993.0]",
]

STRINGS = ["", "a", "content", "\\n", "\\u00e9", "\\ud83d\\ude00", "\\ud800", "\\udc00", "é", "💩", "\\\\", '\\"', "\\/", " ", "x" * 14,
           "x" * 17, "a longer text, of more than sixteen bytes", "\x7f", "\u2028", "id", "type", "\\t", "y" * 70]
NUMBERS = ["0", "1", "-1", "10", "3.0", "1.5", "-0", "1e5", "2E-3", "1e400", "12345678901234567890123", "NaN", "Infinity", "-Infinity",
           "1700000000", "0.25", "18446744073709551616"]
SPACES = ["", "", "", "", "", " ", "  ", "\n", "\t", "\r\n    "]
DAMAGE = list('{}[]",:\\0123456789.-+eEnulltruefalsNaInfity \t\n\r\0') + ["\x1f", "\x7f", "é", "💩", "\ufeff", "\u00a0", '\\u', '\\ud800', '""']


def string(r):
    return '"' + "".join(r.choice(STRINGS) for _ in range(r.choice([0, 1, 1, 1, 2, 3, 6]))) + '"'


def value(r, depth):
    kind = r.random()
    space = lambda: r.choice(SPACES)
    if depth < 5 and kind < 0.25:
        members = [space() + string(r) + space() + ":" + space() + value(r, depth + 1) + space() for _ in range(r.randrange(5))]
        return "{" + (",".join(members) or space()) + "}"
    if depth < 5 and kind < 0.4:
        return "[" + (",".join(space() + value(r, depth + 1) + space() for _ in range(r.randrange(5))) or space()) + "]"
    if kind < 0.7:
        return string(r)
    if kind < 0.9:
        return r.choice(NUMBERS)
    return r.choice(["null", "true", "false"])


def damaged(r, text):
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        at = r.randrange(len(text) + 1)
        to = min(len(text), at + r.choice([0, 0, 1, 1, 1, 2, 5]))
        text = text[:at] + r.choice(["", r.choice(DAMAGE), r.choice(DAMAGE), text[at:to] * 2]) + text[to:]
    return text if r.random() < 0.9 else text[:r.randrange(len(text) + 1)]


class Number(str):
    pass


class Object(list):
    pass


def notation(value, depth=0):
    if depth > MAX_DEPTH or depth == MAX_DEPTH and isinstance(value, list):
        raise RecursionError
    if value is None:
        return "n"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, Number):
        return "#" + value
    if isinstance(value, str):
        return '"' + re.sub("[\ud800-\udfff]", "\ufffd", value).encode().hex() + '"'
    if isinstance(value, Object):
        return "{" + ",".join(notation(k, depth) + ":" + notation(v, depth + 1) for k, v in value) + "}"
    return "[" + ",".join(notation(v, depth + 1) for v in value) + "]"


def line(text):
    try:
        value = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=Object)
        read = notation(value)
    except RecursionError:
        read = "deep"
    except ValueError:
        read = "-"
    return json.dumps(text) + "\t" + read


def random_texts(seed, count):
    r = random.Random(seed)
    for n in range(count):
        text = r.choice(SPACES) + value(r, r.choice([0, 0, 0, 3, 5])) + r.choice(SPACES)
        yield damaged(r, text) if n % 2 else text


def main():
    texts = HAND + list(random_texts(1, 300)) if sys.argv[1] == "table" else random_texts(int(sys.argv[2]), int(sys.argv[3]))
    for text in texts:
        print(line(text))


main()
