/** What the parts of the binding share: names, memory, errors, handles. */
import koffi from 'koffi';

import { DELTA_SIZE, dw, slice, structs } from './native.js';

export const OK = 0;
export const DELTA = 1;
const CANCELLED = -33;
export const isEventError = (status) => status <= -10 && status > -20;

// ---- Names ----------------------------------------------------------------------------------------

/** The names of the values from `first` on, up to that which the library calls unknown. */
function names(of, first) {
  const found = [];
  for (let at = first; ; at++) {
    const name = of(at);
    if (name === 'unknown') return found;
    found[at] = name;
  }
}

export const KINDS = names(dw.delta_kind_name, 1);
export const FINISH_REASONS = names(dw.finish_reason_name, 1);
export const ERROR_KINDS = names(dw.error_kind_name, 1);
export const ENDS = ['unknown', 'complete', 'truncated', 'unrecognised'];
export const FRAMINGS = ['auto', 'sse', 'ndjson', 'event-stream'];
export const EOFS = ['default', 'discard', 'flush'];
export const PROVIDERS = ['openai', 'azure', 'anthropic', 'gemini', 'ollama'];

/** The names of all dialects, as the option `dialect` takes them. */
export const dialects = Object.freeze(names(dw.dialect_name, 1).slice(1));

export const nameOf = (table, value) => table[value] ?? 'unknown';

export function valueOf(what, table, name, otherwise = 0) {
  if (name === undefined) return otherwise;
  const value = typeof name === 'string' ? table.indexOf(name) : -1;
  if (value < 0) throw new TypeError(`unknown ${what}: ${name}`);
  return value;
}

// ---- Memory ---------------------------------------------------------------------------------------

// An ArrayBuffer's memory does not move, so its address is asked once.
export class Block {
  constructor(size) {
    this.bytes = Buffer.from(new ArrayBuffer(size));
    this.u32 = new Uint32Array(this.bytes.buffer);
    this.address = Number(koffi.address(this.bytes));
  }

  /** A pointer or a size_t, in two halves: 64-bit elements would come as BigInt. */
  word(at) {
    return this.u32[at] + this.u32[at + 1] * 0x1_0000_0000;
  }

  set(at, value) {
    this.u32[at] = value >>> 0;
    this.u32[at + 1] = value / 0x1_0000_0000;
  }
}

// One block for all decoders: what a call writes into it is read before the call returns to its caller.
// Chunks are copied into it, so that no call has to ask koffi for an address, and slices are offsets.
export const CHUNK = 64 * 1024;
export const CAPACITY = 256;
export const scratch = new Block(CHUNK + CAPACITY * DELTA_SIZE + 64);
export const BYTES = scratch.bytes;
export const CHUNK_AT = scratch.address;
export const DELTAS = CHUNK_AT + CHUNK;
export const INPUT = DELTAS + CAPACITY * DELTA_SIZE;
export const COUNT = INPUT + 24;
export const OUT = COUNT + 8;
// The same as indexes of 4 bytes.
const WORD = (at) => (at - CHUNK_AT) / 4;
export const DELTAS_WORD = WORD(DELTAS);
export const INPUT_WORD = WORD(INPUT);
export const COUNT_WORD = WORD(COUNT);
export const OUT_WORD = WORD(OUT);
export const DELTA_WORDS = DELTA_SIZE / 4;

const field = (name) => koffi.offsetof(structs.dw_delta, name) / 4;
export const KIND = field('kind');
export const CHOICE = field('choice');
export const INDEX = field('index');
export const FLAGS = field('flags');
export const FINISH_REASON = field('finish_reason');
export const ERROR_KIND = field('error_kind');
export const TEXT = field('text');
export const ID = field('id');
export const NAME = field('name');
export const MODEL = field('model');
export const ROLE = field('role');
export const CODE = field('code');
export const RAW = field('raw');
export const USAGE = field('usage');
export const COUNTS = [
  'inputTokens', 'outputTokens', 'totalTokens', 'cachedTokens', 'cacheCreationTokens',
  'reasoningTokens',
];

/** The string of a slice in `words`. It lies in the chunk, or in memory of the library's. */
function text(words, at) {
  const len = words[at + 2];
  if (len === 0) return '';
  const address = words[at] + words[at + 1] * 0x1_0000_0000;
  const from = address - CHUNK_AT;
  if (from >= 0 && from < CHUNK) {
    // The most frequent by far: a token of a few ASCII characters, for which a call costs more than this.
    if (len <= 12) {
      let found = '';
      let at = from;
      const to = from + len;
      for (; at < to && BYTES[at] < 0x80; at++) found += String.fromCharCode(BYTES[at]);
      if (at === to) return found;
    }
    return BYTES.utf8Slice(from, from + len);
  }
  return koffi.decode.string(address, len);
}

/** A copy of the bytes of a slice. */
function bytes(words, at) {
  const len = words[at + 2];
  if (len === 0) return new Uint8Array(0);
  return bytesAt(words[at] + words[at + 1] * 0x1_0000_0000, len);
}

export const bytesAt = (address, len) =>
  len === 0 ? new Uint8Array(0) : new Uint8Array(koffi.view(address, len)).slice();
export const textOf = ({ ptr, len }) => (len === 0 ? '' : koffi.decode.string(ptr, len));

/** A number where it is exact, else a BigInt. */
const count = (high, low) =>
  high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low);

/** What the delta at `at` of `words` says. */
export function delta(words, at) {
  const kind = words[at + KIND];
  const type = KINDS[kind];
  switch (kind) {
    case 2: // text, reasoning, refusal
    case 3:
    case 4:
      return { type, choice: words[at + CHOICE], text: text(words, at + TEXT) };
    case 1:
      return { type, id: text(words, at + ID), model: text(words, at + MODEL), role: text(words, at + ROLE) };
    case 5: // tool_call_start, server_tool_call_start
    case 7:
      return {
        type, choice: words[at + CHOICE], index: words[at + INDEX] | 0,
        id: text(words, at + ID), name: text(words, at + NAME),
      };
    case 6: // tool_call_arguments, server_tool_call_arguments
    case 8:
      return {
        type, choice: words[at + CHOICE], index: words[at + INDEX] | 0,
        fragment: text(words, at + TEXT), whole: (words[at + FLAGS] & 1) !== 0,
      };
    case 9:
      return {
        type, choice: words[at + CHOICE], reason: nameOf(FINISH_REASONS, words[at + FINISH_REASON]),
        raw: text(words, at + RAW),
      };
    case 10: {
      const usage = { type };
      const known = words[at + USAGE];
      COUNTS.forEach((name, which) => {
        const word = at + USAGE + 2 + 2 * which;
        if (known & (1 << which)) usage[name] = count(words[word + 1], words[word]);
      });
      return usage;
    }
    case 11:
      return {
        type, kind: nameOf(ERROR_KINDS, words[at + ERROR_KIND]), code: text(words, at + CODE),
        message: text(words, at + TEXT), transient: (words[at + FLAGS] & 2) !== 0,
        raw: bytes(words, at + RAW),
      };
    case 12:
      return { type, event: text(words, at + NAME), raw: bytes(words, at + RAW) };
    default: // done, and kinds that are newer than this file
      return { type: type ?? 'unknown' };
  }
}

/** Puts what a call reads where it stays until the call is over. */
export class Arguments {
  #kept = [];

  bytes(bytes) {
    if (bytes.length === 0) return { ptr: 0, len: 0 };
    this.#kept.push(bytes);
    return { ptr: Number(koffi.address(bytes)), len: bytes.length };
  }

  text(what, value) {
    if (value === undefined || value === null) return { ptr: 0, len: 0 };
    if (typeof value !== 'string') throw new TypeError(`${what} is no string`);
    return this.bytes(Buffer.from(value));
  }

  /** The address of an array of structs. */
  structs(type, values) {
    const size = koffi.sizeof(type);
    if (values.length === 0) return 0;
    const buffer = Buffer.from(new ArrayBuffer(size * values.length));
    values.forEach((value, at) => koffi.encode(buffer, at * size, type, value));
    return this.bytes(buffer).ptr;
  }

  struct(type, value) {
    return this.structs(type, [{ struct_size: koffi.sizeof(type), reserved: [0, 0, 0, 0], ...value }]);
  }

  /** Called behind the call, so that nothing above is collected before. */
  done() {
    this.#kept.length = 0;
  }
}

/** Calls with room for a struct, and gives what was written there. */
export function read(type, call) {
  const room = Buffer.from(new ArrayBuffer(koffi.sizeof(type)));
  check(call(Number(koffi.address(room))));
  return koffi.decode(room, type);
}

/** Calls what makes an object, and gives its address. */
export function make(call) {
  check(call(OUT));
  return scratch.word(OUT_WORD);
}

// ---- Errors ---------------------------------------------------------------------------------------

export class DeltawireError extends Error {
  constructor(status, message = dw.status_message(status), options = undefined) {
    super(message, options);
    this.status = dw.status_name(status);
  }

  get name() {
    return this.constructor.name;
  }
}

export class EventError extends DeltawireError {
  constructor(error) {
    super(error.status, textOf(error.message));
    this.offset = error.offset;
    this.at = error.at;
  }
}

export class TransportError extends DeltawireError {
  constructor(failure, cause) {
    super(failure.status, textOf(failure.message), cause === undefined ? undefined : { cause });
    this.httpStatus = failure.http_status || undefined;
    this.kind = failure.error_kind === 0 ? undefined : nameOf(ERROR_KINDS, failure.error_kind);
    this.transient = failure.transient !== 0;
    this.retryAfterMs = failure.retry_after_ms;
    this.code = textOf(failure.code);
    this.said = textOf(failure.said);
    this.requestId = textOf(failure.request_id);
    this.body = textOf(failure.body);
  }
}

/** Its name is that of a fetch that was aborted, which is what callers ask for. */
export class CancelledError extends TransportError {
  get name() {
    return 'AbortError';
  }
}

export function check(status) {
  if (status < 0) throw new DeltawireError(status);
}

export function failed(stream, cause) {
  const failure = read(structs.dw_failure, (out) => dw.stream_failure(stream, out));
  return failure.status === CANCELLED ? new CancelledError(failure, cause) : new TransportError(failure, cause);
}

// ---- Handles --------------------------------------------------------------------------------------

// Only a net: whoever closes what they made needs none.
const abandoned = new FinalizationRegistry(({ free, handle }) => free(handle));

export class Handle {
  #handle;
  #free;

  constructor(handle, free) {
    this.#handle = handle;
    this.#free = free;
    abandoned.register(this, { free, handle }, this);
  }

  /** The address, as long as it is one. */
  get handle() {
    if (this.#handle === 0) throw new TypeError('used after close');
    return this.#handle;
  }

  get isClosed() {
    return this.#handle === 0;
  }

  close() {
    if (this.#handle === 0) return;
    abandoned.unregister(this);
    const handle = this.#handle;
    this.#handle = 0;
    this.#free(handle);
  }
}

/** `using decoder = new Decoder()`, where the runtime has it. */
export function disposable(of) {
  if (Symbol.dispose) {
    of.prototype[Symbol.dispose] = function () {
      this.close();
    };
  }
}

export function decoderOptions(args, options) {
  const { dialect = 'auto', framing, eof, maxEventBytes = 0, templates = true } = options;
  if (dialect !== 'auto' && !dialects.includes(dialect)) throw new TypeError(`unknown dialect: ${dialect}`);
  if (!Number.isSafeInteger(maxEventBytes) || maxEventBytes < 0) {
    throw new RangeError('maxEventBytes is no size');
  }
  return args.struct(structs.dw_decoder_options, {
    dialect: dialects.indexOf(dialect) + 1,
    framing: valueOf('framing', FRAMINGS, framing),
    eof: valueOf('eof', EOFS, eof),
    flags: templates ? 0 : 1,
    reserved0: 0,
    max_event_bytes: maxEventBytes,
    text_field: args.text('textField', options.textField),
    reasoning_field: args.text('reasoningField', options.reasoningField),
  });
}

/** What the two kinds of streams share: they are their own iterators, and end when they are left. */
export class Deltas {
  [Symbol.asyncIterator]() {
    return this;
  }
}
if (Symbol.asyncDispose) {
  Deltas.prototype[Symbol.asyncDispose] = async function () {
    await this.return();
  };
}
