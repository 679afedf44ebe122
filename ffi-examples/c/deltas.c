/*
 * Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
 *
 *     deltas [--dialect NAME] [--chunk-size N] [FILE]
 *
 * FILE absent or `-` is standard input. NAME is a dialect's, or `auto`, which recognises it; at most N
 * bytes are read at a time.
 *
 * Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
 */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

static uint8_t bytes[64 * 1024];

/* Reads an option and its value; 0 where it is none. */
static int option(const char *name, const char *value, uint32_t *dialect, size_t *size) {
    if (strcmp(name, "--dialect") == 0) {
        *dialect = dw_dialect_by_name(value, strlen(value));
        return *dialect != DW_DIALECT_AUTO || strcmp(value, "auto") == 0;
    }
    if (strcmp(name, "--chunk-size") != 0)
        return 0;
    char *end;
    unsigned long number = strtoul(value, &end, 10);
    *size = number < sizeof bytes ? number : sizeof bytes;
    return number > 0 && *end == '\0';
}

/* Prints all that the input has, or with NULL what only the end of the stream shows. */
static dw_status print_all(dw_decoder *decoder, dw_input *input, int *is_faulty) {
    for (;;) {
        dw_delta delta;
        dw_status status = input != NULL ? dw_decoder_next(decoder, input, &delta)
                                         : dw_decoder_finish(decoder, &delta);
        if (status == DW_DELTA) {
            *is_faulty |= delta.kind == DW_DELTA_ERROR;
            print_delta(stdout, &delta);
        } else if (DW_IS_EVENT_ERROR(status)) {
            /* The stream goes on behind an event that cannot be read. */
            dw_error error;
            if (dw_decoder_error(decoder, &error) == DW_OK)
                fprintf(stderr, "deltas: %.*s\n", (int)error.message.len,
                        (const char *)error.message.ptr);
            *is_faulty = 1;
        } else {
            return status;
        }
    }
}

int main(int argc, char **argv) {
    dw_decoder_options options = DW_DECODER_OPTIONS_INIT;
    size_t size = sizeof bytes, len;
    int at = 1;
    while (at + 1 < argc && option(argv[at], argv[at + 1], &options.dialect, &size))
        at += 2;
    const char *path = at < argc ? argv[at] : "-";
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (at + 1 < argc || file == NULL) {
        fprintf(stderr, "usage: deltas [--dialect NAME] [--chunk-size N] [FILE]\n");
        return 2;
    }

    dw_decoder *decoder = NULL;
    int is_faulty = 0;
    dw_status status = dw_decoder_new(&options, &decoder);
    while (status == DW_OK && (len = fread(bytes, 1, size, file)) > 0) {
        dw_input input = { bytes, len, 0 };
        status = print_all(decoder, &input, &is_faulty);
    }
    if (status == DW_OK)
        status = print_all(decoder, NULL, &is_faulty);
    if (status != DW_OK)
        fprintf(stderr, "deltas: %s\n", dw_status_message(status));
    uint32_t end = dw_decoder_end(decoder);
    print_end(stdout, end);
    dw_decoder_free(decoder);
    return is_faulty || status != DW_OK || end != DW_END_COMPLETE;
}
