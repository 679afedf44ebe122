# frozen_string_literal: true

require "stringio"
require_relative "helper"

class TestDecoder < Minitest::Test
  include Helper

  def setup = @decoder = Deltawire::Decoder.new

  def teardown = @decoder.close

  def feed(bytes) = @decoder.feed(bytes).to_a

  def test_a_text_is_right_after_the_next_call_and_after_the_decoder_is_closed
    kept = texts(feed(format(TEXT, "first")))
    kept += texts(feed(format(TEXT, 'es\\\\caped')))
    cut = format(TEXT, "cut")
    kept += texts(feed(cut[0, 20])) + texts(feed(cut[20..]))
    feed(format(TEXT, "x" * 5000))
    @decoder.close
    GC.start
    assert_equal ["first", 'es\\caped', "cut"], kept
    assert_equal [Encoding::UTF_8], kept.map(&:encoding).uniq
  end

  def test_a_piece_may_be_changed_as_soon_as_it_was_fed_and_while_its_deltas_are_yielded
    piece = String.new(format(TEXT, "a") * 200)
    seen = []
    @decoder.feed(piece) do |delta|
      piece.clear.concat("junk")
      seen << delta
    end
    assert_equal ["a"] * 200, texts(seen)
  end

  def test_pieces_of_any_size_are_taken
    long = "ü" * 100_000
    assert_equal [long], texts(feed(format(TEXT, long)))
    assert_equal ["b"] * 1000, texts(feed(format(TEXT, "b") * 1000))
    assert_empty feed("")
  end

  def test_nul_and_characters_of_all_lengths_survive
    assert_equal ["a\0b \u00fc \u20ac \u{1f600}"], texts(feed(format(TEXT, 'a\\u0000b \\u00fc € 😀')))
  end

  def test_raw_bytes_that_are_no_utf8_come_untouched
    @decoder = Deltawire::Decoder.new(on_error: ->(_) {})
    other = feed("data: \xFF\xFE oops\n\n".b).first
    assert_instance_of Deltawire::Delta::Other, other
    assert_equal "\xFF\xFE oops".b, other.raw.b
    refute other.raw.valid_encoding?
  end

  def test_use_after_close_is_an_error_and_closing_again_is_none
    2.times { @decoder.close }
    assert @decoder.closed?
    assert_raises(Deltawire::ClosedError) { feed("data: 1\n\n") }
    assert_raises(Deltawire::ClosedError) { @decoder.finish {} }
    assert_raises(Deltawire::ClosedError) { @decoder.end }
    assert_raises(Deltawire::ClosedError) { @decoder.reset }
  end

  def test_the_block_may_close_the_decoder
    seen = []
    assert_raises(Deltawire::ClosedError) do
      @decoder.feed(format(TEXT, "a") * 100) do |delta|
        seen << delta
        @decoder.close
      end
      @decoder.feed("data: 1\n\n") {}
    end
    assert_includes texts(seen), "a"
  end

  def test_open_closes_also_when_the_block_fails
    kept = nil
    assert_raises(RuntimeError) do
      Deltawire::Decoder.open do |decoder|
        kept = decoder
        raise "mine"
      end
    end
    assert kept.closed?
  end

  def test_names_and_numbers_that_mean_nothing_are_refused
    [nil, "", "openai", "openai-chat\0"].each do |name|
      assert_raises(ArgumentError) { Deltawire::Decoder.new(dialect: name) }
    end
    assert_raises(ArgumentError) { Deltawire::Decoder.new(framing: :none) }
    assert_raises(ArgumentError) { Deltawire::Decoder.new(max_event_bytes: 0) }
    assert_raises(ArgumentError) { Deltawire::Decoder.new(batch: 0) }
    assert_raises(TypeError) { @decoder.feed(nil) {} }
  end

  def test_a_dialect_is_recognised_or_given
    assert_nil @decoder.dialect
    feed(format(TEXT, "a"))
    assert_equal "openai-chat", @decoder.dialect
    Deltawire::Decoder.open(dialect: "ollama") { |decoder| assert_equal "ollama", decoder.dialect }
  end

  def test_a_stream_that_is_cut_says_so
    feed(format(TEXT, "a"))
    @decoder.finish {}
    assert_equal :truncated, @decoder.end
    @decoder.reset
    feed(format(TEXT, "a") + DONE)
    @decoder.finish {}
    assert_equal :complete, @decoder.end
  end

  def test_a_web_page_is_no_stream_and_is_shown
    feed("<html>\nBad gateway\n")
    @decoder.finish {}
    assert_equal :unrecognised, @decoder.end
    assert_includes @decoder.seen, "Bad gateway"
  end

  def test_an_event_over_the_limit_is_raised_and_the_stream_goes_on
    decoder = Deltawire::Decoder.new(max_event_bytes: 500)
    seen = []
    bytes = format(TEXT, "before") + format(TEXT, "x" * 600) + format(TEXT, "behind") + DONE
    error = assert_raises(Deltawire::EventError) { decoder.feed(bytes) { |delta| seen << delta } }
    assert_equal :DW_ERR_EVENT_TOO_LARGE, error.status
    assert_equal format(TEXT, "before").bytesize, error.offset
    assert_match(/500/, error.message)
    decoder.feed(format(TEXT, "next")) { |delta| seen << delta }
    decoder.finish { |delta| seen << delta }
    assert_equal %w[before behind next], texts(seen)
    assert_equal :complete, decoder.end
  ensure
    decoder.close
  end

  def test_on_error_is_called_in_place_of_raising
    errors = []
    Deltawire::Decoder.open(max_event_bytes: 500, on_error: ->(error) { errors << error }) do |decoder|
      deltas = decoder.each([format(TEXT, "a") + format(TEXT, "x" * 600), format(TEXT, "b"), DONE])
      assert_equal %w[a b], texts(deltas.to_a)
    end
    assert_equal [:DW_ERR_EVENT_TOO_LARGE], errors.map(&:status)
  end

  def test_an_error_behind_the_last_delta_comes_with_the_next_call_and_so_does_its_payload
    seen = []
    @decoder = Deltawire::Decoder.new(on_error: ->(error) { seen << error.status })
    @decoder.feed("#{format(TEXT, "a")}data: oops\n\n") { |delta| seen << delta.kind }
    @decoder.finish { |delta| seen << delta.kind }
    assert_equal %i[text DW_ERR_NOT_JSON other], seen.last(3)
  end

  def test_what_an_early_end_of_a_block_leaves_comes_with_the_next_call
    bytes = (0...150).map { |number| format(TEXT, number) }.join
    first = @decoder.feed(bytes) { |delta| break delta.text if delta.is_a?(Deltawire::Delta::Text) }
    seen = []
    @decoder.feed(format(TEXT, "last")) { |delta| seen << delta }
    assert_equal (0...150).map(&:to_s) << "last", [first] + texts(seen)
  end

  def test_each_reads_files_pipes_and_arrays_and_gives_an_enumerator
    bytes = File.binread("#{DATA}/serve-chat.sse")
    assert_equal ["Grüß", " dich"], texts(@decoder.each(StringIO.new(bytes)).to_a)
    @decoder.reset
    assert_equal ["Grüß", " dich"], texts(@decoder.each(bytes.each_line).to_a)
    @decoder.reset
    reader, writer = IO.pipe
    deltas = @decoder.each(reader)
    writer << format(TEXT, "at once")
    # Nothing else has come: the delta waits for nothing.
    found = Timeout.timeout(5) { deltas.lazy.grep(Deltawire::Delta::Text).first }
    assert_equal "at once", found.text
  ensure
    reader&.close
    writer&.close
  end

  def test_deltas_are_told_apart_by_their_classes_and_by_patterns
    deltas = @decoder.each([File.binread("#{DATA}/serve-chat.sse")]).to_a
    assert_equal %i[start other reasoning text text finish usage done], deltas.map(&:kind)
    assert(deltas.all? { |delta| delta.is_a?(Deltawire::Delta) })
    assert_equal "tiny-chat-1", deltas[0].model
    assert_equal [9, 4, 13, 2, nil, nil], deltas[6].to_a
    deltas[5] => Deltawire::Delta::Finish(choice: 0, reason:, raw: "stop")
    assert_equal :stop, reason
  end

  def test_decoders_that_nobody_closes_are_freed
    cut = "data: #{"x" * 50_000}"
    drop = lambda do
      2000.times { Deltawire::Decoder.new.feed(cut) {} }
      GC.start
    end
    drop.call
    before = resident_bytes
    4.times { drop.call }
    # Each had 50 KB: 400 MB if they stayed.
    assert_operator resident_bytes - before, :<, 150_000_000
  end

  def test_all_deltas_of_an_event_come_with_its_piece_whatever_the_batch
    event = File.binread("#{DATA}/serve-single.sse")
    [1, 2, 3].each do |batch|
      Deltawire::Decoder.open(batch: batch) do |decoder|
        assert_equal %i[start text finish other], decoder.feed(event).map(&:kind)
      end
    end
  end

  def test_the_same_deltas_come_whatever_the_batch
    bytes = File.binread("#{DATA}/serve-chat.sse")
    all = [1, 2, 3, 1000].map { |batch| Deltawire::Decoder.new(batch: batch).each([bytes]).to_a }
    assert_equal 8, all[0].size
    assert_equal 1, all.uniq.size
  end
end

class TestMessage < Minitest::Test
  include Helper

  TOOL = <<~SSE
    data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"t","function":{"name":"add","arguments":"{\\"a\\""}}]}}]}

    data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":"tool_calls"}]}

    data: [DONE]

  SSE

  def collect(bytes)
    message = Deltawire::Message.new
    Deltawire::Decoder.open do |decoder|
      decoder.each([bytes]) { |delta| message << delta }
      message.finish(decoder.end)
    end
    message
  end

  def test_deltas_are_put_together
    message = collect(File.binread("#{DATA}/serve-chat.sse"))
    assert_equal ["chatcmpl-t1", "tiny-chat-1", "assistant"], [message.id, message.model, message.role]
    assert_equal "Grüß dich", message.text
    assert_equal [0, :stop, "stop", "Grüß dich", "Greet.", ""], message.choices.first.to_a
    assert_equal [9, 4, 13, 2, nil, nil], message.usage.to_a
    assert_equal :complete, message.end
    assert message.complete?
    assert_nil message.error
  end

  def test_tool_calls_are_put_together
    message = collect(TOOL)
    assert_equal [[0, 0, "t", "add", '{"a":1}']], message.tool_calls.map(&:to_a)
    assert_empty message.server_tool_calls
    assert_equal :tool_calls, message.choices.first.finish_reason
  end

  def test_an_error_of_the_provider_is_the_messages
    message = collect(File.binread("#{DATA}/serve-error.sse"))
    assert_equal "but", message.text
    assert_equal [:overloaded, "overloaded", "The engine is overloaded", true], message.error.to_a
    refute message.complete?
  end

  def test_a_whole_response_is_read
    body = '{"id":"w","model":"m","object":"chat.completion","choices":[{"index":0,"message":' \
           '{"role":"assistant","content":"Hello\u0000"},"finish_reason":"stop"}]}'
    assert_equal "Hello\0", Deltawire::Message.read(body).text
    error = assert_raises(Deltawire::Error) { Deltawire::Message.read("{}") }
    assert_equal :DW_ERR_NOT_A_RESPONSE, error.status
    error = assert_raises(Deltawire::Error) { Deltawire::Message.read("<html>") }
    assert_equal :DW_ERR_NOT_JSON, error.status
  end
end
