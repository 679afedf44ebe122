# frozen_string_literal: true

require "minitest/autorun"
require "open3"
require "rbconfig"
require "timeout"
require_relative "../lines"

# What the tests share. DELTAWIRE is the command, DELTAWIRE_CASES a folder of streams and their lines.
module Helper
  FOLDER = File.expand_path("..", __dir__)
  DATA = File.expand_path("../../tests/data", FOLDER)
  TEXT = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"}}]}\n\n"
  DONE = "data: [DONE]\n\n"

  def texts(deltas) = deltas.grep(Deltawire::Delta::Text).map(&:text)

  # Standard output, standard error and exit status of one of the programs.
  def program(name, *arguments, input: "", environment: {})
    out, err, status = Open3.capture3(environment, RbConfig.ruby, "-w", "#{FOLDER}/#{name}", *arguments,
                                      stdin_data: input, binmode: true)
    [out.force_encoding(Encoding::UTF_8), err.force_encoding(Encoding::UTF_8), status.exitstatus]
  end

  # The base URL of a server that replays files of tests/data.
  def serve(*arguments)
    files = arguments.map { |argument| argument.end_with?(".sse") ? "#{DATA}/#{argument}" : argument }
    _, out, err, server = Open3.popen3(ENV.fetch("DELTAWIRE"), "serve", "--port", "0", *files)
    line = err.each_line.find { |told| told.start_with?("deltawire: listening on ") }
    yield line.chomp.delete_prefix("deltawire: listening on ")
  ensure
    if server
      Process.kill(:KILL, server.pid)
      server.join
    end
    [out, err].compact.each(&:close)
  end

  def seconds
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    yield
    Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
  end

  def resident_bytes = File.read("/proc/self/statm").split[1].to_i * 4096
end
