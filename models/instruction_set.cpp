#include "models/instruction_set.h"

#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "kernels/isa.h"

namespace longtake {

Result<std::string_view> instruction_set() {
  if (const char* wanted = std::getenv("LONGTAKE_ISA"); wanted != nullptr && *wanted != 0) {
    std::string here;
    for (const Isa isa : {Isa::kAvx512, Isa::kAvx2, Isa::kNeon, Isa::kScalar}) {
      if (isa_runs_here(isa)) here += fmt::format("{}{}", here.empty() ? "" : ", ", isa_name(isa));
    }
    const auto isa = isa_named(wanted);
    if (!isa)
      return Error{ErrorKind::kUsage,
                   fmt::format("LONGTAKE_ISA is \"{}\": it may be one of {}", wanted, here)};
    if (!isa_runs_here(*isa)) {
      return Error{ErrorKind::kDevice,
                   fmt::format("LONGTAKE_ISA is \"{}\", which does not run here: {} do", wanted, here)};
    }
  }
  return isa_name(isa_in_use());
}

}  // namespace longtake
