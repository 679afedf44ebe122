import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import koffi from 'koffi';

import { Decoder, DeltawireError, EventError, Message, deltas, dialects, version } from '../deltawire.js';
import { structs } from '../lib/native.js';
import { chunk, program, reply } from './common.js';

const bytes = (text) => Buffer.from(text);
const textOf = (deltas) => deltas.filter(({ type }) => type === 'text').map(({ text }) => text).join('');

test('the structs are those of the header', () => {
  const lines = [];
  for (const [name, type] of Object.entries(structs)) {
    lines.push(`printf("%s %zu\\n", "${name}", sizeof(${name}));`);
    for (const member of Object.keys(type.members)) {
      lines.push(`printf("%s.%s %zu\\n", "${name}", "${member}", offsetof(${name}, ${member}));`);
    }
  }
  const file = program('layout.c');
  fs.writeFileSync(file, `#include <deltawire.h>\n#include <stdio.h>\nint main(void) {\n${lines.join('\n')}\n}\n`);
  const include = path.join(process.env.DELTAWIRE_PREFIX, 'include');
  execFileSync('cc', ['-I', include, file, '-o', program('layout')]);
  const header = execFileSync(program('layout'), { encoding: 'utf8' });
  let found = '';
  for (const [name, type] of Object.entries(structs)) {
    found += `${name} ${koffi.sizeof(type)}\n`;
    for (const member of Object.keys(type.members)) found += `${name}.${member} ${koffi.offsetof(type, member)}\n`;
  }
  assert.equal(found, header);
  assert.ok(header.split('\n').length > 100);
});

test('a text stays after the next call and after the decoder is closed', () => {
  const decoder = new Decoder();
  const buffer = bytes(chunk('first, a text that is long enough to be no copy of a few letters'));
  const [, first] = decoder.feed(buffer);
  const [escaped] = decoder.feed(bytes(chunk('a "quoted"\n text')));
  buffer.fill(0x78);
  for (let at = 0; at < 100; at++) decoder.feed(bytes(chunk(`another text ${at} of some length, to write over all`)));
  decoder.close();
  assert.equal(first.text, 'first, a text that is long enough to be no copy of a few letters');
  assert.equal(escaped.text, 'a "quoted"\n text');
});

test('raw bytes stay after the next call and need not be UTF-8', () => {
  const decoder = new Decoder({ dialect: 'openai-chat' });
  const [error, other] = decoder.feed(Buffer.from('data: no JSON \xff\0\n\n', 'latin1'));
  decoder.feed(Buffer.from('data: something else \xfe\n\n', 'latin1'));
  decoder.close();
  assert.equal(error.type, 'event_error');
  assert.equal(other.type, 'other');
  assert.deepEqual(Buffer.from(other.raw), Buffer.from('no JSON \xff\0', 'latin1'));
});

test('NUL, non-ASCII and surrogate pairs survive', () => {
  for (const text of ['a\0b', '\0', 'Grüß', '日本語', '🦀', 'x'.repeat(100_000) + 'ü', '\ufeffBOM', '\u2028']) {
    const decoder = new Decoder({ dialect: 'openai-chat' });
    for (const sent of [chunk(text), chunk(text).replace(/[^\x20-\x7e\n]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)]) {
      assert.equal(textOf(decoder.feed(bytes(sent))), text);
    }
    decoder.close();
  }
});

test('a chunk larger than the block of memory is read whole, also where it is a view', () => {
  const many = Array.from({ length: 3000 }, (_, at) => `<${at}>`);
  const all = bytes(`xx${many.map(chunk).join('')}`);
  const decoder = new Decoder();
  assert.equal(textOf(decoder.feed(new Uint8Array(all.buffer, all.byteOffset + 2, all.length - 2))), many.join(''));
  assert.equal(decoder.events, 3000);
  assert.equal(decoder.offset, all.length - 2);
  assert.equal(decoder.dialect, 'openai-chat');
  decoder.close();
});

test('use after close is an error, to close twice is none', () => {
  const decoder = new Decoder();
  decoder.close();
  decoder.close();
  for (const use of [
    () => decoder.feed(bytes('x')), () => decoder.finish(), () => decoder.reset(), () => decoder.end,
    () => decoder.dialect, () => decoder.seen, () => decoder.offset,
  ]) {
    assert.throws(use, { name: 'TypeError', message: 'used after close' });
  }
  const message = new Message();
  message.close();
  message.close();
  assert.throws(() => message.text, TypeError);
});

test('what is no dialect, no chunk and no option is refused', () => {
  for (const dialect of ['nobody', null, '', 'unknown', 'openai-chat\0']) {
    assert.throws(() => new Decoder({ dialect }), TypeError);
  }
  assert.ok(dialects.includes('anthropic') && !dialects.includes('unknown'));
  assert.throws(() => new Decoder({ framing: 'tape' }), TypeError);
  assert.throws(() => new Decoder({ maxEventBytes: -1 }), RangeError);
  const decoder = new Decoder();
  for (const chunk of ['text', null, undefined, [1], new Uint16Array(1)]) {
    assert.throws(() => decoder.feed(chunk), TypeError);
  }
  decoder.close();
});

test('a truncated stream says so', async () => {
  const decoder = new Decoder();
  decoder.feed(bytes(chunk('half')));
  decoder.finish();
  assert.equal(decoder.end, 'truncated');
  decoder.reset();
  decoder.feed(bytes(reply));
  decoder.finish();
  assert.equal(decoder.end, 'complete');
  decoder.close();
  const stream = deltas((async function* () {
    yield bytes(chunk('half'));
  })());
  for await (const delta of stream) assert.notEqual(delta.type, 'done');
  assert.equal(stream.end, 'truncated');
});

test('an event over the limit is an error and the stream goes on', () => {
  const decoder = new Decoder({ maxEventBytes: 1000, dialect: 'openai-chat' });
  const before = bytes(chunk('before'));
  const found = decoder.feed(Buffer.concat([before, bytes(chunk('x'.repeat(2000))), bytes(chunk('after'))]));
  assert.equal(textOf(found), 'beforeafter');
  const { error } = found.find(({ type }) => type === 'event_error');
  assert.ok(error instanceof EventError && error instanceof DeltawireError && error instanceof Error);
  assert.equal(error.status, 'DW_ERR_EVENT_TOO_LARGE');
  assert.equal(error.offset, before.length);
  assert.match(error.message, /1000/);
  decoder.close();
});

test('a page in place of a stream can be looked at', () => {
  const decoder = new Decoder();
  decoder.feed(bytes('<html>Bad gateway</html>\n'));
  decoder.finish();
  assert.equal(decoder.end, 'unrecognised');
  assert.equal(Buffer.from(decoder.seen).toString(), '<html>Bad gateway</html>\n');
  decoder.close();
});

test('a message is put together of deltas', () => {
  const decoder = new Decoder();
  const message = new Message();
  for (const delta of [...decoder.feed(bytes(reply)), ...decoder.finish()]) message.push(delta);
  message.push({ type: 'tool_call_start', choice: 0, index: 0, id: 'call-1', name: 'größe' });
  message.push({ type: 'tool_call_arguments', choice: 0, index: 0, fragment: '{"a":', whole: false });
  message.push({ type: 'tool_call_arguments', choice: 0, index: 0, fragment: '1}', whole: false });
  message.push({ type: 'text', choice: 0, text: '\0!' });
  message.push({ type: 'usage', cachedTokens: 2n ** 63n });
  message.push({ type: 'event_error', error: undefined });
  assert.equal(message.isComplete, false);
  message.finish(decoder.end);
  decoder.close();
  assert.equal(message.text, 'Grüß dich\0!');
  assert.equal(message.id, 'c-1');
  assert.equal(message.model, 'tiny-chat-1');
  assert.equal(message.role, 'assistant');
  assert.equal(message.choices[0].reason, 'stop');
  assert.deepEqual(message.usage, { inputTokens: 9, outputTokens: 4, totalTokens: 13, cachedTokens: 2n ** 63n });
  assert.deepEqual(message.toolCalls, [{ choice: 0, index: 0, id: 'call-1', name: 'größe', arguments: '{"a":1}' }]);
  assert.deepEqual(message.serverToolCalls, []);
  assert.equal(message.error, undefined);
  assert.equal(message.end, 'complete');
  assert.equal(message.isComplete, true);
  message.push({ type: 'error', kind: 'overloaded', code: 'busy', message: 'later', transient: true, raw: bytes('{}') });
  assert.deepEqual(message.error, { kind: 'overloaded', code: 'busy', message: 'later', transient: true });
  assert.throws(() => message.push({ type: 'nothing' }), TypeError);
  assert.throws(() => message.finish('unknown'), { status: 'DW_ERR_ARGUMENT' });
  message.close();
});

test('a whole response is read into a message', () => {
  const message = new Message();
  message.read(JSON.stringify({
    id: 'c-2', object: 'chat.completion', model: 'm', created: 1,
    choices: [{ index: 0, message: { role: 'assistant', content: 'whole' }, finish_reason: 'stop' }],
  }));
  assert.equal(message.text, 'whole');
  assert.throws(() => message.read('{"a": nothing}'), (error) => error instanceof EventError && error.at > 0);
  assert.throws(() => message.read(''), EventError);
  message.close();
});

test('a body that is left early is cancelled, and one that fails passes its error on', async () => {
  let isCancelled = false;
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(bytes(chunk('on and on'))),
    cancel: () => void (isCancelled = true),
  });
  const stream = deltas(body);
  for await (const { type } of stream) if (type === 'text') break;
  assert.ok(isCancelled);
  assert.equal(stream.end, 'truncated');
  assert.equal(stream.dialect, 'openai-chat');
  const failing = deltas((async function* () {
    yield bytes(chunk('so far'));
    throw new Error('the line is dead');
  })());
  const found = [];
  await assert.rejects(async () => {
    for await (const delta of failing) found.push(delta);
  }, /the line is dead/);
  assert.equal(textOf(found), 'so far');
  const unread = deltas(new ReadableStream({}));
  await unread.return();
  assert.equal(unread.end, 'unrecognised');
  await assert.doesNotReject(unread.return());
  assert.throws(() => deltas('text'), TypeError);
});

test('`using` closes', { skip: !Symbol.dispose }, () => {
  const decoder = new Decoder();
  decoder[Symbol.dispose]();
  assert.throws(() => decoder.end, TypeError);
});

test('dropped objects do not leak', async () => {
  const round = async () => {
    for (let at = 0; at < 5000; at++) {
      const decoder = new Decoder();
      decoder.feed(bytes(`data: {"unfinished": "${'x'.repeat(20_000)}`));
      new Message().push({ type: 'text', choice: 0, text: 'y'.repeat(20_000) });
      if (at % 500 === 0) {
        gc();
        await new Promise(setImmediate);
      }
    }
    gc();
    await new Promise(setImmediate);
    return process.memoryUsage.rss();
  };
  const before = await round();
  const after = await round();
  // Kept, they would be 200 MB a round and more.
  assert.ok(after - before < 60e6, `${(after - before) / 1e6} MB`);
});

test('the version is that of the package', () => {
  assert.equal(version, JSON.parse(fs.readFileSync(program('package.json'))).version);
});
