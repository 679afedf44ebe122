#!/usr/bin/env ruby
# frozen_string_literal: true

# The same chat over Net::HTTP: the bytes of the body go into a decoder as they arrive.
#
#     net_http_chat.rb PROMPT
#
# OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask.
#
# Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
require "json"
require "net/http"
require_relative "deltawire"

def setting(name, otherwise)
  value = ENV.fetch(name, "")
  value.empty? ? otherwise : value
end

if ARGV.size != 1
  warn "usage: net_http_chat.rb PROMPT"
  exit 2
end

uri = URI("#{setting("OPENAI_BASE_URL", "https://api.openai.com/v1").chomp("/")}/chat/completions")
request = Net::HTTP::Post.new(uri, "content-type" => "application/json", "accept" => "text/event-stream",
                                   "accept-encoding" => "identity")
key = setting("OPENAI_API_KEY", nil)
request["authorization"] = "Bearer #{key}" if key
request.body = JSON.generate(model: setting("OPENAI_MODEL", "gpt-4o-mini"), stream: true,
                             stream_options: { include_usage: true },
                             messages: [{ role: "user", content: ARGV[0] }])

# A completion is not to be asked for twice, and the first token may take its time.
limits = { use_ssl: uri.scheme == "https", open_timeout: 10, read_timeout: 300, max_retries: 0 }
$stdout.sync = true
is_faulty = false
show = lambda do |delta|
  case delta
  in Deltawire::Delta::Text(text:) then print text
  in Deltawire::Delta::Usage(output_tokens: Integer => tokens) then $stderr.print "(#{tokens} tokens)"
  in Deltawire::Delta::Error(error_kind:, message:)
    warn "#{error_kind}: #{message}"
    is_faulty = true
  else nil
  end
end

begin
  Deltawire::Decoder.open(on_error: ->(error) { warn error.message }) do |decoder|
    Net::HTTP.start(uri.host, uri.port, **limits) do |http|
      http.request(request) do |response|
        unless response.is_a?(Net::HTTPSuccess)
          # A refusal is one JSON object, which a Message reads.
          error = Deltawire::Message.read(response.read_body).error
          warn "HTTP #{response.code}: #{error&.kind}: #{error&.message}"
          exit 3
        end
        response.read_body { |bytes| decoder.feed(bytes, &show) }
      end
    end
    decoder.finish(&show)
    puts
    exit(is_faulty || decoder.end != :complete ? 1 : 0)
  end
rescue Interrupt
  puts
  warn "interrupted"
  exit 130
rescue Deltawire::Error, SystemCallError, IOError, SocketError, Timeout::Error, OpenSSL::SSL::SSLError => e
  puts
  warn e.message
  exit 3
end
