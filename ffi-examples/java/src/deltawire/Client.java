package deltawire;

import static deltawire.Native.C;
import static deltawire.Native.NATIVE;

import java.lang.ref.Cleaner;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Asks one provider over the library's own transport, and keeps its connections for the next request. Threads may
 * share one.
 */
public final class Client implements AutoCloseable {
    /** A timeout that never comes. */
    public static final Duration UNLIMITED = Duration.ofMillis(Long.MAX_VALUE);

    private static final int WHY = 512;

    private static final class State extends Handle {
        final long client;

        State(long client) {
            this.client = client;
        }

        @Override
        void free() {
            C.dw_client_free(client);
        }
    }

    /** Whom to ask. What is not set is OpenAI, its own address, no key, the library's limits. */
    public static final class Builder {
        private Provider provider = Provider.OPENAI;
        private String baseUrl;
        private String key;
        private String apiVersion;
        private String proxy;
        private String caFile;
        private final Map<String, String> headers = new LinkedHashMap<>();
        private Duration connect = Duration.ZERO;
        private Duration firstByte = Duration.ZERO;
        private Duration idle = Duration.ZERO;
        private Duration content = Duration.ZERO;
        private int retries = 2;
        private long maxResponseBytes;
        private Decoder.Options decoder = Decoder.Options.DEFAULT;

        private Builder() {}

        /** Whose conventions the requests follow. */
        public Builder provider(Provider provider) {
            this.provider = provider;
            return this;
        }

        /** What precedes every path, such as "https://api.openai.com/v1". */
        public Builder baseUrl(String url) {
            baseUrl = url;
            return this;
        }

        /** The key. It is shown nowhere. */
        public Builder key(String key) {
            this.key = key;
            return this;
        }

        /** Azure's {@code api-version}. */
        public Builder apiVersion(String version) {
            apiVersion = version;
            return this;
        }

        /** "http://", "socks4://" or "socks5://"; "direct" for none. Unset, what the environment says. */
        public Builder proxy(String proxy) {
            this.proxy = proxy;
            return this;
        }

        /** A file of certificates in PEM that are trusted in place of Mozilla's. */
        public Builder caFile(String file) {
            caFile = file;
            return this;
        }

        /** A header besides. Its value is shown nowhere. */
        public Builder header(String name, String value) {
            headers.put(name, value);
            return this;
        }

        /** How long to wait for a connection; 10 s unless set. */
        public Builder timeoutConnect(Duration limit) {
            connect = limit;
            return this;
        }

        /** How long to wait for the first byte of the body; 600 s unless set. */
        public Builder timeoutFirstByte(Duration limit) {
            firstByte = limit;
            return this;
        }

        /** How long to wait for the next bytes; 300 s unless set. */
        public Builder timeoutIdle(Duration limit) {
            idle = limit;
            return this;
        }

        /** How long to wait for more than comments and pings; for ever unless set. */
        public Builder timeoutContent(Duration limit) {
            content = limit;
            return this;
        }

        /**
         * How many attempts besides the first; 2 unless set. A request is sent again only where no connection came
         * about or the server refused.
         */
        public Builder retries(int count) {
            retries = count;
            return this;
        }

        /** The largest whole response that is accepted, in bytes; 16 MiB unless set. */
        public Builder maxResponseBytes(long max) {
            maxResponseBytes = max;
            return this;
        }

        /** How responses are decoded. */
        public Builder decoder(Decoder.Options options) {
            decoder = options;
            return this;
        }

        /**
         * Makes the client. It asks nobody yet.
         *
         * @throws TransportException for options with which nothing can be asked
         */
        public Client build() {
            return new Client(this);
        }

        private long write(Scratch scratch) {
            long options = scratch.options(Struct.ClientOptions.SIZE);
            NATIVE.putInt(options + Struct.ClientOptions.PROVIDER, provider.ordinal());
            scratch.slice(options + Struct.ClientOptions.BASE_URL, baseUrl);
            scratch.slice(options + Struct.ClientOptions.KEY, key);
            scratch.slice(options + Struct.ClientOptions.API_VERSION, apiVersion);
            scratch.slice(options + Struct.ClientOptions.PROXY, proxy);
            scratch.slice(options + Struct.ClientOptions.CA_FILE, caFile);
            long at = scratch.block((long) headers.size() * Struct.Pair.SIZE);
            NATIVE.putLong(options + Struct.ClientOptions.HEADERS, at);
            NATIVE.putLong(options + Struct.ClientOptions.HEADERS_LEN, headers.size());
            for (Map.Entry<String, String> header : headers.entrySet()) {
                scratch.slice(at + Struct.Pair.FIRST, header.getKey());
                scratch.slice(at + Struct.Pair.SECOND, header.getValue());
                at += Struct.Pair.SIZE;
            }
            NATIVE.putLong(options + Struct.ClientOptions.TIMEOUT_CONNECT_MS, milliseconds(connect));
            NATIVE.putLong(options + Struct.ClientOptions.TIMEOUT_FIRST_BYTE_MS, milliseconds(firstByte));
            NATIVE.putLong(options + Struct.ClientOptions.TIMEOUT_IDLE_MS, milliseconds(idle));
            NATIVE.putLong(options + Struct.ClientOptions.TIMEOUT_CONTENT_MS, milliseconds(content));
            // All ones are none, since 0 stands for the default.
            NATIVE.putInt(options + Struct.ClientOptions.RETRIES, retries == 0 ? -1 : retries);
            NATIVE.putLong(options + Struct.ClientOptions.MAX_RESPONSE_BYTES, maxResponseBytes);
            NATIVE.putLong(options + Struct.ClientOptions.DECODER, decoder.write(scratch));
            return options;
        }

        private static long milliseconds(Duration limit) {
            if (limit.equals(UNLIMITED)) {
                return -1;
            }
            // What is set is not nothing.
            return limit.isZero() ? 0 : Math.max(1, limit.toMillis());
        }
    }

    private final Cleaner.Cleanable cleanable;
    private State state;

    private Client(Builder builder) {
        try (Scratch scratch = new Scratch()) {
            long made = scratch.block(8);
            long why = scratch.block(WHY);
            int status = C.dw_client_new(builder.write(scratch), made, why, WHY);
            if (status == Status.ERR_REQUEST) {
                throw new TransportException(status, NATIVE.string(why));
            }
            Status.check(status);
            state = new State(NATIVE.getLong(made));
        }
        cleanable = state.ownedBy(this);
    }

    /** Begins to say whom to ask. */
    public static Builder builder() {
        return new Builder();
    }

    /** Frees the client. Its streams go on. A second time does nothing. */
    @Override
    public synchronized void close() {
        cleanable.clean();
        state = null;
    }

    /** Makes a stream of a request, which is sent once its deltas are asked for. Close it. */
    public synchronized Stream stream(Request request) {
        if (state == null) {
            throw Status.closed();
        }
        try (Scratch scratch = new Scratch()) {
            long made = scratch.block(8);
            Status.check(C.dw_client_stream(state.client, request.write(scratch), made));
            return new Stream(NATIVE.getLong(made));
        }
    }

    /**
     * Sends a request that does not ask for a stream, waits for the whole response and gives it.
     *
     * @throws TransportException as {@link Stream#deltas()} does
     */
    public Reply fetch(Request request) {
        try (Stream stream = stream(request); Message message = new Message()) {
            stream.fetch(message);
            return message.reply();
        }
    }
}
