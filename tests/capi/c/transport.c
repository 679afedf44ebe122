/*
 * The transport's part of misuse.c, against five servers: one that sends a whole stream, one that sends
 * the beginning of it, one that refuses, one that sends a response that is not streamed, one whose
 * stream comes at once and has an event that cannot be decoded.
 */
#define _POSIX_C_SOURCE 200809L
#include <deltawire.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "require.h"

static dw_slice slice(const char *text) {
    dw_slice slice = { (const uint8_t *)text, strlen(text) };
    return slice;
}

static dw_client *client_of(const char *base_url) {
    dw_client_options options = DW_CLIENT_OPTIONS_INIT;
    dw_client *client = NULL;
    options.base_url = slice(base_url);
    options.key = slice("canary-key");
    options.retries = DW_NONE;
    REQUIRE(dw_client_new(&options, &client, NULL, 0) == DW_OK && client != NULL);
    return client;
}

/* A stream of a request to a server; the client is freed at once, which a stream does not mind. */
static dw_stream *stream_of(const char *base_url) {
    dw_client *client = client_of(base_url);
    dw_request request = DW_REQUEST_INIT;
    dw_turn turn = { slice("user"), slice("Hi") };
    dw_stream *stream = NULL;
    request.model = slice("tiny-chat-1");
    request.turns = &turn;
    request.turns_len = 1;
    REQUIRE(dw_client_stream(client, &request, &stream) == DW_OK && stream != NULL);
    dw_client_free(client);
    return stream;
}

static void wrong_arguments(const char *base_url) {
    dw_client_options options = DW_CLIENT_OPTIONS_INIT;
    dw_client *client = NULL;
    dw_stream *stream = NULL;
    dw_delta delta;
    dw_failure failure;
    char why[8];
    REQUIRE(dw_client_new(NULL, NULL, NULL, 0) == DW_ERR_ARGUMENT);
    options.provider = DW_PROVIDER_OLLAMA + 1;
    REQUIRE(dw_client_new(&options, &client, NULL, 0) == DW_ERR_ARGUMENT);
    options.provider = DW_PROVIDER_AZURE;
    memset(why, 'x', sizeof why);
    REQUIRE(dw_client_new(&options, &client, why, 0) == DW_ERR_REQUEST && why[0] == 'x');
    REQUIRE(dw_client_new(&options, &client, why, 1) == DW_ERR_REQUEST && why[0] == '\0');
    REQUIRE(dw_client_new(&options, &client, why, sizeof why) == DW_ERR_REQUEST);
    REQUIRE(strlen(why) == sizeof why - 1);
    options.provider = 0;
    options.headers_len = 1;
    REQUIRE(dw_client_new(&options, &client, NULL, 0) == DW_ERR_ARGUMENT);
    options.headers_len = SIZE_MAX;
    REQUIRE(dw_client_new(&options, &client, NULL, 0) == DW_ERR_ARGUMENT);
    options.headers_len = 0;
    options.ca_file = slice("/nowhere.pem");
    REQUIRE(dw_client_new(&options, &client, why, sizeof why) == DW_ERR_REQUEST);
    REQUIRE(client == NULL);

    client = client_of(base_url);
    dw_request request = DW_REQUEST_INIT;
    REQUIRE(dw_client_stream(NULL, &request, &stream) == DW_ERR_ARGUMENT);
    REQUIRE(dw_client_stream(client, NULL, &stream) == DW_ERR_ARGUMENT);
    REQUIRE(dw_client_stream(client, &request, NULL) == DW_ERR_ARGUMENT);
    request.flags = 64;
    REQUIRE(dw_client_stream(client, &request, &stream) == DW_ERR_ARGUMENT);
    request.flags = 0;
    request.path = slice("/path/without/json");
    REQUIRE(dw_client_stream(client, &request, &stream) == DW_ERR_ARGUMENT);
    request.path = slice("");
    request.turns_len = 2;
    REQUIRE(dw_client_stream(client, &request, &stream) == DW_ERR_ARGUMENT);
    request.turns_len = 0;
    request.model = slice("\xFF");
    REQUIRE(dw_client_stream(client, &request, &stream) == DW_ERR_ARGUMENT && stream == NULL);
    REQUIRE(dw_stream_next(NULL, &delta) == DW_ERR_ARGUMENT);
    size_t count = 9;
    REQUIRE(dw_stream_next_batch(NULL, &delta, 1, &count) == DW_ERR_ARGUMENT);
    dw_stream *unasked = stream_of(base_url);
    REQUIRE(dw_stream_next_batch(unasked, NULL, 1, &count) == DW_ERR_ARGUMENT);
    REQUIRE(dw_stream_next_batch(unasked, &delta, 0, &count) == DW_ERR_ARGUMENT);
    REQUIRE(dw_stream_next_batch(unasked, &delta, SIZE_MAX, &count) == DW_ERR_ARGUMENT);
    REQUIRE(dw_stream_next_batch(unasked, &delta, 1, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(count == 9 && dw_stream_end(unasked) == DW_END_UNKNOWN);
    dw_stream_free(unasked);
    REQUIRE(dw_stream_fetch(NULL, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_stream_end(NULL) == DW_END_UNKNOWN);
    REQUIRE(dw_stream_failure(NULL, &failure) == DW_ERR_ARGUMENT);
    dw_stream_cancel(NULL);
    dw_stream_free(NULL);
    dw_client_free(NULL);
    dw_client_free(client);
}

static void a_whole_stream(const char *base_url) {
    dw_stream *stream = stream_of(base_url);
    dw_delta delta;
    dw_failure failure;
    dw_message *message = NULL;
    dw_status status;
    char text[32] = "";
    REQUIRE(dw_message_new(&message) == DW_OK);
    REQUIRE(dw_stream_end(stream) == DW_END_UNKNOWN);
    REQUIRE(dw_stream_next(stream, NULL) == DW_ERR_ARGUMENT);
    while ((status = dw_stream_next(stream, &delta)) == DW_DELTA)
        if (delta.kind == DW_DELTA_TEXT)
            strncat(text, (const char *)delta.text.ptr, delta.text.len);
    REQUIRE(status == DW_OK && strcmp(text, "Gr\xC3\xBC\xC3\x9F dich") == 0);
    REQUIRE(dw_stream_end(stream) == DW_END_COMPLETE);
    REQUIRE(dw_stream_next(stream, &delta) == DW_OK);
    REQUIRE(dw_stream_failure(stream, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_stream_failure(stream, &failure) == DW_OK && failure.status == DW_OK);
    REQUIRE(failure.body.ptr != NULL && failure.message.len == 0);
    REQUIRE(dw_stream_fetch(stream, message) == DW_ERR_ORDER);
    dw_stream_free(stream);
    /* One that nothing was asked of. */
    dw_stream_free(stream_of(base_url));
    dw_message_free(message);
}

static void a_refusal(const char *base_url) {
    dw_stream *stream = stream_of(base_url);
    dw_delta delta;
    dw_failure failure;
    REQUIRE(dw_stream_next(stream, &delta) == DW_ERR_STATUS);
    REQUIRE(dw_stream_failure(stream, &failure) == DW_OK);
    REQUIRE(failure.status == DW_ERR_STATUS && failure.http_status == 429);
    REQUIRE(failure.error_kind == DW_ERROR_RATE_LIMIT && failure.transient == 1);
    REQUIRE(failure.message.len > 0 && failure.body.len > 0);
    REQUIRE(dw_stream_next(stream, &delta) == DW_OK);
    dw_stream_free(stream);
}

static void a_whole_response(const char *base_url) {
    dw_stream *stream = stream_of(base_url);
    dw_message *message = NULL;
    dw_choice choice;
    REQUIRE(dw_message_new(&message) == DW_OK);
    REQUIRE(dw_stream_fetch(stream, NULL) == DW_ERR_ARGUMENT);
    REQUIRE(dw_stream_fetch(stream, message) == DW_OK);
    REQUIRE(dw_message_choice(message, 0, &choice) == DW_OK);
    REQUIRE(choice.text.len == 1 && choice.text.ptr[0] == '2');
    dw_stream_free(stream);
    dw_message_free(message);
}

static void no_response(const char *base_url) {
    dw_stream *stream = stream_of(base_url);
    dw_message *message = NULL;
    dw_failure failure;
    REQUIRE(dw_message_new(&message) == DW_OK);
    REQUIRE(dw_stream_fetch(stream, message) == DW_ERR_NOT_JSON);
    REQUIRE(dw_stream_failure(stream, &failure) == DW_OK && failure.status == DW_ERR_NOT_JSON);
    /* Whose response it was, and what came. */
    REQUIRE(failure.message.len > strlen(base_url));
    REQUIRE(memcmp(failure.message.ptr, base_url, strlen(base_url)) == 0);
    dw_stream_free(stream);
    dw_message_free(message);
}

/* The failure of an event says where it lies. The stream goes on with its payload. */
static void an_event_that_cannot_be_decoded(const char *base_url) {
    dw_stream *stream = stream_of(base_url);
    dw_delta delta;
    dw_failure failure;
    REQUIRE(dw_stream_next(stream, &delta) == DW_DELTA && delta.kind == DW_DELTA_TEXT);
    REQUIRE(dw_stream_next(stream, &delta) == DW_ERR_NOT_JSON);
    REQUIRE(dw_stream_failure(stream, &failure) == DW_OK && failure.status == DW_ERR_NOT_JSON);
    /* The event before it has 59 bytes. */
    REQUIRE(failure.offset == 59 && failure.message.len > 0);
    REQUIRE(dw_stream_next(stream, &delta) == DW_DELTA && delta.kind == DW_DELTA_OTHER);
    dw_stream_free(stream);
}

#define MANY 64

/* Notes what a call gave: its status, and the kind and text of a delta. */
static void note(char *seen, size_t size, dw_status status, const dw_delta *delta) {
    size_t len = strlen(seen);
    if (status == DW_DELTA)
        snprintf(seen + len, size - len, "%u %.*s;", (unsigned)delta->kind, (int)delta->text.len,
                 (const char *)delta->text.ptr);
    else
        snprintf(seen + len, size - len, "%d;", status);
}

/*
 * However many are taken at once, they are the same, in the same order, errors among them. `most` are
 * between two errors.
 */
static void batches(const char *base_url, const char *said, size_t most) {
    char one_by_one[4096] = "";
    dw_delta deltas[MANY];
    dw_stream *stream = stream_of(base_url);
    dw_status status;
    do {
        status = dw_stream_next(stream, deltas);
        note(one_by_one, sizeof one_by_one, status, deltas);
    } while (status != DW_OK);
    REQUIRE(strstr(one_by_one, said) != NULL);
    dw_stream_free(stream);
    for (size_t capacity = 1; capacity <= MANY; capacity++) {
        char seen[4096] = "";
        size_t largest = 0;
        stream = stream_of(base_url);
        do {
            size_t count = MANY;
            status = dw_stream_next_batch(stream, deltas, capacity, &count);
            REQUIRE(status == DW_DELTA ? count > 0 && count <= capacity : count == 0);
            largest = count > largest ? count : largest;
            /* An error behind deltas is told by whichever call comes next. */
            if (status == DW_DELTA && capacity % 2 == 0) {
                for (size_t at = 0; at < count; at++)
                    note(seen, sizeof seen, status, &deltas[at]);
                status = dw_stream_next(stream, deltas);
                count = 1;
            }
            for (size_t at = 0; at < count || at == 0; at++)
                note(seen, sizeof seen, status, &deltas[at]);
        } while (status != DW_OK);
        REQUIRE(strcmp(seen, one_by_one) == 0);
        REQUIRE(largest == (capacity < most ? capacity : most));
        REQUIRE(dw_stream_end(stream) == DW_END_COMPLETE);
        dw_stream_free(stream);
    }
}

static void a_batch_of_a_refusal(const char *base_url) {
    dw_stream *stream = stream_of(base_url);
    dw_delta delta;
    dw_failure failure;
    size_t count = 9;
    REQUIRE(dw_stream_next_batch(stream, &delta, 1, &count) == DW_ERR_STATUS && count == 0);
    REQUIRE(dw_stream_failure(stream, &failure) == DW_OK && failure.http_status == 429);
    REQUIRE(dw_stream_next_batch(stream, &delta, 1, &count) == DW_OK && count == 0);
    dw_stream_free(stream);
}

/* A batch does not wait for what has not come. */
static void a_batch_of_what_is_there(const char *base_url) {
    dw_stream *stream = stream_of(base_url);
    dw_delta deltas[MANY];
    size_t count = 0;
    REQUIRE(dw_stream_next_batch(stream, deltas, MANY, &count) == DW_DELTA);
    REQUIRE(count > 0 && count < MANY);
    dw_stream_cancel(stream);
    REQUIRE(dw_stream_next_batch(stream, deltas, MANY, &count) == DW_ERR_CANCELLED && count == 0);
    dw_stream_free(stream);
}

static void *cancel(void *stream) {
    dw_stream_cancel(stream);
    return NULL;
}

/* Cancelled before it begins, while it waits for what never comes, and twice. */
static void cancelled(const char *base_url) {
    dw_delta delta;
    dw_status status;
    dw_stream *stream = stream_of(base_url);
    dw_stream_cancel(stream);
    dw_stream_cancel(stream);
    REQUIRE(dw_stream_next(stream, &delta) == DW_ERR_CANCELLED);
    dw_stream_free(stream);
    for (int round = 0; round < 20; round++) {
        stream = stream_of(base_url);
        pthread_t thread;
        REQUIRE(dw_stream_next(stream, &delta) == DW_DELTA);
        REQUIRE(pthread_create(&thread, NULL, cancel, stream) == 0);
        while ((status = dw_stream_next(stream, &delta)) == DW_DELTA) {
        }
        REQUIRE(status == DW_ERR_CANCELLED);
        REQUIRE(pthread_join(thread, NULL) == 0);
        REQUIRE(dw_stream_next(stream, &delta) == DW_OK);
        REQUIRE(dw_stream_end(stream) == DW_END_TRUNCATED);
        dw_stream_free(stream);
    }
}

int main(int argc, char **argv) {
    if (argc != 6)
        return 2;
    wrong_arguments(argv[1]);
    a_whole_stream(argv[1]);
    cancelled(argv[2]);
    a_refusal(argv[3]);
    a_batch_of_what_is_there(argv[2]);
    a_batch_of_a_refusal(argv[3]);
    a_whole_response(argv[4]);
    no_response(argv[1]);
    an_event_that_cannot_be_decoded(argv[5]);
    batches(argv[5], " one;-", 10);
    printf("%u checks\n", checks);
    return 0;
}
