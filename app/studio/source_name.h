// Names of videos as people see them and as they are kept: passwords are neither shown nor written.
#pragma once

#include <QString>

namespace longtake {

// The last part of a path, or a URL without user, password and query.
QString shown_name(const QString& uri);

// What may be remembered of it: a path from the root on, a URL without password and query. Empty if nothing may.
QString kept_name(const QString& uri);
// Whether something of such a name is missing, so that it cannot be opened as it is.
bool is_incomplete(const QString& kept);

// A sentence on what is wrong with the form of a URL; empty if nothing is. Nothing is opened.
QString url_complaint(const QString& url);

}  // namespace longtake
