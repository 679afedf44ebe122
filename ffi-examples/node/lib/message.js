/** A reply put together. */
import koffi from 'koffi';

import {
  Arguments, CHOICE, CHUNK_AT, CODE, COUNTS, DELTAS, DELTAS_WORD, DELTA_WORDS, ENDS, ERROR_KIND,
  ERROR_KINDS, EventError, FINISH_REASON, FINISH_REASONS, FLAGS, Handle, ID, INDEX, KIND, KINDS,
  MODEL, NAME, RAW, ROLE, TEXT, USAGE, check, disposable, make, nameOf, read, scratch, textOf,
  valueOf,
} from './internal.js';
import { dw, structs } from './native.js';

const usageOf = (usage) => {
  const found = {};
  COUNTS.forEach((name, which) => {
    const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (usage.known & (1 << which)) found[name] = usage[field];
  });
  return found;
};

/** The fields of dw_delta that hold strings or bytes, by kind: in the delta, in the struct. */
const SLICES = {
  start: [['id', ID], ['model', MODEL], ['role', ROLE]],
  text: [['text', TEXT]],
  reasoning: [['text', TEXT]],
  refusal: [['text', TEXT]],
  tool_call_start: [['id', ID], ['name', NAME]],
  tool_call_arguments: [['fragment', TEXT]],
  server_tool_call_start: [['id', ID], ['name', NAME]],
  server_tool_call_arguments: [['fragment', TEXT]],
  finish: [['raw', RAW]],
  usage: [],
  error: [['code', CODE], ['message', TEXT], ['raw', RAW]],
  other: [['event', NAME], ['raw', RAW]],
  done: [],
};

export class Message {
  #handle = new Handle(make(dw.message_new), dw.message_free);

  push(delta) {
    const handle = this.#handle.handle;
    if (delta.type === 'event_error') return;
    const slices = SLICES[delta.type];
    if (slices === undefined) throw new TypeError(`unknown type of delta: ${delta.type}`);
    const args = new Arguments();
    const words = scratch.u32;
    const put = (field, value) => {
      words[DELTAS_WORD + field] = value;
    };
    words.fill(0, DELTAS_WORD, DELTAS_WORD + DELTA_WORDS);
    put(KIND, KINDS.indexOf(delta.type));
    put(CHOICE, delta.choice ?? 0);
    put(INDEX, delta.index ?? 0);
    put(FLAGS, (delta.whole ? 1 : 0) | (delta.transient ? 2 : 0));
    put(FINISH_REASON, valueOf('reason', FINISH_REASONS, delta.reason));
    put(ERROR_KIND, valueOf('kind', ERROR_KINDS, delta.kind));
    for (const [name, field] of slices) {
      const value = delta[name];
      const { ptr, len } = value instanceof Uint8Array ? args.bytes(value) : args.text(name, value);
      scratch.set(DELTAS_WORD + field, ptr);
      scratch.set(DELTAS_WORD + field + 2, len);
    }
    COUNTS.forEach((name, which) => {
      if (delta.type !== 'usage' || delta[name] === undefined) return;
      words[DELTAS_WORD + USAGE] |= 1 << which;
      const value = BigInt(delta[name]);
      put(USAGE + 2 + 2 * which, Number(value & 0xffff_ffffn));
      put(USAGE + 3 + 2 * which, Number(value >> 32n));
    });
    const status = dw.message_push(handle, DELTAS);
    args.done();
    check(status);
  }

  finish(end) {
    check(dw.message_finish(this.#handle.handle, valueOf('end', ENDS, end)));
  }

  read(body) {
    const args = new Arguments();
    const { ptr, len } = typeof body === 'string' ? args.text('body', body) : args.bytes(body);
    // The slice of an empty body would be NULL.
    const status = dw.message_read(this.#handle.handle, len === 0 ? CHUNK_AT : ptr, len, DELTAS);
    args.done();
    // DW_ERR_NOT_A_RESPONSE and DW_ERR_NOT_JSON say where.
    if (status === -5 || status === -13) throw new EventError(koffi.decode(DELTAS, structs.dw_error));
    check(status);
  }

  #info() {
    return read(structs.dw_message_info, (out) => dw.message_get(this.#handle.handle, out));
  }

  #calls(count, get) {
    return Array.from({ length: count }, (_, at) => {
      const call = read(structs.dw_tool_call, (out) => get(this.#handle.handle, at, out));
      return {
        choice: call.choice, index: call.index, id: textOf(call.id), name: textOf(call.name),
        arguments: textOf(call.arguments),
      };
    });
  }

  get id() {
    return textOf(this.#info().id);
  }

  get model() {
    return textOf(this.#info().model);
  }

  get role() {
    return textOf(this.#info().role);
  }

  get usage() {
    return usageOf(this.#info().usage);
  }

  get choices() {
    return Array.from({ length: this.#info().choices }, (_, at) => {
      const choice = read(structs.dw_choice, (out) => dw.message_choice(this.#handle.handle, at, out));
      return {
        index: choice.index,
        reason: choice.finish_reason === 0 ? undefined : nameOf(FINISH_REASONS, choice.finish_reason),
        raw: textOf(choice.finish_raw),
        text: textOf(choice.text), reasoning: textOf(choice.reasoning), refusal: textOf(choice.refusal),
      };
    });
  }

  get text() {
    return this.choices[0]?.text ?? '';
  }

  get toolCalls() {
    return this.#calls(this.#info().tool_calls, dw.message_tool_call);
  }

  get serverToolCalls() {
    return this.#calls(this.#info().server_tool_calls, dw.message_server_tool_call);
  }

  get end() {
    return nameOf(ENDS, this.#info().end);
  }

  get isComplete() {
    return this.#info().is_complete !== 0;
  }

  get error() {
    const info = this.#info();
    if (info.error_kind === 0) return undefined;
    return {
      kind: nameOf(ERROR_KINDS, info.error_kind), code: textOf(info.error_code),
      message: textOf(info.error_message), transient: info.error_transient !== 0,
    };
  }

  /** For the calls that fill it on another thread. */
  static address(message) {
    return message.#handle.handle;
  }

  close() {
    this.#handle.close();
  }
}
disposable(Message);
