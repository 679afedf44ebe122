/** From bytes to deltas. */
import {
  BYTES, CAPACITY, CHUNK, CHUNK_AT, COUNT, COUNT_WORD, DELTA, DELTAS, DELTAS_WORD, DELTA_WORDS,
  Arguments, Deltas, DeltawireError, ENDS, EventError, Handle, INPUT, INPUT_WORD, OK, bytesAt, check,
  decoderOptions, delta, disposable, isEventError, make, nameOf, read, scratch,
} from './internal.js';
import { dw, slice, structs } from './native.js';

export class Decoder {
  #handle;
  #capacity;

  constructor(options = {}) {
    const args = new Arguments();
    const at = decoderOptions(args, options);
    this.#capacity = Math.min(Math.max(options.batch ?? CAPACITY, 1), CAPACITY);
    this.#handle = new Handle(make((out) => dw.decoder_new(at, out)), dw.decoder_free);
    args.done();
  }

  feed(chunk) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a chunk is a Uint8Array');
    const handle = this.#handle.handle;
    const found = [];
    const len = chunk.length;
    if (len <= CHUNK) {
      BYTES.set(chunk, 0);
      this.#read(handle, len, found);
      return found;
    }
    for (let at = 0; at < len; at += CHUNK) {
      const piece = chunk.subarray(at, at + CHUNK);
      BYTES.set(piece, 0);
      this.#read(handle, piece.length, found);
    }
    return found;
  }

  /** Reads all deltas of the bytes that were copied into the block. */
  #read(handle, len, found) {
    const words = scratch.u32;
    scratch.set(INPUT_WORD, CHUNK_AT);
    scratch.set(INPUT_WORD + 2, len);
    scratch.set(INPUT_WORD + 4, 0);
    for (;;) {
      const status = dw.decoder_next_batch(handle, INPUT, DELTAS, this.#capacity, COUNT);
      if (status === DELTA) {
        const count = words[COUNT_WORD];
        const end = DELTAS_WORD + count * DELTA_WORDS;
        for (let at = DELTAS_WORD; at < end; at += DELTA_WORDS) found.push(delta(words, at));
        // With room left and the input used up nothing waits: a call is spared.
        if (count < this.#capacity && words[INPUT_WORD + 4] === len) return;
      } else if (status === OK) {
        return;
      } else {
        this.#failed(handle, status, found);
      }
    }
  }

  finish() {
    const handle = this.#handle.handle;
    const found = [];
    for (;;) {
      const status = dw.decoder_finish(handle, DELTAS);
      if (status === DELTA) found.push(delta(scratch.u32, DELTAS_WORD));
      else if (status === OK) return found;
      else this.#failed(handle, status, found);
    }
  }

  #failed(handle, status, found) {
    if (!isEventError(status)) throw new DeltawireError(status);
    const error = read(structs.dw_error, (out) => dw.decoder_error(handle, out));
    found.push({ type: 'event_error', error: new EventError(error) });
  }

  reset() {
    check(dw.decoder_reset(this.#handle.handle));
  }

  get end() {
    return nameOf(ENDS, dw.decoder_end(this.#handle.handle));
  }

  get dialect() {
    const dialect = dw.decoder_dialect(this.#handle.handle);
    return dialect === 0 ? undefined : dw.dialect_name(dialect);
  }

  get offset() {
    return dw.decoder_offset(this.#handle.handle);
  }

  get events() {
    return dw.decoder_events(this.#handle.handle);
  }

  get seen() {
    const { ptr, len } = read(slice, (out) => dw.decoder_seen(this.#handle.handle, out));
    return bytesAt(ptr, len);
  }

  close() {
    this.#handle.close();
  }
}
disposable(Decoder);

class BodyDeltas extends Deltas {
  #decoder;
  #deltas;
  #end = 'unknown';
  #dialect;

  constructor(body, options) {
    super();
    if (typeof body?.[Symbol.asyncIterator] !== 'function') {
      throw new TypeError('a body is an async iterable of chunks');
    }
    this.#decoder = new Decoder(options);
    this.#deltas = this.#read(body);
  }

  async *#read(body) {
    const decoder = this.#decoder;
    try {
      for await (const chunk of body) yield* decoder.feed(chunk);
      yield* decoder.finish();
    } finally {
      this.#close();
    }
  }

  #close() {
    if (this.#decoder === undefined) return;
    this.#end = this.#decoder.end;
    this.#dialect = this.#decoder.dialect;
    this.#decoder.close();
    this.#decoder = undefined;
  }

  get end() {
    return this.#decoder?.end ?? this.#end;
  }

  get dialect() {
    return this.#decoder?.dialect ?? this.#dialect;
  }

  next() {
    return this.#deltas.next();
  }

  async return(value) {
    const result = await this.#deltas.return(value);
    // Of a generator that has not begun nothing runs, not even `finally`.
    this.#close();
    return result;
  }
}

export const deltas = (body, options = {}) => new BodyDeltas(body, options);
