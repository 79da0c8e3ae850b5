// An export as a person asks for it, by words: what the command line and the desktop share, so that both give the same bytes.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "app/export/export.h"
#include "core/result.h"

namespace longtake {

struct ExportRequest {
  std::string result;
  std::string format;          // one of export_formats()
  std::string video;           // empty: the one beside the result, if there is one
  std::string fps = "all";     // of time codes; all: none
  std::string start_timecode;  // empty: 00:00:00:00
  std::string rows = "both";   // or segments, events, frames
};

// Errors: kUsage (a word that means nothing), kInput (no such video), and those of export_result.
Result<Exported> run_export_request(const ExportRequest& request, std::stop_token stop);

// A line for a shell that does the same: longtake export 'clip.jsonl' --to csv -o 'clip.csv'. What says nothing new is left out.
std::string shell_command(const ExportRequest& request, const std::string& output);

// The video that a result is of, if it lies beside it; empty if not.
std::string video_beside(const std::filesystem::path& result);

}  // namespace longtake
