// Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
//
//     deltas [--dialect NAME] [--chunk-size N] [FILE]
//
// FILE absent or `-` is standard input. NAME is a dialect's, or `auto`, which recognises it; at most N
// bytes are read at a time.
//
// Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
#include "../c/lines.h"

#include <deltawire.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string_view>
#include <vector>

namespace {

// Prints what a step gives, and reads on behind each event that cannot be read.
template <typename Step> bool print_all(Step step) {
    bool is_faulty = false;
    for (;;) {
        try {
            for (const deltawire::delta &delta : step()) {
                is_faulty |= delta.kind() == DW_DELTA_ERROR;
                print_delta(stdout, delta.get());
            }
            return is_faulty;
        } catch (const deltawire::error &error) {
            if (!error.is_event())
                throw;
            std::cerr << "deltas: " << error.what() << '\n';
            is_faulty = true;
        }
    }
}

int print(std::istream &in, const deltawire::decoder_options &options, std::size_t size) {
    deltawire::decoder decoder(options);
    std::vector<char> bytes(std::min<std::size_t>(size, 64 * 1024));
    bool is_faulty = false;
    while (in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())), in.gcount() > 0) {
        deltawire::input input(bytes.data(), static_cast<std::size_t>(in.gcount()));
        is_faulty |= print_all([&] { return decoder.read(input); });
    }
    is_faulty |= print_all([&] { return decoder.finish(); });
    print_end(stdout, decoder.end());
    return is_faulty || decoder.end() != DW_END_COMPLETE;
}

int run(int argc, char **argv) {
    deltawire::decoder_options options;
    std::size_t size = SIZE_MAX;
    int at = 1;
    for (; at + 1 < argc; at += 2) {
        std::string_view name = argv[at], value = argv[at + 1];
        const char *end = value.data() + value.size();
        if (name == "--dialect") {
            options.dialect = dw_dialect_by_name(value.data(), value.size());
            if (options.dialect == DW_DIALECT_AUTO && value != "auto")
                return 2;
        } else if (name != "--chunk-size" || std::from_chars(value.data(), end, size).ptr != end ||
                   size == 0) {
            return 2;
        }
    }
    std::string_view path = at < argc ? argv[at] : "-";
    if (path == "-")
        return print(std::cin, options, size);
    std::ifstream file(argv[at], std::ios::binary);
    return file ? print(file, options, size) : 2;
}

} // namespace

int main(int argc, char **argv) {
    try {
        int status = run(argc, argv);
        if (status == 2)
            std::cerr << "usage: deltas [--dialect NAME] [--chunk-size N] [FILE]\n";
        return status;
    } catch (const deltawire::error &error) {
        std::cerr << "deltas: " << error.what() << '\n';
        return 1;
    }
}
