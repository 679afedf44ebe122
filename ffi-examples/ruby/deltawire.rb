# frozen_string_literal: true

require_relative "deltawire/c"

# Reads streaming responses of language models: the bytes of an HTTP body in, deltas out.
#
#   Deltawire::Decoder.open do |decoder|
#     decoder.each(io) { |delta| print delta.text if delta.is_a?(Deltawire::Delta::Text) }
#     warn "cut short" unless decoder.end == :complete
#   end
#
# Every string handed out is Ruby's own, a copy. Signatures are in deltawire.rbs.
module Deltawire
  # What goes wrong. `status` is the name the C ABI has for it, such as :DW_ERR_NOT_JSON.
  class Error < StandardError
    attr_reader :status

    def initialize(message, status = nil)
      super(message)
      @status = status
    end
  end

  # The object was closed.
  class ClosedError < Error; end

  # One event of a stream could not be read. The stream goes on: call `feed`, `finish` or `each` again.
  class EventError < Error
    # Where the event begins, in bytes from the start of the stream.
    attr_reader :offset

    def initialize(message, status, offset)
      super(message, status)
      @offset = offset
    end
  end

  # The version of the library, such as "0.1.0".
  def self.version = C::VERSION.call.to_s

  def self.check(status) # :nodoc:
    return status if status >= 0

    raise Error.new(C::STATUS_MESSAGE.call(status).to_s, C::STATUS_NAME.call(status).to_s.to_sym)
  end

  # One piece of news from a stream: a Struct for each kind, to be told apart by `case`. Where the provider
  # gave nothing, strings are nil but for `text`, `fragment`, `message`, `event` and `raw`. `raw` came from the wire and may not be valid
  # UTF-8: `valid_encoding?` tells.
  module Delta
    # :text, :tool_call_start and so on, as the command `deltawire deltas` names it.
    def kind = self.class::KIND

    # The message begins. Comes again where the provider changes one of these.
    Start = Struct.new(:id, :model, :role)
    # A piece of the reply, of the model's reasoning, of its refusal to answer.
    Text = Struct.new(:choice, :text)
    Reasoning = Struct.new(:choice, :text)
    Refusal = Struct.new(:choice, :text)
    # A tool call begins, or one that is known gets the ID or name it lacked, or is returned to.
    ToolCallStart = Struct.new(:choice, :index, :id, :name)
    # A piece of its arguments, or with `whole` all of them, in place of any that came before.
    ToolCallArguments = Struct.new(:choice, :index, :fragment, :whole)
    # The same of tools that the provider runs: nothing is left to do.
    ServerToolCallStart = Struct.new(:choice, :index, :id, :name)
    ServerToolCallArguments = Struct.new(:choice, :index, :fragment, :whole)
    # A choice is at its end: :stop, :length, :tool_calls, :content_filter, :error, :other; and the
    # provider's word for it.
    Finish = Struct.new(:choice, :reason, :raw)
    # Token counts so far, nil where the stream gave none. Each number replaces the one before it.
    Usage = Struct.new(:input_tokens, :output_tokens, :total_tokens, :cached_tokens,
                       :cache_creation_tokens, :reasoning_tokens)
    # The provider reports an error, :rate_limit for one; `raw` is the whole payload.
    Error = Struct.new(:error_kind, :code, :message, :transient, :raw)
    # What has no place among the others: what it is, and the whole payload.
    Other = Struct.new(:event, :raw)
    # The provider's own end of the stream. More may follow it.
    Done = Class.new do
      def ==(other) = other.is_a?(Done)
      alias_method :eql?, :==
      def hash = Done.object_id
      def deconstruct_keys(_) = {}
    end

    # By the number of `dw_delta_kind`.
    KINDS = [nil, Start, Text, Reasoning, Refusal, ToolCallStart, ToolCallArguments, ServerToolCallStart,
             ServerToolCallArguments, Finish, Usage, Error, Other, Done].freeze
    KINDS.each_with_index do |type, number|
      next unless type

      type.include(self)
      type.const_set(:KIND, C::DELTA_KIND_NAME.call(number).to_s.to_sym)
    end

    # The fields of a `dw_delta`, for as long as `keep` is.
    def fields(keep) # :nodoc:
      number = ->(names, member) { respond_to?(member) ? C.number(names, public_send(member)) : 0 }
      slices = [%i[text fragment message], %i[id], %i[name event], %i[model], %i[role], %i[code], %i[raw]].flat_map do |names|
        member = names.find { |name| respond_to?(name) }
        C.slice(member && public_send(member), keep)
      end
      flags = 0
      flags |= WHOLE if respond_to?(:whole) && whole
      flags |= TRANSIENT if respond_to?(:transient) && transient
      counts = is_a?(Usage) ? to_a : [nil] * 6
      known = counts.each_with_index.sum { |count, bit| count ? 1 << bit : 0 }
      [KINDS.index(self.class), respond_to?(:choice) ? choice : 0, respond_to?(:index) ? index : 0, flags,
       number.call(C::FINISH_REASONS, :reason), number.call(C::ERROR_KINDS, :error_kind),
       *slices, known, 0, *counts.map(&:to_i), 0, 0, 0, 0]
    end

    # `dw_delta.flags`.
    WHOLE = 1
    TRANSIENT = 2

    def self.usage(known, *counts) # :nodoc:
      Usage.new(*counts.each_with_index.map { |count, bit| count if known[bit] == 1 })
    end

    # A delta of the fields of a `dw_delta`; nil for a kind that is newer than this file.
    def self.from(fields) # :nodoc:
      kind, choice, index, flags, finish_reason, error_kind, *fields = fields
      text, id, name, model, role, code, raw = fields.first(14).each_slice(2).to_a
      type = KINDS[kind]
      case type && type != Done ? type.members : nil
      when Text.members then type.new(choice, C.text(*text))
      when ToolCallStart.members then type.new(choice, index, C.text_or_nil(*id), C.text_or_nil(*name))
      when ToolCallArguments.members then type.new(choice, index, C.text(*text), flags.anybits?(WHOLE))
      when Start.members then type.new(C.text_or_nil(*id), C.text_or_nil(*model), C.text_or_nil(*role))
      when Finish.members then type.new(choice, C::FINISH_REASONS.fetch(finish_reason, :unknown), C.text(*raw))
      when Usage.members then usage(*fields.values_at(14, 16..21))
      when Error.members
        type.new(C::ERROR_KINDS.fetch(error_kind, :unknown), C.text_or_nil(*code), C.text(*text),
                 flags.anybits?(TRANSIENT), C.text(*raw))
      when Other.members then type.new(C.text(*name), C.text(*raw))
      else type&.new
      end
    end
  end

  # Reads one response, or with `reset` one after the other.
  class Decoder
    BATCH = 64
    # A delta of text is most of what comes, so only its fields are taken of each. Kind and choice are one
    # number: that of text, choice 0, is TEXT.
    BRIEF = "Qx#{6 * 4 - 8}JJ"
    BRIEFS = Hash.new { |briefs, count| briefs[count] = "#{BRIEF}x#{C::DELTA_BYTES - 6 * 4 - 16}" * count }
    TEXT = [Delta::KINDS.index(Delta::Text), 0].pack("LL").unpack1("Q")
    # A decoder's own memory: a `dw_input`, how many deltas there are, the deltas. From the input's position on
    # it is what a call has written.
    LENGTH_AT = Fiddle::SIZEOF_VOIDP
    POSITION_AT = LENGTH_AT + Fiddle::SIZEOF_SIZE_T
    COUNT_AT = C::SIZES[:input]
    DELTAS_AT = COUNT_AT + Fiddle::SIZEOF_SIZE_T
    WRITTEN = "JJ#{BRIEF}"
    WRITTEN_BYTES = ([0] * 5).pack(WRITTEN).bytesize
    private_constant(*constants(false))

    # Gives a decoder to the block and closes it behind it.
    def self.open(**options)
      decoder = new(**options)
      return decoder unless block_given?

      begin
        yield decoder
      ensure
        decoder.close
      end
    end

    # `dialect` is a name from docs/dialects.md, or "auto" to recognise it; `framing` :auto, :sse, :ndjson,
    # :event_stream; `eof` :default, :discard, :flush, what becomes of a last event without its blank
    # line; `max_event_bytes` nil for 16 MiB. `on_error` is called with the EventError of an event that
    # cannot be read; without it, the error is raised, and what is behind it comes with the next call.
    # `batch` is how many deltas one call of the library fetches, for which a decoder keeps 224 bytes each.
    def initialize(on_error: nil, batch: BATCH, **options)
      raise ArgumentError, "batch is no number above 0" unless batch.is_a?(Integer) && batch.positive?

      keep = []
      options = C.decoder_options(keep, **options)
      @on_error = on_error
      @batch = batch
      @memory = C.memory(DELTAS_AT + batch * C::DELTA_BYTES)
      @input_at = @memory.to_i
      @count_at = @input_at + COUNT_AT
      @deltas_at = @input_at + DELTAS_AT
      @ready = []
      @is_used_up = true
      room(16 * 1024)
      @address = C.make { |address| C::DECODER_NEW.call(options.to_i, address) }
      # A net for decoders that nobody closes.
      ObjectSpace.define_finalizer(self, C.finalizer(C::DECODER_FREE, @address))
    end

    # Frees the decoder. Again does nothing.
    def close
      return if closed?

      ObjectSpace.undefine_finalizer(self)
      C::DECODER_FREE.call(@address)
      @address = nil
      @is_used_up = true
    end

    def closed? = @address.nil?

    # Takes the next bytes of the response, cut wherever they may be, and yields the deltas in them. What a
    # block that ended early has left comes with the next call.
    def feed(chunk, &block)
      return to_enum(:feed, chunk) unless block_given?

      drain(&block) unless @is_used_up && @ready.empty?
      take(chunk)
      drain(&block)
    end

    # Yields what only the end of the response can show. Then `end` says how it ended.
    def finish(&block)
      return to_enum(:finish) unless block_given?

      drain(&block)
      while true
        status = C::DECODER_FINISH.call(address, @deltas_at)
        return self if status.zero?

        next if failed?(status)

        @ready << Delta.from(@memory[DELTAS_AT, C::DELTA_BYTES].unpack(C::LAYOUTS[:delta]))
        drain(&block)
      end
    end

    # Yields all deltas of a response: of an IO, as its bytes come, or of whatever has an `each` of strings.
    def each(source, &block)
      return to_enum(:each, source) unless block_given?

      if source.respond_to?(:readpartial)
        buffer = String.new
        begin
          loop { feed(source.readpartial(16 * 1024, buffer), &block) }
        rescue EOFError
          finish(&block)
        end
      else
        source.each { |chunk| feed(chunk, &block) }
        finish(&block)
      end
    end

    # Forgets the stream and begins another one.
    def reset
      Deltawire.check(C::DECODER_RESET.call(address))
      @ready.clear
      @is_used_up = true
      self
    end

    # :complete, :truncated, :unrecognised: how the stream ended, or would have if it ended here.
    def end = C::ENDS.fetch(C::DECODER_END.call(address), :unknown)

    # The dialect's name, nil as long as it is not known.
    def dialect
      number = C::DECODER_DIALECT.call(address)
      number.zero? ? nil : C::DIALECT_NAME.call(number).to_s
    end

    # How many bytes of the stream were used.
    def offset = C::DECODER_OFFSET.call(address)

    # How many events were dispatched.
    def events = C::DECODER_EVENTS.call(address)

    # What a server sent in place of a stream: lines, up to 64 KiB of them.
    def seen = C.text(*C.read(:slice) { |slice| C::DECODER_SEEN.call(address, slice) })

    private

    def address = @address || raise(ClosedError, "the decoder is closed")

    # Memory for input. It is a copy, since Ruby may move or change a string while C reads it.
    def room(size)
      @room = Fiddle::Pointer.malloc(size, Fiddle::RUBY_FREE)
      @room_bytes = size
      @room_at = @room.to_i
      @memory[0, LENGTH_AT] = [@room_at].pack("J")
    end

    def take(chunk)
      address
      raise TypeError, "no String: #{chunk.class}" unless chunk.is_a?(String)

      @size = chunk.bytesize
      return if @size.zero?

      room([@size, 2 * @room_bytes].max) if @size > @room_bytes
      @room[0, @size] = chunk
      @memory[LENGTH_AT, COUNT_AT - LENGTH_AT] = [@size, 0].pack("JJ")
      @is_used_up = false
    end

    def drain
      while true
        while (delta = @ready.shift)
          yield delta
        end
        return self if @is_used_up

        fill
      end
    end

    # All deltas of a call are made before the first of them is yielded, since the block may do as it likes
    # with this decoder.
    def fill
      status = C::DECODER_NEXT_BATCH.call(address, @input_at, @deltas_at, @batch, @count_at)
      return @is_used_up = true if status.zero?
      return if failed?(status)

      position, count, number, text, length = @memory[POSITION_AT, WRITTEN_BYTES].unpack(WRITTEN)
      # An error that came behind these deltas is returned by the next call, be it that of the next `feed`.
      @is_used_up = position == @size && count < @batch
      @ready << brief(0, number, text, length)
      return if count == 1

      rest = @memory[DELTAS_AT + C::DELTA_BYTES, (count - 1) * C::DELTA_BYTES].unpack(BRIEFS[count - 1])
      at = 0
      rest.each_slice(3) do |number, text, length|
        @ready << brief(at += 1, number, text, length)
      end
      @ready.compact! # of kinds that are newer than this file
    end

    # The delta at a place of the batch.
    def brief(at, number, text, length)
      return Delta::Text.new(0, C.text(text, length)) if number == TEXT

      Delta.from(@memory[DELTAS_AT + at * C::DELTA_BYTES, C::DELTA_BYTES].unpack(C::LAYOUTS[:delta]))
    end

    # Whether an event could not be read.
    def failed?(status)
      return false if status.positive?

      Deltawire.check(status) unless C.event_error?(status)
      fields = C.read(:error) { |error| C::DECODER_ERROR.call(address, error) }
      error = C.event_error(*fields.values_at(0, 2, 4, 5))
      raise error unless @on_error

      @on_error.call(error)
      true
    end
  end
end

require_relative "deltawire/message"
require_relative "deltawire/client"
