/*
 * What reading a chat stream costs, for ffi-examples/run --bench.
 *
 *     bench FILE
 *
 * Prints a row for each way and each size of pieces, with tabs between: way, 16k or event, nanoseconds an
 * event, pieces of text, bytes of text. Every way appends each piece of text to one string.
 */
#define _POSIX_C_SOURCE 200809L
#include <deltawire.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 6, BATCH = 64 };

/* Bytes that are appended to. */
struct text {
    char *bytes;
    size_t len, capacity, pieces;
};

static void append(struct text *text, const void *bytes, size_t len) {
    if (text->capacity - text->len < len) {
        text->capacity = 2 * text->capacity + len;
        text->bytes = realloc(text->bytes, text->capacity);
        if (text->bytes == NULL)
            abort();
    }
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    text->pieces++;
}

struct pieces {
    dw_slice *all;
    size_t len;
};

static void require(int what) {
    if (!what) {
        fprintf(stderr, "bench: the stream is not what it should be\n");
        exit(1);
    }
}

static void pull(const struct pieces *pieces, struct text *text) {
    dw_decoder *decoder = NULL;
    dw_status status = dw_decoder_new(NULL, &decoder);
    for (size_t at = 0; at < pieces->len; at++) {
        dw_input input = { pieces->all[at].ptr, pieces->all[at].len, 0 };
        dw_delta delta;
        while ((status = dw_decoder_next(decoder, &input, &delta)) == DW_DELTA)
            if (delta.kind == DW_DELTA_TEXT)
                append(text, delta.text.ptr, delta.text.len);
        require(status == DW_OK);
    }
    require(dw_decoder_end(decoder) == DW_END_COMPLETE);
    dw_decoder_free(decoder);
}

static void batch(const struct pieces *pieces, struct text *text) {
    dw_decoder *decoder = NULL;
    dw_status status = dw_decoder_new(NULL, &decoder);
    for (size_t at = 0; at < pieces->len; at++) {
        dw_input input = { pieces->all[at].ptr, pieces->all[at].len, 0 };
        dw_delta deltas[BATCH];
        size_t count;
        while ((status = dw_decoder_next_batch(decoder, &input, deltas, BATCH, &count)) == DW_DELTA)
            for (size_t of = 0; of < count; of++)
                if (deltas[of].kind == DW_DELTA_TEXT)
                    append(text, deltas[of].text.ptr, deltas[of].text.len);
        require(status == DW_OK);
    }
    require(dw_decoder_end(decoder) == DW_END_COMPLETE);
    dw_decoder_free(decoder);
}

/* What programs do without this library: lines split by hand, each payload parsed by cJSON. */
static void cjson(const struct pieces *pieces, struct text *text) {
    struct text buffer = { NULL, 0, 0, 0 };
    for (size_t at = 0; at < pieces->len; at++) {
        append(&buffer, pieces->all[at].ptr, pieces->all[at].len);
        char *line = buffer.bytes, *rest = buffer.bytes + buffer.len, *end;
        for (; (end = memchr(line, '\n', (size_t)(rest - line))) != NULL; line = end + 1) {
            size_t len = (size_t)(end - line);
            if (len < 6 || memcmp(line, "data: ", 6) != 0 || memcmp(line + 6, "[DONE]", 6) == 0)
                continue;
            cJSON *chunk = cJSON_ParseWithLength(line + 6, len - 6);
            cJSON *choices = cJSON_GetObjectItemCaseSensitive(chunk, "choices");
            cJSON *delta = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(choices, 0), "delta");
            cJSON *content = cJSON_GetObjectItemCaseSensitive(delta, "content");
            if (cJSON_IsString(content) && content->valuestring[0] != '\0')
                append(text, content->valuestring, strlen(content->valuestring));
            cJSON_Delete(chunk);
        }
        buffer.len = (size_t)(rest - line);
        memmove(buffer.bytes, line, buffer.len);
    }
    free(buffer.bytes);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The least of all rounds but the first. */
static void row(const char *name, const char *mode, const struct pieces *pieces, size_t events,
                void (*way)(const struct pieces *, struct text *)) {
    struct text text = { NULL, 0, 0, 0 };
    double least = 0;
    for (int round = 0; round < ROUNDS; round++) {
        free(text.bytes);
        memset(&text, 0, sizeof text);
        double start = now();
        way(pieces, &text);
        double time = now() - start;
        if (round == 1 || (round > 1 && time < least))
            least = time;
    }
    printf("%s\t%s\t%.1f\t%zu\t%zu\n", name, mode, least / (double)events, text.pieces, text.len);
    free(text.bytes);
}

/* Pieces of `size` bytes; 0 is one event a piece. */
static struct pieces cut(const char *bytes, size_t len, size_t size) {
    struct pieces pieces = { malloc(len * sizeof(dw_slice) / 4), 0 };
    require(pieces.all != NULL);
    for (size_t at = 0; at < len; at += pieces.all[pieces.len++].len) {
        const char *end = size == 0 ? strstr(bytes + at, "\n\n") : NULL;
        size_t piece = end != NULL ? (size_t)(end + 2 - (bytes + at)) : size > 0 ? size : len - at;
        pieces.all[pieces.len].ptr = (const uint8_t *)bytes + at;
        pieces.all[pieces.len].len = piece < len - at ? piece : len - at;
    }
    return pieces;
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: bench FILE\n");
        return 2;
    }
    struct text stream = { NULL, 0, 0, 0 };
    char bytes[64 * 1024];
    size_t len;
    while ((len = fread(bytes, 1, sizeof bytes, file)) > 0)
        append(&stream, bytes, len);
    fclose(file);
    append(&stream, "", 1);
    struct pieces sized = cut(stream.bytes, stream.len - 1, 16 * 1024);
    struct pieces events = cut(stream.bytes, stream.len - 1, 0);
    row("deltawire", "16k", &sized, events.len, pull);
    row("deltawire", "event", &events, events.len, pull);
    row("deltawire, batches of 64", "16k", &sized, events.len, batch);
    row("deltawire, batches of 64", "event", &events, events.len, batch);
    row("lines split by hand + cJSON", "16k", &sized, events.len, cjson);
    row("lines split by hand + cJSON", "event", &events, events.len, cjson);
    free(sized.all);
    free(events.all);
    free(stream.bytes);
    return 0;
}
