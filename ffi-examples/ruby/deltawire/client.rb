# frozen_string_literal: true

module Deltawire
  # A request was not answered, or not to its end. What does not apply is nil.
  class TransportError < Error
    # The HTTP status, such as 429.
    attr_reader :http_status
    # What the provider says went wrong, such as :rate_limit.
    attr_reader :kind
    # How long the server asks to wait before another attempt, in seconds.
    attr_reader :retry_after
    # In the provider's words: its code, its message, its name for the request, the body of its refusal.
    attr_reader :code, :said, :request_id, :body

    def initialize(fields)
      number, http_status, kind, transient, retry_ms, _, *texts = fields
      message, *texts = texts.first(10).each_slice(2).map { |text| C.text_or_nil(*text) }
      super(message, C::STATUS_NAME.call(number).to_s.to_sym)
      @http_status = http_status unless http_status.zero?
      @kind = C::ERROR_KINDS.fetch(kind, :unknown)
      @transient = transient == 1
      @retry_after = retry_ms / 1000.0 unless retry_ms.zero?
      @code, @said, @request_id, @body = texts
    end

    # Whether the same request may succeed later.
    def transient? = @transient

    # The error of what a stream says failed last.
    def self.of(stream) # :nodoc:
      fields = C.read(:failure) { |failure| C::STREAM_FAILURE.call(stream, failure) }
      { -23 => TimeoutError, -24 => StatusError, -33 => CancelledError }
        .fetch(fields.first, TransportError).new(fields)
    end
  end

  # `Stream#cancel` was called, or the stream was closed.
  class CancelledError < TransportError; end

  # Nothing came for too long.
  class TimeoutError < TransportError; end

  # The server refused, by an HTTP status other than 2xx.
  class StatusError < TransportError; end

  # Asks one provider, and keeps its connections for the next request. Threads may share it.
  class Client
    # `provider` is :openai (or whoever speaks its API), :azure, :anthropic, :gemini, :ollama; `base_url` nil
    # for its own; `proxy` nil for what the environment says, or "direct". Timeouts are in seconds, nil for
    # the default, Float::INFINITY for none: `connect` 10, `first_byte` 600, `idle` 300 for the next bytes,
    # `content` none for more than comments and pings. `retries` besides the first attempt are 2 unless said,
    # and only where no connection came about or the server refused. `decoder` has options of Decoder.new.
    def initialize(provider: :openai, base_url: nil, key: nil, api_version: nil, proxy: nil, ca_file: nil,
                   headers: {}, connect: nil, first_byte: nil, idle: nil, content: nil, retries: nil,
                   max_response_bytes: nil, decoder: {})
      keep = []
      texts = [base_url, key, api_version, proxy, ca_file].flat_map { |text| C.slice(text, keep) }
      headers = headers.map { |name, value| C.slice(name.to_s, keep) + C.slice(value, keep) }
      times = [connect, first_byte, idle, content].map { |time| milliseconds(time) }
      fields = [C::SIZES[:client_options], C.number(C::PROVIDERS, provider), *texts,
                C.array(:header, headers, keep), headers.size, *times, retries_number(retries), 0,
                max_response_bytes || 0, C.decoder_options(keep, **decoder).to_i]
      @address = open(C.struct(:client_options, fields, keep))
      ObjectSpace.define_finalizer(self, C.finalizer(C::CLIENT_FREE, @address))
    end

    # Makes a stream of a request, which is sent when the first delta is asked for. With a block, gives it the
    # stream and closes that behind it.
    #
    # A request is a `model` and `messages`, hashes of `role` and `content`; or else `json`, a body that asks
    # for a stream itself, and `path`, where to post it, below the base URL.
    def stream(on_error: nil, **request)
      stream = Stream.new(request(**request), on_error)
      return stream unless block_given?

      begin
        yield stream
      ensure
        stream.close
      end
    end

    # Waits for a whole response, which is not streamed, and gives its Message.
    def fetch(**request)
      wait = Wait.new(request(**request))
      message = Message.new
      begin
        wait.fetch(message)
      ensure
        wait.close
      end
    end

    # Frees the client. Its streams go on.
    def close
      return if closed?

      ObjectSpace.undefine_finalizer(self)
      C::CLIENT_FREE.call(@address)
      @address = nil
    end

    def closed? = @address.nil?

    # The key is not shown.
    def inspect = "#<#{self.class}#{" closed" if closed?}>"

    private

    def open(options)
      why = C.memory(512)
      C.make { |address| C::CLIENT_NEW.call(options.to_i, address, why.to_i, why.size) }
    rescue Error => e
      raise e if why.to_s.empty?

      raise Error.new(why.to_s.force_encoding(Encoding::UTF_8), e.status)
    end

    def request(model: nil, messages: [], max_tokens: nil, n: nil, temperature: nil, include_usage: false,
                path: nil, json: nil)
      raise ClosedError, "the client is closed" if closed?

      keep = []
      turns = messages.map do |message|
        C.slice(message.fetch(:role).to_s, keep) + C.slice(message.fetch(:content), keep)
      end
      flags = (include_usage ? 1 : 0) | (temperature ? 2 : 0)
      fields = [C::SIZES[:request], flags, *C.slice(model, keep), C.array(:turn, turns, keep), turns.size,
                max_tokens || 0, n || 0, temperature || 0.0, *C.slice(path, keep), *C.slice(json, keep)]
      packed = C.struct(:request, fields, keep)
      C.make { |address| C::CLIENT_STREAM.call(@address, packed.to_i, address) }
    end

    def milliseconds(seconds)
      return 0 if seconds.nil?
      return 2**64 - 1 if seconds == Float::INFINITY
      raise ArgumentError, "no time to wait: #{seconds}" unless seconds.positive?

      (seconds * 1000).ceil
    end

    def retries_number(retries)
      case retries
      when nil then 0
      when 0 then 2**32 - 1
      else retries
      end
    end
  end

  # One request and its response. It waits for the network in a thread of its own, so the thread that reads
  # can be interrupted: by Ctrl-C, Timeout, Thread#raise.
  class Stream
    include Enumerable

    def initialize(address, on_error) # :nodoc:
      @on_error = on_error
      @wait = Wait.new(address)
      # A net for streams that nobody closes.
      ObjectSpace.define_finalizer(self, Wait.finalizer(@wait))
    end

    # Yields the deltas as they come, each once: after an early end of the block it goes on where that was. An
    # event that cannot be read goes to `on_error`, else EventError is raised, and `each` again goes on behind
    # it. TransportError where no response came, or it broke off.
    def each
      return to_enum unless block_given?

      while (item = @wait.next)
        if !item.is_a?(Exception) then yield item
        elsif @on_error && item.is_a?(EventError) then @on_error.call(item)
        else raise item
        end
      end
      self
    end

    # Ends the stream: `each` raises CancelledError at once, behind what had come. Any thread may call it, and a
    # `trap`.
    def cancel
      @wait.cancel
      nil
    end

    # :complete or :truncated, once `each` has come to the end; :unknown before.
    def end = @wait.end

    # Cancels the stream, if it is not at its end, and frees it.
    def close
      return if closed?

      ObjectSpace.undefine_finalizer(self)
      @wait.close
    end

    def closed? = @wait.closed?
  end

  # A `dw_stream` and the thread that waits on it. Nothing here refers to the Stream, so that can be collected.
  class Wait # :nodoc:
    # Deltas that came and were not asked for yet; then the thread stops reading from the network.
    AHEAD = 256
    # Those that are waiting, which a process cancels before it exits: Ruby would wait for their threads.
    WAITING = {}.compare_by_identity
    at_exit { WAITING.keys.each(&:cancel) }

    # It closes in another thread, since it may run in the middle of whatever this one does.
    def self.finalizer(wait)
      proc do
        Thread.new { wait.close }
      rescue ThreadError
        nil # The process exits.
      end
    end

    attr_reader :end

    def initialize(address)
      @address = address
      @lock = Mutex.new
      @items = SizedQueue.new(AHEAD)
      @end = :unknown
    end

    def closed? = @address.nil?

    def next
      raise ClosedError, "the stream is closed" if closed?

      start { pump(@address) }
      item = @items.pop
      raise ClosedError, "the stream was closed" if item.nil? && closed?

      item
    end

    def fetch(message)
      start do
        status = C::STREAM_FETCH.call(@address, message.address)
        @items << (status <= -20 ? TransportError.of(@address) : status)
      end
      item = @items.pop
      raise item if item.is_a?(Exception)

      Deltawire.check(item)
      message
    end

    def cancel
      @lock.synchronize { C::STREAM_CANCEL.call(@address) if @address }
    rescue ThreadError
      # The block of a `trap` may take no lock.
      Thread.new { cancel }
    end

    def close
      cancel
      @items.close
      @thread&.join
      @lock.synchronize do
        C::STREAM_FREE.call(@address) if @address
        @address = nil
      end
    end

    private

    def start
      @lock.synchronize do
        @thread ||= Thread.new do
          WAITING[self] = true
          yield
        rescue ClosedQueueError
          nil # Nobody reads on.
        ensure
          WAITING.delete(self)
          @items.close
        end
      end
    end

    def pump(stream)
      memory = C.memory(C::DELTA_BYTES)
      delta = memory.to_i
      until (status = C::STREAM_NEXT.call(stream, delta)).zero?
        if status.positive?
          item = Delta.from(memory[0, C::DELTA_BYTES].unpack(C::LAYOUTS[:delta]))
          @items << item if item
        else
          @items << failure(stream, status)
          break if status > -10
        end
      end
      ended(stream)
    end

    def ended(stream)
      @end = C::ENDS.fetch(C::STREAM_END.call(stream), :unknown)
    end

    def failure(stream, status)
      if status <= -20
        # What is behind it may still come, but nothing that changes how the stream ended.
        ended(stream)
        return TransportError.of(stream)
      end
      Deltawire.check(status) unless C.event_error?(status)
      fields = C.read(:failure) { |failure| C::STREAM_FAILURE.call(stream, failure) }
      C.event_error(*fields.values_at(0, 5, 6, 7))
    rescue Error => e
      e
    end
  end
  private_constant :Wait
end
