// What is written over the frame that is shown: what was understood of it.
#pragma once

#include <QRectF>
#include <QStringList>
#include <cstdint>
#include <optional>

#include "app/studio/event_model.h"
#include "core/records/records.h"

class QPainter;

namespace longtake {

// `events`: those at this frame. `state_bytes`: of all that was learned, if that is known. Parts that the record does not
// have leave no line.
QStringList overlay_lines(const FrameRecord& record, const std::vector<EventRecord>& events,
                          std::optional<std::int64_t> state_bytes);

// In the lower left corner of `picture`, legible over any. Lines that do not fit are cut off at its right.
void paint_overlay(QPainter& painter, const QRectF& picture, const QStringList& lines);

}  // namespace longtake
