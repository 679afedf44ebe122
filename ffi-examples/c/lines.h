/*
 * Deltas as the command `deltawire deltas` prints them: a JSON object a line, keys in a fixed order,
 * absent ones left out, no spaces, non-ASCII as it is.
 */
#ifndef DELTAWIRE_LINES_H
#define DELTAWIRE_LINES_H

#include <deltawire.h>

#include <inttypes.h>
#include <stdio.h>

/* How many bytes a UTF-8 character at `text` has; what is invalid counts negative, as far as it goes. */
static int character(const uint8_t *text, size_t len) {
    uint8_t first = text[0];
    int want = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (want == 0 || first > 0xF4)
        return -1;
    for (int at = 1; at < want; at++) {
        uint8_t low = 0x80, high = 0xBF;
        if (at == 1 && first == 0xE0)
            low = 0xA0;
        if (at == 1 && first == 0xED)
            high = 0x9F;
        if (at == 1 && first == 0xF0)
            low = 0x90;
        if (at == 1 && first == 0xF4)
            high = 0x8F;
        if ((size_t)at == len || text[at] < low || text[at] > high)
            return -at;
    }
    return want;
}

/* A JSON string. What is not UTF-8, which only `raw` can be, shows as U+FFFD. */
static void print_string(FILE *out, dw_slice text) {
    putc('"', out);
    for (size_t at = 0; at < text.len;) {
        uint8_t byte = text.ptr[at];
        int len = character(text.ptr + at, text.len - at);
        if (len < 0)
            fputs("\xEF\xBF\xBD", out);
        else if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte == '\n')
            fputs("\\n", out);
        else if (byte == '\r')
            fputs("\\r", out);
        else if (byte == '\t')
            fputs("\\t", out);
        else if (byte == '\b')
            fputs("\\b", out);
        else if (byte == '\f')
            fputs("\\f", out);
        else if (byte < 0x20)
            fprintf(out, "\\u%04x", byte);
        else
            fwrite(text.ptr + at, 1, (size_t)len, out);
        at += (size_t)(len < 0 ? -len : len);
    }
    putc('"', out);
}

static void print_text(FILE *out, const char *key, dw_slice text) {
    fprintf(out, ",\"%s\":", key);
    print_string(out, text);
}

/* Left out where the provider gave nothing. */
static void print_some_text(FILE *out, const char *key, dw_slice text) {
    if (text.len > 0)
        print_text(out, key, text);
}

static void print_count(FILE *out, const dw_usage *usage, uint32_t which, const char *key,
                        uint64_t count) {
    if (usage->known & which)
        fprintf(out, ",\"%s\":%" PRIu64, key, count);
}

static void print_usage(FILE *out, const dw_usage *usage) {
    print_count(out, usage, DW_USAGE_INPUT_TOKENS, "input_tokens", usage->input_tokens);
    print_count(out, usage, DW_USAGE_OUTPUT_TOKENS, "output_tokens", usage->output_tokens);
    print_count(out, usage, DW_USAGE_TOTAL_TOKENS, "total_tokens", usage->total_tokens);
    print_count(out, usage, DW_USAGE_CACHED_TOKENS, "cached_tokens", usage->cached_tokens);
    print_count(out, usage, DW_USAGE_CACHE_CREATION_TOKENS, "cache_creation_tokens",
                usage->cache_creation_tokens);
    print_count(out, usage, DW_USAGE_REASONING_TOKENS, "reasoning_tokens",
                usage->reasoning_tokens);
}

/* The line of a delta. */
static void print_delta(FILE *out, const dw_delta *delta) {
    fprintf(out, "{\"type\":\"%s\"", dw_delta_kind_name(delta->kind));
    switch (delta->kind) {
    case DW_DELTA_START:
        print_some_text(out, "id", delta->id);
        print_some_text(out, "model", delta->model);
        print_some_text(out, "role", delta->role);
        break;
    case DW_DELTA_TEXT:
    case DW_DELTA_REASONING:
    case DW_DELTA_REFUSAL:
        fprintf(out, ",\"choice\":%" PRIu32, delta->choice);
        print_text(out, "text", delta->text);
        break;
    case DW_DELTA_TOOL_CALL_START:
    case DW_DELTA_SERVER_TOOL_CALL_START:
        fprintf(out, ",\"choice\":%" PRIu32 ",\"index\":%" PRId32, delta->choice, delta->index);
        print_some_text(out, "id", delta->id);
        print_some_text(out, "name", delta->name);
        break;
    case DW_DELTA_TOOL_CALL_ARGUMENTS:
    case DW_DELTA_SERVER_TOOL_CALL_ARGUMENTS:
        fprintf(out, ",\"choice\":%" PRIu32 ",\"index\":%" PRId32, delta->choice, delta->index);
        print_text(out, "fragment", delta->text);
        if (delta->flags & DW_DELTA_WHOLE)
            fputs(",\"whole\":true", out);
        break;
    case DW_DELTA_FINISH:
        fprintf(out, ",\"choice\":%" PRIu32 ",\"reason\":\"%s\"", delta->choice,
                dw_finish_reason_name(delta->finish_reason));
        print_text(out, "raw", delta->raw);
        break;
    case DW_DELTA_USAGE:
        print_usage(out, &delta->usage);
        break;
    case DW_DELTA_ERROR:
        fprintf(out, ",\"kind\":\"%s\"", dw_error_kind_name(delta->error_kind));
        print_some_text(out, "code", delta->code);
        print_text(out, "message", delta->text);
        fprintf(out, ",\"transient\":%s", delta->flags & DW_DELTA_TRANSIENT ? "true" : "false");
        break;
    case DW_DELTA_OTHER:
        print_text(out, "event", delta->name);
        print_text(out, "raw", delta->raw);
        break;
    default: /* DW_DELTA_DONE, and kinds that are newer than this program. */
        break;
    }
    fputs("}\n", out);
}

/* The last line. */
static void print_end(FILE *out, uint32_t end) {
    fprintf(out, "{\"type\":\"end\",\"complete\":%s}\n",
            end == DW_END_COMPLETE ? "true" : "false");
}

#endif
