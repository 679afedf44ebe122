#!/usr/bin/env ruby
# frozen_string_literal: true

# What reading a stream costs, beside what Ruby programs do now: `bench.rb FILE`, a stream of OpenAI chat
# chunks. Rows, tab-separated: name, mode, nanoseconds an event, deltas of text, bytes of text. In the mode
# `16k` the bytes come in pieces of 16 KiB, in `event` one event a piece. The least of five rounds counts.
require "json"
require_relative "deltawire"

ROUNDS = 5

# The usual way: lines, and JSON of what follows "data: ".
def by_json(pieces, text)
  count = 0
  rest = String.new(encoding: Encoding::BINARY)
  pieces.each do |piece|
    rest << piece
    start = 0
    while (stop = rest.index("\n", start))
      line = rest.byteslice(start, stop - start)
      start = stop + 1
      next unless line.start_with?("data: ")

      data = line.byteslice(6, line.bytesize - 6)
      next if data == "[DONE]"

      content = JSON.parse(data).dig("choices", 0, "delta", "content")
      next unless content

      text << content
      count += 1
    end
    rest = rest.byteslice(start, rest.bytesize - start)
  end
  count
end

# The same with `each_line`, over pieces that have whole lines only.
def by_json_each_line(pieces, text)
  count = 0
  pieces.each do |piece|
    piece.each_line do |line|
      next if !line.start_with?("data: ") || line.start_with?("data: [DONE]")

      content = JSON.parse(line.delete_prefix("data: ")).dig("choices", 0, "delta", "content")
      next unless content

      text << content
      count += 1
    end
  end
  count
end

def by_deltawire(pieces, text, **options)
  count = 0
  Deltawire::Decoder.open(**options) do |decoder|
    pieces.each do |piece|
      decoder.feed(piece) do |delta|
        next unless delta.is_a?(Deltawire::Delta::Text)

        text << delta.text
        count += 1
      end
    end
    decoder.finish { nil }
    raise "cut short" unless decoder.end == :complete
  end
  count
end

def measure(name, mode, events, pieces)
  count = text = least = nil
  (ROUNDS + 1).times do |round|
    text = String.new(encoding: Encoding::UTF_8)
    GC.start
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    count = yield pieces, text
    time = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond) - start
    least = [least || time, time].min if round.positive?
  end
  puts [name, mode, least / events, count, text.bytesize].join("\t")
end

abort "usage: bench.rb FILE" unless ARGV.size == 1

bytes = File.binread(ARGV[0])
by_event = bytes.split(/(?<=\n\n)/n)
pieces = { "16k" => bytes.scan(/.{1,16384}/mn), "event" => by_event }
pieces.each do |mode, these|
  events = by_event.size
  measure("deltawire", mode, events, these) { |pieces, text| by_deltawire(pieces, text) }
  measure("deltawire, one call a delta", mode, events, these) do |pieces, text|
    by_deltawire(pieces, text, batch: 1)
  end
  measure("lines + JSON.parse", mode, events, these) { |pieces, text| by_json(pieces, text) }
end
measure("each_line + JSON.parse", "event", by_event.size, by_event) do |pieces, text|
  by_json_each_line(pieces, text)
end
