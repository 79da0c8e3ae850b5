// The verbs that make labels from examples, and what --labels brings to those that watch.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.h"
#include "core/result.h"
#include "core/signals/label_segmenter.h"
#include "models/labels/label_head.h"
#include "models/labels/label_net.h"

namespace longtake {

// What --labels brings to a stream. Errors: kModel (damaged, of another encoder, too little to learn from).
struct WatchedLabels {
  std::shared_ptr<const LabelHead> head;       // one of the two, the other is null: from examples
  std::shared_ptr<const LabelNetWeights> net;  // from `train labels`
  LabelNames names;
};
Result<WatchedLabels> watched_labels(const std::filesystem::path& file, const std::filesystem::path& encoder);

struct LabelSettings {
  std::string file;
  std::string video;
  std::string name;
  std::vector<std::size_t> numbers;  // of examples, from 1
  std::string format;                // to export to
};
int run_label_add(const Context& context, const LabelSettings& label);
int run_label_list(const Context& context, const LabelSettings& label);
int run_label_remove(const Context& context, const LabelSettings& label);
int run_label_undo(const Context& context, const LabelSettings& label);
int run_label_merge(const Context& context, const LabelSettings& label);
int run_label_export(const Context& context, const LabelSettings& label);

}  // namespace longtake
