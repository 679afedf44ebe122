// Tests of what C++ programs do with deltawire.hpp; `check` calls it for each of these.
//
//     tests cases FOLDER     every case of a folder that examples/cases.rs wrote, in every cutting
//     tests objects          texts that are kept, errors, objects that are moved and empty
//     tests streamed URL     against a server that takes 100 ms from event to event,
//     tests cancelled URL    1000 ms,
//     tests refused URL      that wants another key
//
// Prints a line for each test, `ok …` or `FAILED …`.
#include "../c/lines.h"

#include <deltawire.hpp>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::chrono_literals;

void require(bool what, const std::string &why) {
    if (!what)
        throw std::runtime_error(why);
}

void test(const std::string &name, const std::function<void()> &body) {
    try {
        body();
        std::cout << "ok " << name << '\n';
    } catch (const std::exception &error) {
        std::cout << "FAILED " << name << ": " << error.what() << '\n';
    }
}

std::string read(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// ---- Cases --------------------------------------------------------------------------------------

// The lines that a stream gives, and what is said of events that cannot be read, a line each.
class outcome {
public:
    template <typename Step> void take(Step step) {
        for (;;) {
            try {
                for (const deltawire::delta &delta : step())
                    print_delta(out_, delta.get());
                return;
            } catch (const deltawire::error &error) {
                if (!error.is_event())
                    throw;
                errors_ += error.what();
                errors_ += '\n';
            }
        }
    }
    void end(dw_end end) { print_end(out_, end); }

    std::string lines() {
        std::fflush(out_);
        return {bytes_, len_};
    }
    const std::string &errors() const { return errors_; }

    outcome() : out_(open_memstream(&bytes_, &len_)) {}
    ~outcome() {
        std::fclose(out_);
        std::free(bytes_);
    }
    outcome(const outcome &) = delete;
    outcome &operator=(const outcome &) = delete;

private:
    char *bytes_ = nullptr;
    std::size_t len_ = 0;
    std::FILE *out_;
    std::string errors_;
};

struct test_case {
    std::string name, file, dialect, is_short, body, lines, errors;

    // The first piece has one length, all others another.
    void check(std::size_t first, std::size_t others) const {
        deltawire::decoder_options options;
        options.dialect = dw_dialect_by_name(dialect.data(), dialect.size());
        deltawire::decoder decoder(options);
        outcome outcome;
        for (std::size_t at = 0, size = first; at < body.size(); at += size, size = others) {
            size = std::min(size, body.size() - at);
            // A piece is memory of its own, which is gone once it is used up.
            std::unique_ptr<char[]> piece(new char[size]);
            std::memcpy(piece.get(), body.data() + at, size);
            deltawire::input input(piece.get(), size);
            outcome.take([&] { return decoder.read(input); });
            std::memset(piece.get(), 'x', size);
        }
        outcome.take([&] { return decoder.finish(); });
        outcome.end(decoder.end());
        std::string how = " in a piece of " + std::to_string(first) + ", then of " +
                          std::to_string(others);
        require(outcome.lines() == lines, "other lines" + how + ": " + outcome.lines());
        require(outcome.errors() == errors, "other errors" + how + ": " + outcome.errors());
    }
};

void cases(const std::string &folder) {
    std::istringstream table(read(folder + "/cases.tsv"));
    std::size_t count = 0;
    for (test_case it; std::getline(table, it.name, '\t') && std::getline(table, it.file, '\t') &&
                       std::getline(table, it.dialect, '\t') && std::getline(table, it.is_short);
         count++)
        test(it.name, [&] {
            it.body = read(folder + "/" + it.file);
            it.lines = read(folder + "/" + it.name + ".lines");
            it.errors = read(folder + "/" + it.name + ".errors");
            for (std::size_t size : {it.body.size() + 1, std::size_t(1), std::size_t(7),
                                     std::size_t(64)})
                it.check(size, size);
            for (std::size_t at = 1; it.is_short == "1" && at < it.body.size(); at++)
                it.check(at, it.body.size());
        });
    test("there are cases", [&] { require(count >= 30, std::to_string(count)); });
}

// ---- Objects ------------------------------------------------------------------------------------

std::string chunk(const std::string &text) {
    return R"(data: {"choices":[{"index":0,"delta":{"content":")" + text + "\"}}]}\n\n";
}

std::vector<std::string> texts(deltawire::decoder &decoder, std::string_view bytes) {
    std::vector<std::string> texts;
    for (const deltawire::delta &delta : decoder.read(bytes))
        if (delta.kind() == DW_DELTA_TEXT)
            texts.emplace_back(delta.text());
    return texts;
}

void objects() {
    test("a copied text is right after the next call and without its decoder", [] {
        std::vector<std::string> kept;
        {
            deltawire::decoder decoder;
            std::string bytes = chunk(R"(Gr\u00fc\u00df\u0000)") + chunk("dich 😀");
            kept = texts(decoder, bytes);
            bytes.assign(bytes.size(), 'x');
        }
        using namespace std::string_literals;
        require(kept == std::vector<std::string>{"Grüß\0"s, "dich 😀"}, "other texts");
    });
    test("an event over the limit is an error, and the stream goes on", [] {
        deltawire::decoder_options options;
        options.max_event_bytes = 200;
        deltawire::decoder decoder(options);
        std::string bytes = chunk("a") + chunk(std::string(300, 'x')) + chunk("b");
        deltawire::input input(bytes);
        std::vector<std::string> seen;
        for (bool is_over = false; !is_over;) {
            try {
                for (const deltawire::delta &delta : decoder.read(input))
                    if (delta.kind() == DW_DELTA_TEXT)
                        seen.emplace_back(delta.text());
                is_over = true;
            } catch (const deltawire::error &error) {
                require(error.is_event() && error.status() == DW_ERR_EVENT_TOO_LARGE, error.what());
                require(error.offset() == chunk("a").size(), "another offset");
                seen.emplace_back("error");
            }
        }
        require(seen == std::vector<std::string>{"a", "error", "b"}, "other texts");
    });
    test("a stream without its terminator is truncated", [] {
        deltawire::decoder decoder;
        require(texts(decoder, chunk("a")).size() == 1, "no text");
        for (const deltawire::delta &delta : decoder.finish())
            require(delta.kind() != DW_DELTA_DONE, "done");
        require(decoder.end() == DW_END_TRUNCATED, "not truncated");
    });
    test("a dialect that there is not is refused", [] {
        deltawire::decoder_options options;
        options.dialect = 999;
        try {
            deltawire::decoder decoder(options);
        } catch (const deltawire::error &error) {
            return require(error.status() == DW_ERR_ARGUMENT, error.what());
        }
        require(false, "accepted");
    });
    test("a decoder that was moved from is empty, and says so", [] {
        deltawire::decoder decoder;
        deltawire::decoder other = std::move(decoder);
        require(texts(other, chunk("a")).size() == 1, "no text");
        require(!decoder && decoder.end() == DW_END_UNKNOWN, "not empty");
        try {
            texts(decoder, chunk("a"));
        } catch (const deltawire::error &error) {
            return require(error.status() == DW_ERR_ARGUMENT, error.what());
        }
        require(false, "accepted");
    });
}

// ---- Over HTTP ----------------------------------------------------------------------------------

const char *const key = "secret-canary";

deltawire::stream ask(const std::string &base_url) {
    deltawire::client_options options;
    options.base_url = deltawire::slice(base_url);
    options.key = deltawire::slice(key);
    options.retries = DW_NONE;
    dw_turn turn{deltawire::slice("user"), deltawire::slice("Hello")};
    deltawire::request request;
    request.model = deltawire::slice("tiny-chat-1");
    request.turns = &turn;
    request.turns_len = 1;
    return deltawire::client(options).ask(request);
}

void streamed(const std::string &base_url) {
    test("a reply comes as it is sent", [&] {
        deltawire::stream stream = ask(base_url);
        std::vector<clock_type::time_point> times;
        std::string text;
        for (const deltawire::delta &delta : stream.read()) {
            times.push_back(clock_type::now());
            if (delta.kind() == DW_DELTA_TEXT)
                text += delta.text();
        }
        require(text == "Grüß dich", text);
        require(stream.end() == DW_END_COMPLETE, "not complete");
        require(times.back() - times.front() >= 300ms, "all at once");
    });
}

void cancelled(const std::string &base_url) {
    test("another thread ends a stream in the middle", [&] {
        deltawire::stream stream = ask(base_url);
        std::thread other;
        clock_type::time_point start;
        std::string text;
        try {
            for (const deltawire::delta &delta : stream.read())
                if (delta.kind() == DW_DELTA_TEXT) {
                    text += delta.text();
                    start = clock_type::now();
                    other = std::thread([&] { stream.cancel(); });
                }
        } catch (const deltawire::error &error) {
            auto took = clock_type::now() - start;
            other.join();
            require(error.status() == DW_ERR_CANCELLED, error.what());
            require(took < 900ms, "it waited for the next event");
            require(text == "Grüß", text);
            return require(stream.end() == DW_END_TRUNCATED, "not truncated");
        }
        require(false, "it was not cancelled");
    });
}

void refused(const std::string &base_url) {
    test("a refusal says why, and shows no key", [&] {
        deltawire::stream stream = ask(base_url);
        try {
            for (const deltawire::delta &delta : stream.read())
                require(false, std::string(delta.kind_name()));
        } catch (const deltawire::error &error) {
            dw_failure failure = stream.failure();
            require(error.status() == DW_ERR_STATUS && failure.http_status == 401, error.what());
            require(failure.error_kind == DW_ERROR_AUTHENTICATION, "another kind");
            require(deltawire::view(failure.said) == "Incorrect API key provided", "other words");
            for (std::string_view shown :
                 {std::string_view(error.what()), deltawire::view(failure.message),
                  deltawire::view(failure.body), deltawire::view(failure.code)})
                require(shown.find(key) == std::string_view::npos, "the key shows");
            return;
        }
        require(false, "it was not refused");
    });
}

} // namespace

int main(int argc, char **argv) {
    std::string what = argc > 1 ? argv[1] : "", argument = argc > 2 ? argv[2] : "";
    if (what == "cases")
        cases(argument);
    else if (what == "objects")
        objects();
    else if (what == "streamed")
        streamed(argument);
    else if (what == "cancelled")
        cancelled(argument);
    else if (what == "refused")
        refused(argument);
    else
        return 2;
    return 0;
}
