#include "core/signals/plain_signals.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace longtake {
namespace {

constexpr int kParts = 4;  // along each side
constexpr int kPart = kGreySide / kParts;

double pixel_change(const Thumbnail& a, const Thumbnail& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(int(a[i]) - int(b[i]));
  return static_cast<double>(sum) / (255.0 * static_cast<double>(a.size()));
}

double largest_change(const Thumbnail& a, const Thumbnail& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); i += 3) {
    int sum = 0;
    for (std::size_t c = i; c < i + 3; ++c) sum += std::abs(int(a[c]) - int(b[c]));
    largest = std::max(largest, sum);
  }
  return largest / (3 * 255.0);
}

double colours_moved(const Thumbnail& a, const Thumbnail& b) {
  std::array<int, 64> more{};
  const auto colour = [](const Thumbnail& of, std::size_t i) {
    return static_cast<std::size_t>((of[i] >> 6) * 16 + (of[i + 1] >> 6) * 4 + (of[i + 2] >> 6));
  };
  for (std::size_t i = 0; i < a.size(); i += 3) {
    --more[colour(a, i)];
    ++more[colour(b, i)];
  }
  int moved = 0;
  for (const int count : more) moved += std::abs(count);
  return moved / (2.0 * static_cast<double>(a.size() / 3));
}

double angle_apart(std::span<const float> a, std::span<const float> b) {
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += double(a[i]) * a[i];
    bb += double(b[i]) * b[i];
    ab += double(a[i]) * b[i];
  }
  return aa > 0 && bb > 0 ? 1 - ab / std::sqrt(aa * bb) : 0;
}

cv::Mat floats_of(std::span<const std::uint8_t> grey) {
  cv::Mat out;
  cv::Mat(kGreySide, kGreySide, CV_8U, const_cast<std::uint8_t*>(grey.data())).convertTo(out, CV_32F);
  return out;
}

double motion(std::span<const std::uint8_t> before, std::span<const std::uint8_t> now) {
  const cv::Mat a = floats_of(before), b = floats_of(now);
  cv::Mat window;
  cv::createHanningWindow(window, {kPart, kPart}, CV_32F);
  double sum = 0, weights = 0;
  for (int row = 0; row < kParts; ++row) {
    for (int column = 0; column < kParts; ++column) {
      const cv::Rect part(column * kPart, row * kPart, kPart, kPart);
      double clear = 0;
      const cv::Point2d shift = cv::phaseCorrelate(a(part), b(part), window, &clear);
      const double length = std::hypot(shift.x, shift.y) / kGreySide;
      // Parts of one level have no phase.
      if (!std::isfinite(length) || !(clear > 0)) continue;
      sum += clear * length;
      weights += clear;
    }
  }
  return weights > 0 ? sum / weights : 0;
}

}  // namespace

PlainSignals PlainSignalWatcher::step(const Thumbnail& thumbnail, std::span<const float> embedding, const GreyPicture& grey,
                                      double dt) {
  if (choice_.feature && embedding.size() != embedding_.size()) {
    throw std::invalid_argument("PlainSignalWatcher: the encoder's vector has another length");
  }
  if (choice_.flow && grey.size() != grey_.size()) {
    throw std::invalid_argument("PlainSignalWatcher: the grey picture has another size");
  }
  PlainSignals out;
  const auto value = [&](bool wanted, auto change) {
    return wanted ? std::optional<float>(any_ ? static_cast<float>(change()) : 0.0F) : std::nullopt;
  };
  out.pixel = value(choice_.pixel, [&] { return pixel_change(thumbnail_, thumbnail); });
  if (!any_) cell_ = 0;
  if (choice_.cell && any_) cell_ += (1 - std::exp(-dt / kCellSeconds)) * (largest_change(thumbnail_, thumbnail) - cell_);
  out.cell = value(choice_.cell, [&] { return cell_; });
  out.histogram = value(choice_.histogram, [&] { return colours_moved(thumbnail_, thumbnail); });
  out.feature = value(choice_.feature, [&] { return angle_apart(embedding_, embedding); });
  out.flow = value(choice_.flow, [&] { return motion(grey_, grey); });
  any_ = true;
  thumbnail_ = thumbnail;
  if (choice_.feature) std::copy(embedding.begin(), embedding.end(), embedding_.begin());
  if (choice_.flow) std::copy(grey.begin(), grey.end(), grey_.begin());
  return out;
}

}  // namespace longtake
