// How files that refer to the video name it.
#pragma once

#include <string>
#include <string_view>

namespace longtake {

// Of a file that is there: file:///its/absolute/path. Otherwise the source's own name, which a program looks up beside the
// file that names it. URLs of streams are never written: they may hold passwords.
std::string video_url(const std::string& video, const std::string& source);
std::string file_name_of(const std::string& source);
std::string_view mime_type_of(const std::string& source);  // by its ending

}  // namespace longtake
