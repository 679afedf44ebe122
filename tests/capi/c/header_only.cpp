// deltawire.hpp: what it promises of itself, checked where a C++ program would notice.
#include <deltawire.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <vector>

#include "require.h"

// One pointer, moved and not copied; views over what C has.
static_assert(sizeof(deltawire::decoder) == sizeof(void *));
static_assert(sizeof(deltawire::parser) == sizeof(void *));
static_assert(sizeof(deltawire::message) == sizeof(void *));
static_assert(sizeof(deltawire::delta) == sizeof(dw_delta));
static_assert(sizeof(deltawire::item) == sizeof(dw_item));
static_assert(std::is_nothrow_move_constructible_v<deltawire::decoder>);
static_assert(!std::is_copy_constructible_v<deltawire::decoder>);
static_assert(std::is_trivially_copyable_v<deltawire::delta>);

static std::string chunk(const std::string &text) {
    return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + text + "\"}}]}\n\n";
}

static const std::string done = "data: [DONE]\n\n";

#if DELTAWIRE_EXCEPTIONS
static void exceptions() {
    deltawire::decoder decoder;
    std::string text, stream = chunk("a") + "data: {\n\n" + chunk("b") + done;
    deltawire::input input(stream);
    int failures = 0;
    for (bool is_over = false; !is_over;) {
        try {
            for (const deltawire::delta &delta : decoder.read(input))
                if (delta.kind() == DW_DELTA_TEXT)
                    text += delta.text();
            is_over = true;
        } catch (const deltawire::error &error) {
            failures++;
            REQUIRE(error.status() == DW_ERR_NOT_JSON && error.is_event());
            REQUIRE(error.offset() == chunk("a").size());
            REQUIRE(std::string(error.what()).find("not JSON") != std::string::npos);
        }
    }
    REQUIRE(text == "ab" && failures == 1 && input.rest().empty());
    for (const deltawire::delta &delta : decoder.finish())
        REQUIRE(delta.kind() == 0);
    REQUIRE(decoder.end() == DW_END_COMPLETE && decoder.dialect() == DW_DIALECT_OPENAI_CHAT);

    // A chunk without an input of its own.
    decoder.reset();
    std::string once = chunk("c");
    for (const deltawire::delta &delta : decoder.read(once))
        REQUIRE(delta.text() == "c" && delta.kind_name() == "text");

    deltawire::decoder_options options;
    options.dialect = 99;
    try {
        deltawire::decoder wrong(options);
        REQUIRE(wrong.get() == nullptr);
    } catch (const deltawire::error &error) {
        REQUIRE(error.status() == DW_ERR_ARGUMENT && !error.is_event());
    }

    deltawire::parser parser;
    std::vector<std::string> events;
    for (const deltawire::item &item : parser.read("id: 1\ndata: x\n\n: c\ndata: y\n\n"))
        if (item.kind() == DW_ITEM_EVENT)
            events.emplace_back(item.data());
    REQUIRE((events == std::vector<std::string>{"x", "y"}) && parser.last_event_id() == "1");
}
#endif

static void error_codes() {
    dw_status status = DW_ERR_PANIC;
    deltawire::decoder decoder(deltawire::decoder_options(), status);
    REQUIRE(status == DW_OK && decoder);
    std::string text, stream = chunk("a") + "data: {\n\n" + chunk("b") + done;
    deltawire::input input(stream);
    int failures = 0;
    do {
        for (const deltawire::delta &delta : decoder.read(input, status))
            if (delta.kind() == DW_DELTA_TEXT)
                text += delta.text();
        failures += status < 0;
    } while (DW_IS_EVENT_ERROR(status));
    REQUIRE(status == DW_OK && text == "ab" && failures == 1);

    deltawire::decoder moved = std::move(decoder);
    deltawire::delta delta;
    REQUIRE(moved.finish(delta) == DW_OK && moved.end() == DW_END_COMPLETE);
    // One that was moved from is none.
    REQUIRE(!decoder && decoder.finish(delta) == DW_ERR_ARGUMENT);
    REQUIRE(decoder.seen().empty() && decoder.end() == DW_END_UNKNOWN);

    alignas(16) static unsigned char memory[2048];
    deltawire::parser parser(memory, sizeof memory, deltawire::parser_options(), status);
    REQUIRE(status == DW_OK && static_cast<void *>(parser.get()) == memory);
    deltawire::input lines("data: x\n\n");
    for (const deltawire::item &item : parser.read(lines, status))
        REQUIRE(item.data() == "x" && item.event() == "message" && item.raw() == "data: x\n\n");
    REQUIRE(status == DW_OK);
    deltawire::parser none(memory, 1, deltawire::parser_options(), status);
    REQUIRE(status == DW_ERR_ARGUMENT && !none);

    deltawire::message message(status);
    REQUIRE(status == DW_OK && message.text().empty() && !message.choice(0));
    dw_error details;
    REQUIRE(message.read("{\"choices\":[{\"index\":0,\"message\":{\"content\":\"hi\"},"
                         "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3}}",
                         &details) == DW_OK);
    REQUIRE(message.text() == "hi" && message.choice(0)->finish_reason == DW_FINISH_STOP);
    deltawire::usage usage(message.info().usage);
    REQUIRE(usage.input_tokens() == 3 && !usage.output_tokens());
    REQUIRE(!message.tool_call(0) && message.info().is_complete == 1);

    /* This library is built without it. */
    deltawire::moderator moderator({}, status);
    REQUIRE(status == DW_ERR_UNSUPPORTED && !moderator && !moderator.next());
}

int main() {
#if DELTAWIRE_EXCEPTIONS
    exceptions();
#endif
    error_codes();
    std::printf("%u checks\n", checks);
    return 0;
}
