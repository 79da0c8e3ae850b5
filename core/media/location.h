// What an input's name means: a file, numbered images, a pipe, a camera or a URL. Looks at the file system, opens
// nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace longtake {

struct Location {
  enum class Kind {
    kFile,      // a regular file, which can be read again and from anywhere
    kSequence,  // images with numbers in their names
    kPipe,      // standard input, a named pipe or a device: bytes come once
    kCamera,    // a V4L2 device
    kUrl,       // FFmpeg's affair
  };
  Kind kind = Kind::kFile;
  std::string path;   // the name for the system; for a URL the URL; empty for standard input
  std::string shown;  // for StreamInfo::source: the last part of a path, or the URL without its secrets
  std::string
      quoted;  // for messages: the whole name as given, without secrets, in quotation marks on one line
  // Of a sequence.
  std::int64_t first_number = 0;
  std::int64_t pictures = 0;  // files that fit the pattern, holes not counted
};

// Rules, in this order:
//   "-" is standard input (opened as a file where it is one, from its start);
//   a name that exists is that file, whatever characters it has, so "a:b.mp4", "100%d.png" and "-x.mp4" are
//   files; "file:NAME" is NAME; "scheme://…", and "name:…" where FFmpeg has a protocol of that name, are
//   URLs; a name with one %d or %0Nd in its last part is an image sequence, from the lowest number that is
//   there.
// Errors (kInput): it is missing, a directory, empty, or may not be read.
Result<Location> locate(const std::string& uri);

// Whether a name is that of a camera: a V4L2 device, or one that may be plugged in later (/dev/video0, /dev/v4l/by-id/…).
bool names_camera(const std::string& uri);

// The URL without what may be secret: user and password, and everything after the "?". Works on every "://"
// in it, as one URL may carry another.
std::string without_secrets(std::string_view url);

// In quotation marks; control characters, quotation marks and backslashes as escapes, so that it stays one
// line.
std::string quoted_name(std::string_view name);

}  // namespace longtake
