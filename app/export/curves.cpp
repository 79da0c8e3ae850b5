// The curves of a result as a picture.
#include "app/export/curves_gatherer.h"
#include "app/export/exporter.h"
#include "app/plot_canvas.h"

namespace longtake {
namespace {

class CurvePicture final : public Exporter {
 public:
  explicit CurvePicture(PictureFormat format) : format_(format) {}

  void take(const Record& record) override { curves_.take(record); }
  Result<std::string> write(const Outline& outline, std::vector<std::string>&) override {
    return draw_plots(format_, curves_.plots(outline));
  }

 private:
  const PictureFormat format_;
  CurvesGatherer curves_;
};

}  // namespace

std::unique_ptr<Exporter> make_png(const ExportOptions&) { return std::make_unique<CurvePicture>(PictureFormat::kPng); }
std::unique_ptr<Exporter> make_svg(const ExportOptions&) { return std::make_unique<CurvePicture>(PictureFormat::kSvg); }

}  // namespace longtake
