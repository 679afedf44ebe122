// A chat on the terminal over libcurl, the reply put together in a message.
//
//     curl_chat PROMPT
//
// OPENAI_BASE_URL (https://api.openai.com/v1 unless set), OPENAI_API_KEY and OPENAI_MODEL say whom to
// ask. The reply goes to standard output as it comes, what is known of it to standard error. Ctrl-C ends
// it. Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
#include <deltawire.hpp>

#include <curl/curl.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

namespace {

// Reads one response, from whoever receives it.
class reply {
public:
    // A chunk; it is used up by the time this returns. False: there is no point in going on.
    bool receive(std::string_view chunk) {
        deltawire::input input(chunk);
        dw_status status;
        do {
            for (const deltawire::delta &delta : decoder_.read(input, status))
                show(delta);
        } while (DW_IS_EVENT_ERROR(status));
        std::cout << std::flush;
        return status == DW_OK;
    }

    const deltawire::message &finish() {
        for (const deltawire::delta &delta : decoder_.finish())
            show(delta);
        deltawire::check(message_.finish(decoder_.end()));
        return message_;
    }

private:
    void show(const deltawire::delta &delta) {
        if (delta.kind() == DW_DELTA_TEXT)
            std::cout << delta.text();
        deltawire::check(message_.push(delta));
    }

    deltawire::decoder decoder_;
    deltawire::message message_;
};

std::string quoted(std::string_view text) {
    static const char digits[] = "0123456789abcdef";
    std::string json = "\"";
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\' || byte < 0x20)
            json.append("\\u00").append({digits[byte >> 4], digits[byte & 15]});
        else
            json += c;
    }
    return json + '"';
}

std::string setting(const char *name, const char *otherwise) {
    const char *value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

// Exceptions may not pass through curl, which is C.
std::size_t write_callback(char *bytes, std::size_t size, std::size_t count, void *user) noexcept {
    return static_cast<reply *>(user)->receive({bytes, size * count}) ? size * count : 0;
}

volatile std::sig_atomic_t is_interrupted;

// Anything but 0 ends the transfer.
int progress_callback(void *, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    return is_interrupted;
}

int chat(std::string_view prompt) {
    std::unique_ptr<CURL, void (*)(CURL *)> curl(curl_easy_init(), curl_easy_cleanup);
    std::string url = setting("OPENAI_BASE_URL", "https://api.openai.com/v1") + "/chat/completions";
    std::string key = "Authorization: Bearer " + setting("OPENAI_API_KEY", "");
    std::string body = "{\"stream\":true,\"model\":" +
                       quoted(setting("OPENAI_MODEL", "gpt-4o-mini")) +
                       ",\"messages\":[{\"role\":\"user\",\"content\":" + quoted(prompt) + "}]}";
    std::unique_ptr<curl_slist, void (*)(curl_slist *)> headers(
        curl_slist_append(curl_slist_append(nullptr, "Content-Type: application/json"),
                          key.c_str()),
        curl_slist_free_all);
    reply reply;
    curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, write_callback);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &reply);
    curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, progress_callback);
    std::signal(SIGINT, [](int) { is_interrupted = 1; });
    CURLcode code = curl_easy_perform(curl.get());
    if (is_interrupted) {
        std::cerr << "interrupted\n";
        return 130;
    }
    if (code != CURLE_OK) {
        std::cerr << curl_easy_strerror(code) << '\n';
        return 3;
    }
    const deltawire::message &message = reply.finish();
    dw_message_info info = message.info();
    std::cout << '\n';
    if (info.error_kind != DW_ERROR_NONE)
        std::cerr << dw_error_kind_name(info.error_kind) << ": "
                  << deltawire::view(info.error_message) << '\n';
    std::cerr << message.text().size() << " bytes";
    if (auto tokens = deltawire::usage(info.usage).output_tokens())
        std::cerr << ", " << *tokens << " tokens";
    std::cerr << (info.is_complete ? ", complete\n" : ", not complete\n");
    return info.is_complete ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::cerr << "usage: curl_chat PROMPT\n";
        return 2;
    }
    try {
        return chat(argv[1]);
    } catch (const std::exception &error) {
        std::cerr << error.what() << '\n';
        return 3;
    }
}
