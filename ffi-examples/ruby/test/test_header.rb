# frozen_string_literal: true

require_relative "helper"

# What deltawire/c.rb says of the C ABI is what the header says.
class TestHeader < Minitest::Test
  HEADER = File.read("#{ENV.fetch("DELTAWIRE_PREFIX")}/include/deltawire.h").gsub(%r{/\*.*?\*/}m, "")
  DIRECTIVES = { "uint32_t" => "L", "int32_t" => "l", "uint64_t" => "Q", "double" => "d", "size_t" => "J",
                 "dw_slice" => "JJ" }.freeze

  # The template of a struct: a directive a field, those inside dw_usage among them.
  def layout(name)
    body = HEADER[/typedef struct #{name} \{(.*?)\}/m, 1] or flunk "no struct #{name}"
    body.split(";").map(&:strip).reject(&:empty?).map do |field|
      type = field[/\A(?:const )?(\w+)/, 1]
      next "J" if field.include?("*")
      next layout("dw_usage") if type == "dw_usage"

      DIRECTIVES.fetch(type) * (field[/\[(\d+)\]/, 1] || 1).to_i
    end.join
  end

  # "Q4" and "QQQQ" are the same.
  def spelt_out(template) = template.gsub(/(\w)(\d+)/) { Regexp.last_match(1) * Regexp.last_match(2).to_i }

  Deltawire::C::LAYOUTS.each do |kind, template|
    define_method("test_the_layout_of_dw_#{kind}") do
      assert_equal layout("dw_#{kind}"), spelt_out(template)
    end
  end

  def test_the_numbers_of_enumerations
    count = ->(prefix, names) { names.each_with_index.map { |name, at| ["#{prefix}#{name.upcase}", at] } }
    expected = count.call("DW_FRAMING_", Deltawire::C::FRAMINGS) + count.call("DW_EOF_", Deltawire::C::EOFS) +
               count.call("DW_END_", Deltawire::C::ENDS) + count.call("DW_PROVIDER_", Deltawire::C::PROVIDERS) +
               count.call("DW_FINISH_", [:none, *Deltawire::C::FINISH_REASONS.compact]) +
               count.call("DW_ERROR_", [:none, *Deltawire::C::ERROR_KINDS.compact])
    expected.each { |name, number| assert_match(/\b#{name} = #{number},/, HEADER) }
    assert_operator expected.size, :>, 30
    Deltawire::Delta::KINDS.each_with_index.drop(1).each do |type, number|
      assert_match(/\bDW_DELTA_#{type::KIND.upcase} = #{number},/, HEADER)
    end
  end

  def test_the_functions_are_those_of_the_header
    Deltawire::C.constants.map { |name| Deltawire::C.const_get(name) }.grep(Fiddle::Function).each do |function|
      arguments = HEADER[/\b#{function.name}\((.*?)\);/m, 1] or flunk "no function #{function.name}"
      count = arguments == "void" ? 0 : arguments.split(",").size
      assert_equal count, function.instance_variable_get(:@argument_types).size, function.name
    end
  end

  def test_the_version_is_the_headers
    assert_equal HEADER.scan(/#define DW_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)/).join("."), Deltawire.version
    assert_equal 1, HEADER[/#define DW_ABI_VERSION (\d+)/, 1].to_i
  end
end
