// The signs on buttons: own drawings, in the colour of the text beside them, whatever the theme.
#pragma once

#include <QIcon>

namespace longtake {

enum class Glyph {
  kPlay,
  kPause,
  kFrameBack,
  kFrameOn,
  kEventBefore,
  kNextEvent,
  kFullScreen,
  kAnalyze,
  kStop,
  kExport,
};

QIcon glyph_icon(Glyph glyph);

}  // namespace longtake
