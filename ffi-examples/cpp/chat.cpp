// A chat on the terminal.
//
//     chat PROMPT
//
// OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. Exit status: 0 done, 1 the reply is
// not complete, 2 wrong usage, 3 no response.
#include <deltawire.hpp>

#include <cstdlib>
#include <iostream>

namespace {

std::string_view setting(const char *name, const char *otherwise) {
    const char *value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : otherwise;
}

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
        return 3;
    }
}
