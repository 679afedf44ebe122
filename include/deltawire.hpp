/**
 * @file deltawire.hpp
 *
 * deltawire for C++17 and later: the calls of deltawire.h with destructors, `std::string_view` and
 * range-for. Everything is inline, holds one pointer and does what the C call does; deltawire.h says
 * what that is, and how long slices live, which the views here are.
 *
 * @code
 * deltawire::decoder decoder;
 * for (std::string_view chunk : chunks)
 *     for (const deltawire::delta &delta : decoder.read(chunk))
 *         if (delta.kind() == DW_DELTA_TEXT)
 *             std::cout << delta.text();
 * for (const deltawire::delta &delta : decoder.finish())
 *     ...
 * if (decoder.end() != DW_END_COMPLETE)
 *     ...
 * @endcode
 *
 * Failures are exceptions, or a `dw_status` where one is given to be written to:
 *
 * @code
 * deltawire::input input(chunk);
 * dw_status status;
 * do {
 *     for (const deltawire::delta &delta : decoder.read(input, status))
 *         ...
 * } while (DW_IS_EVENT_ERROR(status)); // one event could not be read: the stream goes on behind it
 * @endcode
 *
 * Without exceptions (-fno-exceptions) the functions that would throw are not there.
 *
 * One long file, as a program includes it whole or copies it.
 */

#ifndef DELTAWIRE_HPP
#define DELTAWIRE_HPP

#include <deltawire.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define DELTAWIRE_EXCEPTIONS 1
#include <stdexcept>
#include <string>
#else
#define DELTAWIRE_EXCEPTIONS 0
#endif

namespace deltawire {

/** A slice as a view. */
inline std::string_view view(dw_slice slice) noexcept {
    return {reinterpret_cast<const char *>(slice.ptr), slice.len};
}

/** A view as a slice. */
inline dw_slice slice(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

/** The caller's bytes, and how far they are used. */
class input {
public:
    input() noexcept = default;
    explicit input(std::string_view bytes) noexcept : input_{slice(bytes).ptr, bytes.size(), 0} {}
    input(const void *data, std::size_t len) noexcept
        : input_{static_cast<const std::uint8_t *>(data), len, 0} {}

    /** What is not used yet. */
    std::string_view rest() const noexcept {
        return view({input_.data, input_.len}).substr(input_.pos);
    }

    dw_input *get() noexcept { return &input_; }

private:
    dw_input input_{nullptr, 0, 0};
};

#if DELTAWIRE_EXCEPTIONS
/** A call failed. `what()` names the place in the stream, where there is one. */
class error : public std::runtime_error {
public:
    explicit error(dw_status status)
        : std::runtime_error(dw_status_message(status)), status_(status), offset_(0) {}
    error(dw_status status, const dw_error &details)
        : std::runtime_error(std::string(view(details.message))), status_(status),
          offset_(details.offset) {}

    dw_status status() const noexcept { return status_; }

    /** Whether one event could not be read, and the stream goes on behind it. */
    bool is_event() const noexcept { return DW_IS_EVENT_ERROR(status_); }

    /** Where that event begins, in bytes from the start of the stream. */
    std::uint64_t offset() const noexcept { return offset_; }

private:
    dw_status status_;
    std::uint64_t offset_;
};

/** Throws a status below zero. */
inline void check(dw_status status) {
    if (status < 0)
        throw error(status);
}
#endif

/** Token counts; one that the stream did not give is `std::nullopt`. */
class usage {
public:
    explicit usage(const dw_usage &counts) noexcept : counts_(counts) {}

    std::optional<std::uint64_t> input_tokens() const noexcept {
        return count(DW_USAGE_INPUT_TOKENS, counts_.input_tokens);
    }
    std::optional<std::uint64_t> output_tokens() const noexcept {
        return count(DW_USAGE_OUTPUT_TOKENS, counts_.output_tokens);
    }
    std::optional<std::uint64_t> total_tokens() const noexcept {
        return count(DW_USAGE_TOTAL_TOKENS, counts_.total_tokens);
    }
    std::optional<std::uint64_t> cached_tokens() const noexcept {
        return count(DW_USAGE_CACHED_TOKENS, counts_.cached_tokens);
    }
    std::optional<std::uint64_t> cache_creation_tokens() const noexcept {
        return count(DW_USAGE_CACHE_CREATION_TOKENS, counts_.cache_creation_tokens);
    }
    std::optional<std::uint64_t> reasoning_tokens() const noexcept {
        return count(DW_USAGE_REASONING_TOKENS, counts_.reasoning_tokens);
    }

    const dw_usage &get() const noexcept { return counts_; }

private:
    std::optional<std::uint64_t> count(std::uint32_t which, std::uint64_t count) const noexcept {
        return (counts_.known & which) != 0 ? std::optional(count) : std::nullopt;
    }

    dw_usage counts_;
};

/** One piece of news from a stream; `dw_delta_kind` says which functions say something of which. */
class delta {
public:
    delta() noexcept = default;

    /** A `dw_delta_kind`, or one that is newer than this header. */
    std::uint32_t kind() const noexcept { return delta_.kind; }
    std::string_view kind_name() const noexcept { return dw_delta_kind_name(delta_.kind); }
    std::uint32_t choice() const noexcept { return delta_.choice; }
    std::int32_t index() const noexcept { return delta_.index; }
    bool is_whole() const noexcept { return (delta_.flags & DW_DELTA_WHOLE) != 0; }
    bool is_transient() const noexcept { return (delta_.flags & DW_DELTA_TRANSIENT) != 0; }
    std::uint32_t finish_reason() const noexcept { return delta_.finish_reason; }
    std::uint32_t error_kind() const noexcept { return delta_.error_kind; }
    std::string_view text() const noexcept { return view(delta_.text); }
    std::string_view id() const noexcept { return view(delta_.id); }
    std::string_view name() const noexcept { return view(delta_.name); }
    std::string_view model() const noexcept { return view(delta_.model); }
    std::string_view role() const noexcept { return view(delta_.role); }
    std::string_view code() const noexcept { return view(delta_.code); }
    std::string_view raw() const noexcept { return view(delta_.raw); }
    deltawire::usage usage() const noexcept { return deltawire::usage(delta_.usage); }

    dw_delta *get() noexcept { return &delta_; }
    const dw_delta *get() const noexcept { return &delta_; }

private:
    /* Not initialised: a call writes it before it is read. */
    dw_delta delta_;
};

/** One thing that a parser found; `dw_item_kind` says which functions say something of which. */
class item {
public:
    item() noexcept = default;

    std::uint32_t kind() const noexcept { return item_.kind; }
    std::uint64_t offset() const noexcept { return item_.offset; }
    std::uint64_t retry_ms() const noexcept { return item_.retry_ms; }
    std::string_view event() const noexcept { return view(item_.event); }
    std::string_view data() const noexcept { return view(item_.data); }
    std::string_view id() const noexcept { return view(item_.id); }
    std::string_view name() const noexcept { return view(item_.name); }
    std::string_view raw() const noexcept { return view(item_.raw); }

    dw_item *get() noexcept { return &item_; }
    const dw_item *get() const noexcept { return &item_; }

private:
    dw_item item_;
};

/**
 * What a range-for runs over: each step is one call. A value lives until the next step.
 */
template <typename Value, typename Read> class sequence {
public:
    explicit sequence(Read read) noexcept : read_(std::move(read)) {}

    struct sentinel {};

    class iterator {
    public:
        explicit iterator(sequence *of) : of_(of), has_value_(of->read_(of->value_)) {}
        const Value &operator*() const noexcept { return of_->value_; }
        const Value *operator->() const noexcept { return &of_->value_; }
        iterator &operator++() {
            has_value_ = of_->read_(of_->value_);
            return *this;
        }
        bool operator!=(sentinel) const noexcept { return has_value_; }
        bool operator==(sentinel) const noexcept { return !has_value_; }

    private:
        sequence *of_;
        bool has_value_;
    };

    /** Makes the first call. */
    iterator begin() { return iterator(this); }
    sentinel end() const noexcept { return {}; }

private:
    Read read_;
    Value value_;
};

namespace detail {

template <typename Value, typename Read> sequence<Value, Read> over(Read read) {
    return sequence<Value, Read>(std::move(read));
}

/* Ends the sequence at whatever is no value, and says what it was. */
template <typename Value, typename Call> auto with_status(dw_status &status, Call call) {
    return over<Value>([&status, call](Value &value) mutable {
        status = call(value);
        return status > 0;
    });
}

#if DELTAWIRE_EXCEPTIONS
/* Throws what is an error, with the object's word on it. */
template <typename Value, typename Object, typename Call> auto throwing(Object *of, Call call) {
    return over<Value>([of, call](Value &value) mutable {
        dw_status status = call(value);
        if (status < 0)
            of->fail(status);
        return status > 0;
    });
}
#endif

} // namespace detail

/** Options of a decoder. */
struct decoder_options : dw_decoder_options {
    decoder_options() noexcept : dw_decoder_options DW_DECODER_OPTIONS_INIT {}
};

/** Options of a parser. */
struct parser_options : dw_parser_options {
    parser_options() noexcept : dw_parser_options DW_PARSER_OPTIONS_INIT {}
};

/** Bytes of one response to deltas. */
class decoder {
public:
#if DELTAWIRE_EXCEPTIONS
    explicit decoder(const decoder_options &options = {}) {
        dw_status status;
        *this = decoder(options, status);
        check(status);
    }
#endif
    /** Without exceptions: an empty decoder where `status` is not DW_OK. */
    decoder(const decoder_options &options, dw_status &status) noexcept {
        dw_decoder *made = nullptr;
        status = dw_decoder_new(&options, &made);
        decoder_.reset(made);
    }

    dw_status next(input &from, delta &to) noexcept {
        return dw_decoder_next(get(), from.get(), to.get());
    }
    dw_status finish(delta &to) noexcept { return dw_decoder_finish(get(), to.get()); }

    /** The deltas in an input, which is used up when the sequence ends with DW_OK. */
    auto read(input &from, dw_status &status) noexcept {
        return detail::with_status<delta>(
            status, [this, &from](delta &to) { return next(from, to); });
    }
    /** What only the end of the stream shows. */
    auto finish(dw_status &status) noexcept {
        return detail::with_status<delta>(status, [this](delta &to) { return finish(to); });
    }
#if DELTAWIRE_EXCEPTIONS
    auto read(input &from) {
        return detail::throwing<delta>(
            this, [this, &from](delta &to) { return next(from, to); });
    }
    /** The same of bytes that are given once; a string that is about to end is refused. */
    template <typename Bytes,
              typename = std::enable_if_t<std::is_convertible_v<Bytes, std::string_view>>>
    auto read(Bytes &&bytes) {
        static_assert(!std::is_same_v<Bytes, std::string>, "the views would outlive the string");
        return detail::throwing<delta>(
            this, [this, from = input(std::string_view(bytes))](delta &to) mutable {
                return next(from, to);
            });
    }
    auto finish() {
        return detail::throwing<delta>(this, [this](delta &to) { return finish(to); });
    }

    /** Throws a status with what the decoder says of it. */
    [[noreturn]] void fail(dw_status status) const {
        dw_error details;
        if (DW_IS_EVENT_ERROR(status) && dw_decoder_error(get(), &details) == DW_OK)
            throw error(status, details);
        throw error(status);
    }
#endif

    void reset() noexcept { dw_decoder_reset(get()); }
    dw_end end() const noexcept { return static_cast<dw_end>(dw_decoder_end(get())); }
    std::uint32_t dialect() const noexcept { return dw_decoder_dialect(get()); }
    std::uint64_t offset() const noexcept { return dw_decoder_offset(get()); }
    std::uint64_t events() const noexcept { return dw_decoder_events(get()); }
    std::string_view seen() const noexcept {
        dw_slice seen;
        return dw_decoder_seen(get(), &seen) == DW_OK ? view(seen) : std::string_view();
    }

    dw_decoder *get() const noexcept { return decoder_.get(); }
    explicit operator bool() const noexcept { return decoder_ != nullptr; }

private:
    struct deleter {
        void operator()(dw_decoder *decoder) const noexcept { dw_decoder_free(decoder); }
    };
    std::unique_ptr<dw_decoder, deleter> decoder_;
};

/** Bytes to events. */
class parser {
public:
#if DELTAWIRE_EXCEPTIONS
    explicit parser(const parser_options &options = {}) {
        dw_status status;
        *this = parser(options, status);
        check(status);
    }
    /** In memory of the caller's, which outlives the parser; nothing is allocated. */
    parser(void *memory, std::size_t size, const parser_options &options = {}) {
        dw_status status;
        *this = parser(memory, size, options, status);
        check(status);
    }
#endif
    /** Without exceptions: an empty parser where `status` is not DW_OK. */
    parser(const parser_options &options, dw_status &status) noexcept {
        dw_parser *made = nullptr;
        status = dw_parser_new(&options, &made);
        parser_.reset(made);
    }
    parser(void *memory, std::size_t size, const parser_options &options,
           dw_status &status) noexcept {
        dw_parser *made = nullptr;
        status = dw_parser_init(memory, size, &options, &made);
        parser_.reset(made);
    }

    dw_status next(input &from, item &to) noexcept {
        return dw_parser_next(get(), from.get(), to.get());
    }
    dw_status finish(item &to) noexcept { return dw_parser_finish(get(), to.get()); }

    auto read(input &from, dw_status &status) noexcept {
        return detail::with_status<item>(
            status, [this, &from](item &to) { return next(from, to); });
    }
    auto finish(dw_status &status) noexcept {
        return detail::with_status<item>(status, [this](item &to) { return finish(to); });
    }
#if DELTAWIRE_EXCEPTIONS
    auto read(input &from) {
        return detail::throwing<item>(this, [this, &from](item &to) { return next(from, to); });
    }
    /** The same of bytes that are given once; a string that is about to end is refused. */
    template <typename Bytes,
              typename = std::enable_if_t<std::is_convertible_v<Bytes, std::string_view>>>
    auto read(Bytes &&bytes) {
        static_assert(!std::is_same_v<Bytes, std::string>, "the views would outlive the string");
        return detail::throwing<item>(
            this, [this, from = input(std::string_view(bytes))](item &to) mutable {
                return next(from, to);
            });
    }
    auto finish() {
        return detail::throwing<item>(this, [this](item &to) { return finish(to); });
    }

    [[noreturn]] void fail(dw_status status) const {
        dw_error details;
        if (DW_IS_EVENT_ERROR(status) && dw_parser_error(get(), &details) == DW_OK)
            throw error(status, details);
        throw error(status);
    }
#endif

    void reset() noexcept { dw_parser_reset(get()); }
    void reconnect() noexcept { dw_parser_reconnect(get()); }
    dw_status set_last_event_id(std::string_view id) noexcept {
        return dw_parser_set_last_event_id(get(), slice(id).ptr, id.size());
    }
    std::string_view last_event_id() const noexcept {
        dw_slice id;
        return dw_parser_last_event_id(get(), &id) == DW_OK ? view(id) : std::string_view();
    }
    std::uint64_t offset() const noexcept { return dw_parser_offset(get()); }
    bool is_mid_event() const noexcept { return dw_parser_is_mid_event(get()) != 0; }

    dw_parser *get() const noexcept { return parser_.get(); }
    explicit operator bool() const noexcept { return parser_ != nullptr; }

private:
    struct deleter {
        void operator()(dw_parser *parser) const noexcept { dw_parser_free(parser); }
    };
    std::unique_ptr<dw_parser, deleter> parser_;
};

/** Options of a moderator. */
struct moderator_options : dw_moderator_options {
    moderator_options() noexcept : dw_moderator_options DW_MODERATOR_OPTIONS_INIT {}
};

/** Text held back until it can be checked. */
class moderator {
public:
#if DELTAWIRE_EXCEPTIONS
    explicit moderator(const moderator_options &options = {}) {
        dw_status status;
        *this = moderator(options, status);
        check(status);
    }
#endif
    moderator(const moderator_options &options, dw_status &status) noexcept {
        dw_moderator *made = nullptr;
        status = dw_moderator_new(&options, &made);
        moderator_.reset(made);
    }

    /**
     * DW_OK for text, which is held; DW_DELTA for what is the caller's, behind the pieces; else an error, of
     * which nothing is held.
     */
    dw_status push(const delta &news) noexcept { return dw_moderator_push(get(), news.get()); }
    /** The next piece that is whole; its text lives until the next call. */
    std::optional<delta> next() noexcept {
        std::optional<delta> piece(std::in_place);
        if (dw_moderator_next(get(), piece->get()) != DW_DELTA)
            piece.reset();
        return piece;
    }
    void finish() noexcept { dw_moderator_finish(get()); }
    void stop() noexcept { dw_moderator_stop(get()); }

    dw_moderator *get() const noexcept { return moderator_.get(); }
    explicit operator bool() const noexcept { return moderator_ != nullptr; }

private:
    struct deleter {
        void operator()(dw_moderator *moderator) const noexcept { dw_moderator_free(moderator); }
    };
    std::unique_ptr<dw_moderator, deleter> moderator_;
};

/** Deltas put together. */
class message {
public:
#if DELTAWIRE_EXCEPTIONS
    message() {
        dw_status status;
        *this = message(status);
        check(status);
    }
#endif
    explicit message(dw_status &status) noexcept {
        dw_message *made = nullptr;
        status = dw_message_new(&made);
        message_.reset(made);
    }

    dw_status push(const delta &news) noexcept { return dw_message_push(get(), news.get()); }
    dw_status finish(dw_end end) noexcept { return dw_message_finish(get(), end); }

    /** Reads a whole response. `details` receives what is wrong with it. */
    dw_status read(std::string_view body, dw_error *details = nullptr) noexcept {
        return dw_message_read(get(), slice(body).ptr, body.size(), details);
    }

    /** What is known as a whole; all empty where there is no message. */
    dw_message_info info() const noexcept {
        dw_message_info info{};
        if (dw_message_get(get(), &info) != DW_OK)
            info = {};
        return info;
    }
    std::optional<dw_choice> choice(std::size_t at) const noexcept {
        return nth<dw_choice>(dw_message_choice, at);
    }
    std::optional<dw_tool_call> tool_call(std::size_t at) const noexcept {
        return nth<dw_tool_call>(dw_message_tool_call, at);
    }
    std::optional<dw_tool_call> server_tool_call(std::size_t at) const noexcept {
        return nth<dw_tool_call>(dw_message_server_tool_call, at);
    }
    /** The first choice's reply; empty where there is none. */
    std::string_view text() const noexcept {
        std::optional<dw_choice> first = choice(0);
        return first ? view(first->text) : std::string_view();
    }

    dw_message *get() const noexcept { return message_.get(); }
    explicit operator bool() const noexcept { return message_ != nullptr; }

private:
    template <typename T>
    std::optional<T> nth(dw_status (*get_nth)(const dw_message *, std::size_t, T *),
                         std::size_t at) const noexcept {
        T found;
        return get_nth(get(), at, &found) == DW_OK ? std::optional<T>(found) : std::nullopt;
    }

    struct deleter {
        void operator()(dw_message *message) const noexcept { dw_message_free(message); }
    };
    std::unique_ptr<dw_message, deleter> message_;
};

/** Options of a client. The views and slices in it are copied by the client. */
struct client_options : dw_client_options {
    client_options() noexcept : dw_client_options DW_CLIENT_OPTIONS_INIT {}
};

/** What is asked; what it points to has to live until it was given to a client. */
struct request : dw_request {
    request() noexcept : dw_request DW_REQUEST_INIT {}
};

/** One request and its response, made by a client. */
class stream {
public:
    explicit stream(dw_stream *made) noexcept : stream_(made) {}

    dw_status next(delta &to) noexcept { return dw_stream_next(get(), to.get()); }
    dw_status fetch(message &to) noexcept { return dw_stream_fetch(get(), to.get()); }

    /** The deltas, each as soon as its bytes are in. */
    auto read(dw_status &status) noexcept {
        return detail::with_status<delta>(status, [this](delta &to) { return next(to); });
    }
#if DELTAWIRE_EXCEPTIONS
    auto read() {
        return detail::throwing<delta>(this, [this](delta &to) { return next(to); });
    }

    [[noreturn]] void fail(dw_status status) const {
        dw_failure details;
        if (dw_stream_failure(get(), &details) != DW_OK || details.status != status)
            throw error(status);
        dw_error shown{};
        shown.offset = details.offset;
        shown.message = details.message;
        throw error(status, shown);
    }
#endif

    /** May be called from any thread. */
    void cancel() noexcept { dw_stream_cancel(get()); }

    dw_end end() const noexcept { return static_cast<dw_end>(dw_stream_end(get())); }

    /** What failed last. */
    dw_failure failure() const noexcept {
        dw_failure failure{};
        if (dw_stream_failure(get(), &failure) != DW_OK)
            failure = {};
        return failure;
    }

    dw_stream *get() const noexcept { return stream_.get(); }
    explicit operator bool() const noexcept { return stream_ != nullptr; }

private:
    struct deleter {
        void operator()(dw_stream *stream) const noexcept { dw_stream_free(stream); }
    };
    std::unique_ptr<dw_stream, deleter> stream_;
};

/** Asks one provider. */
class client {
public:
#if DELTAWIRE_EXCEPTIONS
    explicit client(const client_options &options = {}) {
        dw_client *made = nullptr;
        char why[256] = "";
        dw_status status = dw_client_new(&options, &made, why, sizeof why);
        if (status == DW_ERR_REQUEST) {
            dw_error details{};
            details.message = slice(why);
            throw error(status, details);
        }
        check(status);
        client_.reset(made);
    }

    /** A stream of a request that is not sent yet. */
    deltawire::stream ask(const request &what) const {
        dw_status status;
        deltawire::stream made = ask(what, status);
        check(status);
        return made;
    }
#endif
    client(const client_options &options, dw_status &status) noexcept {
        dw_client *made = nullptr;
        status = dw_client_new(&options, &made, nullptr, 0);
        client_.reset(made);
    }

    deltawire::stream ask(const request &what, dw_status &status) const noexcept {
        dw_stream *made = nullptr;
        status = dw_client_stream(get(), &what, &made);
        return deltawire::stream(made);
    }

    dw_client *get() const noexcept { return client_.get(); }
    explicit operator bool() const noexcept { return client_ != nullptr; }

private:
    struct deleter {
        void operator()(dw_client *client) const noexcept { dw_client_free(client); }
    };
    std::unique_ptr<dw_client, deleter> client_;
};

} // namespace deltawire

#endif
