// What a chat stream costs with C++ simdjson On-Demand, for benches/budgets.sh and benches/run.sh.
//
//     simdjson FILE HOW CHUNK         reads the stream once, within `measured` for callgrind
//     simdjson FILE HOW time ROUNDS   prints nanoseconds an event, and those of a memchr line scan
//
// HOW is `one` (the path of the text alone) or `all` (every member that deltawire reads, in one pass).
// CHUNK is in bytes; 0 is one event a piece. Lines are found by memchr. A line that lies in one piece
// is parsed where it lies, because the buffer has simdjson's padding after its end; a line that a
// piece cuts is copied.
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace ondemand = simdjson::ondemand;

struct totals {
    std::size_t texts = 0, bytes = 0, other = 0;
    void add(std::string_view text) {
        texts++;
        bytes += text.size();
    }
};

using pieces = std::vector<std::string_view>;

// Calls `read` with each payload and the number of bytes that may be read from its start.
template <typename Read> void lines(const pieces &pieces, const char *limit, Read read) {
    std::string carry;
    auto line = [&read](std::string_view line, std::size_t capacity) {
        constexpr std::string_view prefix = "data: ";
        if (line.substr(0, prefix.size()) == prefix && line != "data: [DONE]")
            read(line.substr(prefix.size()), capacity - prefix.size());
    };
    for (std::string_view piece : pieces) {
        while (!piece.empty()) {
            const void *found = std::memchr(piece.data(), '\n', piece.size());
            if (!found)
                break;
            std::size_t len = static_cast<const char *>(found) - piece.data();
            if (carry.empty()) {
                line(piece.substr(0, len), limit - piece.data());
            } else {
                carry.append(piece.substr(0, len));
                carry.reserve(carry.size() + simdjson::SIMDJSON_PADDING);
                line(carry, carry.capacity());
                carry.clear();
            }
            piece.remove_prefix(len + 1);
        }
        if (!piece.empty())
            carry.append(piece);
    }
}

bool text_of(ondemand::value value, std::string_view &text) {
    return value.get_string().get(text) == simdjson::SUCCESS;
}

void read_one(const pieces &pieces, const char *limit, ondemand::parser &parser, totals &to) {
    lines(pieces, limit, [&](std::string_view data, std::size_t capacity) {
        ondemand::document document;
        if (parser.iterate(simdjson::padded_string_view(data.data(), data.size(), capacity))
                .get(document))
            return;
        std::string_view text;
        if (!document["choices"].at(0)["delta"]["content"].get_string().get(text))
            to.add(text);
    });
}

void read_delta(ondemand::object delta, totals &to) {
    for (auto field : delta) {
        ondemand::raw_json_string key;
        ondemand::value value;
        if (field.key().get(key) || field.value().get(value))
            return;
        std::string_view text;
        if (key == "content") {
            if (text_of(value, text))
                to.add(text);
        } else if (key == "role" || key == "refusal" || key == "reasoning_content") {
            if (text_of(value, text))
                to.other += text.size();
        } else if (key == "tool_calls") {
            to.other += value.raw_json_token().size();
        }
    }
}

void read_choice(ondemand::object choice, totals &to) {
    for (auto field : choice) {
        ondemand::raw_json_string key;
        ondemand::value value;
        if (field.key().get(key) || field.value().get(value))
            return;
        std::string_view text;
        std::uint64_t number;
        ondemand::object object;
        if (key == "delta") {
            if (!value.get_object().get(object))
                read_delta(object, to);
        } else if (key == "index") {
            if (!value.get_uint64().get(number))
                to.other += number;
        } else if (key == "finish_reason") {
            if (text_of(value, text))
                to.other += text.size();
        }
    }
}

void read_all(const pieces &pieces, const char *limit, ondemand::parser &parser, totals &to) {
    lines(pieces, limit, [&](std::string_view data, std::size_t capacity) {
        ondemand::document document;
        ondemand::object root;
        if (parser.iterate(simdjson::padded_string_view(data.data(), data.size(), capacity))
                .get(document) ||
            document.get_object().get(root))
            return;
        for (auto field : root) {
            ondemand::raw_json_string key;
            ondemand::value value;
            if (field.key().get(key) || field.value().get(value))
                return;
            std::string_view text;
            ondemand::array choices;
            if (key == "choices") {
                if (value.get_array().get(choices))
                    continue;
                for (auto element : choices) {
                    ondemand::object choice;
                    if (!element.get_object().get(choice))
                        read_choice(choice, to);
                }
            } else if (key == "id" || key == "model" || key == "object") {
                if (text_of(value, text))
                    to.other += text.size();
            } else if (key == "usage" || key == "error") {
                to.other += value.raw_json_token().size();
            }
        }
    });
}

// What callgrind counts. No function below has `measured` in its name: lambdas of this one would, and
// callgrind would stop counting in them.
__attribute__((noinline)) void measured(bool all, const pieces &pieces, const char *limit,
                                        ondemand::parser &parser, totals &to) {
    if (all)
        read_all(pieces, limit, parser, to);
    else
        read_one(pieces, limit, parser, to);
}

pieces cut(std::string_view rest, std::size_t chunk) {
    pieces pieces;
    while (!rest.empty()) {
        std::size_t len = chunk > 0 ? std::min(chunk, rest.size()) : rest.find("\n\n") + 2;
        pieces.push_back(rest.substr(0, len));
        rest.remove_prefix(len);
    }
    return pieces;
}

double nanos(std::chrono::steady_clock::time_point since) {
    std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - since;
    return time.count();
}

// Returns a time that only one round in fifty beats: close to the least, but not of the luckiest text.
double low(std::vector<double> &times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 50];
}

// Times windows of the stream, one event a piece. A window is copied into one buffer before it is
// read, so its bytes are in the cache and its text lengths are new to the branch predictor.
void time(std::string_view how, std::string_view stream, std::size_t rounds) {
    constexpr std::size_t window = 400;
    pieces events = cut(stream, 0);
    std::vector<char> buffer(window * 400 + simdjson::SIMDJSON_PADDING);
    ondemand::parser parser;
    totals totals;
    std::vector<double> reads, scans;
    for (std::size_t round = 0; round < rounds; round++) {
        std::size_t first = round % (events.size() / window) * window;
        const char *from = events[first].data();
        std::size_t len = events[first + window - 1].data() + events[first + window - 1].size() - from;
        std::memcpy(buffer.data(), from, len);
        std::string_view bytes(buffer.data(), len);
        pieces pieces = cut(bytes, 0);
        auto start = std::chrono::steady_clock::now();
        for (std::string_view rest = bytes; !rest.empty();) {
            const void *found = std::memchr(rest.data(), '\n', rest.size());
            asm volatile("" : : "r"(found) : "memory");
            rest.remove_prefix(static_cast<const char *>(found) - rest.data() + 1);
        }
        scans.push_back(nanos(start) / window);
        start = std::chrono::steady_clock::now();
        measured(how == "all", pieces, buffer.data() + buffer.size(), parser, totals);
        reads.push_back(nanos(start) / window);
    }
    std::printf("%.1f %.1f\n", low(reads), low(scans));
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 4)
        return 2;
    std::ifstream file(argv[1], std::ios::binary);
    std::string stream{std::istreambuf_iterator<char>(file), {}};
    std::string_view how = argv[2];
    if (std::string_view(argv[3]) == "time") {
        time(how, stream, argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 300);
        return 0;
    }
    std::size_t len = stream.size();
    stream.append(simdjson::SIMDJSON_PADDING, '\0');
    pieces pieces = cut(std::string_view(stream).substr(0, len), std::strtoul(argv[3], nullptr, 10));
    ondemand::parser parser;
    totals totals;
    measured(how == "all", pieces, stream.data() + stream.size(), parser, totals);
    std::printf("%zu texts, %zu bytes\n", totals.texts, totals.bytes);
    return 0;
}
