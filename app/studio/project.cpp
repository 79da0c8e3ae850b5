#include "app/studio/project.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "core/records/utf8.h"

namespace longtake {
namespace {

constexpr std::size_t kUnreadErrors = 8;

QString counted(qsizetype n, const QString& one, const QString& many) { return n == 1 ? one : many.arg(n); }

// What fits, whole characters of one line.
std::string cut(const QString& name) {
  const std::string whole = name.simplified().toStdString();
  std::string_view rest = whole;
  while (!rest.empty()) {
    const std::size_t bytes = next_utf8(rest).bytes;
    if (whole.size() - rest.size() + bytes > Edits::kNameBytes) break;
    rest.remove_prefix(bytes);
  }
  return whole.substr(0, whole.size() - rest.size());
}

EventEdit& kept(Edits& edits, const ListedEvent& event) {
  EventEdit& out = edits.events[event.key];
  out = {EventEdit::Fate::kKept, event.event};
  return out;
}

NamedEvent mark_at(const Moment& at) {
  NamedEvent out;
  out.kind = kMarkKind;
  out.frame = at.frame;
  out.pts = at.pts;
  out.t = at.t;
  out.confidence = 1;
  out.span = {at.frame, at.frame};
  return out;
}

// Under a number that no mark has had while this stands.
EventEdit& new_mark(Edits& edits, const Moment& at) {
  std::int64_t number = 1;
  for (auto i = edits.events.lower_bound({std::string(kMarkKind), 0});
       i != edits.events.end() && i->first.kind == kMarkKind; ++i) {
    number = i->first.pts + 1;
  }
  EventEdit& out = edits.events[{std::string(kMarkKind), number}];
  out.event = mark_at(at);
  return out;
}

}  // namespace

// Made of what has happened already: the first redo() does nothing.
class Project::Step : public QUndoCommand {
 public:
  Step(Project& project, EditsPatch patch, const QString& text, int gesture)
      : QUndoCommand(text), project_(project), patch_(std::move(patch)), gesture_(gesture) {}

  void redo() override {
    if (std::exchange(done_, true)) return;
    patch_.redo(project_.edits_);
    project_.after_change();
  }
  void undo() override {
    done_ = false;
    patch_.undo(project_.edits_);
    project_.after_change();
  }
  int id() const override { return gesture_ == 0 ? -1 : gesture_; }
  bool mergeWith(const QUndoCommand* later) override {
    patch_.append(static_cast<const Step*>(later)->patch_);
    return true;
  }

 private:
  Project& project_;
  EditsPatch patch_;
  int gesture_;
  bool done_ = true;
};

Project::Project() {
  undo_.setUndoLimit(kMostUndone);
  due_.setSingleShot(true);
  due_.setInterval(kSaveAfter_ms);
  connect(&due_, &QTimer::timeout, this, &Project::save);
}

Project::~Project() {
  blockSignals(true);  // nobody is to look at what goes
  close();
}

void Project::open(std::filesystem::path file, std::string video, Edits edits) {
  close();
  edits_ = std::move(edits);
  video_ = std::move(video);
  errors_ = std::make_unique<Mailbox<Error>>(kUnreadErrors, [this](const std::vector<Error>& errors) {
    for (const Error& error : errors) Q_EMIT failed(error);
  });
  saver_ =
      std::make_unique<ProjectSaver>(std::move(file), [box = errors_.get()](const Error& error) { box->post(error); });
  Q_EMIT changed();
}

void Project::close() {
  if (due_.isActive()) save();
  due_.stop();
  if (errors_) errors_->close();
  saver_.reset();
  errors_.reset();
  undo_.clear();
  edits_ = {};
  Q_EMIT changed();
}

void Project::save() {
  due_.stop();
  if (saver_) saver_->save(to_json(edits_, video_));
}

void Project::after_change() {
  if (!due_.isActive()) due_.start();
  Q_EMIT changed();
}

void Project::change(const QString& text, const std::function<void(Edits&)>& how, int gesture) {
  if (!saver_) return;
  Edits after = edits_;
  how(after);
  if (after.events.size() > Edits::kMostEvents || after.segments.size() > Edits::kMostSegments ||
      after.choices.labels.size() > Edits::kMostLabels) {
    Q_EMIT failed({ErrorKind::kUsage, tr("a project holds no more changes than this").toStdString()});
    return;
  }
  EditsPatch patch(edits_, after);
  if (patch.empty()) return;
  edits_ = std::move(after);
  undo_.push(new Step(*this, std::move(patch), text, gesture));
  after_change();
}

void Project::rename(const std::vector<ListedEvent>& events, const QString& name) {
  const std::string text = cut(name);
  change(counted(std::ssize(events), tr("Name an event"), tr("Name %1 events")), [&](Edits& edits) {
    for (const ListedEvent& event : events) {
      if (event.event.name.value_or("") == text) continue;
      kept(edits, event).event.name = text.empty() ? std::nullopt : std::optional(text);
    }
  });
}

void Project::set_fate(const QString& text, const std::vector<ListedEvent>& events, EventEdit::Fate fate) {
  change(text, [&](Edits& edits) {
    for (const ListedEvent& event : events) {
      if (event.key.kind == kMarkKind) {
        edits.events.erase(event.key);  // nothing was found there
      } else {
        edits.events[event.key] = {fate, event.event};
      }
    }
  });
}

void Project::remove(const std::vector<ListedEvent>& events) {
  set_fate(counted(std::ssize(events), tr("Delete an event"), tr("Delete %1 events")), events,
           EventEdit::Fate::kDeleted);
}

void Project::call_false(const std::vector<ListedEvent>& events) {
  set_fate(counted(std::ssize(events), tr("Not an event"), tr("Not events: %1")), events, EventEdit::Fate::kNotAnEvent);
}

void Project::add_mark(const Moment& at, const QString& name) {
  const std::string text = cut(name);
  change(tr("Add an event"), [&](Edits& edits) {
    EventEdit& mark = new_mark(edits, at);
    if (!text.empty()) mark.event.name = text;
  });
}

void Project::move(const ListedEvent& event, const Moment& to) {
  change(tr("Move an event"), [&](Edits& edits) {
    NamedEvent& moved = kept(edits, event).event;
    const std::int64_t by = to.frame - moved.frame;
    moved.span = {std::max<std::int64_t>(0, moved.span[0] + by), std::max<std::int64_t>(0, moved.span[1] + by)};
    moved.frame = to.frame;
    moved.pts = to.pts;
    moved.t = to.t;
  });
}

void Project::merge(std::vector<ListedEvent> events) {
  if (events.size() < 2) return;
  std::ranges::sort(events, {}, [](const ListedEvent& one) { return one.event.pts; });
  change(tr("Merge %1 events").arg(events.size()), [&](Edits& edits) {
    for (std::size_t i = 1; i < events.size(); ++i) {
      if (events[i].key.kind == kMarkKind) {
        edits.events.erase(events[i].key);
      } else {
        edits.events[events[i].key] = {EventEdit::Fate::kMerged, events[i].event};
      }
    }
    NamedEvent& whole = kept(edits, events.front()).event;
    for (const ListedEvent& one : events) {
      whole.span = {std::min(whole.span[0], one.event.span[0]), std::max(whole.span[1], one.event.span[1])};
      whole.score = std::max(whole.score, one.event.score);
      whole.confidence = std::max(whole.confidence, one.event.confidence);
      if (!whole.name) whole.name = one.event.name;
    }
  });
}

bool Project::split(const ListedEvent& event, const Moment& at) {
  if (at.frame <= event.event.frame || at.frame > event.event.span[1]) return false;
  change(tr("Split an event"), [&](Edits& edits) {
    kept(edits, event).event.span[1] = at.frame - 1;
    NamedEvent& rest = new_mark(edits, at).event;
    rest.span[1] = event.event.span[1];
    rest.name = event.event.name;
  });
  return true;
}

void Project::rename_segment(const SegmentRecord& segment, const QString& name) {
  change(tr("Name a segment"), [&](Edits& edits) {
    const auto [at, is_new] = edits.segments.try_emplace(segment.pts[0]);
    if (is_new) at->second = {SegmentEdit::Start::kFound, segment.first, segment.t[0], {}};
    at->second.name = cut(name);
    if (at->second.name.empty() && at->second.start == SegmentEdit::Start::kFound) edits.segments.erase(at);
  });
}

bool Project::split_segment(const SegmentRecord& segment, const Moment& at) {
  if (at.pts <= segment.pts[0]) return false;
  change(tr("Split a segment"), [&](Edits& edits) {
    const auto there = edits.segments.find(at.pts);
    if (there != edits.segments.end()) {
      edits.segments.erase(there);  // one was found here, and merged
    } else {
      edits.segments[at.pts] = {SegmentEdit::Start::kSplit, at.frame, at.t, {}};
    }
  });
  return true;
}

void Project::merge_segments(const SegmentRecord& segment, const SegmentRecord& next) {
  change(tr("Merge two segments"), [&](Edits& edits) {
    std::string name;
    if (const auto there = edits.segments.find(next.pts[0]); there != edits.segments.end()) {
      name = there->second.name;
      if (there->second.start == SegmentEdit::Start::kSplit)
        edits.segments.erase(there);
      else
        there->second = {SegmentEdit::Start::kMerged, next.first, next.t[0], {}};
    } else {
      edits.segments[next.pts[0]] = {SegmentEdit::Start::kMerged, next.first, next.t[0], {}};
    }
    if (name.empty()) return;
    const auto [first, is_new] = edits.segments.try_emplace(segment.pts[0]);
    if (is_new) first->second = {SegmentEdit::Start::kFound, segment.first, segment.t[0], {}};
    if (first->second.name.empty()) first->second.name = name;
  });
}

void Project::add_label(RangeLabel label) {
  change(tr("Label a stretch"), [&](Edits& edits) {
    auto& keys = edits.choices.keys;
    if (std::ranges::find(keys, label.name) == keys.end()) {
      if (const auto free = std::ranges::find(keys, ""); free != keys.end()) *free = label.name;
    }
    edits.choices.labels.push_back(std::move(label));
  });
}

void Project::remove_label(std::size_t i) {
  if (i >= edits_.choices.labels.size()) return;
  change(tr("Remove a label"), [&](Edits& edits) {
    edits.choices.labels.erase(edits.choices.labels.begin() + static_cast<std::ptrdiff_t>(i));
  });
}

void Project::set_key(std::size_t key, const QString& name) {
  if (key >= edits_.choices.keys.size()) return;
  change(tr("Assign a key"), [&](Edits& edits) { edits.choices.keys[key] = cut(name); });
}

void Project::set_thresholds(const Thresholds& thresholds, int gesture) {
  change(
      tr("Set a threshold"), [&](Edits& edits) { edits.choices.thresholds = thresholds; }, gesture);
}

}  // namespace longtake
