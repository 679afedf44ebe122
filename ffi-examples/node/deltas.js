#!/usr/bin/env node
/**
 * Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
 *
 *     deltas.js [--dialect NAME] [--chunk-size N] [FILE]      standard input where there is no FILE, or `-`
 *
 * Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
 */
import fs from 'node:fs';
import { parseArgs } from 'node:util';

import { Decoder } from './deltawire.js';
import { lastLine, line } from './lines.js';

function usage(why) {
  console.error(`deltas: ${why}\nusage: deltas.js [--dialect NAME] [--chunk-size N] [FILE]`);
  process.exit(2);
}

function open() {
  try {
    const { values, positionals } = parseArgs({
      options: { dialect: { type: 'string', default: 'auto' }, 'chunk-size': { type: 'string', default: '65536' } },
      allowPositionals: true,
    });
    if (positionals.length > 1) usage('one file at a time');
    if (!/^[1-9]\d{0,8}$/.test(values['chunk-size'])) usage('--chunk-size is a number from 1');
    const [path = '-'] = positionals;
    return {
      decoder: new Decoder({ dialect: values.dialect }),
      file: path === '-' ? 0 : fs.openSync(path),
      chunk: Buffer.alloc(Number(values['chunk-size'])),
    };
  } catch (error) {
    return usage(error.message);
  }
}

const { decoder, file, chunk } = open();
let isFaulty = false;

function print(deltas) {
  let lines = '';
  for (const delta of deltas) {
    if (delta.type === 'event_error') console.error(`deltas: ${delta.error.message}`);
    else lines += line(delta);
    isFaulty ||= delta.type === 'event_error' || delta.type === 'error';
  }
  write(lines);
}

/** All of it, also into a pipe that is full. */
function write(text) {
  for (let bytes = Buffer.from(text); bytes.length > 0; ) {
    try {
      bytes = bytes.subarray(fs.writeSync(1, bytes));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

for (let len; (len = fs.readSync(file, chunk)) > 0; ) print(decoder.feed(chunk.subarray(0, len)));
print(decoder.finish());
write(lastLine(decoder.end));
process.exitCode = isFaulty || decoder.end !== 'complete' ? 1 : 0;
decoder.close();
