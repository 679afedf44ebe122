# frozen_string_literal: true

require "fiddle"

module Deltawire
  # The functions of the library, and how its structs are laid out. Pointers pass as integers: Fiddle
  # would make an object of each.
  module C # :nodoc:
    LIBRARY = ENV["DELTAWIRE_LIBRARY"] || case RbConfig::CONFIG["host_os"]
                                          when /darwin/ then "libdeltawire.0.1.dylib"
                                          when /mingw|mswin/ then "deltawire.dll"
                                          else "libdeltawire.so.0.1"
                                          end
    HANDLE = Fiddle.dlopen(LIBRARY)
    ADDRESS = Fiddle::TYPE_UINTPTR_T
    SIZE = Fiddle::TYPE_SIZE_T
    U32 = -Fiddle::TYPE_INT
    U64 = -Fiddle::TYPE_LONG_LONG
    STATUS = Fiddle::TYPE_INT
    STRING = Fiddle::TYPE_CONST_STRING

    # Only what waits for the network lets other threads run meanwhile. All else is done within
    # microseconds, and so no other thread can touch an object during a call.
    def self.function(name, arguments, result, waits: false)
      Fiddle::Function.new(HANDLE[name], arguments, result, name: name, need_gvl: !waits)
    end

    ABI_VERSION = function("dw_abi_version", [], U32)
    VERSION = function("dw_version", [], STRING)
    STATUS_NAME = function("dw_status_name", [STATUS], STRING)
    STATUS_MESSAGE = function("dw_status_message", [STATUS], STRING)
    DIALECT_NAME = function("dw_dialect_name", [U32], STRING)
    DIALECT_BY_NAME = function("dw_dialect_by_name", [ADDRESS, SIZE], U32)
    DELTA_KIND_NAME = function("dw_delta_kind_name", [U32], STRING)
    FINISH_REASON_NAME = function("dw_finish_reason_name", [U32], STRING)
    ERROR_KIND_NAME = function("dw_error_kind_name", [U32], STRING)
    DECODER_NEW = function("dw_decoder_new", [ADDRESS, ADDRESS], STATUS)
    DECODER_FREE = function("dw_decoder_free", [ADDRESS], Fiddle::TYPE_VOID)
    DECODER_NEXT_BATCH =
      function("dw_decoder_next_batch", [ADDRESS, ADDRESS, ADDRESS, SIZE, ADDRESS], STATUS)
    DECODER_FINISH = function("dw_decoder_finish", [ADDRESS, ADDRESS], STATUS)
    DECODER_RESET = function("dw_decoder_reset", [ADDRESS], STATUS)
    DECODER_END = function("dw_decoder_end", [ADDRESS], U32)
    DECODER_DIALECT = function("dw_decoder_dialect", [ADDRESS], U32)
    DECODER_OFFSET = function("dw_decoder_offset", [ADDRESS], U64)
    DECODER_EVENTS = function("dw_decoder_events", [ADDRESS], U64)
    DECODER_SEEN = function("dw_decoder_seen", [ADDRESS, ADDRESS], STATUS)
    DECODER_ERROR = function("dw_decoder_error", [ADDRESS, ADDRESS], STATUS)
    MESSAGE_NEW = function("dw_message_new", [ADDRESS], STATUS)
    MESSAGE_FREE = function("dw_message_free", [ADDRESS], Fiddle::TYPE_VOID)
    MESSAGE_PUSH = function("dw_message_push", [ADDRESS, ADDRESS], STATUS)
    MESSAGE_FINISH = function("dw_message_finish", [ADDRESS, U32], STATUS)
    MESSAGE_READ = function("dw_message_read", [ADDRESS, ADDRESS, SIZE, ADDRESS], STATUS)
    MESSAGE_GET = function("dw_message_get", [ADDRESS, ADDRESS], STATUS)
    MESSAGE_CHOICE = function("dw_message_choice", [ADDRESS, SIZE, ADDRESS], STATUS)
    MESSAGE_TOOL_CALL = function("dw_message_tool_call", [ADDRESS, SIZE, ADDRESS], STATUS)
    MESSAGE_SERVER_TOOL_CALL =
      function("dw_message_server_tool_call", [ADDRESS, SIZE, ADDRESS], STATUS)
    CLIENT_NEW = function("dw_client_new", [ADDRESS, ADDRESS, ADDRESS, SIZE], STATUS)
    CLIENT_FREE = function("dw_client_free", [ADDRESS], Fiddle::TYPE_VOID)
    CLIENT_STREAM = function("dw_client_stream", [ADDRESS, ADDRESS, ADDRESS], STATUS)
    STREAM_FREE = function("dw_stream_free", [ADDRESS], Fiddle::TYPE_VOID)
    STREAM_NEXT = function("dw_stream_next", [ADDRESS, ADDRESS], STATUS, waits: true)
    STREAM_FETCH = function("dw_stream_fetch", [ADDRESS, ADDRESS], STATUS, waits: true)
    STREAM_CANCEL = function("dw_stream_cancel", [ADDRESS], Fiddle::TYPE_VOID)
    STREAM_END = function("dw_stream_end", [ADDRESS], U32)
    STREAM_FAILURE = function("dw_stream_failure", [ADDRESS, ADDRESS], STATUS)

    # Templates for `pack` and `unpack`, a directive a field: L uint32_t, l int32_t, Q uint64_t, d double,
    # J a pointer or a size. The tests hold them against the header.
    LAYOUTS = {
      slice: "JJ", input: "JJJ", error: "lLQQJJQ4", decoder_options: "LLLLLLJJJJJ",
      delta: "LLlLLLJJJJJJJJJJJJJJLLQ6Q4",
      message_info: "JJJJJJLLQ6JJJLLLLJJJJQ4", choice: "LLJJJJJJJJQ4", tool_call: "LlJJJJJJQ4",
      client_options: "LLJJJJJJJJJJJJQQQQLLJJ", turn: "JJJJ", header: "JJJJ",
      request: "LLJJJJLLdJJJJ", failure: "lLLLQQJJJJJJJJJJQ4"
    }.freeze
    SIZES = LAYOUTS.transform_values { |layout| ([0] * 64).pack(layout).bytesize }.freeze
    DELTA_BYTES = SIZES[:delta]

    # The library has to be the one that these layouts were written for.
    abi = ABI_VERSION.call
    raise LoadError, "#{LIBRARY} has the ABI #{abi}, deltawire.rb needs 1" unless abi == 1
    unless SIZES.values_at(:delta, :failure, :client_options) == [224, 144, 160]
      raise LoadError, "deltawire.rb is written for platforms of 64 bits"
    end

    # Memory that Ruby frees when nobody refers to it any more, zeroed.
    def self.memory(size)
      pointer = Fiddle::Pointer.malloc(size, Fiddle::RUBY_FREE)
      pointer[0, size] = "\0" * size
      pointer
    end

    # All memory: `ADDRESSES[address - 1, length]` makes no pointer for each string, and Fiddle reads none at 0.
    ADDRESSES = Fiddle::Pointer.new(1)

    # A copy of `length` bytes. `raw` may not be UTF-8; `valid_encoding?` tells.
    def self.text(address, length) = ADDRESSES[address - 1, length].force_encoding(Encoding::UTF_8)

    def self.text_or_nil(address, length)
      length.zero? ? nil : text(address, length)
    end

    # Fills a struct by a call that writes to its address, and gives its fields.
    def self.read(kind)
      memory = memory(SIZES[kind])
      Deltawire.check(yield(memory.to_i))
      memory[0, SIZES[kind]].unpack(LAYOUTS[kind])
    end

    # What a call that makes an object writes: a pointer.
    def self.make
      memory = memory(Fiddle::SIZEOF_VOIDP)
      Deltawire.check(yield(memory.to_i))
      memory[0, Fiddle::SIZEOF_VOIDP].unpack1("J")
    end

    # Address and length of a string, which `keep` holds until the call is over.
    def self.slice(string, keep)
      return [0, 0] if string.nil? || string.empty?

      keep << (pointer = Fiddle::Pointer[string])
      [pointer.to_i, string.bytesize]
    end

    # Options of a decoder as a struct.
    def self.decoder_options(keep, dialect: "auto", framing: :auto, eof: :default, max_event_bytes: nil,
                             text_field: nil, reasoning_field: nil, templates: true)
      unless max_event_bytes.nil? || (max_event_bytes.is_a?(Integer) && max_event_bytes.positive?)
        raise ArgumentError, "max_event_bytes is no number above 0: #{max_event_bytes.inspect}"
      end

      fields = [SIZES[:decoder_options], dialect_number(dialect), number(FRAMINGS, framing),
                number(EOFS, eof), templates ? 0 : 1, 0, max_event_bytes || 0,
                *slice(text_field, keep), *slice(reasoning_field, keep)]
      struct(:decoder_options, fields, keep)
    end

    def self.dialect_number(name)
      return 0 if name.to_s == "auto"

      found = name.to_s.empty? ? 0 : DIALECT_BY_NAME.call(*slice(name.to_s, []))
      raise ArgumentError, "no dialect has the name #{name.inspect}" if found.zero?

      found
    end

    # A struct of fields, at an address that is good as long as `keep` is.
    def self.struct(kind, fields, keep)
      keep << (packed = Fiddle::Pointer[fields.pack(LAYOUTS[kind])])
      packed
    end

    # The address of an array of structs, 0 for none.
    def self.array(kind, elements, keep)
      return 0 if elements.empty?

      keep << (packed = Fiddle::Pointer[elements.map { |fields| fields.pack(LAYOUTS[kind]) }.join])
      packed.to_i
    end

    # Frees what an object held, when nobody refers to the object any more.
    def self.finalizer(free, address) = proc { free.call(address) }

    # Whether a status says that one event could not be read, and that the stream goes on.
    def self.event_error?(status) = status <= -10 && status > -20

    def self.event_error(status, offset, text, length)
      EventError.new(text(text, length), STATUS_NAME.call(status).to_s.to_sym, offset)
    end

    # Names by number, as many as the library has.
    def self.names(function)
      names = (1..).lazy.map { |number| function.call(number).to_s.to_sym }
      [nil, *names.take_while { |name| name != :unknown }]
    end

    FINISH_REASONS = names(FINISH_REASON_NAME).freeze
    ERROR_KINDS = names(ERROR_KIND_NAME).freeze
    ENDS = %i[unknown complete truncated unrecognised].freeze
    FRAMINGS = %i[auto sse ndjson event_stream].freeze
    EOFS = %i[default discard flush].freeze
    PROVIDERS = %i[openai azure anthropic gemini ollama].freeze

    def self.number(names, name)
      names.index(name) or raise ArgumentError, "#{name.inspect} is none of #{names.inspect}"
    end
  end
end
