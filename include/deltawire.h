/**
 * @file deltawire.h
 *
 * Reads streaming responses of language models: the bytes of an HTTP body in, deltas out, which are
 * borrowed pieces of text, reasoning, tool calls, token counts and errors, alike for all providers.
 *
 * A program that prints the reply in a body on its standard input:
 *
 * @code
 * #include <deltawire.h>
 * #include <stdio.h>
 *
 * int main(void) {
 *     dw_decoder *decoder = NULL;
 *     dw_delta delta;
 *     dw_status status = dw_decoder_new(NULL, &decoder);
 *     uint8_t bytes[4096];
 *     size_t len = 1;
 *     while (status == DW_OK && len > 0) {
 *         len = fread(bytes, 1, sizeof bytes, stdin);
 *         dw_input input = { bytes, len, 0 };
 *         do {
 *             status = len > 0 ? dw_decoder_next(decoder, &input, &delta)
 *                              : dw_decoder_finish(decoder, &delta);
 *             if (status == DW_DELTA && delta.kind == DW_DELTA_TEXT)
 *                 fwrite(delta.text.ptr, 1, delta.text.len, stdout);
 *         } while (status > 0 || DW_IS_EVENT_ERROR(status)); // of one event: call on
 *     }
 *     int is_complete = dw_decoder_end(decoder) == DW_END_COMPLETE;
 *     if (!is_complete)
 *         fputs("incomplete\n", stderr);
 *     dw_decoder_free(decoder);
 *     return !is_complete;
 * }
 * @endcode
 *
 * Objects. Each is made by a call that writes a pointer, and freed by the caller; to free NULL does
 * nothing. All slices that an object hands out are its own, for as long as the call says.
 *
 * | object       | what it does            | made by            | freed by          | slices end with   |
 * |--------------|-------------------------|--------------------|-------------------|-------------------|
 * | `dw_parser`  | bytes to events         | `dw_parser_new`    | `dw_parser_free`  | next call         |
 * |              | the same without malloc | `dw_parser_init`   | `dw_parser_free`, | next call         |
 * |              |                         |                    | or nobody         |                   |
 * | `dw_decoder` | bytes to deltas         | `dw_decoder_new`   | `dw_decoder_free` | next call         |
 * | `dw_message` | deltas put together     | `dw_message_new`   | `dw_message_free` | next call         |
 * | `dw_moderator` | text to be checked    | `dw_moderator_new` | `dw_moderator_free` | next call       |
 * | `dw_client`  | whom to ask             | `dw_client_new`    | `dw_client_free`  | (hands out none)  |
 * | `dw_stream`  | a request's deltas      | `dw_client_stream` | `dw_stream_free`  | next call         |
 *
 * "Next call" is the next one on that object which is not const, its being freed among them. Const is
 * a call that takes a pointer to const: it changes nothing and ends the life of no slice.
 *
 * Arguments. A pointer may be NULL only where that is said; otherwise NULL is DW_ERR_ARGUMENT, that of
 * the object too. Strings are a pointer and a length. Results are written only where that is said.
 * The library keeps no pointer into the caller's memory from one call to the next, but into that of
 * `dw_parser_init`.
 *
 * Input. Slices point into the caller's input where an event lies whole in it. So they also end when
 * those bytes are overwritten, moved or freed. The caller may do that at any time between calls; the
 * bytes of one call must not change during it.
 *
 * Threads. An object may move from thread to thread, but only one thread may use it at a time; const
 * calls may run beside each other. Different objects have nothing to do with each other: a stream
 * does not need its client any more. ONE CALL MAY COME FROM ANY THREAD AT ANY TIME: `dw_stream_cancel`,
 * while another thread waits in a call on the stream. Only freeing must wait for it.
 *
 * Faults. A fault in the library is caught at every call, printed to standard error and returned as
 * DW_ERR_PANIC. The object then answers DW_ERR_PANIC to everything but being freed.
 *
 * Memory. What grows with the input is bounded by the limit of an event: to parse its JSON takes up to
 * 44 times its size for a moment. Where memory cannot be had for an event, that event is
 * DW_ERR_OUT_OF_MEMORY: it gives nothing, the stream goes on, and what it said of the response may be
 * known all the same. Two things end the process where there is no memory: all of the transport; and
 * of decoders and `dw_message_read` the JSON parser, for up to 2 MiB a thread the first times, and
 * beyond where other threads take the memory that was just seen to be there. A parser in the caller's
 * memory needs no allocator.
 *
 * Growth. Fields called `reserved` are zero and may get a meaning; enumerations may get values.
 * Structs of options begin with their size, so that header and library may differ in age. A program
 * passes over values that it does not know. A library that was built without the transport, or
 * without moderation, has all functions all the same: `dw_client_new` and `dw_moderator_new` answer
 * DW_ERR_UNSUPPORTED.
 */

#ifndef DELTAWIRE_H
#define DELTAWIRE_H

#include <stddef.h>
#include <stdint.h>

/** Stands before a function whose result is a status that must be looked at. */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define DW_NODISCARD [[nodiscard]]
#elif defined(__GNUC__)
#define DW_NODISCARD __attribute__((warn_unused_result))
#else
#define DW_NODISCARD
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ---- Versions ----------------------------------------------------------------------------------
 *
 * `DW_VERSION_…` are those of the header a program was compiled with, the functions those of the
 * library it runs with.
 */

/** Changes with every release that is not compatible, from 1.0 on. */
#define DW_VERSION_MAJOR 0

/**
 * Changes with every release that is not compatible before 1.0; from 1.0 on, with one that adds
 * something.
 */
#define DW_VERSION_MINOR 1

/** Changes with every other release. */
#define DW_VERSION_PATCH 0

/** Changes when a program has to be compiled again to run with a newer library, and only then. */
#define DW_ABI_VERSION 1

/**
 * The version of the library, such as "0.1.0".
 *
 * @return Static text.
 */
const char *dw_version(void);

/**
 * The `DW_ABI_VERSION` of the library. A program that loads the library by itself compares the two.
 *
 * @return The number.
 */
uint32_t dw_abi_version(void);

/*
 * ---- Bytes in and out --------------------------------------------------------------------------
 *
 * What the library hands out are slices: a pointer and a length, no NUL behind them, and one may be
 * inside. They are never the caller's to free. What the caller brings is a `dw_input`, whose bytes
 * are read where they lie.
 */

/**
 * A piece of memory that is lent. What calls hand out never has a NULL here, even where `len` is
 * zero. Where C++, Go or Python would keep it, they copy it.
 */
typedef struct dw_slice {
    /** The first byte. */
    const uint8_t *ptr;
    /** How many bytes. */
    size_t len;
} dw_slice;

/**
 * The caller's bytes, and how far they are used. `next` advances `pos`; once it returns `DW_OK`,
 * `pos` is `len`, and the bytes may be overwritten, moved or freed.
 */
typedef struct dw_input {
    /** The first byte; may be NULL where `len` is zero. */
    const uint8_t *data;
    /** How many bytes. */
    size_t len;
    /** The first byte that is not used yet. Begin with 0. */
    size_t pos;
} dw_input;

/*
 * ---- Status ------------------------------------------------------------------------------------
 *
 * Every call that can fail returns a `dw_status`. Above zero: the call produced something. Zero: the
 * call did all it could. Below zero: the call failed. From DW_ERR_OUT_OF_MEMORY down to -19, only one
 * event failed and the stream continues: call `next` again if DW_IS_EVENT_ERROR(status). Get the
 * details from the object with `dw_parser_error`, `dw_decoder_error` or `dw_stream_failure`; no error
 * is kept per thread.
 */

/** Whether only one event failed, so that the stream continues. */
#define DW_IS_EVENT_ERROR(status) ((status) <= -10 && (status) > -20)

/** The result of a call. The numbers never change their meaning. */
typedef enum dw_status {
    /** Success. `next`: all input was read, pass more. `finish`: nothing is left. */
    DW_OK = 0,
    /** A delta was written. */
    DW_DELTA = 1,
    /** An item was written. */
    DW_ITEM = 2,
    /** An argument is NULL, out of range or an unknown enumerator. The call had no effect. */
    DW_ERR_ARGUMENT = -1,
    /** The function was called in the wrong order; see its description. The call had no effect. */
    DW_ERR_ORDER = -2,
    /** This build of the library lacks the function or does not know the option. */
    DW_ERR_UNSUPPORTED = -3,
    /** Internal error in the library. The handle can only be freed. */
    DW_ERR_PANIC = -4,
    /** A non-streaming response is JSON, but not of a known provider. */
    DW_ERR_NOT_A_RESPONSE = -5,
    /** Out of memory. `next` and `finish` skip the event and go on. */
    DW_ERR_OUT_OF_MEMORY = -10,
    /** An event is larger than the limit and is skipped. */
    DW_ERR_EVENT_TOO_LARGE = -11,
    /**
     * A binary frame is damaged and is skipped. If its length is damaged, the rest of the stream is
     * unreadable.
     */
    DW_ERR_BAD_FRAME = -12,
    /** The payload of an event is not JSON. The next delta is the payload, as `DW_DELTA_OTHER`. */
    DW_ERR_NOT_JSON = -13,
    /** The request is malformed: its URL, a header, certificates or a proxy. */
    DW_ERR_REQUEST = -20,
    /** Could not connect to the server or its proxy. The server has not seen the request. */
    DW_ERR_CONNECT = -21,
    /** TLS handshake failed: the certificate is untrusted, expired or for another host. */
    DW_ERR_TLS = -22,
    /** Timed out waiting for data. */
    DW_ERR_TIMEOUT = -23,
    /** The server returned an HTTP status other than 2xx. */
    DW_ERR_STATUS = -24,
    /** The response is not an event stream (for example an HTML page). */
    DW_ERR_CONTENT_TYPE = -25,
    /** The content encoding is unsupported, or the body is damaged. */
    DW_ERR_ENCODING = -26,
    /** The redirect was not followed. */
    DW_ERR_REDIRECT = -27,
    /** The response is not valid HTTP. */
    DW_ERR_PROTOCOL = -28,
    /** The server closed the connection without a response. */
    DW_ERR_CLOSED = -29,
    /** The connection was reset by the server or a host on the way. */
    DW_ERR_RESET = -30,
    /** The body was truncated: it ended before its length, its last chunk or the end of TLS. */
    DW_ERR_TRUNCATED = -31,
    /** A non-streaming response or the response headers are larger than the limit. */
    DW_ERR_LIMIT = -32,
    /** `dw_stream_cancel` was called. */
    DW_ERR_CANCELLED = -33,
    /** Another transport error. */
    DW_ERR_TRANSPORT = -34,
} dw_status;

/** The details of the last call of `next` or `finish` that failed. */
typedef struct dw_error {
    /** What failed, as that call returned it; `DW_OK` where none has failed. */
    int32_t status;
    /** Zero. */
    uint32_t reserved0;
    /** Where the event begins, in bytes from the start of the stream. */
    uint64_t offset;
    /** `DW_ERR_NOT_JSON`: how far into the payload it is JSON, in bytes. Else zero. */
    uint64_t at;
    /** What to tell a person: the place and the limit are named. */
    dw_slice message;
    /** Zero. */
    uint64_t reserved[4];
} dw_error;

/**
 * Returns the name of a status, such as "DW_ERR_NOT_JSON".
 *
 * @param status  Any number; the name of an unknown status is "unknown".
 * @return Static text, never NULL.
 */
const char *dw_status_name(int32_t status);

/**
 * Returns a message for a status, to show to a person. It has no details of the case.
 *
 * @param status  Any number.
 * @return Static text, never NULL.
 */
const char *dw_status_message(int32_t status);

/*
 * ---- Vocabulary --------------------------------------------------------------------------------
 *
 * One set of words for all providers. The names are those that the command `deltawire` prints.
 * Fields and arguments of these types are `uint32_t`, since later versions may add values.
 */

/** The providers' wire formats. */
typedef enum dw_dialect {
    /** As an option: recognise it by the first events. As an answer: not known yet. */
    DW_DIALECT_AUTO = 0,
    /** OpenAI chat completions and all who speak it: "openai-chat". */
    DW_DIALECT_OPENAI_CHAT = 1,
    /** OpenAI legacy completions: "openai-completions". */
    DW_DIALECT_OPENAI_COMPLETIONS = 2,
    /** OpenAI's Responses API: "openai-responses". */
    DW_DIALECT_OPENAI_RESPONSES = 3,
    /** Runs of OpenAI's Assistants API: "openai-assistants". */
    DW_DIALECT_OPENAI_ASSISTANTS = 4,
    /** Anthropic Messages: "anthropic". */
    DW_DIALECT_ANTHROPIC = 5,
    /** Anthropic's legacy text completions: "anthropic-complete". */
    DW_DIALECT_ANTHROPIC_COMPLETE = 6,
    /** Google's streamGenerateContent: "gemini". */
    DW_DIALECT_GEMINI = 7,
    /** Google's Interactions API: "gemini-interactions". */
    DW_DIALECT_GEMINI_INTERACTIONS = 8,
    /** Cohere Chat v2: "cohere". */
    DW_DIALECT_COHERE = 9,
    /** Ollama's native chat and generate: "ollama". */
    DW_DIALECT_OLLAMA = 10,
    /** The native stream of text-generation-inference: "tgi". */
    DW_DIALECT_TGI = 11,
    /** The native text generation of IBM watsonx.ai: "watsonx". */
    DW_DIALECT_WATSONX = 12,
    /** Replicate's prediction streams: "replicate". */
    DW_DIALECT_REPLICATE = 13,
    /** The native completions of llama.cpp's server: "llamacpp". */
    DW_DIALECT_LLAMACPP = 14,
    /** AWS Bedrock, Converse and Invoke: "bedrock". */
    DW_DIALECT_BEDROCK = 15,
} dw_dialect;

/** How events are told apart in the bytes. */
typedef enum dw_framing {
    /**
     * Of a parser: `DW_FRAMING_SSE`. Of a decoder: as the dialect has it, or the first bytes show.
     */
    DW_FRAMING_AUTO = 0,
    /** The WHATWG event stream, text/event-stream. */
    DW_FRAMING_SSE = 1,
    /** A line of JSON each, application/x-ndjson. */
    DW_FRAMING_NDJSON = 2,
    /** AWS's binary frames, application/vnd.amazon.eventstream. */
    DW_FRAMING_EVENT_STREAM = 3,
} dw_framing;

/** What becomes of an event whose blank line is missing at the end of the stream. */
typedef enum dw_eof {
    /** Of a parser: `DW_EOF_DISCARD`. Of a decoder: `DW_EOF_FLUSH`. */
    DW_EOF_DEFAULT = 0,
    /** It is dropped, as the standard demands. */
    DW_EOF_DISCARD = 1,
    /**
     * It is delivered, by a decoder where its payload is whole: some servers forget the last line.
     */
    DW_EOF_FLUSH = 2,
} dw_eof;

/** How a stream ended. */
typedef enum dw_end {
    /** Nobody has said yet. */
    DW_END_UNKNOWN = 0,
    /** All came: the provider's own terminator did, or all of a provider that sends none. */
    DW_END_COMPLETE = 1,
    /** Something is missing, or an error took its place. */
    DW_END_TRUNCATED = 2,
    /** It was no stream of a known provider; `dw_decoder_seen` has its beginning. */
    DW_END_UNRECOGNISED = 3,
} dw_end;

/** Why a choice ended. */
typedef enum dw_finish_reason {
    /** It has not. */
    DW_FINISH_NONE = 0,
    /** The model was done, or met a stop sequence: "stop". */
    DW_FINISH_STOP = 1,
    /** The limit on tokens was reached: "length". */
    DW_FINISH_LENGTH = 2,
    /** The model waits for the results of its tool calls: "tool_calls". */
    DW_FINISH_TOOL_CALLS = 3,
    /** Something was withheld by a filter: "content_filter". */
    DW_FINISH_CONTENT_FILTER = 4,
    /** The provider failed: "error". */
    DW_FINISH_ERROR = 5,
    /** A reason that is none of these: "other". */
    DW_FINISH_OTHER = 6,
} dw_finish_reason;

/** What went wrong at the provider's. */
typedef enum dw_error_kind {
    /** Nothing. */
    DW_ERROR_NONE = 0,
    /** The key is missing, wrong or expired: "authentication". */
    DW_ERROR_AUTHENTICATION = 1,
    /** The key may not do this, or the account has no credit: "permission". */
    DW_ERROR_PERMISSION = 2,
    /** No such model, path or response: "not_found". */
    DW_ERROR_NOT_FOUND = 3,
    /** Too many requests or tokens in too short a time: "rate_limit". */
    DW_ERROR_RATE_LIMIT = 4,
    /** The provider has more to do than it can: "overloaded". */
    DW_ERROR_OVERLOADED = 5,
    /** The prompt and the reply do not fit in the model's context: "context_length". */
    DW_ERROR_CONTEXT_LENGTH = 6,
    /** The request is not what the provider understands: "invalid_request". */
    DW_ERROR_INVALID_REQUEST = 7,
    /** A filter stopped the request or the reply: "content_filter". */
    DW_ERROR_CONTENT_FILTER = 8,
    /** The provider waited too long for something: "timeout". */
    DW_ERROR_TIMEOUT = 9,
    /** The provider failed: "server". */
    DW_ERROR_SERVER = 10,
    /** Anything else: "other". */
    DW_ERROR_OTHER = 11,
} dw_error_kind;

/**
 * The name of a dialect.
 *
 * @param dialect  A `dw_dialect`; "unknown" is the name of any other number and of AUTO.
 * @return Static text, never NULL.
 */
const char *dw_dialect_name(uint32_t dialect);

/**
 * The dialect of a name, as a program's user gives it.
 *
 * @param name  `len` bytes, not NUL-terminated.
 * @param len   Length of `name` in bytes.
 * @return A `dw_dialect`; DW_DIALECT_AUTO where no dialect has that name.
 */
uint32_t dw_dialect_by_name(const char *name, size_t len);

/**
 * The name of a finish reason.
 *
 * @param reason  A `dw_finish_reason`; "unknown" is the name of any other number and of NONE.
 * @return Static text, never NULL.
 */
const char *dw_finish_reason_name(uint32_t reason);

/**
 * The name of an error kind.
 *
 * @param kind  A `dw_error_kind`; "unknown" is the name of any other number and of NONE.
 * @return Static text, never NULL.
 */
const char *dw_error_kind_name(uint32_t kind);

/*
 * ---- Framing parser ----------------------------------------------------------------------------
 *
 * From bytes to events, without a look at what is in them. It gives events by the letter of HTML
 * section 9.2.6, and besides them comments, `retry` and the lines that the standard ignores, each
 * with its bytes as they came.
 */

/** The defaults: an event stream, events of up to 16 MiB, a cut event at the end is dropped. */
#define DW_PARSER_OPTIONS_INIT { sizeof(dw_parser_options), 0, 0, 0, 0 }

/** What an item is. */
typedef enum dw_item_kind {
    /** An event was dispatched: `event`, `data`, `id`. */
    DW_ITEM_EVENT = 1,
    /**
     * A comment line, as servers send to keep a connection alive: `data` is what follows the colon.
     */
    DW_ITEM_COMMENT = 2,
    /** The server set the reconnection time: `retry_ms`. */
    DW_ITEM_RETRY = 3,
    /**
     * A line that an event stream ignores: `name` and `data`, what precedes and follows the colon.
     */
    DW_ITEM_FIELD = 4,
    /** A blank line that ended a block without data: `event`. */
    DW_ITEM_BLANK = 5,
    /** An AWS frame that reports an error: `name` and `data`, its type and its payload. */
    DW_ITEM_EXCEPTION = 6,
} dw_item_kind;

/** Reads one stream of events. */
typedef struct dw_parser dw_parser;

/**
 * What a parser is told before it begins. Zeros are the defaults; `DW_PARSER_OPTIONS_INIT` sets
 * them and `struct_size`.
 */
typedef struct dw_parser_options {
    /** `sizeof(dw_parser_options)`. */
    uint32_t struct_size;
    /** A `dw_framing`. */
    uint32_t framing;
    /** A `dw_eof`. */
    uint32_t eof;
    /** Zero. */
    uint32_t reserved0;
    /** The largest event that is accepted, in bytes; 0 stands for 16 MiB. */
    size_t max_event_bytes;
} dw_parser_options;

/** One thing that a parser found. Fields that its kind does not name are empty or zero. */
typedef struct dw_item {
    /** A `dw_item_kind`. */
    uint32_t kind;
    /** Zero. */
    uint32_t reserved0;
    /** Where it begins, in bytes from the start of the stream. */
    uint64_t offset;
    /** The reconnection time in milliseconds. */
    uint64_t retry_ms;
    /** The event's type; "message" where the stream names none. */
    dw_slice event;
    /** The data, its lines joined by LF. Bytes as they came: they may not be UTF-8. */
    dw_slice data;
    /** The last event ID when the event was dispatched, which may be an earlier event's. */
    dw_slice id;
    /** The name of a field, or the type of an exception. */
    dw_slice name;
    /** The item's own bytes as they came, line ends included. */
    dw_slice raw;
    /** Zero. */
    uint64_t reserved[4];
} dw_item;

/**
 * Makes a parser on the heap.
 *
 * @param options  NULL for the defaults.
 * @param parser   Receives the parser, to be given to `dw_parser_free`. Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
 */
DW_NODISCARD dw_status dw_parser_new(const dw_parser_options *options, dw_parser **parser);

/**
 * How much memory a parser itself takes, for `dw_parser_init`.
 *
 * @return Bytes.
 */
size_t dw_parser_size(void);

/**
 * How the memory for `dw_parser_init` has to be aligned. Memory of `malloc` and of `max_align_t`
 * always is.
 *
 * @return Bytes, a power of two.
 */
size_t dw_parser_align(void);

/**
 * Makes a parser in the caller's memory. It never allocates. What lies behind its own
 * `dw_parser_size()` bytes holds what the end of an input cuts off, so it is the limit of an event:
 * its lines and, where it has several `data` lines, their joined data, and the last event ID.
 *
 * @param memory   Memory that the parser has to itself until `dw_parser_free`, or until it is used
 *                 no more.
 * @param size     Size of `memory` in bytes, `dw_parser_size()` or more.
 * @param options  NULL for the defaults.
 * @param parser   Receives the parser, which lies in `memory`. Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, also for memory that is too small or not aligned;
 *         DW_ERR_UNSUPPORTED.
 */
DW_NODISCARD dw_status dw_parser_init(void *memory,
                                      size_t size,
                                      const dw_parser_options *options,
                                      dw_parser **parser);

/**
 * Ends a parser and frees what it holds. Memory given to `dw_parser_init` is the caller's again.
 *
 * @param parser  NULL does nothing.
 */
void dw_parser_free(dw_parser *parser);

/**
 * Reads the next item.
 *
 * Valid until the next call on `parser` other than const ones, and while the bytes in `input` are
 * unchanged: the slices in `item`.
 *
 * @param input  The caller's bytes; `pos` is advanced. NULL: what was committed to the window.
 * @param item   Written only on DW_ITEM.
 * @return DW_ITEM, or DW_OK where the input is used up; DW_ERR_EVENT_TOO_LARGE,
 *         DW_ERR_OUT_OF_MEMORY, DW_ERR_BAD_FRAME for one event, after which to call on;
 *         DW_ERR_ORDER for an input while the window is not used up; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_parser_next(dw_parser *parser, dw_input *input, dw_item *item);

/**
 * Ends the stream: the items of what it left unfinished, one a call, then DW_OK. Without
 * DW_EOF_FLUSH there are none. Call `dw_parser_reset` or `dw_parser_reconnect` before the next
 * stream.
 *
 * Valid until the next call on `parser` other than const ones: the slices in `item`.
 *
 * @param item  Written only on DW_ITEM.
 * @return DW_ITEM, or DW_OK where there is nothing more; DW_ERR_OUT_OF_MEMORY for one event, after
 *         which to call on; DW_ERR_ORDER while the window is not used up; DW_ERR_ARGUMENT,
 *         DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_parser_finish(dw_parser *parser, dw_item *item);

/**
 * Lends memory of the parser's to be filled, for runtimes whose own buffers move. Then call
 * `dw_parser_commit`, and `dw_parser_next` with NULL as input. What was committed and is not used
 * yet stays.
 *
 * Valid until the next call on `parser` other than const ones: the memory.
 *
 * @param want  How many bytes at least; 0 stands for 16 KiB.
 * @param data  Receives where to write to. Written only on DW_OK.
 * @param size  Receives how many bytes may be written there. Written only on DW_OK.
 * @return DW_OK; DW_ERR_OUT_OF_MEMORY; DW_ERR_UNSUPPORTED for a parser in the caller's memory;
 *         DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_parser_window(dw_parser *parser,
                                        size_t want,
                                        uint8_t **data,
                                        size_t *size);

/**
 * Takes over what was written to the window.
 *
 * @param len  How many bytes, no more than `dw_parser_window` lent.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_parser_commit(dw_parser *parser, size_t len);

/**
 * Starts a new stream with nothing known. Options and memory are kept.
 *
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
dw_status dw_parser_reset(dw_parser *parser);

/**
 * Starts a new stream that goes on with the last event ID of the one before, as after a lost
 * connection. An unfinished event is dropped.
 *
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
dw_status dw_parser_reconnect(dw_parser *parser);

/**
 * Seeds the last event ID, as after a reconnect in another process.
 *
 * @param id   `len` bytes, not NUL-terminated.
 * @param len  Length of `id` in bytes.
 * @return DW_OK; DW_ERR_ARGUMENT, also for an ID with a NUL, CR or LF, which no stream can set;
 *         DW_ERR_ORDER in the middle of an event; DW_ERR_UNSUPPORTED for framings without IDs;
 *         DW_ERR_OUT_OF_MEMORY; DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_parser_set_last_event_id(dw_parser *parser,
                                                   const uint8_t *id,
                                                   size_t len);

/**
 * The last event ID, as a client sends it when it reconnects; empty where none was set.
 *
 * Valid until the next call on `parser` other than const ones: the slice in `id`.
 *
 * @param id  Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_parser_last_event_id(const dw_parser *parser, dw_slice *id);

/**
 * How many bytes of the stream were used, those of an unfinished event among them.
 *
 * @return Bytes; 0 for NULL.
 */
uint64_t dw_parser_offset(const dw_parser *parser);

/**
 * Whether the bytes so far end inside an event.
 *
 * @return 1 if so, else 0.
 */
int32_t dw_parser_is_mid_event(const dw_parser *parser);

/**
 * What failed last.
 *
 * Valid until the next call on `parser` other than const ones: the message in `error`.
 *
 * @param error  Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT.
 */
DW_NODISCARD dw_status dw_parser_error(const dw_parser *parser, dw_error *error);

/*
 * ---- Deltas ------------------------------------------------------------------------------------
 *
 * What a provider's stream says, piece by piece. One event on the wire gives none, one or several.
 */

/** In `dw_delta.flags`: `text` is all of the arguments. */
#define DW_DELTA_WHOLE 1

/** In `dw_delta.flags`: the same request may succeed later. */
#define DW_DELTA_TRANSIENT 2

/** In `dw_usage.known`: `input_tokens` is. */
#define DW_USAGE_INPUT_TOKENS 1

/** In `dw_usage.known`: `output_tokens` is. */
#define DW_USAGE_OUTPUT_TOKENS 2

/** In `dw_usage.known`: `total_tokens` is. */
#define DW_USAGE_TOTAL_TOKENS 4

/** In `dw_usage.known`: `cached_tokens` is. */
#define DW_USAGE_CACHED_TOKENS 8

/** In `dw_usage.known`: `cache_creation_tokens` is. */
#define DW_USAGE_CACHE_CREATION_TOKENS 16

/** In `dw_usage.known`: `reasoning_tokens` is. */
#define DW_USAGE_REASONING_TOKENS 32

/** What a delta is, and which of its fields say something. All others are empty or zero. */
typedef enum dw_delta_kind {
    /** The message begins: `id`, `model`, `role`. Comes again where the provider changes one. */
    DW_DELTA_START = 1,
    /** A piece of the reply: `choice`, `text`. */
    DW_DELTA_TEXT = 2,
    /** A piece of the model's reasoning or of its summary: `choice`, `text`. */
    DW_DELTA_REASONING = 3,
    /** A piece of the model's refusal to answer: `choice`, `text`. */
    DW_DELTA_REFUSAL = 4,
    /**
     * A tool call begins, or one that is known gets the ID or name it lacked, or is returned to:
     * `choice`, `index`, `id`, `name`. A new ID at an index in use is a new call.
     */
    DW_DELTA_TOOL_CALL_START = 5,
    /**
     * A piece of a tool call's arguments: `choice`, `index`, `text`. With DW_DELTA_WHOLE in `flags`
     * `text` is all of them, in place of any that came before.
     */
    DW_DELTA_TOOL_CALL_ARGUMENTS = 6,
    /** As DW_DELTA_TOOL_CALL_START, of a tool that the provider runs: nothing is left to do. */
    DW_DELTA_SERVER_TOOL_CALL_START = 7,
    /** As DW_DELTA_TOOL_CALL_ARGUMENTS, of a tool that the provider runs. */
    DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS = 8,
    /** A choice is at its end: `choice`, `finish_reason`, and `raw`, the provider's word for it. */
    DW_DELTA_FINISH = 9,
    /** Token counts so far: `usage`. Each number replaces the one before it. */
    DW_DELTA_USAGE = 10,
    /**
     * The provider reports an error: `error_kind`, `code`, `text`, its message, and `raw`, the whole
     * payload. With DW_DELTA_TRANSIENT in `flags` the same request may succeed later.
     */
    DW_DELTA_ERROR = 11,
    /** What has no place among the others: `name`, what it is, and `raw`, the whole payload. */
    DW_DELTA_OTHER = 12,
    /** The provider's own end of the stream. Comes once; more may follow it. */
    DW_DELTA_DONE = 13,
} dw_delta_kind;

/**
 * Token counts with the provider's meaning. Providers differ in whether cached tokens are part of
 * `input_tokens`, and reasoning tokens part of `output_tokens`.
 */
typedef struct dw_usage {
    /** Which of the counts the stream gave, DW_USAGE_… joined; the others are zero. */
    uint32_t known;
    /** Zero. */
    uint32_t reserved0;
    /** Tokens of the prompt. */
    uint64_t input_tokens;
    /** Tokens of the reply. */
    uint64_t output_tokens;
    /** All tokens, as the provider adds them up. */
    uint64_t total_tokens;
    /** Tokens of the prompt that were read from a cache. */
    uint64_t cached_tokens;
    /** Tokens of the prompt that were written to a cache. */
    uint64_t cache_creation_tokens;
    /** Tokens spent on reasoning. */
    uint64_t reasoning_tokens;
} dw_usage;

/**
 * One piece of news from a stream; `kind` says which fields have it. Text is UTF-8: what was not,
 * and lone surrogates, are U+FFFD in it. It may have NUL inside, and is never empty but where the
 * provider gave nothing.
 */
typedef struct dw_delta {
    /** A `dw_delta_kind`. */
    uint32_t kind;
    /** The choice it belongs to, from 0. */
    uint32_t choice;
    /** The tool call's index on the wire, else a running count. Some number from -1. */
    int32_t index;
    /** DW_DELTA_WHOLE, DW_DELTA_TRANSIENT. */
    uint32_t flags;
    /** A `dw_finish_reason`. */
    uint32_t finish_reason;
    /** A `dw_error_kind`. */
    uint32_t error_kind;
    /** The piece of text or of JSON arguments, to be appended; or the error's message. */
    dw_slice text;
    /** The provider's name for the response, or for the tool call. */
    dw_slice id;
    /** The tool's name; or what a delta of the kind OTHER is. */
    dw_slice name;
    /** The model that answers. */
    dw_slice model;
    /** Whose message it is: "assistant". */
    dw_slice role;
    /** The error's code, else its type. */
    dw_slice code;
    /** What came on the wire: the word for a finish reason, or a whole payload. */
    dw_slice raw;
    /** Token counts. */
    dw_usage usage;
    /** Zero. */
    uint64_t reserved[4];
} dw_delta;

/**
 * The name of a delta's kind, such as "tool_call_start".
 *
 * @param kind  A `dw_delta_kind`; "unknown" is the name of any other number.
 * @return Static text, never NULL.
 */
const char *dw_delta_kind_name(uint32_t kind);

/*
 * ---- Decoder -----------------------------------------------------------------------------------
 *
 * From the bytes of one response to its deltas. Whose response it is shows in its first events,
 * unless the options say it. Bring what was received, cut wherever it may be; at the end of the body
 * call `dw_decoder_finish` until it returns DW_OK, then `dw_decoder_end` says whether all came.
 */

/** The defaults: recognise the dialect, events of up to 16 MiB. */
#define DW_DECODER_OPTIONS_INIT \
    { sizeof(dw_decoder_options), 0, 0, 0, 0, 0, 0, { NULL, 0 }, { NULL, 0 } }

/** In `dw_decoder_options.flags`: do without templates. Slower by far, the same deltas. */
#define DW_DECODER_NO_TEMPLATES 1

/** Reads one response. */
typedef struct dw_decoder dw_decoder;

/**
 * What a decoder is told before it begins. Zeros are the defaults; `DW_DECODER_OPTIONS_INIT` sets
 * them and `struct_size`.
 */
typedef struct dw_decoder_options {
    /** `sizeof(dw_decoder_options)`. */
    uint32_t struct_size;
    /** A `dw_dialect`. */
    uint32_t dialect;
    /** A `dw_framing`. */
    uint32_t framing;
    /** A `dw_eof`. */
    uint32_t eof;
    /** DW_DECODER_NO_TEMPLATES. */
    uint32_t flags;
    /** Zero. */
    uint32_t reserved0;
    /** The largest event that is accepted, in bytes; 0 stands for 16 MiB. */
    size_t max_event_bytes;
    /**
     * The name of a member of an OpenAI chat delta that carries text besides those that are known,
     * for a sender that invented one. UTF-8, copied; empty for none.
     */
    dw_slice text_field;
    /** The same for reasoning. */
    dw_slice reasoning_field;
} dw_decoder_options;

/**
 * Makes a decoder.
 *
 * @param options  NULL for the defaults.
 * @param decoder  Receives the decoder, to be given to `dw_decoder_free`. Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
 */
DW_NODISCARD dw_status dw_decoder_new(const dw_decoder_options *options, dw_decoder **decoder);

/**
 * Frees a decoder.
 *
 * @param decoder  NULL does nothing.
 */
void dw_decoder_free(dw_decoder *decoder);

/**
 * Reads the next delta.
 *
 * Valid until the next call on `decoder` other than const ones, and while the bytes in `input` are
 * unchanged: the slices in `delta`.
 *
 * @param input  The caller's bytes; `pos` is advanced. NULL: what was committed to the window.
 * @param delta  Written only on DW_DELTA.
 * @return DW_DELTA, or DW_OK where the input is used up; DW_ERR_EVENT_TOO_LARGE, DW_ERR_NOT_JSON,
 *         DW_ERR_BAD_FRAME, DW_ERR_OUT_OF_MEMORY for one event, after which to call on;
 *         DW_ERR_ORDER for an input while the window is not used up; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_decoder_next(dw_decoder *decoder, dw_input *input, dw_delta *delta);

/**
 * Reads as many deltas as there are in the input, up to `capacity`: one call where crossing into C is
 * what costs. An error behind deltas is returned by the next call, for which the last byte of input is
 * kept back, to come again as the first of the next input: where `count` is below `capacity` and `pos` is
 * `len`, all is used up and nothing waits.
 *
 * Valid until the next call on `decoder` other than const ones, and while the bytes in `input` are
 * unchanged: the slices in all of `deltas`.
 *
 * @param input     The caller's bytes; `pos` is advanced. NULL: what was committed to the window.
 * @param deltas    Room for `capacity` deltas, of which the first `count` are written.
 * @param capacity  At least 1.
 * @param count     Receives how many deltas there are: 0 unless DW_DELTA is returned. Not written on
 *                  DW_ERR_ARGUMENT and DW_ERR_PANIC.
 * @return DW_DELTA, or DW_OK where the input is used up; the errors of `dw_decoder_next`.
 */
DW_NODISCARD dw_status dw_decoder_next_batch(dw_decoder *decoder,
                                             dw_input *input,
                                             dw_delta *deltas,
                                             size_t capacity,
                                             size_t *count);

/**
 * Ends the stream: the deltas of what it left unfinished, one a call, then DW_OK. Then
 * `dw_decoder_end` says how the stream ended. Call `dw_decoder_reset` before the next one.
 *
 * Valid until the next call on `decoder` other than const ones: the slices in `delta`.
 *
 * @param delta  Written only on DW_DELTA.
 * @return DW_DELTA, or DW_OK where there is nothing more; the errors of `dw_decoder_next`, DW_ERR_ORDER
 *         while the window is not used up.
 */
DW_NODISCARD dw_status dw_decoder_finish(dw_decoder *decoder, dw_delta *delta);

/**
 * Lends memory of the decoder's to be filled, for runtimes whose own buffers move. Then call
 * `dw_decoder_commit`, and `dw_decoder_next` with NULL as input. What was committed and is not used
 * yet stays.
 *
 * Valid until the next call on `decoder` other than const ones: the memory.
 *
 * @param want  How many bytes at least; 0 stands for 16 KiB.
 * @param data  Receives where to write to. Written only on DW_OK.
 * @param size  Receives how many bytes may be written there. Written only on DW_OK.
 * @return DW_OK; DW_ERR_OUT_OF_MEMORY; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_decoder_window(dw_decoder *decoder,
                                         size_t want,
                                         uint8_t **data,
                                         size_t *size);

/**
 * Takes over what was written to the window.
 *
 * @param len  How many bytes, no more than `dw_decoder_window` lent.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_decoder_commit(dw_decoder *decoder, size_t len);

/**
 * Forgets the stream and begins another one. Options and memory are kept.
 *
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
dw_status dw_decoder_reset(dw_decoder *decoder);

/**
 * How the stream ended, or would have if it ended here.
 *
 * @return A `dw_end`; DW_END_UNKNOWN for NULL.
 */
uint32_t dw_decoder_end(const dw_decoder *decoder);

/**
 * Whose response it is.
 *
 * @return A `dw_dialect`; DW_DIALECT_AUTO as long as it is not known.
 */
uint32_t dw_decoder_dialect(const dw_decoder *decoder);

/**
 * How many bytes of the stream were used, those of an unfinished event among them.
 *
 * @return Bytes; 0 for NULL.
 */
uint64_t dw_decoder_offset(const dw_decoder *decoder);

/**
 * How many events were dispatched, those whose payload is not JSON among them.
 *
 * @return A count; 0 for NULL.
 */
uint64_t dw_decoder_events(const dw_decoder *decoder);

/**
 * The lines that are no part of an event stream, up to 64 KiB of them: what a server sent in place of
 * a stream, such as a web page.
 *
 * Valid until the next call on `decoder` other than const ones: the slice in `seen`.
 *
 * @param seen  Bytes, each line ended by LF, however it came. Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_decoder_seen(const dw_decoder *decoder, dw_slice *seen);

/**
 * What failed last.
 *
 * Valid until the next call on `decoder` other than const ones: the message in `error`.
 *
 * @param error  Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT.
 */
DW_NODISCARD dw_status dw_decoder_error(const dw_decoder *decoder, dw_error *error);

/*
 * ---- Message -----------------------------------------------------------------------------------
 *
 * A reply put together: give it the deltas of a stream, or a whole response that was not streamed.
 * It copies what it keeps.
 */

/** A reply. */
typedef struct dw_message dw_message;

/** What is known of a reply as a whole. */
typedef struct dw_message_info {
    /** The provider's name for the response. */
    dw_slice id;
    /** The model that answered. */
    dw_slice model;
    /** Whose message it is: "assistant". */
    dw_slice role;
    /** Token counts: of each the last that came. */
    dw_usage usage;
    /** How many choices there are, for `dw_message_choice`. */
    size_t choices;
    /** How many tool calls all choices have, for `dw_message_tool_call`. */
    size_t tool_calls;
    /** The same of tools that the provider ran, for `dw_message_server_tool_call`. */
    size_t server_tool_calls;
    /** A `dw_end`; DW_END_UNKNOWN until `dw_message_finish`. */
    uint32_t end;
    /** 1 if the stream came to its end and reported no error, else 0. */
    uint32_t is_complete;
    /** The kind of the first error that the provider reported, a `dw_error_kind`. */
    uint32_t error_kind;
    /** 1 if the same request may succeed later, else 0. */
    uint32_t error_transient;
    /** The error's code, else its type. */
    dw_slice error_code;
    /** The error's message. */
    dw_slice error_message;
    /** Zero. */
    uint64_t reserved[4];
} dw_message_info;

/** One of the replies to a prompt. */
typedef struct dw_choice {
    /** Its index on the wire, from 0. */
    uint32_t index;
    /** Why it ended, a `dw_finish_reason`. */
    uint32_t finish_reason;
    /** The same in the provider's words. */
    dw_slice finish_raw;
    /** The reply. */
    dw_slice text;
    /** The model's reasoning or its summary. */
    dw_slice reasoning;
    /** The model's refusal. */
    dw_slice refusal;
    /** Zero. */
    uint64_t reserved[4];
} dw_choice;

/** A call of a tool. */
typedef struct dw_tool_call {
    /** The choice it belongs to. */
    uint32_t choice;
    /** Its index on the wire, else a running count. */
    int32_t index;
    /** The provider's name for the call, which its result has to carry. */
    dw_slice id;
    /** The tool's name. */
    dw_slice name;
    /** The arguments: JSON text, if the model wrote it right. */
    dw_slice arguments;
    /** Zero. */
    uint64_t reserved[4];
} dw_tool_call;

/**
 * Makes a message of which nothing has come.
 *
 * @param message  Receives the message, to be given to `dw_message_free`. Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_OUT_OF_MEMORY.
 */
DW_NODISCARD dw_status dw_message_new(dw_message **message);

/**
 * Frees a message.
 *
 * @param message  NULL does nothing.
 */
void dw_message_free(dw_message *message);

/**
 * Takes in a delta, and copies what it keeps of it.
 *
 * @param delta  As a decoder wrote it, its slices still valid; or one of the caller's, zeroed but for
 *               the fields of its kind.
 * @return DW_OK; DW_ERR_ARGUMENT, also for an unknown kind and for text that is not UTF-8;
 *         DW_ERR_OUT_OF_MEMORY, and nothing of the delta is taken in; DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_message_push(dw_message *message, const dw_delta *delta);

/**
 * Notes how the stream ended.
 *
 * @param end  A `dw_end` other than DW_END_UNKNOWN, as `dw_decoder_end` returns it.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_message_finish(dw_message *message, uint32_t end);

/**
 * Reads a whole response, as a server sends it where no stream was asked for, in place of what the
 * message had. An error that the provider reports in it is the message's, and no failure.
 *
 * Valid until the next call on `message` other than const ones: the message in `error`.
 *
 * @param body   `len` bytes of JSON.
 * @param len    Length of `body` in bytes.
 * @param error  NULL, or receives what is wrong with the body, and where. Written only on the three
 *               errors that concern it.
 * @return DW_OK; DW_ERR_NOT_JSON, DW_ERR_NOT_A_RESPONSE, DW_ERR_OUT_OF_MEMORY; DW_ERR_ARGUMENT,
 *         DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_message_read(dw_message *message,
                                       const uint8_t *body,
                                       size_t len,
                                       dw_error *error);

/**
 * What is known of the reply as a whole.
 *
 * Valid until the next call on `message` other than const ones: the slices in `info`.
 *
 * @param info  Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_message_get(const dw_message *message, dw_message_info *info);

/**
 * One of the choices, which are in the order of their indexes.
 *
 * Valid until the next call on `message` other than const ones: the slices in `choice`.
 *
 * @param at      From 0, below `dw_message_info.choices`.
 * @param choice  Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, also where there is no such choice; DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_message_choice(const dw_message *message, size_t at, dw_choice *choice);

/**
 * One of the tool calls of all choices, which are in the order in which they began.
 *
 * Valid until the next call on `message` other than const ones: the slices in `call`.
 *
 * @param at    From 0, below `dw_message_info.tool_calls`.
 * @param call  Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, also where there is no such call; DW_ERR_OUT_OF_MEMORY,
 *         DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_message_tool_call(const dw_message *message,
                                            size_t at,
                                            dw_tool_call *call);

/**
 * The same for the calls of tools that the provider ran itself.
 *
 * Valid until the next call on `message` other than const ones: the slices in `call`.
 *
 * @param at    From 0, below `dw_message_info.server_tool_calls`.
 * @param call  Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, also where there is no such call; DW_ERR_OUT_OF_MEMORY,
 *         DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_message_server_tool_call(const dw_message *message,
                                                   size_t at,
                                                   dw_tool_call *call);

/*
 * ---- Moderation --------------------------------------------------------------------------------
 *
 * Text held back until a sentence, a paragraph or a number of characters is whole, so that it can be
 * checked before anybody sees it. Give a moderator each delta of a stream; what comes out of it, all
 * text in its order, is to be checked by the caller, and shown if it is fine.
 */

/** The defaults: sentences, of which up to 4 KiB are held back for a choice. */
#define DW_MODERATOR_OPTIONS_INIT { sizeof(dw_moderator_options), 0, 0, 0 }

/** What is checked as one piece. */
typedef enum dw_unit {
    /** A sentence, by Unicode Standard Annex 29. It is whole once the next words begin. */
    DW_UNIT_SENTENCE = 0,
    /** All to a blank line and with it. */
    DW_UNIT_PARAGRAPH = 1,
    /** As many characters as the options say, counted as a reader counts them. */
    DW_UNIT_CHARACTERS = 2,
} dw_unit;

/** Holds text back. */
typedef struct dw_moderator dw_moderator;

/**
 * What a moderator is told before it begins. Zeros are the defaults; `DW_MODERATOR_OPTIONS_INIT` sets
 * them and `struct_size`.
 */
typedef struct dw_moderator_options {
    /** `sizeof(dw_moderator_options)`. */
    uint32_t struct_size;
    /** A `dw_unit`. */
    uint32_t unit;
    /** How many characters a piece has, with DW_UNIT_CHARACTERS; 0 stands for 1. */
    size_t characters;
    /**
     * The most text that is held back for one choice, in bytes; 0 stands for 4 KiB. A longer unit comes
     * in parts.
     */
    size_t max_held_bytes;
} dw_moderator_options;

/**
 * Makes a moderator.
 *
 * @param options    NULL for the defaults.
 * @param moderator  Receives the moderator, to be given to `dw_moderator_free`. Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
 */
DW_NODISCARD dw_status dw_moderator_new(const dw_moderator_options *options,
                                        dw_moderator **moderator);

/**
 * Frees a moderator, and what it holds.
 *
 * @param moderator  NULL does nothing.
 */
void dw_moderator_free(dw_moderator *moderator);

/**
 * Takes in a delta and copies its text. Then call `dw_moderator_next` until it returns DW_OK: a delta
 * that ends a text, such as a finish reason, makes pieces whole too.
 *
 * @param delta  As a decoder or a stream wrote it, its slices still valid.
 * @return DW_OK for text, reasoning and refusal, which come out of `dw_moderator_next` in time; DW_DELTA
 *         for all others, which are the caller's to use as they are, behind the pieces that
 *         `dw_moderator_next` gives now; DW_ERR_ARGUMENT, also for an unknown kind and for text that
 *         is not UTF-8; DW_ERR_OUT_OF_MEMORY, where nothing of the text is held; DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_moderator_push(dw_moderator *moderator, const dw_delta *delta);

/**
 * The next piece that is whole: a delta of the kind and choice of those it came from. It is to be checked
 * before it is shown.
 *
 * Valid until the next call on `moderator` other than const ones: the slices in `delta`.
 *
 * @param delta  Written only on DW_DELTA.
 * @return DW_DELTA, or DW_OK where more of the stream is needed; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_moderator_next(dw_moderator *moderator, dw_delta *delta);

/**
 * Says that the stream is at its end: what is held comes out of `dw_moderator_next` as it is.
 *
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
dw_status dw_moderator_finish(dw_moderator *moderator);

/**
 * Says that a piece was refused: what is held is forgotten, and no text comes out any more. The stream
 * itself is the caller's to end, by `dw_stream_cancel` or as it came.
 *
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
dw_status dw_moderator_stop(dw_moderator *moderator);

/*
 * ---- Transport ---------------------------------------------------------------------------------
 *
 * Asks a provider over HTTP and reads the response as it comes. It blocks, on the thread of its
 * caller. A client has the address, the key and the connections; a stream is one request and its
 * response. Nothing is sent before the first `dw_stream_next` or `dw_stream_fetch`, so a stream can
 * be cancelled from the start. No key is shown in any text that is handed out.
 */

/** In place of a number of milliseconds or of attempts: no limit, or none. 0 is the default. */
#define DW_UNLIMITED UINT64_MAX
#define DW_NONE UINT32_MAX

/** The defaults: OpenAI, its own address, no key. */
#define DW_CLIENT_OPTIONS_INIT \
    { sizeof(dw_client_options), 0, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, { NULL, 0 }, \
      { NULL, 0 }, NULL, 0, 0, 0, 0, 0, 0, 0, 0, NULL }

/** A request of which nothing is said. */
#define DW_REQUEST_INIT \
    { sizeof(dw_request), 0, { NULL, 0 }, NULL, 0, 0, 0, 0.0, { NULL, 0 }, { NULL, 0 } }

/** In `dw_request.flags`: asks for token counts, which some providers send only then. */
#define DW_REQUEST_INCLUDE_USAGE 1

/** In `dw_request.flags`: `temperature` is set. */
#define DW_REQUEST_TEMPERATURE 2

/** Whose conventions a request follows: where it goes, what carries the key, how it is put. */
typedef enum dw_provider {
    /** OpenAI, or any server that speaks its API below a base URL of its own. */
    DW_PROVIDER_OPENAI = 0,
    /** OpenAI's models on Azure; the base URL is the resource's endpoint. */
    DW_PROVIDER_AZURE = 1,
    /** Anthropic's messages. */
    DW_PROVIDER_ANTHROPIC = 2,
    /** Google's Gemini. */
    DW_PROVIDER_GEMINI = 3,
    /** Ollama's own API, as it runs on this machine. */
    DW_PROVIDER_OLLAMA = 4,
} dw_provider;

/** Asks one provider, and keeps its connections for the next request. */
typedef struct dw_client dw_client;

/** One request and its response. */
typedef struct dw_stream dw_stream;

/** A header of HTTP. */
typedef struct dw_header {
    /** Its name. */
    dw_slice name;
    /** Its value, which is treated like a key: it is never shown. */
    dw_slice value;
} dw_header;

/**
 * What a client is told before it begins. Everything is copied. Zeros are the defaults;
 * `DW_CLIENT_OPTIONS_INIT` sets them and `struct_size`.
 */
typedef struct dw_client_options {
    /** `sizeof(dw_client_options)`. */
    uint32_t struct_size;
    /** A `dw_provider`. */
    uint32_t provider;
    /**
     * What precedes every path, such as "https://api.openai.com/v1"; empty for the provider's own.
     */
    dw_slice base_url;
    /** The key; empty for none. */
    dw_slice key;
    /** Azure's `api-version`; empty for the API that has no versions. */
    dw_slice api_version;
    /**
     * A proxy, "http://", "socks4://" or "socks5://"; "direct" for none; empty for what the
     * environment says.
     */
    dw_slice proxy;
    /** A file of certificates in PEM that are trusted in place of Mozilla's; empty for those. */
    dw_slice ca_file;
    /** Headers besides, `headers_len` of them; may be NULL where there are none. */
    const dw_header *headers;
    /** How many headers. */
    size_t headers_len;
    /** How long to wait for a connection, in milliseconds; 0 for 10 s, DW_UNLIMITED. */
    uint64_t timeout_connect_ms;
    /**
     * How long to wait for the first byte of the body, in milliseconds; 0 for 600 s, DW_UNLIMITED.
     */
    uint64_t timeout_first_byte_ms;
    /** How long to wait for the next bytes, in milliseconds; 0 for 300 s, DW_UNLIMITED. */
    uint64_t timeout_idle_ms;
    /** How long to wait for more than comments and pings, in milliseconds; 0 for ever. */
    uint64_t timeout_content_ms;
    /**
     * How many attempts besides the first; 0 for 2, DW_NONE. Only a request of which nothing can have
     * begun is sent again.
     */
    uint32_t retries;
    /** Zero. */
    uint32_t reserved0;
    /** The largest whole response that is accepted, in bytes; 0 for 16 MiB. */
    size_t max_response_bytes;
    /** How responses are decoded; NULL for the defaults. */
    const dw_decoder_options *decoder;
} dw_client_options;

/** One message of a conversation. */
typedef struct dw_turn {
    /** Whose it is: "system", "user", "assistant". */
    dw_slice role;
    /** What was said. */
    dw_slice content;
} dw_turn;

/**
 * What is asked: a conversation, which is put as the provider wants it, or JSON that the caller
 * wrote. Everything is copied. Zeros say nothing; `DW_REQUEST_INIT` sets them and `struct_size`.
 */
typedef struct dw_request {
    /** `sizeof(dw_request)`. */
    uint32_t struct_size;
    /** DW_REQUEST_INCLUDE_USAGE, DW_REQUEST_TEMPERATURE. */
    uint32_t flags;
    /** The model that shall answer. */
    dw_slice model;
    /** The conversation, `turns_len` of them. */
    const dw_turn *turns;
    /** How many. */
    size_t turns_len;
    /** The most tokens that a choice may have; 0 leaves it to the provider. */
    uint32_t max_tokens;
    /** How many choices; 0 leaves it to the provider. */
    uint32_t n;
    /** How much chance there is in the reply, with DW_REQUEST_TEMPERATURE in `flags`. */
    double temperature;
    /**
     * In place of all that: where to post to, a path below the base URL such as
     * "/chat/completions", or a whole URL.
     */
    dw_slice path;
    /** And what: the body, which asks for a stream itself. */
    dw_slice json;
} dw_request;

/** Why a request was not answered, or not to its end. What does not apply is empty or zero. */
typedef struct dw_failure {
    /** What failed, as `dw_stream_next` or `dw_stream_fetch` returned it; DW_OK where none has. */
    int32_t status;
    /** The HTTP status, such as 429, of DW_ERR_STATUS. */
    uint32_t http_status;
    /** What the provider says went wrong, a `dw_error_kind`, of DW_ERR_STATUS. */
    uint32_t error_kind;
    /** 1 if the same request may succeed later, else 0. */
    uint32_t transient;
    /** How long the server asks to wait before another attempt, in milliseconds. */
    uint64_t retry_after_ms;
    /** Where in the stream the event begins that could not be read, in bytes from its start. */
    uint64_t offset;
    /** What to tell a person: what was asked and what became of it. */
    dw_slice message;
    /** The provider's code, else its type. */
    dw_slice code;
    /** The provider's message. */
    dw_slice said;
    /** What the provider calls the request, for its support. */
    dw_slice request_id;
    /** The body of the refusal as text, up to 64 KiB of it. */
    dw_slice body;
    /** Zero. */
    uint64_t reserved[4];
} dw_failure;

/**
 * Makes a client. It asks nobody yet.
 *
 * @param options  NULL for the defaults.
 * @param client   Receives the client, to be given to `dw_client_free`. Written only on DW_OK.
 * @param why      NULL, or receives on DW_ERR_REQUEST what is wrong, NUL-terminated, cut to `size`.
 * @param size     Size of `why` in bytes.
 * @return DW_OK; DW_ERR_REQUEST for options with which nothing can be asked, such as a proxy that is
 *         none, or certificates that cannot be read (a base URL that is none shows when a stream asks);
 *         DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
 */
DW_NODISCARD dw_status dw_client_new(const dw_client_options *options,
                                     dw_client **client,
                                     char *why,
                                     size_t size);

/**
 * Frees a client. Its streams go on.
 *
 * @param client  NULL does nothing.
 */
void dw_client_free(dw_client *client);

/**
 * Makes a stream of a request, which is not sent yet. Several threads may do so with one client.
 *
 * @param request  What is asked.
 * @param stream   Receives the stream, to be given to `dw_stream_free`. Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_UNSUPPORTED, DW_ERR_OUT_OF_MEMORY.
 */
DW_NODISCARD dw_status dw_client_stream(const dw_client *client,
                                        const dw_request *request,
                                        dw_stream **stream);

/**
 * Frees a stream, and closes its connection if the response is not at its end.
 *
 * @param stream  NULL does nothing. No thread may be in a call on it, `dw_stream_cancel` included.
 */
void dw_stream_free(dw_stream *stream);

/**
 * Waits for the next delta. The first call sends the request.
 *
 * Valid until the next call on `stream` other than const ones: the slices in `delta`.
 *
 * @param delta  Written only on DW_DELTA.
 * @return DW_DELTA, or DW_OK where the response is at its end; the errors of `dw_decoder_next` for one
 *         event, after which to call on; once, DW_ERR_REQUEST down to DW_ERR_CANCELLED where no
 *         response came or it broke off: what came before it still comes, then DW_OK.
 */
DW_NODISCARD dw_status dw_stream_next(dw_stream *stream, dw_delta *delta);

/**
 * Waits for the next delta, then takes those that can be had without waiting, up to `capacity`: one
 * call where crossing into C is what costs. The first call sends the request. An error behind deltas
 * is returned by the next call.
 *
 * Valid until the next call on `stream` other than const ones: the slices in all of `deltas`.
 *
 * @param deltas    Room for `capacity` deltas, of which the first `count` are written.
 * @param capacity  At least 1.
 * @param count     Receives how many deltas there are: 0 unless DW_DELTA is returned. Not written on
 *                  DW_ERR_ARGUMENT and DW_ERR_PANIC.
 * @return As `dw_stream_next`.
 */
DW_NODISCARD dw_status dw_stream_next_batch(dw_stream *stream,
                                            dw_delta *deltas,
                                            size_t capacity,
                                            size_t *count);

/**
 * Sends the request, waits for the whole response and reads it into a message, in place of what that
 * had. A request of JSON has to ask for a response that is not streamed.
 *
 * @param message  Written only on DW_OK.
 * @return DW_OK; DW_ERR_ORDER for a stream that has begun; DW_ERR_NOT_JSON, DW_ERR_NOT_A_RESPONSE;
 *         DW_ERR_REQUEST down to DW_ERR_CANCELLED; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_stream_fetch(dw_stream *stream, dw_message *message);

/**
 * Ends a stream: a call that waits on it returns DW_ERR_CANCELLED at once, and so does the next one.
 * MAY BE CALLED FROM ANY THREAD, ALSO WHILE ANOTHER ONE IS IN A CALL ON THE STREAM; not from a signal
 * handler, since it takes a lock.
 *
 * @param stream  NULL does nothing.
 */
void dw_stream_cancel(dw_stream *stream);

/**
 * How the stream ended, or would have if it ended here.
 *
 * @return A `dw_end`; DW_END_UNKNOWN for NULL.
 */
uint32_t dw_stream_end(const dw_stream *stream);

/**
 * What failed last.
 *
 * Valid until the next call on `stream` other than const ones: the slices in `failure`.
 *
 * @param failure  Written only on DW_OK.
 * @return DW_OK; DW_ERR_ARGUMENT, DW_ERR_PANIC.
 */
DW_NODISCARD dw_status dw_stream_failure(const dw_stream *stream, dw_failure *failure);

#ifdef __cplusplus
}
#endif

#endif
