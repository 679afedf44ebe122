// Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
//
//     deltas [FILE]      standard input where there is no FILE
//
// Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
#include "../c/lines.h"

#include <deltawire.hpp>

#include <array>
#include <fstream>
#include <iostream>

int main(int argc, char **argv) {
    std::ifstream file;
    if (argc > 1)
        file.open(argv[1], std::ios::binary);
    if (argc > 2 || (argc > 1 && !file)) {
        std::cerr << "usage: deltas [FILE]\n";
        return 2;
    }
    std::istream &in = argc > 1 ? file : std::cin;
    bool is_faulty = false;
    auto show = [&](const deltawire::delta &delta) {
        is_faulty |= delta.kind() == DW_DELTA_ERROR;
        print_delta(stdout, delta.get());
    };
    // Reads on behind each event that cannot be read.
    auto all = [&](auto &&step) {
        for (;;) {
            try {
                for (const deltawire::delta &delta : step())
                    show(delta);
                return;
            } catch (const deltawire::error &error) {
                if (!error.is_event())
                    throw;
                std::cerr << "deltas: " << error.what() << '\n';
                is_faulty = true;
            }
        }
    };

    try {
        deltawire::decoder decoder;
        std::array<char, 16 * 1024> bytes;
        while (in.read(bytes.data(), bytes.size()), in.gcount() > 0) {
            deltawire::input input(bytes.data(), static_cast<std::size_t>(in.gcount()));
            all([&] { return decoder.read(input); });
        }
        all([&] { return decoder.finish(); });
        print_end(stdout, decoder.end());
        return is_faulty || decoder.end() != DW_END_COMPLETE;
    } catch (const deltawire::error &error) {
        std::cerr << "deltas: " << error.what() << '\n';
        return 1;
    }
}
