// The verb that turns a result into a file of another kind.
#pragma once

#include "app/commands.h"
#include "app/export/request.h"

namespace longtake {

int run_export(const Context& context, const ExportRequest& request);

}  // namespace longtake
