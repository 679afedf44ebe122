//! Transport
//!
//! Asks a provider over HTTP and reads the response as it comes. It blocks, on the thread of its
//! caller. A client has the address, the key and the connections; a stream is one request and its
//! response. Nothing is sent before the first `dw_stream_next` or `dw_stream_fetch`, so a stream can
//! be cancelled from the start. No key is shown in any text that is handed out.
//!
//! ```c
//! /** In place of a number of milliseconds or of attempts: no limit, or none. 0 is the default. */
//! #define DW_UNLIMITED UINT64_MAX
//! #define DW_NONE UINT32_MAX
//!
//! /** The defaults: OpenAI, its own address, no key. */
//! #define DW_CLIENT_OPTIONS_INIT \
//!     { sizeof(dw_client_options), 0, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, \
//!       { NULL, 0 }, NULL, 0, 0, 0, 0, 0, 0, 0, 0, NULL }
//!
//! /** A request of which nothing is said. */
//! #define DW_REQUEST_INIT \
//!     { sizeof(dw_request), 0, { NULL, 0 }, NULL, 0, 0, 0, 0.0, { NULL, 0 }, { NULL, 0 } }
//! ```

// Long, since a file is a section of the header; what is Rust's own in it is in `transport`.

use core::cell::UnsafeCell;
use core::ffi::c_char;
use core::mem::{self, MaybeUninit};
use core::ptr;

use super::batch;
use super::boundary::{Handle, ask, enter, give, run, show, take};
use super::decoder::dw_decoder_options;
use super::delta::dw_delta;
use super::message::dw_message;
use super::options::{self, Options};
use super::slice::{array, dw_slice};
use super::status::{Failure, dw_status};
use super::transport::{self, Asked};

/// Whose conventions a request follows: where it goes, what carries the key, how it is put.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum dw_provider {
    /// OpenAI, or any server that speaks its API below a base URL of its own.
    DW_PROVIDER_OPENAI = 0,
    /// OpenAI's models on Azure; the base URL is the resource's endpoint.
    DW_PROVIDER_AZURE = 1,
    /// Anthropic's messages.
    DW_PROVIDER_ANTHROPIC = 2,
    /// Google's Gemini.
    DW_PROVIDER_GEMINI = 3,
    /// Ollama's own API, as it runs on this machine.
    DW_PROVIDER_OLLAMA = 4,
}

/// Asks one provider, and keeps its connections for the next request.
pub struct dw_client {
    client: transport::Client,
}

/// One request and its response.
pub struct dw_stream {
    /// Cancelling needs no more than this, so it may come from another thread.
    cancel: transport::Cancel,
    running: UnsafeCell<Running>,
}

/// What one thread at a time works on.
struct Running {
    is_poisoned: bool,
    stream: transport::Stream,
    /// What a batch hands out.
    kept: Vec<u8>,
    /// An error that a batch met behind its deltas.
    pending: Option<transport::Error>,
    failure: Failure,
    refusal: Option<transport::Refusal>,
}

impl Handle for Running {
    fn is_poisoned(&self) -> bool {
        self.is_poisoned
    }

    fn poison(&mut self) {
        self.is_poisoned = true;
    }

    fn failure(&self) -> &Failure {
        &self.failure
    }
}

impl Running {
    fn fail(&mut self, error: &transport::Error) -> dw_status {
        match transport::event_error(error) {
            Some(error) => {
                self.refusal = None;
                self.failure.note(error)
            }
            None => {
                let refusal = transport::Refusal::of(error);
                let status = refusal.status;
                self.refusal = Some(refusal);
                status
            }
        }
    }
}

/// A header of HTTP.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_header {
    /// Its name.
    pub name: dw_slice,
    /// Its value, which is treated like a key: it is never shown.
    pub value: dw_slice,
}

/// What a client is told before it begins. Everything is copied. Zeros are the defaults;
/// `DW_CLIENT_OPTIONS_INIT` sets them and `struct_size`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_client_options {
    /// `sizeof(dw_client_options)`.
    pub struct_size: u32,
    /// A `dw_provider`.
    pub provider: u32,
    /// What precedes every path, such as "https://api.openai.com/v1"; empty for the provider's own.
    pub base_url: dw_slice,
    /// The key; empty for none.
    pub key: dw_slice,
    /// Azure's `api-version`; empty for the API that has no versions.
    pub api_version: dw_slice,
    /// A proxy, "http://", "socks4://" or "socks5://"; "direct" for none; empty for what the
    /// environment says.
    pub proxy: dw_slice,
    /// A file of certificates in PEM that are trusted in place of Mozilla's; empty for those.
    pub ca_file: dw_slice,
    /// Headers besides, `headers_len` of them; may be NULL where there are none.
    pub headers: *const dw_header,
    /// How many headers.
    pub headers_len: usize,
    /// How long to wait for a connection, in milliseconds; 0 for 10 s, DW_UNLIMITED.
    pub timeout_connect_ms: u64,
    /// How long to wait for the first byte of the body, in milliseconds; 0 for 600 s, DW_UNLIMITED.
    pub timeout_first_byte_ms: u64,
    /// How long to wait for the next bytes, in milliseconds; 0 for 300 s, DW_UNLIMITED.
    pub timeout_idle_ms: u64,
    /// How long to wait for more than comments and pings, in milliseconds; 0 for ever.
    pub timeout_content_ms: u64,
    /// How many attempts besides the first; 0 for 2, DW_NONE. Only a request of which nothing can have
    /// begun is sent again.
    pub retries: u32,
    /// Zero.
    pub reserved0: u32,
    /// The largest whole response that is accepted, in bytes; 0 for 16 MiB.
    pub max_response_bytes: usize,
    /// How responses are decoded; NULL for the defaults.
    pub decoder: *const dw_decoder_options,
}

// SAFETY: the struct has numbers and raw pointers alone, `struct_size` first.
unsafe impl Options for dw_client_options {
    const DEFAULT: Self = dw_client_options {
        struct_size: 0,
        provider: 0,
        base_url: dw_slice::NONE,
        key: dw_slice::NONE,
        api_version: dw_slice::NONE,
        proxy: dw_slice::NONE,
        ca_file: dw_slice::NONE,
        headers: core::ptr::null(),
        headers_len: 0,
        timeout_connect_ms: 0,
        timeout_first_byte_ms: 0,
        timeout_idle_ms: 0,
        timeout_content_ms: 0,
        retries: 0,
        reserved0: 0,
        max_response_bytes: 0,
        decoder: core::ptr::null(),
    };
}

/// One message of a conversation.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_turn {
    /// Whose it is: "system", "user", "assistant".
    pub role: dw_slice,
    /// What was said.
    pub content: dw_slice,
}

/// In `dw_request.flags`: asks for token counts, which some providers send only then.
pub const DW_REQUEST_INCLUDE_USAGE: u32 = 1;
/// In `dw_request.flags`: `temperature` is set.
pub const DW_REQUEST_TEMPERATURE: u32 = 2;

/// What is asked: a conversation, which is put as the provider wants it, or JSON that the caller
/// wrote. Everything is copied. Zeros say nothing; `DW_REQUEST_INIT` sets them and `struct_size`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_request {
    /// `sizeof(dw_request)`.
    pub struct_size: u32,
    /// DW_REQUEST_INCLUDE_USAGE, DW_REQUEST_TEMPERATURE.
    pub flags: u32,
    /// The model that shall answer.
    pub model: dw_slice,
    /// The conversation, `turns_len` of them.
    pub turns: *const dw_turn,
    /// How many.
    pub turns_len: usize,
    /// The most tokens that a choice may have; 0 leaves it to the provider.
    pub max_tokens: u32,
    /// How many choices; 0 leaves it to the provider.
    pub n: u32,
    /// How much chance there is in the reply, with DW_REQUEST_TEMPERATURE in `flags`.
    pub temperature: f64,
    /// In place of all that: where to post to, a path below the base URL such as
    /// "/chat/completions", or a whole URL.
    pub path: dw_slice,
    /// And what: the body, which asks for a stream itself.
    pub json: dw_slice,
}

// SAFETY: the struct has numbers and raw pointers alone, `struct_size` first.
unsafe impl Options for dw_request {
    const DEFAULT: Self = dw_request {
        struct_size: 0,
        flags: 0,
        model: dw_slice::NONE,
        turns: core::ptr::null(),
        turns_len: 0,
        max_tokens: 0,
        n: 0,
        temperature: 0.0,
        path: dw_slice::NONE,
        json: dw_slice::NONE,
    };
}

/// Text that C gives.
///
/// # Safety
///
/// The slice can be read.
unsafe fn text(slice: dw_slice) -> Option<String> {
    // SAFETY: handed on.
    let bytes = unsafe { slice.get() }?;
    Some(core::str::from_utf8(bytes).ok()?.to_owned())
}

impl dw_client_options {
    /// What C means by it; `None` where a value is unknown, a slice impossible or text not UTF-8.
    ///
    /// # Safety
    ///
    /// All that it points to can be read.
    unsafe fn get(&self) -> Option<transport::Settings> {
        // SAFETY: handed on.
        let text = |slice| unsafe { text(slice) };
        let mut headers = Vec::new();
        // SAFETY: handed on.
        for header in unsafe { array(self.headers, self.headers_len) }? {
            headers.push((text(header.name)?, text(header.value)?));
        }
        // SAFETY: handed on.
        let decoder = unsafe { options::read(self.decoder) }.ok()?;
        Some(transport::Settings {
            provider: self.provider,
            base_url: text(self.base_url)?,
            key: text(self.key)?,
            api_version: text(self.api_version)?,
            proxy: text(self.proxy)?,
            ca_file: text(self.ca_file)?,
            headers,
            timeout_connect_ms: self.timeout_connect_ms,
            timeout_first_byte_ms: self.timeout_first_byte_ms,
            timeout_idle_ms: self.timeout_idle_ms,
            timeout_content_ms: self.timeout_content_ms,
            retries: self.retries,
            max_response_bytes: self.max_response_bytes,
            // SAFETY: handed on.
            decoder: unsafe { decoder.get() }.ok()?,
        })
    }
}

impl dw_request {
    /// As [`dw_client_options::get`].
    ///
    /// # Safety
    ///
    /// All that it points to can be read.
    unsafe fn get(&self) -> Option<Asked> {
        // SAFETY: handed on.
        let text = |slice| unsafe { text(slice) };
        if self.json.len > 0 {
            return Some(Asked::Post {
                path: text(self.path)?,
                json: text(self.json)?,
            });
        }
        let known = DW_REQUEST_INCLUDE_USAGE | DW_REQUEST_TEMPERATURE;
        if self.flags & !known != 0 || self.path.len > 0 {
            return None;
        }
        let mut turns = Vec::new();
        // SAFETY: handed on.
        for turn in unsafe { array(self.turns, self.turns_len) }? {
            turns.push((text(turn.role)?, text(turn.content)?));
        }
        Some(Asked::Chat {
            model: text(self.model)?,
            turns,
            max_tokens: (self.max_tokens > 0).then_some(self.max_tokens),
            n: (self.n > 0).then_some(self.n),
            temperature: (self.flags & DW_REQUEST_TEMPERATURE != 0).then_some(self.temperature),
            include_usage: self.flags & DW_REQUEST_INCLUDE_USAGE != 0,
        })
    }
}

/// Why a request was not answered, or not to its end. What does not apply is empty or zero.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct dw_failure {
    /// What failed, as `dw_stream_next` or `dw_stream_fetch` returned it; DW_OK where none has.
    pub status: i32,
    /// The HTTP status, such as 429, of DW_ERR_STATUS.
    pub http_status: u32,
    /// What the provider says went wrong, a `dw_error_kind`, of DW_ERR_STATUS.
    pub error_kind: u32,
    /// 1 if the same request may succeed later, else 0.
    pub transient: u32,
    /// How long the server asks to wait before another attempt, in milliseconds.
    pub retry_after_ms: u64,
    /// Where in the stream the event begins that could not be read, in bytes from its start.
    pub offset: u64,
    /// What to tell a person: what was asked and what became of it.
    pub message: dw_slice,
    /// The provider's code, else its type.
    pub code: dw_slice,
    /// The provider's message.
    pub said: dw_slice,
    /// What the provider calls the request, for its support.
    pub request_id: dw_slice,
    /// The body of the refusal as text, up to 64 KiB of it.
    pub body: dw_slice,
    /// Zero.
    pub reserved: [u64; 4],
}

impl dw_failure {
    fn of(running: &Running) -> Self {
        let Some(refusal) = &running.refusal else {
            let error = running.failure.details();
            return dw_failure {
                status: error.status,
                http_status: 0,
                error_kind: 0,
                transient: 0,
                retry_after_ms: 0,
                offset: error.offset,
                message: error.message,
                code: dw_slice::EMPTY,
                said: dw_slice::EMPTY,
                request_id: dw_slice::EMPTY,
                body: dw_slice::EMPTY,
                reserved: [0; 4],
            };
        };
        dw_failure {
            status: refusal.status as i32,
            http_status: refusal.http_status,
            error_kind: refusal.error_kind,
            transient: u32::from(refusal.transient),
            retry_after_ms: refusal.retry_after_ms,
            offset: 0,
            message: dw_slice::of(refusal.message.as_bytes()),
            code: dw_slice::of(refusal.code.as_bytes()),
            said: dw_slice::of(refusal.said.as_bytes()),
            request_id: dw_slice::of(refusal.request_id.as_bytes()),
            body: dw_slice::of(refusal.body.as_bytes()),
            reserved: [0; 4],
        }
    }
}

/// Makes a client. It asks nobody yet.
///
/// @param options  NULL for the defaults.
/// @param client   Receives the client, to be given to `dw_client_free`. Written only on DW_OK.
/// @param why      NULL, or receives on DW_ERR_REQUEST what is wrong, NUL-terminated, cut to `size`.
/// @param size     Size of `why` in bytes.
/// @return DW_OK; DW_ERR_REQUEST for options with which nothing can be asked, such as a proxy that is
///         none, or certificates that cannot be read (a base URL that is none shows when a stream asks);
///         DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_client_new(
    options: *const dw_client_options,
    client: *mut *mut dw_client,
    why: *mut c_char,
    size: usize,
) -> dw_status {
    run(|| {
        if client.is_null() {
            return dw_status::DW_ERR_ARGUMENT;
        }
        // SAFETY: NULL, or options with their size, as the header demands.
        let options = match unsafe { options::read(options) } {
            Ok(options) => options,
            Err(status) => return status,
        };
        // SAFETY: all that the options point to can be read, as the header demands.
        let Some(settings) = (unsafe { options.get() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        let made = match transport::client(settings) {
            Ok(made) => give(dw_client { client: made }),
            Err((status, what)) => {
                if let Some(room) = size.checked_sub(1).filter(|_| !why.is_null()) {
                    let fits = |len: &usize| what.is_char_boundary(*len);
                    let len = (0..=room.min(what.len())).rev().find(fits).unwrap_or(0);
                    let what = what.get(..len).unwrap_or_default();
                    // SAFETY: `len` and one more are no more than `size`, and may be written.
                    unsafe { why.cast::<u8>().copy_from(what.as_ptr(), len) };
                    // SAFETY: the same; `len` is below `size`.
                    let end = unsafe { why.add(len) };
                    // SAFETY: the same.
                    unsafe { end.write(0) };
                }
                return status;
            }
        };
        if made.is_null() {
            return dw_status::DW_ERR_OUT_OF_MEMORY;
        }
        // SAFETY: not NULL, so it points to a pointer that may be written.
        unsafe { client.write(made) };
        dw_status::DW_OK
    })
}

/// Frees a client. Its streams go on.
///
/// @param client  NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_client_free(client: *mut dw_client) {
    // SAFETY: NULL, or a client that was not freed.
    unsafe { take(client) };
}

/// Makes a stream of a request, which is not sent yet. Several threads may do so with one client.
///
/// @param request  What is asked.
/// @param stream   Receives the stream, to be given to `dw_stream_free`. Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_client_stream(
    client: *const dw_client,
    request: *const dw_request,
    stream: *mut *mut dw_stream,
) -> dw_status {
    run(|| {
        // SAFETY: NULL, or a client that was not freed; it is only read.
        let client = unsafe { client.as_ref() };
        let Some(client) = client.filter(|_| !request.is_null() && !stream.is_null()) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        // SAFETY: a request with its size, as the header demands.
        let request = match unsafe { options::read(request) } {
            Ok(request) => request,
            Err(status) => return status,
        };
        // SAFETY: all that the request points to can be read, as the header demands.
        let Some(asked) = (unsafe { request.get() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        let (running, cancel) = transport::stream(&client.client, asked);
        let made = give(dw_stream {
            cancel,
            running: UnsafeCell::new(Running {
                is_poisoned: false,
                stream: running,
                kept: Vec::new(),
                pending: None,
                failure: Failure::NONE,
                refusal: None,
            }),
        });
        if made.is_null() {
            return dw_status::DW_ERR_OUT_OF_MEMORY;
        }
        // SAFETY: not NULL, so it points to a pointer that may be written.
        unsafe { stream.write(made) };
        dw_status::DW_OK
    })
}

/// Frees a stream, and closes its connection if the response is not at its end.
///
/// @param stream  NULL does nothing. No thread may be in a call on it, `dw_stream_cancel` included.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_stream_free(stream: *mut dw_stream) {
    // SAFETY: NULL, or a stream that was not freed.
    unsafe { take(stream) };
}

/// Waits for the next delta. The first call sends the request.
///
/// Valid until the next call on `stream` other than const ones: the slices in `delta`.
///
/// @param delta  Written only on DW_DELTA.
/// @return DW_DELTA, or DW_OK where the response is at its end; the errors of `dw_decoder_next` for one
///         event, after which to call on; once, DW_ERR_REQUEST down to DW_ERR_CANCELLED where no
///         response came or it broke off: what came before it still comes, then DW_OK.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_stream_next(stream: *mut dw_stream, delta: *mut dw_delta) -> dw_status {
    // SAFETY: NULL, or a stream that was not freed. No other thread uses what runs.
    enter(unsafe { running(stream) }, |running| {
        // SAFETY: NULL, or a place for a delta, of which nothing is read.
        let Some(delta) = (unsafe { delta.cast::<MaybeUninit<dw_delta>>().as_mut() }) else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        let error = match running.pending.take() {
            Some(error) => error,
            None => match running.stream.next() {
                Ok(Some(next)) => {
                    dw_delta::write(delta, &next);
                    return dw_status::DW_DELTA;
                }
                Ok(None) => return dw_status::DW_OK,
                Err(error) => error,
            },
        };
        running.fail(&error)
    })
}

/// Waits for the next delta, then takes those that can be had without waiting, up to `capacity`: one
/// call where crossing into C is what costs. The first call sends the request. An error behind deltas
/// is returned by the next call.
///
/// Valid until the next call on `stream` other than const ones: the slices in all of `deltas`.
///
/// @param deltas    Room for `capacity` deltas, of which the first `count` are written.
/// @param capacity  At least 1.
/// @param count     Receives how many deltas there are: 0 unless DW_DELTA is returned. Not written on
///                  DW_ERR_ARGUMENT and DW_ERR_PANIC.
/// @return As `dw_stream_next`.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_stream_next_batch(
    stream: *mut dw_stream,
    deltas: *mut dw_delta,
    capacity: usize,
    count: *mut usize,
) -> dw_status {
    // SAFETY: NULL, or a stream that was not freed. No other thread uses what runs.
    enter(unsafe { running(stream) }, |running| {
        // SAFETY: NULL, or room for `capacity` deltas.
        let Some(room) = unsafe { batch::room(deltas, capacity) }.filter(|_| !count.is_null())
        else {
            return dw_status::DW_ERR_ARGUMENT;
        };
        let (filled, error) = match running.pending.take() {
            Some(error) => (0, Some(error)),
            None => {
                let Running { stream, kept, .. } = running;
                let mut is_first = true;
                // The stream's buffer is its own, so all slices are copied.
                batch::fill(room, ptr::null()..ptr::null(), kept, |slot| {
                    if !mem::replace(&mut is_first, false) && !stream.is_ready() {
                        return Ok(None);
                    }
                    let next = stream.next()?;
                    Ok(next.as_ref().map(|next| dw_delta::write(slot, next)))
                })
            }
        };
        // SAFETY: not NULL, so it points to a number that may be written.
        unsafe { count.write(filled) };
        match error {
            Some(error) if filled == 0 => running.fail(&error),
            error => {
                running.pending = error;
                if filled == 0 {
                    dw_status::DW_OK
                } else {
                    dw_status::DW_DELTA
                }
            }
        }
    })
}

/// Sends the request, waits for the whole response and reads it into a message, in place of what that
/// had. A request of JSON has to ask for a response that is not streamed.
///
/// @param message  Written only on DW_OK.
/// @return DW_OK; DW_ERR_ORDER for a stream that has begun; DW_ERR_NOT_JSON, DW_ERR_NOT_A_RESPONSE;
///         DW_ERR_REQUEST down to DW_ERR_CANCELLED; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_stream_fetch(
    stream: *mut dw_stream,
    message: *mut dw_message,
) -> dw_status {
    // SAFETY: NULL, or a stream that was not freed. No other thread uses what runs.
    enter(unsafe { running(stream) }, |running| {
        // SAFETY: NULL, or a message that was not freed and that no other thread uses meanwhile.
        enter(unsafe { message.as_mut() }, |message| {
            match running.stream.fetch() {
                None => dw_status::DW_ERR_ORDER,
                Some(Ok(read)) => {
                    message.replace(read);
                    dw_status::DW_OK
                }
                Some(Err(error)) => running.fail(&error),
            }
        })
    })
}

/// Ends a stream: a call that waits on it returns DW_ERR_CANCELLED at once, and so does the next one.
/// MAY BE CALLED FROM ANY THREAD, ALSO WHILE ANOTHER ONE IS IN A CALL ON THE STREAM; not from a signal
/// handler, since it takes a lock.
///
/// @param stream  NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_stream_cancel(stream: *mut dw_stream) {
    // SAFETY: NULL, or a stream that was not freed. Of it only `cancel` is used, which is made for
    // several threads, and nobody has a reference to it that is not shared.
    if let Some(stream) = unsafe { stream.as_ref() } {
        run(|| {
            stream.cancel.cancel();
            dw_status::DW_OK
        });
    }
}

/// How the stream ended, or would have if it ended here.
///
/// @return A `dw_end`; DW_END_UNKNOWN for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dw_stream_end(stream: *const dw_stream) -> u32 {
    // SAFETY: NULL, or a stream that was not freed. No other thread changes what runs.
    ask(unsafe { shown(stream) }, 0, |running| running.stream.end())
}

/// What failed last.
///
/// Valid until the next call on `stream` other than const ones: the slices in `failure`.
///
/// @param failure  Written only on DW_OK.
/// @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn dw_stream_failure(
    stream: *const dw_stream,
    failure: *mut dw_failure,
) -> dw_status {
    // SAFETY: NULL, or a stream that was not freed. No other thread changes what runs.
    let running = unsafe { shown(stream) };
    // SAFETY: NULL, or a failure that may be written.
    unsafe { show(running, failure, |running| Ok(dw_failure::of(running))) }
}

/// What one thread at a time works on, without touching what cancelling uses.
///
/// # Safety
///
/// `stream` is NULL or was not freed, and no other thread uses what runs as long as the reference
/// lives.
unsafe fn running<'a>(stream: *mut dw_stream) -> Option<&'a mut Running> {
    // SAFETY: handed on. Shared, as it may be beside a call of `dw_stream_cancel`.
    let stream = unsafe { stream.as_ref() }?;
    // SAFETY: handed on.
    Some(unsafe { &mut *stream.running.get() })
}

/// The same for calls that only read.
///
/// # Safety
///
/// `stream` is NULL or was not freed, and no other thread changes what runs as long as the reference
/// lives.
unsafe fn shown<'a>(stream: *const dw_stream) -> Option<&'a Running> {
    // SAFETY: handed on.
    let stream = unsafe { stream.as_ref() }?;
    // SAFETY: handed on.
    Some(unsafe { &*stream.running.get() })
}
