# frozen_string_literal: true

require "socket"
require_relative "helper"

# The library's transport, against `deltawire serve`.
class TestClient < Minitest::Test
  include Helper

  ASK = { model: "tiny-chat-1", messages: [{ role: "user", content: "Say hello" }], include_usage: true }.freeze
  SLOW = ["--interval-ms", "10000", "serve-chat.sse"].freeze

  def client(url, **options) = Deltawire::Client.new(base_url: url, key: "secret-key", retries: 0, **options)

  def test_a_reply_is_streamed
    serve("--interval-ms", "150", "serve-chat.sse") do |url|
      times = []
      client(url).stream(**ASK) do |stream|
        assert_equal :unknown, stream.end
        deltas = stream.each.map { |delta| [delta, times << Process.clock_gettime(Process::CLOCK_MONOTONIC)][0] }
        assert_equal "Grüß dich", texts(deltas).join
        assert_equal %i[start other reasoning text text finish usage done], deltas.map(&:kind)
        assert_equal "created", deltas[1].event
        assert_equal 4, deltas[6].output_tokens
        assert_equal :complete, stream.end
      end
      assert_operator times.last - times.first, :>, 0.5
    end
  end

  def test_other_threads_run_while_one_waits
    serve("--interval-ms", "300", "serve-chat.sse") do |url|
      turns = 0
      other = Thread.new { loop { sleep 0.001; turns += 1 } }
      client(url).stream(**ASK) { |stream| assert_equal 8, stream.count }
      other.kill
      assert_operator turns, :>, 200
    end
  end

  def test_another_thread_cancels
    serve("--interval-ms", "200", "serve-chat.sse") do |url|
      client(url).stream(**ASK) do |stream|
        kept = []
        error = nil
        ready = Queue.new
        reader = Thread.new do
          stream.each do |delta|
            kept << delta
            ready << true if delta.is_a?(Deltawire::Delta::Text)
          end
        rescue Deltawire::CancelledError => e
          error = e
        end
        ready.pop
        took = seconds do
          stream.cancel
          reader.join
        end
        assert_operator took, :<, 0.15
        assert_equal "Grüß", texts(kept).join
        assert_equal :DW_ERR_CANCELLED, error.status
        assert_equal :truncated, stream.end
      end
    end
  end

  def test_a_trap_may_cancel
    serve(*SLOW) do |url|
      client(url).stream(**ASK) do |stream|
        before = trap(:USR1) { stream.cancel }
        Thread.new do
          sleep 0.3
          Process.kill(:USR1, Process.pid)
        end
        assert_operator(seconds { assert_raises(Deltawire::CancelledError) { stream.to_a } }, :<, 3)
      ensure
        trap(:USR1, before || "DEFAULT")
      end
    end
  end

  def test_a_timeout_of_rubys_ends_the_wait
    serve(*SLOW) do |url|
      took = seconds do
        assert_raises(Timeout::Error) do
          Timeout.timeout(0.3) { client(url).stream(**ASK, &:to_a) }
        end
      end
      assert_operator took, :<, 3
    end
  end

  def test_a_refusal_says_why_and_shows_no_key
    serve("--key", "other", "serve-chat.sse") do |url|
      client = client(url)
      error = assert_raises(Deltawire::StatusError) { client.stream(**ASK, &:to_a) }
      assert_equal [:DW_ERR_STATUS, 401, :authentication], [error.status, error.http_status, error.kind]
      assert_match(/key/, error.said)
      refute error.transient?
      assert_nil error.retry_after
      shown = [error.inspect, error.full_message, error.body, error.said, client.inspect].join
      refute_includes shown, "secret-key"
      assert_raises(Deltawire::StatusError) { client.fetch(**ASK) }
    end
  end

  def test_nobody_there_and_nothing_to_ask_are_told_apart
    error = assert_raises(Deltawire::TransportError) { client("http://127.0.0.1:9/v1").stream(**ASK, &:to_a) }
    assert_equal :DW_ERR_CONNECT, error.status
    error = assert_raises(Deltawire::Error) { client("http://127.0.0.1:9", ca_file: "/absent.pem") }
    assert_equal :DW_ERR_REQUEST, error.status
    assert_match(/absent.pem/, error.message)
    assert_raises(ArgumentError) { client("http://127.0.0.1:9", provider: :nobody) }
    assert_raises(ArgumentError) { client("http://127.0.0.1:9", idle: 0) }
  end

  def test_silence_has_a_limit
    serve(*SLOW) do |url|
      error = assert_raises(Deltawire::TimeoutError) { client(url, idle: 0.2).stream(**ASK, &:to_a) }
      assert_equal :DW_ERR_TIMEOUT, error.status
    end
  end

  def test_an_event_that_cannot_be_read_does_not_end_a_stream
    serve("serve-chat.sse") do |url|
      client(url, decoder: { max_event_bytes: 205 }).stream(**ASK) do |stream|
        kinds = []
        errors = 0
        begin
          stream.each { |delta| kinds << delta.kind }
        rescue Deltawire::EventError => e
          assert_equal :DW_ERR_EVENT_TOO_LARGE, e.status
          errors += 1
          retry
        end
        assert_operator errors, :>=, 1
        assert_equal :done, kinds.last
      end
    end
  end

  def test_an_early_end_of_the_block_leaves_the_rest
    serve("serve-chat.sse") do |url|
      client(url).stream(**ASK) do |stream|
        assert_equal "Greet.", stream.find { |delta| delta.is_a?(Deltawire::Delta::Reasoning) }.text
        assert_equal "Grüß dich", texts(stream.to_a).join
      end
    end
  end

  def test_use_after_close_is_an_error_and_closing_again_is_none
    serve(*SLOW) do |url|
      client = client(url)
      stream = client.stream(**ASK)
      2.times { client.close }
      assert_raises(Deltawire::ClosedError) { client.stream(**ASK) }
      # It does not need its client any more.
      assert_instance_of Deltawire::Delta::Start, stream.first
      assert_operator(seconds { 2.times { stream.close } }, :<, 2)
      assert_raises(Deltawire::ClosedError) { stream.to_a }
      stream.cancel
    end
  end

  def test_a_whole_response_is_fetched
    serve("serve-chat.sse") do |url|
      message = client(url).fetch(**ASK)
      assert_equal "Grüß dich", message.text
      assert message.complete?
    end
  end

  def test_json_of_the_callers_own_is_posted
    serve("serve-chat.sse") do |url|
      json = '{"model":"tiny-chat-1","stream":true,"messages":[]}'
      client(url).stream(path: "/chat/completions", json: json) do |stream|
        assert_equal "Grüß dich", texts(stream.to_a).join
      end
    end
  end

  def test_streams_that_nobody_closes_end
    serve(*SLOW) do |url|
      threads = Thread.list.size
      client = client(url)
      20.times { client.stream(**ASK).first }
      assert_operator Thread.list.size, :>, threads
      Timeout.timeout(20) do
        until Thread.list.size < threads + 5
          GC.start
          Array.new(1000) { Object.new }
          sleep 0.05
        end
      end
    end
  end

  def test_a_program_that_leaves_a_stream_open_exits_at_once
    serve(*SLOW) do |url|
      script = <<~RUBY
        require "#{FOLDER}/deltawire"
        stream = Deltawire::Client.new(base_url: "#{url}", key: "k").stream(model: "tiny-chat-1")
        puts stream.each.next.model
      RUBY
      took = seconds { assert_equal "tiny-chat-1\n", Open3.capture2(RbConfig.ruby, "-w", "-e", script)[0] }
      assert_operator took, :<, 5
    end
  end
end

# Both chats.
class TestPrograms < Minitest::Test
  include Helper

  def environment(url, key = "secret-key")
    { "OPENAI_BASE_URL" => url, "OPENAI_API_KEY" => key, "OPENAI_MODEL" => "tiny-chat-1" }
  end

  %w[chat net_http_chat].each do |name|
    define_method("test_#{name}_prints_the_reply_as_it_comes") do
      serve("--key", "secret-key", "--interval-ms", "200", "serve-chat.sse") do |url|
        Open3.popen2(environment(url), RbConfig.ruby, "#{FOLDER}/#{name}.rb", "Say hello", err: File::NULL) do |_, out, run|
          assert_equal "Grüß", out.readpartial(100).force_encoding(Encoding::UTF_8)
          rest = seconds { assert_equal " dich\n", out.read }
          assert_operator rest, :>, 0.3
          assert_equal 0, run.value.exitstatus
        end
      end
    end

    define_method("test_#{name}_tells_a_refusal_and_no_key") do
      serve("--key", "other", "serve-chat.sse") do |url|
        out, err, status = program("#{name}.rb", "Say hello", environment: environment(url))
        assert_equal 3, status
        assert_match(/401.*Incorrect API key/, err)
        refute_includes out + err, "secret-key"
      end
      assert_equal 3, program("#{name}.rb", "hi", environment: environment("http://127.0.0.1:9/v1"))[2]
      assert_equal 2, program("#{name}.rb")[2]
    end

    define_method("test_#{name}_tells_an_error_in_the_stream_and_a_cut") do
      serve("serve-error.sse", "serve-cut.sse") do |url|
        %w[serve-error serve-cut].each do |model|
          environment = environment(url).merge("OPENAI_MODEL" => model)
          assert_equal 1, program("#{name}.rb", "hi", environment: environment)[2], model
        end
      end
    end

    define_method("test_#{name}_is_ended_by_ctrl_c_and_keeps_what_came") do
      serve("--interval-ms", "1000", "serve-chat.sse") do |url|
        Open3.popen2(environment(url), RbConfig.ruby, "#{FOLDER}/#{name}.rb", "hi", err: File::NULL) do |_, out, run|
          came = out.readpartial(100)
          Process.kill(:INT, run.pid)
          took = seconds { came += out.read }
          assert_operator took, :<, 0.8
          assert_equal "Grüß\n", came.force_encoding(Encoding::UTF_8)
          assert_equal 130, run.value.exitstatus
        end
      end
    end
  end

  def test_net_http_chat_prints_the_last_event_though_its_blank_line_is_missing
    server = TCPServer.new("127.0.0.1", 0)
    answering = Thread.new do
      socket = server.accept
      # All of the request: to close a socket with something unread resets the connection.
      request = +""
      request << socket.readpartial(10_000) until request.end_with?("}")
      socket << "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
      socket << format(TEXT, "Hi").chomp.chomp
      socket.close
    end
    url = "http://127.0.0.1:#{server.addr[1]}/v1"
    assert_equal ["Hi\n", 1], program("net_http_chat.rb", "hi", environment: environment(url)).values_at(0, 2)
    answering.join
  ensure
    server.close
  end
end
