/**
 * Reads streaming responses of language models: bytes of an HTTP body in, deltas out, alike for all
 * providers. Over the C ABI of deltawire, by way of koffi. Types and their documentation are in
 * deltawire.d.ts.
 *
 * The library is found by DELTAWIRE_LIBRARY, the full path of its file, else by the loader's own search.
 *
 * Everything handed out is copied: strings are JavaScript's own, `raw` is a Uint8Array of its own.
 */
export { Decoder, deltas } from './lib/decoder.js';
export {
  CancelledError, DeltawireError, EventError, TransportError, dialects,
} from './lib/internal.js';
export { Message } from './lib/message.js';
export { version } from './lib/native.js';
export { Client } from './lib/transport.js';
