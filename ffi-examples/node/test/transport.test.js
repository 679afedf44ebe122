import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';

import { CancelledError, Client, DeltawireError, TransportError, deltas } from '../deltawire.js';
import { program, reply, request, run, serve } from './common.js';

const KEY = 'sk-correct-horse';

async function read(stream) {
  const found = { text: '', times: [], usage: undefined };
  for await (const delta of stream) {
    if (delta.type === 'text') {
      found.text += delta.text;
      found.times.push(performance.now());
    }
    if (delta.type === 'usage') found.usage = delta;
  }
  return found;
}

function client(t, baseUrl, options = {}) {
  const client = new Client({ baseUrl, retries: 0, proxy: 'direct', ...options });
  t.after(() => client.close());
  return client;
}

const fetchBody = async (baseUrl, { signal, key } = {}) =>
  fetch(`${baseUrl}/chat/completions`, {
    method: 'POST',
    signal,
    headers: { 'Content-Type': 'application/json', ...(key && { Authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ ...request, includeUsage: undefined, stream: true, stream_options: { include_usage: true } }),
  });

test('the transport streams, and the event loop goes on', async (t) => {
  const stream = client(t, await serve(t, '--interval-ms', '100')).stream(request);
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 5);
  const { text, times, usage } = await read(stream);
  clearInterval(timer);
  assert.equal(text, 'Grüß dich');
  assert.ok(times[1] - times[0] > 50, `${times[1] - times[0]} ms between the two`);
  assert.ok(ticks > 20, `${ticks} ticks`);
  assert.equal(usage.outputTokens, 4);
  assert.equal(stream.end, 'complete');
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test('fetch streams', async (t) => {
  const response = await fetchBody(await serve(t, '--interval-ms', '100'));
  const stream = deltas(response.body);
  const { text, times } = await read(stream);
  assert.equal(text, 'Grüß dich');
  assert.ok(times[1] - times[0] > 50, `${times[1] - times[0]} ms between the two`);
  assert.equal(stream.end, 'complete');
});

test('a signal cancels the transport in the middle', async (t) => {
  const controller = new AbortController();
  const stream = client(t, await serve(t, '--interval-ms', '1000')).stream(request, { signal: controller.signal });
  let text = '';
  let cancelled;
  await assert.rejects(
    async () => {
      for await (const delta of stream) {
        if (delta.type !== 'text') continue;
        text += delta.text;
        setTimeout(() => {
          cancelled = performance.now();
          controller.abort(new Error('enough'));
        }, 20);
      }
    },
    (error) => {
      assert.ok(error instanceof CancelledError && error instanceof TransportError);
      assert.equal(error.name, 'AbortError');
      assert.equal(error.status, 'DW_ERR_CANCELLED');
      assert.equal(error.cause.message, 'enough');
      return true;
    },
  );
  assert.ok(performance.now() - cancelled < 500, `${performance.now() - cancelled} ms`);
  assert.equal(text, 'Grüß');
  assert.equal(stream.end, 'truncated');
});

test('a signal that was given before cancels from the start', async (t) => {
  const stream = client(t, await serve(t)).stream(request, { signal: AbortSignal.abort() });
  await assert.rejects(stream.next(), { name: 'AbortError' });
});

test('a stream that is left ends, also while somebody waits on it', async (t) => {
  const ask = client(t, await serve(t, '--interval-ms', '1000'));
  const began = performance.now();
  for await (const { type } of ask.stream(request)) if (type === 'start') break;
  const stream = ask.stream(request);
  const waiting = stream.next();
  const behind = stream.next();
  assert.deepEqual(await stream.return('gone'), { done: true, value: 'gone' });
  assert.deepEqual(await waiting, { done: true, value: undefined });
  assert.deepEqual(await behind, { done: true, value: undefined });
  assert.ok(performance.now() - began < 3000);
  const other = ask.stream(request);
  if (Symbol.asyncDispose) await other[Symbol.asyncDispose]();
  else await other.return();
  assert.equal((await other.next()).done, true);
});

test('cancel from elsewhere ends what waits', async (t) => {
  const stream = client(t, await serve(t, '--interval-ms', '1000')).stream(request);
  setTimeout(() => stream.cancel(), 50);
  await assert.rejects(read(stream), { status: 'DW_ERR_CANCELLED' });
  stream.cancel();
});

test('fetch is cancelled in the middle', async (t) => {
  const controller = new AbortController();
  const response = await fetchBody(await serve(t, '--interval-ms', '1000'), controller);
  const stream = deltas(response.body);
  let text = '';
  await assert.rejects(
    async () => {
      for await (const delta of stream) {
        if (delta.type !== 'text') continue;
        text += delta.text;
        controller.abort();
      }
    },
    { name: 'AbortError' },
  );
  assert.equal(text, 'Grüß');
  assert.equal(stream.end, 'truncated');
});

test('many streams at once all come to their end', async (t) => {
  // A server in this very process answers only if the event loop goes on while streams wait.
  const server = http.createServer(async (request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (const event of reply.split(/(?<=\n\n)/)) {
      response.write(event);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const ask = client(t, `http://127.0.0.1:${server.address().port}/v1`);
  const all = await Promise.all(Array.from({ length: 12 }, () => read(ask.stream(request))));
  assert.deepEqual(all.map(({ text }) => text), Array(12).fill('Grüß dich'));
});

test('a refusal says why, and the key is nowhere', async (t) => {
  const ask = client(t, await serve(t, '--key', KEY), { key: 'sk-wrong-one' });
  for (const attempt of [() => read(ask.stream(request)), () => ask.fetch(request)]) {
    const error = await attempt().then(() => assert.fail('it answered'), (error) => error);
    assert.ok(error instanceof TransportError && !(error instanceof CancelledError));
    assert.equal(error.status, 'DW_ERR_STATUS');
    assert.equal(error.httpStatus, 401);
    assert.equal(error.kind, 'authentication');
    assert.equal(error.transient, false);
    assert.ok(error.said.length > 0);
    assert.match(error.message, /401/);
    const all = JSON.stringify([error, error.message, error.stack, error.said, error.body, error.code]);
    assert.ok(!all.includes('sk-wrong-one') && !all.includes(KEY), all);
  }
});

test('nobody there is an error that may pass', async (t) => {
  const ask = client(t, 'http://127.0.0.1:9/v1');
  await assert.rejects(read(ask.stream(request)), { status: 'DW_ERR_CONNECT', httpStatus: undefined });
});

test('a whole response comes as a message', async (t) => {
  const message = await client(t, await serve(t, '--key', KEY), { key: KEY }).fetch(request);
  assert.equal(message.text, 'Grüß dich');
  assert.equal(message.isComplete, true);
  message.close();
});

test('JSON of the caller is sent as it is', async (t) => {
  const json = { model: 'tiny-chat-1', messages: request.messages, stream: true };
  const ask = client(t, await serve(t));
  const { text, usage } = await read(ask.stream({ path: '/chat/completions', json }));
  assert.equal(text, 'Grüß dich');
  assert.equal(usage, undefined);
});

test('a client with which nothing can be asked is refused', () => {
  assert.throws(
    () => new Client({ caFile: '/no/such/file.pem' }),
    (error) => error instanceof DeltawireError && error.status === 'DW_ERR_REQUEST' && /such/.test(error.message),
  );
  assert.throws(() => new Client({ provider: 'nobody' }), TypeError);
  assert.throws(() => new Client({ key: 1 }), TypeError);
  assert.throws(() => new Client({ timeouts: { idle: -1 } }), RangeError);
  const client = new Client({ timeouts: { idle: Infinity }, headers: { 'x-a': 'b' } });
  client.close();
  client.close();
  assert.throws(() => client.stream(request), { name: 'TypeError', message: 'used after close' });
});

for (const name of ['chat.js', 'fetch_chat.js']) {
  const env = (url, more) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: '', OPENAI_MODEL: 'tiny-chat-1', ...more });

  test(`${name} prints the reply as it comes`, async (t) => {
    const times = [];
    const found = await run(process.execPath, [program(name), 'Hi'], {
      env: env(await serve(t, '--interval-ms', '200')),
      after: () => times.push(performance.now()),
    });
    assert.equal(found.stdout, 'Grüß dich\n');
    assert.equal(found.stderr, '(4 tokens)');
    assert.equal(found.status, 0);
    assert.ok(times.at(-1) - times[0] > 100);
  });

  test(`${name} is ended by Ctrl-C`, async (t) => {
    let since;
    const found = await run(process.execPath, [program(name), 'Hi'], {
      env: env(await serve(t, '--interval-ms', '1500')),
      after: (child, { stdout }) => {
        if (stdout !== 'Grüß' || since) return;
        since = performance.now();
        child.kill('SIGINT');
      },
    });
    assert.equal(found.stdout, 'Grüß\n');
    assert.match(found.stderr, /cancelled|aborted/);
    assert.equal(found.status, 130);
    assert.ok(performance.now() - since < 1200, `${performance.now() - since} ms`);
  });

  test(`${name} tells a refusal`, async (t) => {
    const found = await run(process.execPath, [program(name), 'Hi'], {
      env: env(await serve(t, '--key', KEY), { OPENAI_API_KEY: 'sk-wrong-one' }),
    });
    assert.equal(found.status, 3);
    assert.match(found.stderr, /401/);
    assert.ok(!found.stderr.includes('sk-wrong-one'));
    const usage = await run(process.execPath, [program(name)]);
    assert.equal(usage.status, 2);
    assert.match(usage.stderr, /usage: /);
  });
}
