import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';

import { Decoder, deltas } from '../deltawire.js';
import { lastLine, line } from '../lines.js';
import { cases, program, run } from './common.js';

const all = cases();

const linesOf = (deltas) => deltas.filter(({ type }) => type !== 'event_error').map(line).join('');

function linesIn(decoder, pieces) {
  decoder.reset();
  let lines = '';
  for (const piece of pieces) lines += linesOf(decoder.feed(piece));
  return lines + linesOf(decoder.finish()) + lastLine(decoder.end);
}

function* cut(bytes, size) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test('there are cases', () => {
  assert.ok(all.length >= 30, `${all.length} cases`);
  assert.ok(all.some(({ isShort }) => isShort));
});

for (const { name, bytes, dialect, isShort, lines } of all) {
  test(`case ${name}`, () => {
    const decoder = new Decoder({ dialect });
    const single = new Decoder({ dialect, batch: 1 });
    try {
      for (const size of [Infinity, 1, 7, 64]) {
        assert.equal(linesIn(decoder, cut(bytes, size)), lines, `in pieces of ${size}`);
        assert.equal(linesIn(single, cut(bytes, size)), lines, `a call a delta, in pieces of ${size}`);
      }
      for (let at = 1; isShort && at < bytes.length; at++) {
        const found = linesIn(decoder, [bytes.subarray(0, at), bytes.subarray(at)]);
        assert.equal(found, lines, `cut at ${at}`);
      }
    } finally {
      decoder.close();
      single.close();
    }
  });
}

test('an async iterable of chunks gives the same', async () => {
  for (const { name, bytes, dialect, lines } of all) {
    const stream = deltas((async function* () {
      yield* cut(bytes, 100);
    })(), { dialect });
    const found = [];
    for await (const delta of stream) found.push(delta);
    assert.equal(linesOf(found) + lastLine(stream.end), lines, name);
  }
});

test('the program prints what the command prints', async () => {
  for (const { name, file, dialect, lines } of all.filter((_, at) => at % 37 === 0)) {
    const command = await run(process.env.DELTAWIRE, ['deltas', '--dialect', dialect, file]);
    const args = [program('deltas.js'), '--dialect', dialect];
    for (const more of [[file], ['--chunk-size', '1', file]]) {
      const found = await run(process.execPath, [...args, ...more]);
      assert.equal(found.stdout, lines, name);
      assert.equal(found.status, command.status, `${name}: ${found.stderr}`);
    }
    const found = await run(process.execPath, args, { input: fs.readFileSync(file) });
    assert.equal(found.stdout, lines, `${name} on standard input`);
  }
});

test('the program refuses what is no usage', async () => {
  for (const args of [['--dialect', 'nobody'], ['--chunk-size', '0'], ['a', 'b'], ['/no/such/file'], ['--x']]) {
    const found = await run(process.execPath, [program('deltas.js'), ...args]);
    assert.equal(found.status, 2, args.join(' '));
    assert.match(found.stderr, /usage: /);
  }
});
