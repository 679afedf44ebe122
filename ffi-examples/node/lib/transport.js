/** Requests over the library's own transport. */
import koffi from 'koffi';

import {
  Arguments, Block, DELTA, DELTA_WORDS, Deltas, DeltawireError, ENDS, EventError, Handle, OK, OUT, OUT_WORD,
  PROVIDERS, decoderOptions, delta, disposable, failed, isEventError, make, nameOf, read, scratch,
  valueOf,
} from './internal.js';
import { Message } from './message.js';
import { DELTA_SIZE, dw, structs } from './native.js';

/** Calls on a thread of Node's pool, so that the event loop goes on. */
const onThread = (call, ...args) =>
  new Promise((resolve, reject) => {
    call.async(...args, (error, status) => (error ? reject(error) : resolve(status)));
  });

function milliseconds(name, value = 0) {
  if (value === Infinity) return 0xffff_ffff_ffff_ffffn;
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} is no number of milliseconds`);
  }
  return value;
}

function uint32(name, value = 0) {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_fffe) {
    throw new RangeError(`${name} is out of range`);
  }
  return value;
}

/** One request on its way: what `stream` and `fetch` share. */
class Call {
  #handle;
  #signal;
  #running = 0;
  #isClosed = false;
  #cancel = () => this.cancel();

  constructor(client, request, signal) {
    const args = new Arguments();
    const { json } = request;
    const turns = (request.messages ?? []).map(({ role, content }) => ({
      role: args.text('role', role), content: args.text('content', content),
    }));
    const at = args.struct(structs.dw_request, {
      flags: (request.includeUsage ? 1 : 0) | (request.temperature === undefined ? 0 : 2),
      model: args.text('model', request.model),
      turns: args.structs(structs.dw_turn, turns),
      turns_len: turns.length,
      max_tokens: uint32('maxTokens', request.maxTokens),
      n: uint32('n', request.n),
      temperature: request.temperature ?? 0,
      path: args.text('path', request.path),
      json: args.text('json', json === undefined || typeof json === 'string' ? json : JSON.stringify(json)),
    });
    this.#handle = new Handle(make((out) => dw.client_stream(client, at, out)), dw.stream_free);
    args.done();
    this.#signal = signal;
    signal?.addEventListener('abort', this.#cancel, { once: true });
    if (signal?.aborted) this.cancel();
  }

  get isClosed() {
    return this.#isClosed;
  }

  async run(call, ...args) {
    this.#running += 1;
    try {
      return await onThread(call, this.#handle.handle, ...args);
    } finally {
      this.#running -= 1;
      if (this.#isClosed) this.#free();
    }
  }

  end() {
    return nameOf(ENDS, dw.stream_end(this.#handle.handle));
  }

  error() {
    return failed(this.#handle.handle, this.#signal?.aborted ? this.#signal.reason : undefined);
  }

  /** The event that could not be read. */
  eventError() {
    const failure = read(structs.dw_failure, (out) => dw.stream_failure(this.#handle.handle, out));
    return new EventError({ ...failure, at: 0 });
  }

  cancel() {
    if (!this.#handle.isClosed) dw.stream_cancel(this.#handle.handle);
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#signal?.removeEventListener('abort', this.#cancel);
    this.cancel();
    this.#free();
  }

  /** Not while a thread is in a call on it. */
  #free() {
    if (this.#running === 0) this.#handle.close();
  }
}

/** So many deltas are taken at once, where so many have come. */
const BATCH = 64;

class Stream extends Deltas {
  #call;
  #room = new Block(BATCH * DELTA_SIZE + 8);
  // What the last call took, from the last to the first.
  #taken = [];
  #end = 'unknown';
  // Calls of `next` follow one another, also where nobody waited for the one before.
  #last = Promise.resolve();

  constructor(client, request, signal) {
    super();
    this.#call = new Call(client, request, signal);
  }

  next() {
    const next = this.#last.then(() => this.#next());
    this.#last = next.catch(() => {});
    return next;
  }

  async #next() {
    if (this.#call.isClosed) return { done: true, value: undefined };
    if (this.#taken.length > 0) return { done: false, value: this.#taken.pop() };
    const { address, u32 } = this.#room;
    const status = await this.#call.run(dw.stream_next_batch, address, BATCH, address + BATCH * DELTA_SIZE);
    // Somebody left meanwhile.
    if (this.#call.isClosed) return { done: true, value: undefined };
    if (status === DELTA) {
      for (let n = u32[BATCH * DELTA_WORDS] - 1; n > 0; n--) this.#taken.push(delta(u32, n * DELTA_WORDS));
      return { done: false, value: delta(u32, 0) };
    }
    if (isEventError(status)) {
      return { done: false, value: { type: 'event_error', error: this.#call.eventError() } };
    }
    try {
      this.#end = this.#call.end();
      if (status === OK) return { done: true, value: undefined };
      throw this.#call.error();
    } finally {
      this.#call.close();
    }
  }

  async return(value) {
    this.#call.close();
    await this.#last;
    return { done: true, value };
  }

  cancel() {
    this.#call.cancel();
  }

  get end() {
    return this.#end;
  }
}

export class Client {
  #handle;

  constructor(options = {}) {
    const args = new Arguments();
    const headers = Object.entries(options.headers ?? {}).map(([name, value]) => ({
      name: args.text('header', name), value: args.text(name, value),
    }));
    const { retries } = options;
    const timeouts = options.timeouts ?? {};
    const at = args.struct(structs.dw_client_options, {
      provider: valueOf('provider', PROVIDERS, options.provider),
      base_url: args.text('baseUrl', options.baseUrl),
      key: args.text('key', options.key),
      api_version: args.text('apiVersion', options.apiVersion),
      proxy: args.text('proxy', options.proxy),
      ca_file: args.text('caFile', options.caFile),
      headers: args.structs(structs.dw_header, headers),
      headers_len: headers.length,
      timeout_connect_ms: milliseconds('timeouts.connect', timeouts.connect),
      timeout_first_byte_ms: milliseconds('timeouts.firstByte', timeouts.firstByte),
      timeout_idle_ms: milliseconds('timeouts.idle', timeouts.idle),
      timeout_content_ms: milliseconds('timeouts.content', timeouts.content),
      retries: retries === 0 ? 0xffff_ffff : uint32('retries', retries),
      reserved0: 0,
      max_response_bytes: options.maxResponseBytes ?? 0,
      decoder: decoderOptions(args, options.decoder ?? {}),
    });
    const why = Buffer.from(new ArrayBuffer(512));
    const status = dw.client_new(at, OUT, Number(koffi.address(why)), why.length);
    args.done();
    if (status < 0) throw new DeltawireError(status, why.toString('utf8', 0, why.indexOf(0)) || undefined);
    this.#handle = new Handle(scratch.word(OUT_WORD), dw.client_free);
  }

  stream(request, { signal } = {}) {
    return new Stream(this.#handle.handle, request, signal);
  }

  async fetch(request, { signal } = {}) {
    const message = new Message();
    const call = new Call(this.#handle.handle, request, signal);
    try {
      const status = await call.run(dw.stream_fetch, Message.address(message));
      if (status < 0) throw call.error();
      return message;
    } catch (error) {
      message.close();
      throw error;
    } finally {
      call.close();
    }
  }

  close() {
    this.#handle.close();
  }
}
disposable(Client);
