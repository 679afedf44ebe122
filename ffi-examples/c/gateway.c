/*
 * Watches a response on its way through: standard input goes to standard output byte for byte, each
 * piece before it is looked at, and a line about it goes to standard error at the end.
 *
 *     curl -sN ... | gateway > client
 *
 * prints, for example,
 *
 *     openai-chat complete: 7 events, 2 pieces, 9 tokens in, 4 tokens out, finish 0 stop
 *
 * What the gateway does costs the client nothing: an event that cannot be read, or a stream of no
 * known provider, passes like any other. Exit status: 0, or 1 where reading or writing failed.
 */
#define _POSIX_C_SOURCE 200809L
#include <deltawire.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

struct watch {
    uint64_t pieces;
    dw_usage usage;
    char finishes[256];
    size_t finishes_len;
};

static void note(struct watch *watch, const dw_delta *delta) {
    size_t room = sizeof watch->finishes - watch->finishes_len;
    int len = 0;
    switch (delta->kind) {
    case DW_DELTA_TEXT:
    case DW_DELTA_REASONING:
    case DW_DELTA_REFUSAL:
    case DW_DELTA_TOOL_CALL_ARGUMENTS:
        watch->pieces++;
        break;
    case DW_DELTA_USAGE:
        /* Each number replaces the one before it. */
        if (delta->usage.known & DW_USAGE_INPUT_TOKENS)
            watch->usage.input_tokens = delta->usage.input_tokens;
        if (delta->usage.known & DW_USAGE_OUTPUT_TOKENS)
            watch->usage.output_tokens = delta->usage.output_tokens;
        watch->usage.known |= delta->usage.known;
        break;
    case DW_DELTA_FINISH:
        len = snprintf(watch->finishes + watch->finishes_len, room, ", finish %" PRIu32 " %s",
                       delta->choice, dw_finish_reason_name(delta->finish_reason));
        break;
    case DW_DELTA_ERROR:
        len = snprintf(watch->finishes + watch->finishes_len, room, ", error %s",
                       dw_error_kind_name(delta->error_kind));
        break;
    default:
        break;
    }
    if (len > 0 && (size_t)len < room)
        watch->finishes_len += (size_t)len;
}

static void look(dw_decoder *decoder, struct watch *watch, dw_input *input) {
    dw_delta delta;
    dw_status status;
    do {
        status = input != NULL ? dw_decoder_next(decoder, input, &delta)
                               : dw_decoder_finish(decoder, &delta);
        if (status == DW_DELTA)
            note(watch, &delta);
    } while (status > 0 || DW_IS_EVENT_ERROR(status));
}

static int pass(const uint8_t *bytes, size_t len) {
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        bytes += written;
        len -= (size_t)written;
    }
    return 0;
}

int main(void) {
    static uint8_t bytes[16 * 1024];
    struct watch watch = { 0 };
    dw_decoder *decoder = NULL;
    if (dw_decoder_new(NULL, &decoder) != DW_OK)
        return 1;
    ssize_t len;
    do {
        len = read(STDIN_FILENO, bytes, sizeof bytes);
        if (len > 0) {
            if (pass(bytes, (size_t)len) != 0)
                break;
            dw_input input = { bytes, (size_t)len, 0 };
            look(decoder, &watch, &input);
        }
    } while (len > 0 || (len < 0 && errno == EINTR));
    int is_broken = len != 0;
    look(decoder, &watch, NULL);

    const char *end = "truncated";
    if (dw_decoder_end(decoder) == DW_END_COMPLETE)
        end = "complete";
    else if (dw_decoder_end(decoder) == DW_END_UNRECOGNISED)
        end = "unrecognised";
    fprintf(stderr, "%s %s: %" PRIu64 " events, %" PRIu64 " pieces",
            dw_dialect_name(dw_decoder_dialect(decoder)), end, dw_decoder_events(decoder),
            watch.pieces);
    if (watch.usage.known & DW_USAGE_INPUT_TOKENS)
        fprintf(stderr, ", %" PRIu64 " tokens in", watch.usage.input_tokens);
    if (watch.usage.known & DW_USAGE_OUTPUT_TOKENS)
        fprintf(stderr, ", %" PRIu64 " tokens out", watch.usage.output_tokens);
    fprintf(stderr, "%s\n", watch.finishes);
    dw_decoder_free(decoder);
    return is_broken;
}
