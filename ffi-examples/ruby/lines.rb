# frozen_string_literal: true

require_relative "deltawire"

# Deltas as the command `deltawire deltas` prints them: a JSON object a line, keys in a fixed order, absent
# ones left out, no spaces, non-ASCII as it is.
module Lines
  ESCAPES = { '"' => '\"', "\\" => "\\\\", "\n" => '\n', "\r" => '\r', "\t" => '\t', "\b" => '\b',
              "\f" => '\f' }.freeze

  # A JSON string. What is not UTF-8, which only `raw` can be, shows as U+FFFD.
  def self.string(text)
    escaped = text.scrub("\uFFFD").gsub(/["\\\x00-\x1f]/) { |char| ESCAPES[char] || format('\u%04x', char.ord) }
    "\"#{escaped}\""
  end

  # Members in their order, those without a value left out.
  def self.object(**members)
    shown = members.compact.map do |key, value|
      "\"#{key}\":#{value.is_a?(String) || value.is_a?(Symbol) ? string(value.to_s) : value}"
    end
    "{#{shown.join(",")}}"
  end

  # The line of a delta.
  def self.of(delta)
    include_whole = true if delta.is_a?(Deltawire::Delta) && delta.respond_to?(:whole) && delta.whole
    case delta
    in Deltawire::Delta::ToolCallArguments | Deltawire::Delta::ServerToolCallArguments
      object(type: delta.kind, choice: delta.choice, index: delta.index, fragment: delta.fragment,
             whole: include_whole)
    in Deltawire::Delta::Error(error_kind:, code:, message:, transient:)
      object(type: :error, kind: error_kind, code: code, message: message, transient: transient)
    in Deltawire::Delta::Other(event:, raw:)
      object(type: :other, event: event, raw: raw)
    in Deltawire::Delta::Done
      object(type: :done)
    else
      object(type: delta.kind, **delta.to_h)
    end
  end

  # The last line.
  def self.of_end(ended) = object(type: :end, complete: ended == :complete)
end
