# frozen_string_literal: true

require_relative "helper"

# Every case reads as the command reads it, however its bytes are cut.
class TestCases < Minitest::Test
  include Helper

  CASES = File.readlines("#{ENV.fetch("DELTAWIRE_CASES")}/cases.tsv", chomp: true).map { |row| row.split("\t") }

  def path(file) = "#{ENV.fetch("DELTAWIRE_CASES")}/#{file}"

  def lines(pieces, dialect)
    lines = []
    Deltawire::Decoder.open(dialect: dialect, on_error: ->(_) {}) do |decoder|
      decoder.each(pieces) { |delta| lines << Lines.of(delta) }
      lines << Lines.of_end(decoder.end)
    end
    lines.map { |line| "#{line}\n" }.join.b
  end

  CASES.each do |name, file, dialect, is_short|
    define_method("test_#{name}") do
      bytes = File.binread(path(file))
      expected = File.binread(path("#{name}.lines"))
      assert_equal expected, lines([bytes], dialect), "whole"
      [1, 7, 64].each do |size|
        assert_equal expected, lines(bytes.scan(/.{1,#{size}}/mn), dialect), "pieces of #{size} bytes"
      end
      next if is_short != "1"

      (1...bytes.bytesize).each do |at|
        halves = [bytes.byteslice(0, at), bytes.byteslice(at..)]
        assert_equal expected, lines(halves, dialect), "cut at #{at}"
      end
    end
  end

  def test_there_are_cases
    assert_operator CASES.size, :>=, 30
    assert_operator CASES.count { |row| row[3] == "1" }, :>=, 1
  end

  def test_control_characters_are_escaped_and_nothing_else
    assert_equal '"\u0000\b\t\n\u000b\f\r\u001f\"\\\\/é"', Lines.string("\0\b\t\n\v\f\r\x1f\"\\/é")
    assert_equal "\"\x7f\u2028\"", Lines.string("\x7f\u2028")
  end

  def test_the_program_prints_what_the_command_prints
    CASES.values_at(0, CASES.size / 2, -1).each do |name, file, dialect|
      expected = File.binread(path("#{name}.lines")).force_encoding(Encoding::UTF_8)
      assert_equal expected, program("deltas.rb", "--dialect", dialect, path(file))[0]
      assert_equal expected, program("deltas.rb", "--dialect", dialect, "--chunk-size", "1", path(file))[0]
      assert_equal expected, program("deltas.rb", "--dialect", dialect, input: File.binread(path(file)))[0]
    end
  end

  def test_the_program_says_by_its_exit_status_what_became_of_the_stream
    assert_equal 0, program("deltas.rb", "#{DATA}/serve-chat.sse")[2]
    assert_equal 1, program("deltas.rb", "#{DATA}/serve-error.sse")[2]
    assert_equal 1, program("deltas.rb", "#{DATA}/serve-cut.sse")[2]
    assert_equal 2, program("deltas.rb", "--dialect", "none", "#{DATA}/serve-chat.sse")[2]
    assert_equal 2, program("deltas.rb", "#{DATA}/absent.sse")[2]
    _, err, status = program("deltas.rb", input: "data: {oops\n\n#{DONE}")
    assert_equal 1, status
    assert_match(/JSON/, err)
  end
end
