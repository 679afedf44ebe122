/*
 * Decodes streams in many cuttings and prints what comes of them, for tests/capi/replay.rs, which
 * knows what has to. Each line of standard input is a job:
 *
 *     DIALECT MAX_EVENT_BYTES HOW SIZES PATH
 *
 * HOW is `input`, `batch`, `window` or `window-batch`; SIZES are the sizes of the pieces, the last
 * one again for what is left, or `halves` for every cut in two, which is held against the whole here.
 *
 * A piece lies in memory of its own, is overwritten as soon as it is used up, and then freed.
 */
#define _POSIX_C_SOURCE 200809L
#include "../../../ffi-examples/c/lines.h"

#include <stdlib.h>
#include <string.h>

#include "require.h"

enum { BATCH = 5 };

static void print_error(FILE *out, const dw_decoder *decoder, dw_status status) {
    dw_error error;
    REQUIRE(DW_IS_EVENT_ERROR(status));
    REQUIRE(dw_decoder_error(decoder, &error) == DW_OK && error.status == status);
    putc('!', out);
    fwrite(error.message.ptr, 1, error.message.len, out);
    putc('\n', out);
}

/* Reads all that an input, or the window, has. */
static void read_all(FILE *out, dw_decoder *decoder, dw_input *input, int is_batch) {
    for (;;) {
        dw_delta deltas[BATCH];
        size_t count = 1;
        dw_status status = is_batch
                               ? dw_decoder_next_batch(decoder, input, deltas, BATCH, &count)
                               : dw_decoder_next(decoder, input, &deltas[0]);
        if (status == DW_OK)
            break;
        if (status == DW_DELTA) {
            REQUIRE(count >= 1 && count <= BATCH);
            for (size_t at = 0; at < count; at++)
                print_delta(out, &deltas[at]);
        } else {
            print_error(out, decoder, status);
        }
    }
    REQUIRE(input == NULL || input->pos == input->len);
}

static void feed(FILE *out, dw_decoder *decoder, const uint8_t *bytes, size_t len,
                 const char *how) {
    int is_batch = strstr(how, "batch") != NULL;
    if (strncmp(how, "window", 6) == 0) {
        uint8_t *window;
        size_t size;
        REQUIRE(dw_decoder_window(decoder, len, &window, &size) == DW_OK && size >= len);
        memcpy(window, bytes, len);
        REQUIRE(dw_decoder_commit(decoder, len) == DW_OK);
        read_all(out, decoder, NULL, is_batch);
    } else {
        uint8_t *piece = malloc(len > 0 ? len : 1);
        REQUIRE(piece != NULL);
        memcpy(piece, bytes, len);
        dw_input input = { piece, len, 0 };
        read_all(out, decoder, &input, is_batch);
        memset(piece, 'x', len);
        free(piece);
    }
}

static void finish(FILE *out, dw_decoder *decoder) {
    dw_delta delta;
    dw_status status;
    while ((status = dw_decoder_finish(decoder, &delta)) != DW_OK) {
        if (status == DW_DELTA)
            print_delta(out, &delta);
        else
            print_error(out, decoder, status);
    }
    print_end(out, dw_decoder_end(decoder));
}

/* Every cut in two, each held against the whole. */
static void halves(dw_decoder *decoder, const uint8_t *bytes, size_t len, const char *how) {
    char *whole = NULL, *cut = NULL;
    size_t whole_len = 0, cut_len = 0;
    for (size_t at = 0; at <= len; at++) {
        FILE *out = open_memstream(at == 0 ? &whole : &cut, at == 0 ? &whole_len : &cut_len);
        REQUIRE(out != NULL);
        REQUIRE(dw_decoder_reset(decoder) == DW_OK);
        if (at > 0)
            feed(out, decoder, bytes, at, how);
        if (at < len)
            feed(out, decoder, bytes + at, len - at, how);
        finish(out, decoder);
        fclose(out);
        if (at > 0) {
            REQUIRE(cut_len == whole_len && memcmp(cut, whole, whole_len) == 0);
            free(cut);
        }
    }
    fwrite(whole, 1, whole_len, stdout);
    free(whole);
}

static void run(const char *dialect, size_t max, const char *how, char *sizes, const char *path) {
    FILE *file = fopen(path, "rb");
    REQUIRE(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size_t len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(len > 0 ? len : 1);
    REQUIRE(bytes != NULL && fread(bytes, 1, len, file) == len);
    fclose(file);

    dw_decoder_options options = DW_DECODER_OPTIONS_INIT;
    options.dialect = dw_dialect_by_name(dialect, strlen(dialect));
    options.max_event_bytes = max;
    dw_decoder *decoder = NULL;
    REQUIRE(dw_decoder_new(&options, &decoder) == DW_OK);
    if (strcmp(sizes, "halves") == 0) {
        halves(decoder, bytes, len, how);
    } else {
        size_t at = 0, size = len;
        for (char *next = sizes; at < len; at += size) {
            if (*next != '\0') {
                size = strtoul(next, &next, 10);
                next += *next == ',';
            }
            if (size > len - at)
                size = len - at;
            feed(stdout, decoder, bytes + at, size, how);
        }
        finish(stdout, decoder);
    }
    dw_decoder_free(decoder);
    free(bytes);
}

int main(void) {
    static char line[1 << 20];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *dialect = strtok(line, " "), *max = strtok(NULL, " "), *how = strtok(NULL, " ");
        char *sizes = strtok(NULL, " "), *path = strtok(NULL, "\n");
        REQUIRE(path != NULL);
        run(dialect, strtoul(max, NULL, 10), how, sizes, path);
        puts("====");
    }
    return 0;
}
