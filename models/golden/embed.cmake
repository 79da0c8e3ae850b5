# cmake -DOUTPUT=builtin.cpp -DINPUTS=a.npz,b.npz -P embed.cmake
# Writes files as arrays of bytes, with the table that builtin.h declares.
string(REPLACE "," ";" inputs "${INPUTS}")
set(arrays "")
set(table "")
set(index 0)
foreach(input IN LISTS inputs)
  get_filename_component(name ${input} NAME_WE)
  file(READ ${input} bytes HEX)
  string(REGEX REPLACE "(................................................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "alignas(8) constexpr unsigned char kFile${index}[] = {\n${bytes}};\n")
  string(APPEND table "    {\"${name}\", std::as_bytes(std::span(kFile${index}))},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT}
  "#include \"models/golden/builtin.h\"\n\nnamespace longtake {\nnamespace {\n${arrays}}  // namespace\n\n"
  "std::span<const BuiltinGolden> builtin_golden() {\n  static const BuiltinGolden files[] = {\n${table}  };\n"
  "  return files;\n}\n\n}  // namespace longtake\n")
