// What reading a chat stream costs from C and C++, for benches/capi/cost.sh, which counts instructions.
//
//     bench HOW CHUNK < STREAM
//
// HOW is `c` (dw_decoder_next), `batch` (dw_decoder_next_batch), `cpp` (deltawire.hpp), `nlohmann` or
// `yyjson`: lines split by hand as a libcurl write callback does it, and each payload parsed. CHUNK is
// in bytes; 0 is one event a piece. Prints how many pieces of text there were and their bytes.
#include <deltawire.hpp>

#include <nlohmann/json.hpp>
#if __has_include(<yyjson.h>)
#include <yyjson.h>
#endif

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct totals {
    std::size_t deltas = 0, bytes = 0;
    void add(std::size_t len) {
        deltas++;
        bytes += len;
    }
};

using pieces = std::vector<std::string_view>;

__attribute__((noinline)) void measured_c(const pieces &pieces, dw_decoder *decoder, totals &to) {
    for (std::string_view piece : pieces) {
        dw_input input = deltawire::input(piece).get()[0];
        dw_delta delta;
        while (dw_decoder_next(decoder, &input, &delta) == DW_DELTA)
            if (delta.kind == DW_DELTA_TEXT)
                to.add(delta.text.len);
    }
}

__attribute__((noinline)) void measured_batch(const pieces &pieces, dw_decoder *decoder,
                                              totals &to) {
    static dw_delta deltas[64];
    for (std::string_view piece : pieces) {
        dw_input input = deltawire::input(piece).get()[0];
        std::size_t count;
        while (dw_decoder_next_batch(decoder, &input, deltas, 64, &count) == DW_DELTA)
            for (std::size_t at = 0; at < count; at++)
                if (deltas[at].kind == DW_DELTA_TEXT)
                    to.add(deltas[at].text.len);
    }
}

__attribute__((noinline)) void measured_cpp(const pieces &pieces, deltawire::decoder &decoder,
                                            totals &to) {
    for (std::string_view piece : pieces)
        for (const deltawire::delta &delta : decoder.read(piece))
            if (delta.kind() == DW_DELTA_TEXT)
                to.add(delta.text().size());
}

// What is found in many programs: a buffer, lines, `data: `, a whole document for each.
template <typename Read> void lines(std::string &buffer, std::string_view piece, Read read) {
    buffer.append(piece);
    std::size_t end;
    while ((end = buffer.find('\n')) != std::string::npos) {
        std::string line = buffer.substr(0, end);
        buffer.erase(0, end + 1);
        if (line.rfind("data: ", 0) == 0 && line != "data: [DONE]")
            read(line.substr(6));
    }
}

__attribute__((noinline)) void measured_nlohmann(const pieces &pieces, totals &to) {
    std::string buffer;
    for (std::string_view piece : pieces)
        lines(buffer, piece, [&to](const std::string &data) {
            auto json = nlohmann::json::parse(data);
            const auto &delta = json["choices"][0]["delta"];
            if (delta.contains("content") && delta["content"].is_string())
                to.add(delta["content"].get<std::string>().size());
        });
}

#if __has_include(<yyjson.h>)
__attribute__((noinline)) void measured_yyjson(const pieces &pieces, totals &to) {
    std::string buffer;
    for (std::string_view piece : pieces)
        lines(buffer, piece, [&to](const std::string &data) {
            yyjson_doc *doc = yyjson_read(data.data(), data.size(), 0);
            yyjson_val *choices = yyjson_obj_get(yyjson_doc_get_root(doc), "choices");
            yyjson_val *delta = yyjson_obj_get(yyjson_arr_get_first(choices), "delta");
            yyjson_val *content = yyjson_obj_get(delta, "content");
            if (yyjson_is_str(content))
                to.add(yyjson_get_len(content));
            yyjson_doc_free(doc);
        });
}
#endif

} // namespace

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    std::string stream{std::istreambuf_iterator<char>(std::cin), {}};
    std::string_view rest = stream, how = argv[1];
    std::size_t chunk = std::strtoul(argv[2], nullptr, 10);
    pieces pieces;
    while (!rest.empty()) {
        std::size_t len = chunk > 0 ? chunk : rest.find("\n\n") + 2;
        pieces.push_back(rest.substr(0, len));
        rest.remove_prefix(pieces.back().size());
    }
    totals totals;
    deltawire::decoder decoder;
    if (how == "c")
        measured_c(pieces, decoder.get(), totals);
    else if (how == "batch")
        measured_batch(pieces, decoder.get(), totals);
    else if (how == "cpp")
        measured_cpp(pieces, decoder, totals);
    else if (how == "nlohmann")
        measured_nlohmann(pieces, totals);
#if __has_include(<yyjson.h>)
    else if (how == "yyjson")
        measured_yyjson(pieces, totals);
#endif
    else
        return 3;
    std::printf("%zu deltas, %zu bytes of text\n", totals.deltas, totals.bytes);
    return 0;
}
