// Landmarks: a bounded number of frames kept while watching. The recall memory says whether something was seen; they say
// what it looked like, where and when.
//
// Note: Which frames stay
//   Every frame is offered. Of all that are kept and the new one, the two that are most alike are found, and the less new
//   of them goes (the later one of equals). So none of a near-duplicate pair is kept for long, what was never like
//   anything else stays, and the bank spreads over all the places seen, however long one of them was looked at. How far
//   apart two frames are: the mean squared difference of their latent numbers, and a little of how much of all that was
//   watched lies between them, so that a place where nothing changes is still covered from end to end. (A streaming form
//   of farthest-point clustering, Gonzalez 1985; Charikar, Chekuri, Feder and Motwani 1997.)
//
// A pure function of the frames and the saved state; one thread; nothing grows. A split stream gives the bits of the whole.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/media/source.h"
#include "core/pipeline/stages.h"
#include "core/result.h"
#include "core/signals/observation.h"
#include "core/store/safetensors.h"

namespace longtake {

inline constexpr int kLandmarks = 64;  // fixes the size of a memory file
inline constexpr std::size_t kLandmarkSourceBytes = 96;  // of a video's name; longer ones are cut

// What is saved. Places 0 … count − 1 are in use, the others zero.
struct LandmarkState {
  explicit LandmarkState(int frame_numbers);  // of a frame: tokens · latent

  std::int64_t count = 0;
  double watched_s = 0;              // of video, over all videos; what lies in a gap does not count
  std::vector<float> latents;        // [kLandmarks][frame_numbers]
  std::vector<double> t;             // [kLandmarks] seconds in its video
  std::vector<double> at;            // [kLandmarks] watched_s then
  std::vector<double> novelty;       // [kLandmarks] recall error then
  std::vector<std::int64_t> pts;     // [kLandmarks]
  std::vector<std::int64_t> base;    // [kLandmarks][2] seconds in a unit of pts
  std::vector<std::int64_t> video;   // [kLandmarks] 1 is the first one watched
  std::vector<std::uint8_t> source;  // [kLandmarks][kLandmarkSourceBytes]
  std::vector<std::uint8_t> has_picture;  // [kLandmarks] 0 or 1
  std::vector<std::uint8_t> pictures;     // [kLandmarks][18][32][3]; zeros where there is none

  template <class Archive>
  void archive(Archive& a) {
    a("count", count);
    a("watched_s", watched_s);
    a("latents", latents);
    a("t", t);
    a("at", at);
    a("novelty", novelty);
    a("pts", pts);
    a("base", base);
    a("video", video);
    a("source", source);
    a("has_picture", has_picture);
    a("pictures", pictures);
  }
};

void save_state(const LandmarkState& state, TensorFile& file);  // below "landmarks."
// Errors: kModel (missing, of another size, a count that cannot be).
Result<LandmarkState> load_landmarks(int frame_numbers, const TensorFile& file);
// For those who have no model at hand; none where the state has no landmarks.
std::optional<LandmarkState> landmarks_in(const TensorFile& file);

// One of them, for those who ask.
struct Landmark {
  double t = 0;
  std::int64_t pts = 0;
  Rational time_base{1, 1};
  double at = 0;
  double novelty = 0;
  std::int64_t video = 0;
  std::string source;
  std::span<const float> latents;          // [frame_numbers]
  std::span<const std::uint8_t> picture;   // [18][32][3]; empty if none was kept
};
Landmark landmark(const LandmarkState& state, std::int64_t which);

// Mean squared difference of two frames' numbers.
double frame_distance(std::span<const float> a, std::span<const float> b);

struct LandmarkOptions {
  bool pictures = true;
};

// At work on a stream.
class LandmarkBank {
 public:
  // What a whole watching counts beside a difference of latents; see the Note. (On real videos 0 to 4 find moments about as
  // often; 0 leaves stretches uncovered where nothing changes.)
  static constexpr double kTimeWeight = 0.2;

  LandmarkBank(int frame_numbers, const LandmarkOptions& options);

  // What the next frames belong to. `video` counts the videos watched, from 1.
  void begin_source(std::string_view name, Rational time_base, std::int64_t video);
  // Throws std::invalid_argument if `latents` has another extent.
  void watch(const FrameTime& time, std::span<const float> latents, double novelty, const Thumbnail& picture);

  const LandmarkState& state() const noexcept { return state_; }
  // Goes on from it. Where no pictures are wanted, those that it holds are wiped out.
  void restore(LandmarkState state);

 private:
  struct Pair {
    double apart = 0;
    std::int64_t first = 0, second = 0;  // a place, or kNew for the new frame
  };

  std::span<const float> latents_of(std::int64_t which) const;
  double apart(std::int64_t i, std::int64_t j) const;
  Pair closest() const;
  void put(std::int64_t which, const FrameTime& time, std::span<const float> latents, double novelty,
           const Thumbnail& picture);
  void measure(std::int64_t which);

  LandmarkOptions options_;
  std::size_t numbers_;
  LandmarkState state_;
  std::vector<double> squares_;  // [kLandmarks][kLandmarks] frame_distance
  std::vector<double> to_new_;   // [kLandmarks] of the new frame to each
  std::vector<std::uint8_t> name_;
  Rational time_base_{1, 1};
  std::int64_t video_ = 0;
};

}  // namespace longtake
