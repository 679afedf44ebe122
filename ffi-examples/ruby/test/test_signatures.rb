# frozen_string_literal: true

require "pathname"
require "rbs"
require "tmpdir"
require_relative "helper"

# deltawire.rbs says what is there, and what it says of types is so.
class TestSignatures < Minitest::Test
  include Helper

  FILE = Pathname("#{FOLDER}/deltawire.rbs")
  UNTOLD = { "Deltawire::Delta" => [:fields], "Deltawire::Message" => [:address] }.freeze

  def environment
    @environment ||= begin
      loader = RBS::EnvironmentLoader.new
      loader.add(path: FILE)
      RBS::Environment.from_loader(loader).resolve_type_names
    end
  end

  def declared(name, kind)
    types = RBS::DefinitionBuilder.new(env: environment)
    definition = kind == :class ? types.build_singleton(name) : types.build_instance(name)
    definition.methods.select { |_, method| method.implemented_in == name && method.public? }.keys
  end

  def test_all_public_methods_have_a_signature_and_all_signatures_a_method
    names = environment.class_decls.keys.select { |name| name.to_s.start_with?("::Deltawire::") }
    assert_operator names.size, :>, 25
    names.each do |name|
      constant = Object.const_get(name.to_s)
      there = constant.public_instance_methods(false) - UNTOLD.fetch(constant.name, [])
      there -= %i[== eql? hash]
      if constant < Struct
        there = constant.members
        told = declared(name, :instance)
      else
        told = declared(name, :instance) - [:initialize]
      end
      assert_equal there.sort, told.sort, name.to_s
    end
  end

  # RBS wraps all methods and checks what goes in and comes out.
  def test_the_programs_keep_to_the_signatures
    Dir.mktmpdir do |folder|
      File.write("#{folder}/deltawire.rbs", FILE.read)
      checked = { "RUBYOPT" => "-rrbs/test/setup", "RBS_TEST_TARGET" => "Deltawire::*",
                  "RBS_TEST_OPT" => "-I #{folder}", "RBS_TEST_LOGLEVEL" => "fatal" }
      %w[serve-chat serve-error serve-cut].each do |name|
        out, err, = program("deltas.rb", "#{DATA}/#{name}.sse", environment: checked)
        refute_match(/TypeError/, err)
        assert_match(/"type":"end"/, out)
      end
      serve("serve-chat.sse") do |url|
        environment = checked.merge("OPENAI_BASE_URL" => url, "OPENAI_MODEL" => "tiny-chat-1")
        %w[chat net_http_chat].each do |name|
          out, err, status = program("#{name}.rb", "hi", environment: environment)
          assert_equal ["Grüß dich\n", 0], [out, status], err
        end
      end
    end
  end
end
