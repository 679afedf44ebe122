/*
 * Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
 *
 *     deltas [FILE]      standard input where there is no FILE
 *
 * Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
 */
#include "lines.h"

#include <stdlib.h>

int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : stdin;
    if (argc > 2 || file == NULL) {
        fprintf(stderr, "usage: deltas [FILE]\n");
        return 2;
    }
    dw_decoder *decoder = NULL;
    dw_status status = dw_decoder_new(NULL, &decoder);
    int is_faulty = 0, is_over = 0;
    while (status == DW_OK && !is_over) {
        uint8_t bytes[16 * 1024];
        dw_input input = { bytes, fread(bytes, 1, sizeof bytes, file), 0 };
        is_over = input.len == 0;
        for (;;) {
            dw_delta delta;
            status = is_over ? dw_decoder_finish(decoder, &delta)
                             : dw_decoder_next(decoder, &input, &delta);
            if (status == DW_DELTA) {
                is_faulty |= delta.kind == DW_DELTA_ERROR;
                print_delta(stdout, &delta);
            } else if (DW_IS_EVENT_ERROR(status)) {
                /* The stream goes on behind an event that cannot be read. */
                dw_error error;
                if (dw_decoder_error(decoder, &error) == DW_OK)
                    fprintf(stderr, "deltas: %.*s\n", (int)error.message.len,
                            (const char *)error.message.ptr);
                is_faulty = 1;
            } else {
                break;
            }
        }
    }
    if (status != DW_OK)
        fprintf(stderr, "deltas: %s\n", dw_status_message(status));
    uint32_t end = dw_decoder_end(decoder);
    print_end(stdout, end);
    dw_decoder_free(decoder);
    return is_faulty || status != DW_OK || end != DW_END_COMPLETE;
}
