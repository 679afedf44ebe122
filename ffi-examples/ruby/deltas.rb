#!/usr/bin/env ruby
# frozen_string_literal: true

# Prints what a recorded response says, a line a delta, as `deltawire deltas` does.
#
#     deltas.rb [--dialect D] [--chunk-size N] [FILE]      standard input where there is no FILE
#
# Exit status: 0 done, 1 the stream carried an error or was cut, 2 wrong usage.
require "optparse"
require_relative "lines"

options = { dialect: "auto" }
chunk_size = nil
begin
  OptionParser.new do |parser|
    parser.on("--dialect D") { |name| options[:dialect] = name }
    parser.on("--chunk-size N", Integer) { |bytes| chunk_size = bytes }
  end.parse!
  raise ArgumentError, "one FILE at most" if ARGV.size > 1
  raise ArgumentError, "chunks have a size above 0" if chunk_size && chunk_size < 1

  file = ARGV.empty? || ARGV == ["-"] ? $stdin.binmode : File.open(ARGV[0], "rb")
  is_faulty = false
  options[:on_error] = lambda do |error|
    warn "deltas: #{error.message}"
    is_faulty = true
  end
  decoder = Deltawire::Decoder.new(**options)
rescue OptionParser::ParseError, ArgumentError, SystemCallError => e
  warn "deltas: #{e.message}", "usage: deltas.rb [--dialect D] [--chunk-size N] [FILE]"
  exit 2
end

$stdout.sync = true
pieces = chunk_size ? Enumerator.produce { file.read(chunk_size) || raise(StopIteration) } : file
decoder.each(pieces) do |delta|
  is_faulty = true if delta.is_a?(Deltawire::Delta::Error)
  puts Lines.of(delta)
end
puts Lines.of_end(decoder.end)
ended = decoder.end
decoder.close
exit(is_faulty || ended != :complete ? 1 : 0)
