# frozen_string_literal: true

module Deltawire
  # A reply put together: of deltas, or of a whole response that was not streamed.
  class Message
    # One of the replies to a prompt: `finish_reason` is nil where it has not ended.
    Choice = Struct.new(:index, :finish_reason, :finish_raw, :text, :reasoning, :refusal)
    # A call of a tool; `arguments` is JSON text, if the model wrote it right.
    ToolCall = Struct.new(:choice, :index, :id, :name, :arguments)
    # What the provider said went wrong.
    ProviderError = Struct.new(:kind, :code, :message, :transient)

    # Reads a whole response. An error that the provider reports in it is the message's; a body that is
    # none of a known provider raises Error.
    def self.read(body)
      new.tap do |message|
        keep = []
        Deltawire.check(C::MESSAGE_READ.call(message.address, *C.slice(body, keep), 0))
      end
    end

    def initialize
      @address = C.make { |address| C::MESSAGE_NEW.call(address) }
      ObjectSpace.define_finalizer(self, C.finalizer(C::MESSAGE_FREE, @address))
    end

    # The library's own name for it.
    attr_reader :address # :nodoc:

    # Takes in a delta.
    def <<(delta)
      keep = []
      Deltawire.check(C::MESSAGE_PUSH.call(@address, C.struct(:delta, delta.fields(keep), keep).to_i))
      self
    end

    # Notes how the stream ended, as `Decoder#end` gives it.
    def finish(ended)
      Deltawire.check(C::MESSAGE_FINISH.call(@address, C.number(C::ENDS, ended)))
      self
    end

    def id = C.text_or_nil(*info[0, 2])
    def model = C.text_or_nil(*info[2, 2])
    def role = C.text_or_nil(*info[4, 2])

    # Delta::Usage: of each count the last that came.
    def usage = Delta.usage(*info.values_at(6, 8..13))

    def choices = Array.new(info[14]) { |at| choice(at) }
    def tool_calls = Array.new(info[15]) { |at| tool_call(C::MESSAGE_TOOL_CALL, at) }
    def server_tool_calls = Array.new(info[16]) { |at| tool_call(C::MESSAGE_SERVER_TOOL_CALL, at) }

    # The reply of the first choice.
    def text = choices.first&.text || ""

    # As `finish` noted it, else :unknown.
    def end = C::ENDS.fetch(info[17], :unknown)

    # Whether the stream came to its end and reported no error.
    def complete? = info[18] == 1

    # The first error that the provider reported, or nil.
    def error
      kind, transient, *texts = info[19, 6]
      return if kind.zero?

      ProviderError.new(C::ERROR_KINDS.fetch(kind, :unknown), C.text_or_nil(*texts[0, 2]), C.text(*texts[2, 2]),
                        transient == 1)
    end

    private

    def info = C.read(:message_info) { |info| C::MESSAGE_GET.call(@address, info) }

    def choice(at)
      index, reason, *texts = C.read(:choice) { |choice| C::MESSAGE_CHOICE.call(@address, at, choice) }
      Choice.new(index, C::FINISH_REASONS.fetch(reason, :unknown), *texts.first(8).each_slice(2).map { |text| C.text(*text) })
    end

    def tool_call(function, at)
      choice, index, *texts = C.read(:tool_call) { |call| function.call(@address, at, call) }
      id, name, arguments = texts.first(6).each_slice(2).to_a
      ToolCall.new(choice, index, C.text_or_nil(*id), C.text_or_nil(*name), C.text(*arguments))
    end
  end
end
