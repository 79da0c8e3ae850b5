// Where the sessions of videos are kept: below $XDG_STATE_HOME/longtake/sessions (~/.local/state if that is not set), a
// folder each, with result, checkpoint and everything else that belongs to that video.
#pragma once

#include <QString>

namespace longtake {

QString sessions_folder();

// Named by what is in a file, so that a moved one finds its own; reads some MB of it. Of anything else by its name.
// The folder may not be there yet.
QString session_folder(const QString& uri);
// Of what is no file: by its name only, at once.
QString stream_folder(const QString& uri);

}  // namespace longtake
