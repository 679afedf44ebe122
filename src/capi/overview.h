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
