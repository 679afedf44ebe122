/*
 * Prints the data of each event on standard input, with all memory in one static block: neither this
 * program nor the library calls malloc.
 *
 *     no_malloc < FILE
 */
#define _POSIX_C_SOURCE 200809L
#include <deltawire.h>

#include <unistd.h>

/* The parser, and behind it room for an event that the end of a read cuts. */
static union {
    uint64_t number;
    void *pointer;
    long double alignment;
    uint8_t bytes[16 * 1024];
} memory;

/* Writes without stdio, which may allocate. */
static int print(const uint8_t *bytes, size_t len) {
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, len);
        if (written < 0)
            return -1;
        bytes += written;
        len -= (size_t)written;
    }
    return 0;
}

static int complain(dw_status status) {
    const char *message = dw_status_message(status);
    size_t len = 0;
    while (message[len] != '\0')
        len++;
    return write(STDERR_FILENO, message, len) < 0 || write(STDERR_FILENO, "\n", 1) < 0;
}

int main(void) {
    dw_parser *parser = NULL;
    dw_status status = dw_parser_init(memory.bytes, sizeof memory.bytes, NULL, &parser);
    uint8_t bytes[1000];
    ssize_t len = 0;
    while (status == DW_OK && (len = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
        dw_input input = { bytes, (size_t)len, 0 };
        dw_item item;
        do {
            status = dw_parser_next(parser, &input, &item);
            if (status == DW_ITEM && item.kind == DW_ITEM_EVENT) {
                if (print(item.data.ptr, item.data.len) != 0 || print((const uint8_t *)"\n", 1) != 0)
                    return 1;
            } else if (status < 0 && complain(status) != 0) {
                return 1;
            }
        } while (status > 0 || DW_IS_EVENT_ERROR(status));
    }
    dw_parser_free(parser);
    return status != DW_OK || len < 0;
}
