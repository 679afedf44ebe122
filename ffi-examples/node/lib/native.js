/** The functions and structs of deltawire.h, as far as they are used. */
import koffi from 'koffi';

const ABI_VERSION = 1;

/** sizeof(dw_delta): an array of them is read as plain memory. */
export const DELTA_SIZE = 224;

const FILES = { darwin: 'libdeltawire.dylib', win32: 'deltawire.dll' };
const FILE = FILES[process.platform] ?? 'libdeltawire.so.0.1';
const library = koffi.load(process.env.DELTAWIRE_LIBRARY || FILE);

// Addresses are numbers here. Those of user space are below 2^53, so a number holds them.
export const address = 'uintptr_t';
const reserved = koffi.array('uint64_t', 4);
export const slice = koffi.struct({ ptr: address, len: 'size_t' });
const usage = koffi.struct({
  known: 'uint32_t', reserved0: 'uint32_t', input_tokens: 'uint64_t', output_tokens: 'uint64_t',
  total_tokens: 'uint64_t', cached_tokens: 'uint64_t', cache_creation_tokens: 'uint64_t',
  reasoning_tokens: 'uint64_t',
});

/** The structs of deltawire.h, for whoever wants to hold them against it. */
export const structs = {
  dw_slice: slice,
  dw_usage: usage,
  dw_input: koffi.struct({ data: address, len: 'size_t', pos: 'size_t' }),
  dw_error: koffi.struct({
    status: 'int32_t', reserved0: 'uint32_t', offset: 'uint64_t', at: 'uint64_t', message: slice, reserved,
  }),
  dw_delta: koffi.struct('dw_delta', {
    kind: 'uint32_t', choice: 'uint32_t', index: 'int32_t', flags: 'uint32_t', finish_reason: 'uint32_t',
    error_kind: 'uint32_t', text: slice, id: slice, name: slice, model: slice, role: slice, code: slice,
    raw: slice, usage, reserved,
  }),
  dw_decoder_options: koffi.struct('dw_decoder_options', {
    struct_size: 'uint32_t', dialect: 'uint32_t', framing: 'uint32_t', eof: 'uint32_t', flags: 'uint32_t',
    reserved0: 'uint32_t', max_event_bytes: 'size_t', text_field: slice, reasoning_field: slice,
  }),
  dw_message_info: koffi.struct('dw_message_info', {
    id: slice, model: slice, role: slice, usage, choices: 'size_t', tool_calls: 'size_t',
    server_tool_calls: 'size_t', end: 'uint32_t', is_complete: 'uint32_t', error_kind: 'uint32_t',
    error_transient: 'uint32_t', error_code: slice, error_message: slice, reserved,
  }),
  dw_choice: koffi.struct('dw_choice', {
    index: 'uint32_t', finish_reason: 'uint32_t', finish_raw: slice, text: slice, reasoning: slice,
    refusal: slice, reserved,
  }),
  dw_tool_call: koffi.struct('dw_tool_call', {
    choice: 'uint32_t', index: 'int32_t', id: slice, name: slice, arguments: slice, reserved,
  }),
  dw_header: koffi.struct('dw_header', { name: slice, value: slice }),
  dw_client_options: koffi.struct('dw_client_options', {
    struct_size: 'uint32_t', provider: 'uint32_t', base_url: slice, key: slice, api_version: slice,
    proxy: slice, ca_file: slice, headers: address, headers_len: 'size_t', timeout_connect_ms: 'uint64_t',
    timeout_first_byte_ms: 'uint64_t', timeout_idle_ms: 'uint64_t', timeout_content_ms: 'uint64_t',
    retries: 'uint32_t', reserved0: 'uint32_t', max_response_bytes: 'size_t', decoder: address,
  }),
  dw_turn: koffi.struct('dw_turn', { role: slice, content: slice }),
  dw_request: koffi.struct('dw_request', {
    struct_size: 'uint32_t', flags: 'uint32_t', model: slice, turns: address, turns_len: 'size_t',
    max_tokens: 'uint32_t', n: 'uint32_t', temperature: 'double', path: slice, json: slice,
  }),
  dw_failure: koffi.struct('dw_failure', {
    status: 'int32_t', http_status: 'uint32_t', error_kind: 'uint32_t', transient: 'uint32_t',
    retry_after_ms: 'uint64_t', offset: 'uint64_t', message: slice, code: slice, said: slice,
    request_id: slice, body: slice, reserved,
  }),
};

// What is handed over are addresses, so the functions take numbers and koffi converts no struct.
const def = (name, result, ...args) => library.func(`dw_${name}`, result, args);
export const dw = {
  abi_version: def('abi_version', 'uint32_t'),
  version: def('version', 'str'),
  status_name: def('status_name', 'str', 'int32_t'),
  status_message: def('status_message', 'str', 'int32_t'),
  dialect_name: def('dialect_name', 'str', 'uint32_t'),
  dialect_by_name: def('dialect_by_name', 'uint32_t', address, 'size_t'),
  finish_reason_name: def('finish_reason_name', 'str', 'uint32_t'),
  error_kind_name: def('error_kind_name', 'str', 'uint32_t'),
  delta_kind_name: def('delta_kind_name', 'str', 'uint32_t'),
  decoder_new: def('decoder_new', 'int32_t', address, address),
  decoder_free: def('decoder_free', 'void', address),
  decoder_next: def('decoder_next', 'int32_t', address, address, address),
  decoder_next_batch: def('decoder_next_batch', 'int32_t', address, address, address, 'size_t', address),
  decoder_finish: def('decoder_finish', 'int32_t', address, address),
  decoder_reset: def('decoder_reset', 'int32_t', address),
  decoder_end: def('decoder_end', 'uint32_t', address),
  decoder_dialect: def('decoder_dialect', 'uint32_t', address),
  decoder_offset: def('decoder_offset', 'uint64_t', address),
  decoder_events: def('decoder_events', 'uint64_t', address),
  decoder_seen: def('decoder_seen', 'int32_t', address, address),
  decoder_error: def('decoder_error', 'int32_t', address, address),
  message_new: def('message_new', 'int32_t', address),
  message_free: def('message_free', 'void', address),
  message_push: def('message_push', 'int32_t', address, address),
  message_finish: def('message_finish', 'int32_t', address, 'uint32_t'),
  message_read: def('message_read', 'int32_t', address, address, 'size_t', address),
  message_get: def('message_get', 'int32_t', address, address),
  message_choice: def('message_choice', 'int32_t', address, 'size_t', address),
  message_tool_call: def('message_tool_call', 'int32_t', address, 'size_t', address),
  message_server_tool_call: def('message_server_tool_call', 'int32_t', address, 'size_t', address),
  client_new: def('client_new', 'int32_t', address, address, address, 'size_t'),
  client_free: def('client_free', 'void', address),
  client_stream: def('client_stream', 'int32_t', address, address, address),
  stream_free: def('stream_free', 'void', address),
  stream_next_batch: def('stream_next_batch', 'int32_t', address, address, 'size_t', address),
  stream_fetch: def('stream_fetch', 'int32_t', address, address),
  stream_cancel: def('stream_cancel', 'void', address),
  stream_end: def('stream_end', 'uint32_t', address),
  stream_failure: def('stream_failure', 'int32_t', address, address),
};

if (dw.abi_version() !== ABI_VERSION || koffi.sizeof(structs.dw_delta) !== DELTA_SIZE) {
  throw new Error(
    `deltawire ${dw.version()} has ABI ${dw.abi_version()}, and this is for ABI ${ABI_VERSION}`,
  );
}

/** The version of the library, such as "0.1.0". */
export const version = dw.version();
