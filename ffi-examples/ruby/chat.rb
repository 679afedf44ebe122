#!/usr/bin/env ruby
# frozen_string_literal: true

# A chat on the terminal.
#
#     chat.rb PROMPT
#
# OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL say whom to ask. The reply goes to standard output as it
# comes, what is known of it to standard error. Ctrl-C ends the reply.
#
# Exit status: 0 done, 1 the reply is not complete, 2 wrong usage, 3 no response, 130 interrupted.
require_relative "deltawire"

def setting(name, otherwise = nil)
  value = ENV.fetch(name, "")
  value.empty? ? otherwise : value
end

if ARGV.size != 1
  warn "usage: chat.rb PROMPT"
  exit 2
end

$stdout.sync = true
is_faulty = false
begin
  client = Deltawire::Client.new(base_url: setting("OPENAI_BASE_URL"), key: setting("OPENAI_API_KEY"),
                                 retries: 0)
  client.stream(model: setting("OPENAI_MODEL", "gpt-4o-mini"), include_usage: true,
                messages: [{ role: "user", content: ARGV[0] }],
                on_error: ->(error) { warn error.message }) do |stream|
    stream.each do |delta|
      case delta
      in Deltawire::Delta::Text(text:) then print text
      in Deltawire::Delta::Usage(output_tokens: Integer => tokens) then $stderr.print "(#{tokens} tokens)"
      in Deltawire::Delta::Error(error_kind:, message:)
        warn "#{error_kind}: #{message}"
        is_faulty = true
      else next
      end
    end
    puts
    exit(is_faulty || stream.end != :complete ? 1 : 0)
  end
rescue Interrupt
  puts
  warn "interrupted"
  exit 130
rescue Deltawire::Error => e
  puts
  warn e.message
  exit 3
end
