/**
 * What an event costs, beside what is used now: a row each, tab-separated,
 *
 *     NAME  MODE  NANOSECONDS_PER_EVENT  TEXT_DELTAS  TEXT_BYTES
 *
 * of FILE, a stream of OpenAI chat chunks. Each counts the deltas of text and joins them; the least of 5
 * rounds after one that warms up. All read the same bytes in one process; those over HTTP get them from one
 * server, which is a process of its own.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { fileURLToPath } from 'node:url';

const ROUNDS = 5;

function cutInto(bytes, mode) {
  const pieces = [];
  for (let at = 0; at < bytes.length; ) {
    const end = mode === '16k' ? at + 16 * 1024 : bytes.indexOf('\n\n', at) + 2;
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

/** The server: a path a mode, a write a piece. */
function serve(file) {
  const bytes = fs.readFileSync(file);
  const modes = { '/16k': cutInto(bytes, '16k'), '/event': cutInto(bytes, 'event') };
  const server = http.createServer(async (request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (const piece of modes[request.url.slice(0, request.url.indexOf('/', 1))]) {
      if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  });
  server.listen(0, '127.0.0.1', () => process.send(server.address().port));
}

async function measure(file) {
  const { createParser } = await import('eventsource-parser');
  const { OpenAI } = await import('openai');
  const { Client, Decoder, deltas } = await import('./deltawire.js');

  const bytes = fs.readFileSync(file);
  const events = cutInto(bytes, 'event').length - 1; // The last is [DONE].

  const readDeltas = (options) => (pieces) => {
    const decoder = new Decoder(options);
    let count = 0;
    let text = '';
    const take = (deltas) => {
      for (const delta of deltas) {
        if (delta.type !== 'text') continue;
        count += 1;
        text += delta.text;
      }
    };
    for (const piece of pieces) take(decoder.feed(piece));
    take(decoder.finish());
    decoder.close();
    return { count, text };
  };

  const parsed = (into) => (data) => {
    if (data === '[DONE]') return;
    const content = JSON.parse(data).choices[0]?.delta?.content;
    if (!content) return;
    into.count += 1;
    into.text += content;
  };

  const withParser = (pieces) => {
    const found = { count: 0, text: '' };
    const take = parsed(found);
    const parser = createParser({ onEvent: (event) => take(event.data) });
    const decoder = new TextDecoder();
    for (const piece of pieces) parser.feed(decoder.decode(piece, { stream: true }));
    return found;
  };

  const byHand = (pieces) => {
    const found = { count: 0, text: '' };
    const take = parsed(found);
    const decoder = new TextDecoder();
    let rest = '';
    for (const piece of pieces) {
      rest += decoder.decode(piece, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop();
      for (const line of lines) if (line.startsWith('data: ')) take(line.slice(6));
    }
    return found;
  };

  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream: true };
  const collect = async (stream) => {
    let count = 0;
    let text = '';
    for await (const delta of stream) {
      if (delta.type !== 'text') continue;
      count += 1;
      text += delta.text;
    }
    return { count, text };
  };
  const overFetch = async (url) => {
    const response = await fetch(`${url}/chat/completions`, { method: 'POST', body: JSON.stringify(body) });
    return collect(deltas(response.body));
  };
  const overTransport = async (url) => {
    const client = new Client({ baseUrl: url, proxy: 'direct' });
    const found = await collect(client.stream(body));
    client.close();
    return found;
  };
  const overOpenai = async (url) => {
    const client = new OpenAI({ baseURL: url, apiKey: 'none' });
    let count = 0;
    let text = '';
    for await (const chunk of await client.chat.completions.create(body)) {
      const content = chunk.choices[0]?.delta?.content;
      if (!content) continue;
      count += 1;
      text += content;
    }
    return { count, text };
  };

  const server = spawn(process.execPath, [fileURLToPath(import.meta.url), '--serve', file], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    const port = await new Promise((resolve, reject) => {
      server.once('message', resolve).once('exit', () => reject(new Error('the server ended')));
    });
    for (const mode of ['16k', 'event']) {
      const pieces = cutInto(bytes, mode);
      const url = `http://127.0.0.1:${port}/${mode}`;
      for (const [name, read, from] of [
        ['deltawire', readDeltas(), pieces],
        ['deltawire, one call a delta', readDeltas({ batch: 1 }), pieces],
        ['eventsource-parser + JSON.parse', withParser, pieces],
        ['split lines + JSON.parse', byHand, pieces],
        ['deltawire, HTTP', overFetch, url],
        ['deltawire, its transport, HTTP', overTransport, url],
        ['openai, HTTP', overOpenai, url],
      ]) {
        let least = Infinity;
        let found;
        for (let round = 0; round <= ROUNDS; round++) {
          const began = process.hrtime.bigint();
          found = await read(from);
          if (round > 0) least = Math.min(least, Number(process.hrtime.bigint() - began));
        }
        console.log([name, mode, (least / events).toFixed(1), found.count, Buffer.byteLength(found.text)].join('\t'));
      }
    }
  } finally {
    server.kill();
  }
}

if (process.argv[2] === '--serve') serve(process.argv[3]);
else await measure(process.argv[2]);
