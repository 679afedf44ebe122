/*
 * Everything that a program may do wrong and the header says what comes of it. Linked with the
 * library that has dw_test_panic, so that what follows a panic is seen too. One long program: each
 * function below is one chapter of the header.
 */
#include <deltawire.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next call on any object panics. In no library that is shipped. */
void dw_test_panic(void);

#include "require.h"

#define CHUNK(text)                                                            \
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}\n\n"

static dw_input input_of(const char *text) {
    dw_input input = { (const uint8_t *)text, strlen(text), 0 };
    return input;
}

static int is(dw_slice slice, const char *text) {
    return slice.ptr != NULL && slice.len == strlen(text) && memcmp(slice.ptr, text, slice.len) == 0;
}

static dw_decoder *decoder_of(const dw_decoder_options *options) {
    dw_decoder *decoder = NULL;
    REQUIRE(dw_decoder_new(options, &decoder) == DW_OK && decoder != NULL);
    return decoder;
}

static dw_parser *parser_of(const dw_parser_options *options) {
    dw_parser *parser = NULL;
    REQUIRE(dw_parser_new(options, &parser) == DW_OK && parser != NULL);
    return parser;
}

static dw_message *message_of(void) {
    dw_message *message = NULL;
    REQUIRE(dw_message_new(&message) == DW_OK && message != NULL);
    return message;
}

/* Writes 0x5A all over, to see that a call that failed has written nothing. */
#define FILL(what) memset(&(what), 0x5A, sizeof(what))
#define IS_FILLED(what) is_filled(&(what), sizeof(what))

static int is_filled(const void *what, size_t size) {
    const uint8_t *bytes = what;
    for (size_t at = 0; at < size; at++)
        if (bytes[at] != 0x5A)
            return 0;
    return 1;
}

static void null_everywhere(void) {
    dw_input input = input_of(CHUNK("a"));
    dw_delta delta;
    dw_item item;
    dw_error error;
    dw_slice slice;
    dw_message_info info;
    dw_choice choice;
    dw_tool_call call;
    uint8_t *data = NULL;
    size_t size = 7, count = 7;
    FILL(delta);
    FILL(item);
    FILL(error);
    FILL(slice);
    FILL(info);
    FILL(choice);
    FILL(call);

    /* No object. */
    REQUIRE(dw_parser_next(NULL, &input, &item) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_finish(NULL, &item) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_window(NULL, 1, &data, &size) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_commit(NULL, 0) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_reset(NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_reconnect(NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_set_last_event_id(NULL, NULL, 0) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_last_event_id(NULL, &slice) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_offset(NULL) == 0);
    REQUIRE(dw_parser_is_mid_event(NULL) == 0);
    REQUIRE(dw_parser_error(NULL, &error) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_next(NULL, &input, &delta) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_next_batch(NULL, &input, &delta, 1, &count) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_finish(NULL, &delta) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_window(NULL, 1, &data, &size) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_commit(NULL, 0) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_reset(NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_end(NULL) == DW_END_UNKNOWN);
    REQUIRE(dw_decoder_dialect(NULL) == DW_DIALECT_AUTO);
    REQUIRE(dw_decoder_offset(NULL) == 0);
    REQUIRE(dw_decoder_events(NULL) == 0);
    REQUIRE(dw_decoder_seen(NULL, &slice) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_error(NULL, &error) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_push(NULL, &delta) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_finish(NULL, DW_END_COMPLETE) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_read(NULL, (const uint8_t *)"{}", 2, &error) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_get(NULL, &info) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_choice(NULL, 0, &choice) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_tool_call(NULL, 0, &call) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_server_tool_call(NULL, 0, &call) == DW_ERR_ARGUMENT);

    /* Nowhere to write to. */
    REQUIRE(dw_parser_new(NULL, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_new(NULL, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_new(NULL) == DW_ERR_ARGUMENT);
    dw_parser *parser = parser_of(NULL);
    REQUIRE(dw_parser_next(parser, &input, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_finish(parser, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_window(parser, 1, NULL, &size) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_window(parser, 1, &data, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_last_event_id(parser, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_error(parser, NULL) == DW_ERR_ARGUMENT);
    dw_decoder *decoder = decoder_of(NULL);
    REQUIRE(dw_decoder_next(decoder, &input, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_next_batch(decoder, &input, NULL, 1, &count) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_next_batch(decoder, &input, &delta, 1, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_next_batch(decoder, &input, &delta, 0, &count) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_next_batch(decoder, &input, &delta, SIZE_MAX, &count) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_next_batch(decoder, &input, &delta, SIZE_MAX / sizeof delta, &count) ==
            DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_finish(decoder, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_window(decoder, 1, NULL, &size) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_window(decoder, 1, &data, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_seen(decoder, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_error(decoder, NULL) == DW_ERR_ARGUMENT);
    dw_message *message = message_of();
    REQUIRE(dw_message_push(message, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_read(message, NULL, 2, &error) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_get(message, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_choice(message, 0, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_tool_call(message, 0, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_server_tool_call(message, 0, NULL) == DW_ERR_ARGUMENT);

    /* Nothing was done, nothing was written. */
    REQUIRE(input.pos == 0 && data == NULL && size == 7 && count == 7);
    REQUIRE(IS_FILLED(delta) && IS_FILLED(item) && IS_FILLED(error) && IS_FILLED(slice));
    REQUIRE(IS_FILLED(info) && IS_FILLED(choice) && IS_FILLED(call));

    /* To free nothing. */
    dw_parser_free(NULL);
    dw_decoder_free(NULL);
    dw_message_free(NULL);
    dw_parser_free(parser);
    dw_decoder_free(decoder);
    dw_message_free(message);
}

static void impossible_input(void) {
    dw_decoder *decoder = decoder_of(NULL);
    dw_parser *parser = parser_of(NULL);
    dw_delta delta;
    dw_item item;
    dw_input none = { NULL, 0, 0 };
    REQUIRE(dw_decoder_next(decoder, &none, &delta) == DW_OK);
    REQUIRE(dw_parser_next(parser, &none, &item) == DW_OK);
    const uint8_t byte = 'd';
    dw_input wrong[] = {
        { NULL, 1, 0 }, { &byte, 1, 2 }, { &byte, SIZE_MAX, 0 }, { NULL, 0, 1 }, { &byte, 0, 1 },
    };
    for (size_t at = 0; at < sizeof wrong / sizeof wrong[0]; at++) {
        dw_input before = wrong[at];
        size_t count;
        REQUIRE(dw_decoder_next(decoder, &wrong[at], &delta) == DW_ERR_ARGUMENT);
        REQUIRE(dw_decoder_next_batch(decoder, &wrong[at], &delta, 1, &count) == DW_ERR_ARGUMENT);
        REQUIRE(dw_parser_next(parser, &wrong[at], &item) == DW_ERR_ARGUMENT);
        REQUIRE(before.pos == wrong[at].pos);
    }
    REQUIRE(dw_parser_set_last_event_id(parser, NULL, 1) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_set_last_event_id(parser, (const uint8_t *)"a\0b", 3) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_set_last_event_id(parser, (const uint8_t *)"a\nb", 3) == DW_ERR_ARGUMENT);
    REQUIRE(dw_dialect_by_name(NULL, 4) == DW_DIALECT_AUTO);
    REQUIRE(dw_dialect_by_name("", 0) == DW_DIALECT_AUTO);
    REQUIRE(dw_dialect_by_name("anthropic!", 9) == DW_DIALECT_ANTHROPIC);
    dw_decoder_free(decoder);
    dw_parser_free(parser);
}

static void names_of_any_number(void) {
    for (int32_t number = -40; number < 40; number++) {
        REQUIRE(strlen(dw_status_name(number)) > 0 && strlen(dw_status_message(number)) > 0);
        REQUIRE(strlen(dw_delta_kind_name((uint32_t)number)) > 0);
        REQUIRE(strlen(dw_dialect_name((uint32_t)number)) > 0);
        REQUIRE(strlen(dw_finish_reason_name((uint32_t)number)) > 0);
        REQUIRE(strlen(dw_error_kind_name((uint32_t)number)) > 0);
    }
    REQUIRE(strcmp(dw_status_name(INT32_MIN), "unknown") == 0);
    REQUIRE(strcmp(dw_status_name(DW_ERR_NOT_JSON), "DW_ERR_NOT_JSON") == 0);
    REQUIRE(strcmp(dw_finish_reason_name(DW_FINISH_TOOL_CALLS), "tool_calls") == 0);
    REQUIRE(DW_IS_EVENT_ERROR(DW_ERR_NOT_JSON) && DW_IS_EVENT_ERROR(DW_ERR_OUT_OF_MEMORY));
    REQUIRE(!DW_IS_EVENT_ERROR(DW_ERR_PANIC) && !DW_IS_EVENT_ERROR(DW_OK));
}

static void unknown_options(void) {
    dw_decoder *decoder = NULL;
    dw_parser *parser = NULL;
    dw_decoder_options good = DW_DECODER_OPTIONS_INIT, options = good;
    dw_parser_options parser_good = DW_PARSER_OPTIONS_INIT, parser_options = parser_good;

    options.dialect = DW_DIALECT_BEDROCK + 1;
    REQUIRE(dw_decoder_new(&options, &decoder) == DW_ERR_ARGUMENT);
    options = good;
    options.framing = 4;
    REQUIRE(dw_decoder_new(&options, &decoder) == DW_ERR_ARGUMENT);
    options = good;
    options.eof = UINT32_MAX;
    REQUIRE(dw_decoder_new(&options, &decoder) == DW_ERR_ARGUMENT);
    options = good;
    options.flags = 2;
    REQUIRE(dw_decoder_new(&options, &decoder) == DW_ERR_ARGUMENT);
    options = good;
    options.text_field.len = 1;
    REQUIRE(dw_decoder_new(&options, &decoder) == DW_ERR_ARGUMENT);
    options.text_field.ptr = (const uint8_t *)"\xFF";
    REQUIRE(dw_decoder_new(&options, &decoder) == DW_ERR_ARGUMENT);
    parser_options.framing = 4;
    REQUIRE(dw_parser_new(&parser_options, &parser) == DW_ERR_ARGUMENT);
    parser_options = parser_good;
    parser_options.eof = 3;
    REQUIRE(dw_parser_new(&parser_options, &parser) == DW_ERR_ARGUMENT);

    /* Sizes that no header has. */
    options = good;
    for (uint32_t size = 0; size < 4; size++) {
        options.struct_size = size;
        REQUIRE(dw_decoder_new(&options, &decoder) == DW_ERR_ARGUMENT);
    }
    options.struct_size = UINT32_MAX;
    REQUIRE(dw_decoder_new(&options, &decoder) == DW_ERR_ARGUMENT);
    REQUIRE(decoder == NULL && parser == NULL);

    /* An older header, whose options ended with the framing: nothing behind it is read. */
    options = good;
    options.dialect = DW_DIALECT_GEMINI;
    options.eof = UINT32_MAX;
    options.struct_size = offsetof(dw_decoder_options, eof);
    REQUIRE(dw_decoder_new(&options, &decoder) == DW_OK);
    REQUIRE(dw_decoder_dialect(decoder) == DW_DIALECT_GEMINI);
    dw_decoder_free(decoder);
    decoder = NULL;

    /* A newer one: fine as long as what is not known here is not used. */
    struct {
        dw_decoder_options known;
        uint64_t more;
    } newer = { DW_DECODER_OPTIONS_INIT, 0 };
    newer.known.struct_size = sizeof newer;
    REQUIRE(dw_decoder_new(&newer.known, &decoder) == DW_OK);
    dw_decoder_free(decoder);
    decoder = NULL;
    newer.more = 1;
    REQUIRE(dw_decoder_new(&newer.known, &decoder) == DW_ERR_UNSUPPORTED && decoder == NULL);
}

static void out_of_order(void) {
    dw_decoder *decoder = decoder_of(NULL);
    dw_parser *parser = parser_of(NULL);
    dw_delta delta;
    dw_item item;
    dw_input input = input_of(CHUNK("a"));
    uint8_t *window;
    size_t size;

    /* More than was lent, and lent only once. */
    REQUIRE(dw_decoder_commit(decoder, 1) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_window(decoder, 8, &window, &size) == DW_OK && size >= 8);
    REQUIRE(dw_decoder_commit(decoder, size + 1) == DW_ERR_ARGUMENT);
    memset(window, ':', size);
    REQUIRE(dw_decoder_commit(decoder, size) == DW_OK);
    REQUIRE(dw_decoder_commit(decoder, 1) == DW_ERR_ARGUMENT);
    REQUIRE(dw_decoder_window(decoder, SIZE_MAX, &window, &size) == DW_ERR_OUT_OF_MEMORY);
    REQUIRE(dw_decoder_window(decoder, SIZE_MAX / 4, &window, &size) == DW_ERR_OUT_OF_MEMORY);

    /* An input, or the end, while the window is not used up. */
    REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_ERR_ORDER && input.pos == 0);
    REQUIRE(dw_decoder_finish(decoder, &delta) == DW_ERR_ORDER);
    REQUIRE(dw_decoder_next(decoder, NULL, &delta) == DW_OK);
    REQUIRE(dw_decoder_offset(decoder) == 8);
    REQUIRE(dw_decoder_next(decoder, NULL, &delta) == DW_OK);
    REQUIRE(dw_decoder_reset(decoder) == DW_OK);
    REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_DELTA && is(delta.text, "a"));

    /* Of what was lent before a reset nothing is taken. */
    REQUIRE(dw_parser_window(parser, 0, &window, &size) == DW_OK && size >= 16 * 1024);
    REQUIRE(dw_parser_reset(parser) == DW_OK);
    REQUIRE(dw_parser_commit(parser, 1) == DW_ERR_ARGUMENT);

    /* A window is filled piece by piece, and grows. */
    const char *event = "data: abc\n\n";
    for (size_t at = 0; at < strlen(event); at++) {
        REQUIRE(dw_parser_window(parser, 1, &window, &size) == DW_OK);
        window[0] = (uint8_t)event[at];
        REQUIRE(dw_parser_commit(parser, 1) == DW_OK);
    }
    REQUIRE(dw_parser_next(parser, NULL, &item) == DW_ITEM && is(item.data, "abc"));

    /* An ID in the middle of an event. */
    input = input_of("data: x");
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_OK);
    REQUIRE(dw_parser_is_mid_event(parser) == 1);
    REQUIRE(dw_parser_set_last_event_id(parser, (const uint8_t *)"7", 1) == DW_ERR_ORDER);
    dw_decoder_free(decoder);
    dw_parser_free(parser);
}

static void the_end_twice(void) {
    dw_decoder *decoder = decoder_of(NULL);
    dw_delta delta;
    dw_input input = input_of(CHUNK("a") "data: [DONE]\n\n");
    for (int round = 0; round < 2; round++) {
        input.pos = 0;
        REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_DELTA);
        REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_DELTA);
        REQUIRE(delta.kind == DW_DELTA_DONE);
        REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_OK);
        for (int again = 0; again < 3; again++)
            REQUIRE(dw_decoder_finish(decoder, &delta) == DW_OK);
        REQUIRE(dw_decoder_end(decoder) == DW_END_COMPLETE);
        REQUIRE(dw_decoder_reset(decoder) == DW_OK);
    }
    /* At once, with nothing read. */
    REQUIRE(dw_decoder_finish(decoder, &delta) == DW_OK);
    REQUIRE(dw_decoder_end(decoder) == DW_END_UNRECOGNISED);
    /* And on with it. */
    input.pos = 0;
    REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_DELTA);
    dw_decoder_free(decoder);
}

static void on_after_an_error(void) {
    dw_decoder_options options = DW_DECODER_OPTIONS_INIT;
    options.max_event_bytes = 100;
    dw_decoder *decoder = decoder_of(&options);
    dw_delta deltas[4];
    dw_error error;
    size_t count;
    char stream[600];
    snprintf(stream, sizeof stream, "%sdata: {\"id\":\n\ndata: %0150d\n\n%s", CHUNK("a"), 0,
             CHUNK("b"));
    REQUIRE(dw_decoder_error(decoder, &error) == DW_OK && error.status == DW_OK);
    REQUIRE(error.message.ptr != NULL && error.message.len == 0);
    for (int is_batch = 0; is_batch < 2; is_batch++) {
        dw_input input = input_of(stream);
#define NEXT()                                                                 \
    (is_batch ? dw_decoder_next_batch(decoder, &input, deltas, 4, &count)      \
              : dw_decoder_next(decoder, &input, deltas))
        REQUIRE(NEXT() == DW_DELTA && is(deltas[0].text, "a"));
        REQUIRE(!is_batch || count == 1);
        REQUIRE(dw_decoder_error(decoder, &error) == DW_OK && error.status == DW_OK);
        FILL(deltas[0]);
        REQUIRE(NEXT() == DW_ERR_NOT_JSON && (!is_batch || count == 0));
        REQUIRE(IS_FILLED(deltas[0]));
        REQUIRE(dw_decoder_error(decoder, &error) == DW_OK && error.status == DW_ERR_NOT_JSON);
        REQUIRE(error.offset == strlen(CHUNK("a")));
        REQUIRE(NEXT() == DW_DELTA && deltas[0].kind == DW_DELTA_OTHER);
        REQUIRE(is(deltas[0].raw, "{\"id\":") && is(deltas[0].name, "message"));
        REQUIRE(NEXT() == DW_ERR_EVENT_TOO_LARGE);
        REQUIRE(NEXT() == DW_DELTA && is(deltas[0].text, "b"));
        REQUIRE(dw_decoder_error(decoder, &error) == DW_OK);
        REQUIRE(error.status == DW_ERR_EVENT_TOO_LARGE && error.message.len > 20);
        REQUIRE(NEXT() == DW_OK && input.pos == input.len);
        REQUIRE(dw_decoder_reset(decoder) == DW_OK);
#undef NEXT
    }
    /* While an error waits behind deltas the input is not used up; every way of going on uses it up. */
    uint64_t offset = dw_decoder_offset(decoder);
    for (int how = 0; how < 4; how++) {
        dw_input cut = input_of(CHUNK("a") "data: {\n\n");
        char moved[8] = "";
        REQUIRE(dw_decoder_next_batch(decoder, &cut, deltas, 4, &count) == DW_DELTA && count == 1);
        REQUIRE(cut.pos == cut.len - 1);
        if (how >= 2) { /* What is not used up may be moved, and more come behind it. */
            snprintf(moved, sizeof moved, "%.*s: x\n", (int)(cut.len - cut.pos), cut.data + cut.pos);
            cut = input_of(moved);
        }
        REQUIRE((how % 2 == 0 ? dw_decoder_next(decoder, &cut, deltas)
                          : dw_decoder_next_batch(decoder, &cut, deltas, 4, &count)) ==
                DW_ERR_NOT_JSON);
        REQUIRE(cut.pos == (how < 2 ? cut.len : 1));
        REQUIRE(dw_decoder_next_batch(decoder, &cut, deltas, 4, &count) == DW_DELTA && count == 1);
        REQUIRE(is(deltas[0].raw, "{") && cut.pos == cut.len);
        REQUIRE(dw_decoder_offset(decoder) == offset + strlen(CHUNK("a") "data: {\n\n") + (how < 2 ? 0 : 4));
        offset = dw_decoder_offset(decoder);
        REQUIRE(dw_decoder_next_batch(decoder, &cut, deltas, 4, &count) == DW_OK);
    }
    /* An error that a batch has met is not lost by the end of the stream coming first. */
    dw_input input = input_of(CHUNK("a") "data: {\n\n");
    REQUIRE(dw_decoder_next_batch(decoder, &input, deltas, 4, &count) == DW_DELTA && count == 1);
    REQUIRE(dw_decoder_finish(decoder, deltas) == DW_ERR_NOT_JSON);
    REQUIRE(dw_decoder_finish(decoder, deltas) == DW_DELTA && is(deltas[0].raw, "{"));
    dw_decoder_free(decoder);
}

/* All deltas of a batch hold until the next call, whether they lie in the input or not. */
static void a_batch_of_all_kinds(void) {
    dw_decoder *decoder = decoder_of(NULL);
    enum { CAPACITY = 64 };
    dw_delta deltas[CAPACITY];
    size_t count;
    dw_input input = input_of(CHUNK("plain") CHUNK("esc\\\"aped") CHUNK("") CHUNK("u\\u0000nul") CHUNK(
        "plain again") "data: {\"surprise\":1}\n\n" CHUNK("last \\u00e9"));
    REQUIRE(dw_decoder_next_batch(decoder, &input, deltas, CAPACITY, &count) == DW_DELTA);
    REQUIRE(count == 6);
    REQUIRE(is(deltas[0].text, "plain"));
    REQUIRE(is(deltas[1].text, "esc\"aped"));
    REQUIRE(deltas[2].text.len == 5 && memcmp(deltas[2].text.ptr, "u\0nul", 5) == 0);
    REQUIRE(is(deltas[3].text, "plain again"));
    REQUIRE(deltas[4].kind == DW_DELTA_OTHER && is(deltas[4].raw, "{\"surprise\":1}"));
    REQUIRE(is(deltas[5].text, "last \xC3\xA9"));
    for (size_t at = 0; at < count; at++)
        REQUIRE(deltas[at].id.ptr != NULL && deltas[at].raw.ptr != NULL && deltas[at].code.len == 0);
    dw_decoder_free(decoder);
}

/* Between calls the caller's bytes are the caller's: what the library needs of them it has copied. */
static void bytes_that_change(void) {
    dw_decoder *decoder = decoder_of(NULL);
    dw_delta delta;
    const char *stream = CHUNK("one") CHUNK("two");
    char text[16] = "";
    char bytes[5];
    for (size_t at = 0, len; at < strlen(stream); at += len) {
        len = strlen(stream) - at < sizeof bytes ? strlen(stream) - at : sizeof bytes;
        memcpy(bytes, stream + at, len);
        dw_input input = { (const uint8_t *)bytes, len, 0 };
        while (dw_decoder_next(decoder, &input, &delta) == DW_DELTA)
            strncat(text, (const char *)delta.text.ptr, delta.text.len);
        memset(bytes, '\n', sizeof bytes);
    }
    REQUIRE(strcmp(text, "onetwo") == 0);

    /* Even what the library was told has not been used yet may be something else by the next call. */
    char both[] = CHUNK("a") CHUNK("b");
    dw_input input = input_of(both);
    REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_DELTA && is(delta.text, "a"));
    memset(both, '\r', sizeof both - 1);
    REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_OK);
    dw_decoder_free(decoder);
}

static void deltas_of_the_callers(void) {
    dw_message *message = message_of();
    dw_message_info info;
    dw_choice choice;
    dw_tool_call call;
    dw_delta delta;
    memset(&delta, 0, sizeof delta);
    REQUIRE(dw_message_push(message, &delta) == DW_ERR_ARGUMENT);
    delta.kind = DW_DELTA_DONE + 1;
    REQUIRE(dw_message_push(message, &delta) == DW_ERR_ARGUMENT);
    delta.kind = DW_DELTA_TEXT;
    delta.text.len = 1;
    REQUIRE(dw_message_push(message, &delta) == DW_ERR_ARGUMENT);
    delta.text.ptr = (const uint8_t *)"\xC3";
    REQUIRE(dw_message_push(message, &delta) == DW_ERR_ARGUMENT);
    delta.text.ptr = (const uint8_t *)"x";
    REQUIRE(dw_message_push(message, &delta) == DW_OK);
    delta.kind = DW_DELTA_FINISH;
    REQUIRE(dw_message_push(message, &delta) == DW_ERR_ARGUMENT);
    delta.finish_reason = DW_FINISH_STOP;
    REQUIRE(dw_message_push(message, &delta) == DW_OK);
    delta.kind = DW_DELTA_ERROR;
    delta.error_kind = 99;
    REQUIRE(dw_message_push(message, &delta) == DW_ERR_ARGUMENT);
    delta.kind = DW_DELTA_TOOL_CALL_START;
    delta.index = -1;
    REQUIRE(dw_message_push(message, &delta) == DW_OK);
    delta.kind = DW_DELTA_SERVER_TOOL_CALL_START;
    REQUIRE(dw_message_push(message, &delta) == DW_OK);
    delta.kind = DW_DELTA_USAGE;
    delta.usage.known = DW_USAGE_OUTPUT_TOKENS;
    delta.usage.output_tokens = UINT64_MAX;
    REQUIRE(dw_message_push(message, &delta) == DW_OK);
    REQUIRE(dw_message_finish(message, DW_END_UNKNOWN) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_finish(message, 4) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_finish(message, DW_END_COMPLETE) == DW_OK);

    REQUIRE(dw_message_get(message, &info) == DW_OK);
    REQUIRE(info.choices == 1 && info.tool_calls == 1 && info.server_tool_calls == 1);
    REQUIRE(info.end == DW_END_COMPLETE && info.is_complete == 1 && info.error_kind == 0);
    REQUIRE(info.usage.known == DW_USAGE_OUTPUT_TOKENS);
    REQUIRE(info.usage.output_tokens == UINT64_MAX && info.id.ptr != NULL);
    REQUIRE(dw_message_choice(message, 1, &choice) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_choice(message, 0, &choice) == DW_OK && is(choice.text, "x"));
    REQUIRE(choice.finish_reason == DW_FINISH_STOP);
    REQUIRE(dw_message_tool_call(message, 1, &call) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_tool_call(message, 0, &call) == DW_OK && call.index == -1);
    REQUIRE(dw_message_server_tool_call(message, SIZE_MAX, &call) == DW_ERR_ARGUMENT);
    REQUIRE(dw_message_server_tool_call(message, 0, &call) == DW_OK);

    /* A whole response. One that is none leaves the message as it was. */
    dw_error error;
    REQUIRE(dw_message_read(message, (const uint8_t *)"{\"a\":", 5, &error) == DW_ERR_NOT_JSON);
    REQUIRE(error.status == DW_ERR_NOT_JSON && error.at > 0 && error.message.len > 0);
    REQUIRE(dw_message_read(message, (const uint8_t *)"{}", 2, NULL) == DW_ERR_NOT_A_RESPONSE);
    REQUIRE(dw_message_choice(message, 0, &choice) == DW_OK && is(choice.text, "x"));
    const char *body = "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"2\"},"
                       "\"finish_reason\":\"length\"}]}";
    REQUIRE(dw_message_read(message, (const uint8_t *)body, strlen(body), NULL) == DW_OK);
    REQUIRE(dw_message_choice(message, 0, &choice) == DW_OK && is(choice.text, "2"));
    REQUIRE(choice.finish_reason == DW_FINISH_LENGTH && is(choice.finish_raw, "length"));
    dw_message_free(message);
}

static void memory_of_the_callers(void) {
    size_t size = dw_parser_size(), align = dw_parser_align();
    REQUIRE(size > 0 && align > 0 && (align & (align - 1)) == 0 && align <= 16);
    size_t room = 64;
    uint8_t *memory = malloc(size + room);
    REQUIRE(memory != NULL);
    dw_parser *parser = NULL;
    REQUIRE(dw_parser_init(NULL, size + room, NULL, &parser) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_init(memory, size + room, NULL, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_init(memory, size - 1, NULL, &parser) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_init(memory, 0, NULL, &parser) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_init(memory, SIZE_MAX, NULL, &parser) == DW_ERR_ARGUMENT);
    REQUIRE(dw_parser_init(memory + 1, size + room - 1, NULL, &parser) == DW_ERR_ARGUMENT);
    REQUIRE(parser == NULL);

    REQUIRE(dw_parser_init(memory, size + room, NULL, &parser) == DW_OK);
    dw_item item;
    dw_error error;
    uint8_t *window;
    size_t cap;
    REQUIRE(dw_parser_window(parser, 1, &window, &cap) == DW_ERR_UNSUPPORTED);
    dw_input input = input_of("id: 1\ndata: a\n\nda");
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_ITEM);
    REQUIRE(item.kind == DW_ITEM_EVENT && is(item.data, "a") && is(item.id, "1"));
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_OK);
    char large[200];
    memset(large, 'x', sizeof large);
    dw_input more = { (const uint8_t *)large, sizeof large, 0 };
    REQUIRE(dw_parser_next(parser, &more, &item) == DW_ERR_EVENT_TOO_LARGE);
    REQUIRE(dw_parser_error(parser, &error) == DW_OK && error.offset == 15);
    input = input_of("\n\n: c\nretry: 5\nx: y\n\n");
    REQUIRE(dw_parser_next(parser, &more, &item) == DW_OK);
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_ITEM);
    REQUIRE(item.kind == DW_ITEM_COMMENT && is(item.data, " c") && is(item.raw, ": c\n"));
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_ITEM);
    REQUIRE(item.kind == DW_ITEM_RETRY && item.retry_ms == 5);
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_ITEM);
    REQUIRE(item.kind == DW_ITEM_FIELD && is(item.name, "x") && is(item.data, "y"));
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_ITEM && item.kind == DW_ITEM_BLANK);
    REQUIRE(dw_parser_reconnect(parser) == DW_OK);
    dw_slice id;
    REQUIRE(dw_parser_last_event_id(parser, &id) == DW_OK && is(id, "1"));
    REQUIRE(dw_parser_offset(parser) == 0);
    REQUIRE(dw_parser_set_last_event_id(parser, (const uint8_t *)large, sizeof large) ==
            DW_ERR_OUT_OF_MEMORY);
    dw_parser_free(parser);

    /* The same memory again, with no room at all. */
    REQUIRE(dw_parser_init(memory, size, NULL, &parser) == DW_OK);
    input = input_of("data: a\n\n");
    dw_status status = dw_parser_next(parser, &input, &item);
    REQUIRE(status == DW_ERR_EVENT_TOO_LARGE || status == DW_ITEM);
    free(memory);

    /* Framings without IDs. */
    dw_parser_options options = DW_PARSER_OPTIONS_INIT;
    options.framing = DW_FRAMING_NDJSON;
    options.eof = DW_EOF_FLUSH;
    parser = parser_of(&options);
    REQUIRE(dw_parser_set_last_event_id(parser, (const uint8_t *)"1", 1) == DW_ERR_UNSUPPORTED);
    input = input_of("{}");
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_OK);
    REQUIRE(dw_parser_finish(parser, &item) == DW_ITEM && is(item.data, "{}"));
    REQUIRE(dw_parser_finish(parser, &item) == DW_OK);
    dw_parser_free(parser);
}

static void after_a_panic(void) {
    dw_decoder *decoder = decoder_of(NULL), *other = decoder_of(NULL);
    dw_parser *parser = parser_of(NULL);
    dw_message *message = message_of();
    dw_delta delta;
    dw_item item;
    dw_error error;
    dw_slice slice;
    dw_message_info info;
    size_t size, count = 7;
    uint8_t *window;
    dw_input input = input_of(CHUNK("a"));
    fprintf(stderr, "(three panics that the test asks for:)\n");

    dw_test_panic();
    REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_ERR_PANIC);
    REQUIRE(dw_decoder_next(decoder, &input, &delta) == DW_ERR_PANIC);
    REQUIRE(dw_decoder_next_batch(decoder, &input, &delta, 1, &count) == DW_ERR_PANIC);
    REQUIRE(count == 7 && input.pos == 0);
    REQUIRE(dw_decoder_finish(decoder, &delta) == DW_ERR_PANIC);
    REQUIRE(dw_decoder_window(decoder, 1, &window, &size) == DW_ERR_PANIC);
    REQUIRE(dw_decoder_commit(decoder, 0) == DW_ERR_PANIC);
    REQUIRE(dw_decoder_reset(decoder) == DW_ERR_PANIC);
    REQUIRE(dw_decoder_seen(decoder, &slice) == DW_ERR_PANIC);
    REQUIRE(dw_decoder_offset(decoder) == 0 && dw_decoder_events(decoder) == 0);
    REQUIRE(dw_decoder_end(decoder) == DW_END_UNKNOWN);
    REQUIRE(dw_decoder_error(decoder, &error) == DW_OK && error.status == DW_ERR_PANIC);
    REQUIRE(error.message.len > 0);

    dw_test_panic();
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_ERR_PANIC);
    REQUIRE(dw_parser_next(parser, &input, &item) == DW_ERR_PANIC);
    REQUIRE(dw_parser_last_event_id(parser, &slice) == DW_ERR_PANIC);
    REQUIRE(dw_parser_error(parser, &error) == DW_OK && error.status == DW_ERR_PANIC);

    dw_test_panic();
    REQUIRE(dw_message_push(message, &delta) == DW_ERR_PANIC);
    REQUIRE(dw_message_get(message, &info) == DW_ERR_PANIC);

    /* Others are as they were. */
    REQUIRE(dw_decoder_next(other, &input, &delta) == DW_DELTA && is(delta.text, "a"));
    dw_decoder_free(decoder);
    dw_decoder_free(other);
    dw_parser_free(parser);
    dw_message_free(message);
}

int main(void) {
    null_everywhere();
    impossible_input();
    names_of_any_number();
    unknown_options();
    out_of_order();
    the_end_twice();
    on_after_an_error();
    a_batch_of_all_kinds();
    bytes_that_change();
    deltas_of_the_callers();
    memory_of_the_callers();
    after_a_panic();
    printf("%u checks\n", checks);
    return 0;
}
