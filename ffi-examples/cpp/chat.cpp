// A chat on the terminal.
//
//     chat PROMPT
//
// OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. Ctrl-C ends the reply. Exit status:
// 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
#include <deltawire.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <pthread.h>
#include <thread>

namespace {

std::string_view setting(const char *name, const char *otherwise) {
    const char *value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

// Cancels a stream at Ctrl-C, for as long as it lives. Any thread may cancel, but no signal handler; so the
// signal is waited for by a thread of its own, and left alone by all that begin after it.
class interrupt {
public:
    explicit interrupt(deltawire::stream &stream) {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGUSR1);
        pthread_sigmask(SIG_BLOCK, &signals, nullptr);
        waiter_ = std::thread([signals, &stream] {
            int signal = 0;
            if (sigwait(&signals, &signal) == 0 && signal == SIGINT)
                stream.cancel();
        });
    }
    ~interrupt() {
        pthread_kill(waiter_.native_handle(), SIGUSR1);
        waiter_.join();
    }
    interrupt(const interrupt &) = delete;
    interrupt &operator=(const interrupt &) = delete;

private:
    std::thread waiter_;
};

int chat(std::string_view prompt) {
    deltawire::client_options options;
    options.base_url = deltawire::slice(setting("OPENAI_BASE_URL", ""));
    options.key = deltawire::slice(setting("OPENAI_API_KEY", ""));
    options.retries = DW_NONE;
    deltawire::client client(options);

    dw_turn turn{deltawire::slice("user"), deltawire::slice(prompt)};
    deltawire::request request;
    request.model = deltawire::slice(setting("OPENAI_MODEL", "gpt-4o-mini"));
    request.turns = &turn;
    request.turns_len = 1;
    deltawire::stream stream = client.ask(request);

    interrupt interrupt(stream);
    deltawire::message message;
    for (const deltawire::delta &delta : stream.read()) {
        if (delta.kind() == DW_DELTA_TEXT)
            std::cout << delta.text() << std::flush;
        deltawire::check(message.push(delta));
    }
    std::cout << '\n';
    deltawire::check(message.finish(stream.end()));
    dw_message_info info = message.info();
    std::cerr << message.text().size() << " bytes by " << deltawire::view(info.model)
              << (info.is_complete ? ", complete\n" : ", not complete\n");
    return info.is_complete ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::cerr << "usage: chat PROMPT\n";
        return 2;
    }
    try {
        return chat(argv[1]);
    } catch (const deltawire::error &error) {
        std::cerr << error.what() << '\n';
        return error.status() == DW_ERR_CANCELLED ? 130 : 3;
    }
}
