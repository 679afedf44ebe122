package deltawire;

/**
 * Functions of {@code deltawire.h}. Pointers, {@code size_t} and {@code uint64_t} are {@code long}, {@code uint32_t}
 * and {@code int32_t} are {@code int}.
 */
interface Functions {
    int dw_abi_version();

    long dw_version();

    long dw_status_name(int status);

    long dw_status_message(int status);

    long dw_delta_kind_name(int kind);

    long dw_dialect_name(int dialect);

    long dw_finish_reason_name(int reason);

    long dw_error_kind_name(int kind);

    int dw_decoder_new(long options, long decoder);

    void dw_decoder_free(long decoder);

    int dw_decoder_finish(long decoder, long delta);

    int dw_decoder_reset(long decoder);

    int dw_decoder_end(long decoder);

    int dw_decoder_dialect(long decoder);

    long dw_decoder_offset(long decoder);

    long dw_decoder_events(long decoder);

    int dw_decoder_seen(long decoder, long seen);

    int dw_decoder_error(long decoder, long error);

    int dw_message_new(long message);

    void dw_message_free(long message);

    int dw_message_push(long message, long delta);

    int dw_message_finish(long message, int end);

    int dw_message_read(long message, long body, long len, long error);

    int dw_message_get(long message, long info);

    int dw_message_choice(long message, long at, long choice);

    int dw_message_tool_call(long message, long at, long call);

    int dw_message_server_tool_call(long message, long at, long call);

    int dw_client_new(long options, long client, long why, long size);

    void dw_client_free(long client);

    int dw_client_stream(long client, long request, long stream);

    void dw_stream_free(long stream);

    int dw_stream_next(long stream, long delta);

    int dw_stream_fetch(long stream, long message);

    void dw_stream_cancel(long stream);

    int dw_stream_end(long stream);

    int dw_stream_failure(long stream, long failure);
}
