// Writes the sample result to the file that is named, for the check against the JSON Schema.
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/core/records/sample_records.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: write_sample_records FILE\n", stderr);
    return 2;
  }
  std::string out;
  for (const longtake::Record& record : longtake::sample_records()) longtake::append_json_line(record, out);
  std::ofstream file(argv[1], std::ios::binary);
  file << out;
  return file.flush() ? 0 : 1;
}
