// What reading a chat stream costs, for ffi-examples/run --bench.
//
//     bench FILE
//
// Prints a row for each way and each size of pieces, with tabs between: way, 16k or event, nanoseconds an
// event, pieces of text, bytes of text. Every way appends each piece of text to one string.
#include <deltawire.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int rounds = 5;

using chunks = std::vector<std::string_view>;

struct reply {
    std::string text;
    std::size_t pieces = 0;

    void append(std::string_view piece) {
        text += piece;
        pieces++;
    }
};

reply pull(const chunks &pieces) {
    reply read;
    deltawire::decoder decoder;
    for (std::string_view piece : pieces)
        for (const deltawire::delta &delta : decoder.read(piece))
            if (delta.kind() == DW_DELTA_TEXT)
                read.append(delta.text());
    return read;
}

reply batch(const chunks &pieces) {
    reply read;
    deltawire::decoder decoder;
    dw_delta deltas[64];
    for (std::string_view piece : pieces) {
        deltawire::input input(piece);
        dw_status status;
        std::size_t count = 0;
        while ((status = dw_decoder_next_batch(decoder.get(), input.get(), deltas, 64, &count)) ==
               DW_DELTA)
            for (std::size_t at = 0; at < count; at++)
                if (deltas[at].kind == DW_DELTA_TEXT)
                    read.append(deltawire::view(deltas[at].text));
        deltawire::check(status);
    }
    return read;
}

// What programs do without this library: lines split by hand, each payload parsed.
reply nlohmann_json(const chunks &pieces) {
    reply read;
    std::string buffer;
    for (std::string_view piece : pieces) {
        buffer += piece;
        std::size_t start = 0, end;
        for (; (end = buffer.find('\n', start)) != std::string::npos; start = end + 1) {
            std::string_view line = std::string_view(buffer).substr(start, end - start);
            if (line.substr(0, 6) != "data: " || line == "data: [DONE]")
                continue;
            auto chunk = nlohmann::json::parse(line.substr(6));
            const auto &delta = chunk["choices"][0]["delta"];
            if (auto content = delta.find("content");
                content != delta.end() && content->is_string() &&
                !content->get_ref<const std::string &>().empty())
                read.append(content->get_ref<const std::string &>());
        }
        buffer.erase(0, start);
    }
    return read;
}

template <typename Way>
void row(const char *name, const char *mode, const chunks &pieces, std::size_t events, Way way) {
    using clock = std::chrono::steady_clock;
    reply last = way(pieces);
    auto least = clock::duration::max();
    for (int round = 0; round < rounds; round++) {
        auto start = clock::now();
        last = way(pieces);
        least = std::min(least, clock::now() - start);
    }
    double nanoseconds = std::chrono::duration<double, std::nano>(least).count();
    std::printf("%s\t%s\t%.1f\t%zu\t%zu\n", name, mode, nanoseconds / static_cast<double>(events),
                last.pieces, last.text.size());
}

} // namespace

int main(int argc, char **argv) {
    std::ifstream file;
    if (argc == 2)
        file.open(argv[1], std::ios::binary);
    if (argc != 2 || !file) {
        std::cerr << "usage: bench FILE\n";
        return 2;
    }
    std::string stream{std::istreambuf_iterator<char>(file), {}};
    chunks sized, events;
    for (std::size_t at = 0; at < stream.size(); at += sized.back().size())
        sized.push_back(std::string_view(stream).substr(at, 16 * 1024));
    for (std::size_t at = 0; at < stream.size(); at += events.back().size())
        events.push_back(std::string_view(stream).substr(at, stream.find("\n\n", at) + 2 - at));
    for (auto [mode, pieces] : {std::pair{"16k", &sized}, std::pair{"event", &events}}) {
        row("deltawire", mode, *pieces, events.size(), pull);
        row("deltawire, batches of 64", mode, *pieces, events.size(), batch);
        row("lines split by hand + nlohmann-json", mode, *pieces, events.size(), nlohmann_json);
    }
    return 0;
}
