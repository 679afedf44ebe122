/*
 * A chat on the terminal over libcurl: whatever client a program has, its chunks can be fed.
 *
 *     curl_chat PROMPT
 *
 * OPENAI_BASE_URL (https://api.openai.com/v1 unless set), OPENAI_API_KEY and OPENAI_MODEL say whom to
 * ask. The reply goes to standard output as it comes. Ctrl-C ends it.
 *
 * Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
 */
#include <deltawire.h>

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal) {
    (void)signal;
    is_interrupted = 1;
}

struct reply {
    dw_decoder *decoder;
    dw_status status;
    int is_faulty;
};

static void show(struct reply *reply, const dw_delta *delta) {
    if (delta->kind == DW_DELTA_TEXT) {
        fwrite(delta->text.ptr, 1, delta->text.len, stdout);
    } else if (delta->kind == DW_DELTA_ERROR) {
        reply->is_faulty = 1;
        fprintf(stderr, "%s: %.*s\n", dw_error_kind_name(delta->error_kind),
                (int)delta->text.len, (const char *)delta->text.ptr);
    }
}

/* Reads a chunk, or with NULL the end of the stream. */
static void feed(struct reply *reply, dw_input *input) {
    dw_delta delta;
    do {
        reply->status = input != NULL ? dw_decoder_next(reply->decoder, input, &delta)
                                      : dw_decoder_finish(reply->decoder, &delta);
        if (reply->status == DW_DELTA)
            show(reply, &delta);
    } while (reply->status > 0 || DW_IS_EVENT_ERROR(reply->status));
    fflush(stdout);
}

/* curl's write callback. A chunk is used up by the time it returns. */
static size_t receive(char *bytes, size_t size, size_t count, void *user) {
    struct reply *reply = user;
    dw_input input = { (const uint8_t *)bytes, size * count, 0 };
    feed(reply, &input);
    return reply->status == DW_OK ? input.len : 0;
}

static int progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)user, (void)a, (void)b, (void)c, (void)d;
    return is_interrupted;
}

/* Appends a JSON string. */
static void quote(char *json, const char *text) {
    char *end = json + strlen(json);
    *end++ = '"';
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\' || byte < 0x20)
            end += sprintf(end, "\\u%04x", byte);
        else
            *end++ = *text;
    }
    strcpy(end, "\"");
}

static char *request(const char *model, const char *prompt) {
    char *json = malloc(6 * (strlen(model) + strlen(prompt)) + 128);
    if (json != NULL) {
        strcpy(json, "{\"stream\":true,\"model\":");
        quote(json, model);
        strcat(json, ",\"messages\":[{\"role\":\"user\",\"content\":");
        quote(json, prompt);
        strcat(json, "}]}");
    }
    return json;
}

static const char *setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: curl_chat PROMPT\n");
        return 2;
    }
    struct reply reply = { NULL, DW_OK, 0 };
    char *body = request(setting("OPENAI_MODEL", "gpt-4o-mini"), argv[1]);
    CURL *curl = curl_easy_init();
    if (body == NULL || curl == NULL || dw_decoder_new(NULL, &reply.decoder) != DW_OK)
        return 3;
    signal(SIGINT, interrupt);

    char url[1024], key[1024];
    snprintf(url, sizeof url, "%s/chat/completions",
             setting("OPENAI_BASE_URL", "https://api.openai.com/v1"));
    snprintf(key, sizeof key, "Authorization: Bearer %s", setting("OPENAI_API_KEY", ""));
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, key);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);

    int exit_status = 0;
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) {
        feed(&reply, NULL);
        putchar('\n');
    }
    if (is_interrupted) {
        fprintf(stderr, "interrupted\n");
        exit_status = 130;
    } else if (code != CURLE_OK) {
        fprintf(stderr, "%s\n", curl_easy_strerror(code));
        exit_status = 3;
    } else if (reply.is_faulty || dw_decoder_end(reply.decoder) != DW_END_COMPLETE) {
        fprintf(stderr, "the reply is not complete\n");
        exit_status = 1;
    }
    dw_decoder_free(reply.decoder);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(body);
    return exit_status;
}
