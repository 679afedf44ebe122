/*
 * A chat on the terminal.
 *
 *     chat PROMPT
 *
 * OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as
 * it comes, what is known of it to standard error. Ctrl-C ends the reply, not the program's manners.
 *
 * Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
 */
#define _POSIX_C_SOURCE 200809L
#include <deltawire.h>

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dw_slice slice(const char *text) {
    dw_slice slice = { (const uint8_t *)text, strlen(text) };
    return slice;
}

static const char *setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

/*
 * Waits for Ctrl-C. dw_stream_cancel may be called by any thread, but by no signal handler; so the
 * signal is waited for by a thread of its own.
 */
static void *wait_for_interrupt(void *stream) {
    sigset_t signals;
    int signal;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    if (sigwait(&signals, &signal) == 0 && signal == SIGINT)
        dw_stream_cancel(stream);
    return NULL;
}

static int print_reply(dw_stream *stream) {
    dw_delta delta;
    dw_status status;
    int is_faulty = 0;
    do {
        status = dw_stream_next(stream, &delta);
        if (status == DW_DELTA && delta.kind == DW_DELTA_TEXT) {
            fwrite(delta.text.ptr, 1, delta.text.len, stdout);
            fflush(stdout);
        } else if (status == DW_DELTA && delta.kind == DW_DELTA_USAGE) {
            fprintf(stderr, "(%" PRIu64 " tokens)", delta.usage.output_tokens);
        } else if (status == DW_DELTA && delta.kind == DW_DELTA_ERROR) {
            fprintf(stderr, "%s: %.*s\n", dw_error_kind_name(delta.error_kind),
                    (int)delta.text.len, (const char *)delta.text.ptr);
            is_faulty = 1;
        }
    } while (status > 0 || DW_IS_EVENT_ERROR(status));
    putchar('\n');
    if (status == DW_OK)
        return is_faulty || dw_stream_end(stream) != DW_END_COMPLETE ? 1 : 0;

    dw_failure failure;
    if (dw_stream_failure(stream, &failure) == DW_OK)
        fprintf(stderr, "%.*s\n", (int)failure.message.len, (const char *)failure.message.ptr);
    return status == DW_ERR_CANCELLED ? 130 : 3;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: chat PROMPT\n");
        return 2;
    }
    dw_client_options options = DW_CLIENT_OPTIONS_INIT;
    options.base_url = slice(setting("OPENAI_BASE_URL", ""));
    options.key = slice(setting("OPENAI_API_KEY", ""));
    options.retries = DW_NONE;
    dw_client *client = NULL;
    char why[256] = "";
    dw_status status = dw_client_new(&options, &client, why, sizeof why);
    if (status != DW_OK) {
        fprintf(stderr, "%s\n", why[0] != '\0' ? why : dw_status_message(status));
        return 3;
    }

    dw_turn turn = { slice("user"), slice(argv[1]) };
    dw_request request = DW_REQUEST_INIT;
    request.model = slice(setting("OPENAI_MODEL", "gpt-4o-mini"));
    request.turns = &turn;
    request.turns_len = 1;
    request.flags = DW_REQUEST_INCLUDE_USAGE;
    dw_stream *stream = NULL;
    status = dw_client_stream(client, &request, &stream);
    if (status != DW_OK) {
        fprintf(stderr, "%s\n", dw_status_message(status));
        dw_client_free(client);
        return 3;
    }

    /* Every thread but the one that waits leaves the signals alone. */
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    pthread_t waiter;
    if (pthread_create(&waiter, NULL, wait_for_interrupt, stream) != 0)
        return 3;
    int exit_status = print_reply(stream);
    /* Nobody may be about to cancel a stream that is freed. */
    pthread_kill(waiter, SIGUSR1);
    pthread_join(waiter, NULL);
    dw_stream_free(stream);
    dw_client_free(client);
    return exit_status;
}
