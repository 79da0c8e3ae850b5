#include "core/media/planes.h"

#include <algorithm>
#include <cstddef>
#include <new>

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace longtake {
namespace {

const AVPixFmtDescriptor& descriptor_of(AVPixelFormat format) {
  // make_planar() refuses formats without one.
  return *av_pix_fmt_desc_get(format);
}

AVPixelFormat format_of(const AVFrame& frame) { return static_cast<AVPixelFormat>(frame.format); }

bool has(const AVPixFmtDescriptor& d, std::uint64_t flag) { return (d.flags & flag) != 0; }

// Every component alone in its plane, as native integers in the low bits.
bool is_viewable(AVPixelFormat format, const AVPixFmtDescriptor& d) {
  constexpr std::uint64_t kOdd = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL |
                                 AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT;
  if (has(d, kOdd) || format == AV_PIX_FMT_XYZ12LE || av_pix_fmt_count_planes(format) != d.nb_components)
    return false;
  if (d.nb_components == 2) return false;
  for (int i = 0; i < d.nb_components; ++i) {
    const AVComponentDescriptor& c = d.comp[i];
    const int bytes = c.depth > 8 ? 2 : 1;
    if (c.depth < 8 || c.depth > 16 || c.shift != 0 || c.offset != 0 || c.step != bytes) return false;
    if (bytes == 2 && has(d, AV_PIX_FMT_FLAG_BE) != (AV_HAVE_BIGENDIAN != 0)) return false;
  }
  return true;
}

int depth_of(const AVPixFmtDescriptor& d) {
  int depth = 0;
  for (int i = 0; i < d.nb_components; ++i) depth = std::max(depth, d.comp[i].depth);
  return depth;
}

bool has_colours_of_rgb(const AVPixFmtDescriptor& d) {
  return has(d, AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BAYER);
}

// The viewable format that loses least.
AVPixelFormat planar_neighbour(AVPixelFormat format, const AVPixFmtDescriptor& d) {
  const AVPixelFormat swapped = av_pix_fmt_swap_endianness(format);
  if (swapped != AV_PIX_FMT_NONE && is_viewable(swapped, descriptor_of(swapped))) return swapped;

  const int depth = depth_of(d);
  const bool deep = depth > 8;
  const bool alpha = has(d, AV_PIX_FMT_FLAG_ALPHA);
  const bool rgb = has_colours_of_rgb(d) || format == AV_PIX_FMT_XYZ12LE || format == AV_PIX_FMT_XYZ12BE;
  if (rgb || (alpha && d.nb_components == 2)) {
    if (alpha) return deep ? AV_PIX_FMT_GBRAP16 : AV_PIX_FMT_GBRAP;
    return deep ? AV_PIX_FMT_GBRP16 : AV_PIX_FMT_GBRP;
  }
  if (d.nb_components == 1) return deep ? AV_PIX_FMT_GRAY16 : AV_PIX_FMT_GRAY8;
  if (alpha) return deep ? AV_PIX_FMT_YUVA444P16 : AV_PIX_FMT_YUVA444P;

  const bool half_height = d.log2_chroma_h > 0;
  const bool half_width = d.log2_chroma_w > 0;
  const auto pick = [&](AVPixelFormat f420, AVPixelFormat f422, AVPixelFormat f444) {
    return half_height ? f420 : half_width ? f422 : f444;
  };
  if (!deep) return pick(AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P, AV_PIX_FMT_YUV444P);
  if (depth == 10) return pick(AV_PIX_FMT_YUV420P10, AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV444P10);
  if (depth == 12) return pick(AV_PIX_FMT_YUV420P12, AV_PIX_FMT_YUV422P12, AV_PIX_FMT_YUV444P12);
  return pick(AV_PIX_FMT_YUV420P16, AV_PIX_FMT_YUV422P16, AV_PIX_FMT_YUV444P16);
}

ColourMatrix matrix_of(const AVFrame& frame) {
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709:
      return ColourMatrix::kBt709;
    case AVCOL_SPC_FCC:
      return ColourMatrix::kFcc;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return ColourMatrix::kBt601;
    case AVCOL_SPC_SMPTE240M:
      return ColourMatrix::kSmpte240m;
    case AVCOL_SPC_YCGCO:
      return ColourMatrix::kYcgco;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
    case AVCOL_SPC_ICTCP:
      return ColourMatrix::kBt2020;
    default:
      break;
  }
  if (frame.color_primaries == AVCOL_PRI_BT2020) return ColourMatrix::kBt2020;
  // Unsaid. Large pictures come from the high-definition world, and so use its matrix.
  return frame.width >= 1280 || frame.height > 576 ? ColourMatrix::kBt709 : ColourMatrix::kBt601;
}

// What the stream says about its colours, and guesses for what it leaves out.
Colour colour_of(const AVFrame& frame) {
  const AVPixelFormat format = format_of(frame);
  const AVPixFmtDescriptor& d = descriptor_of(format);
  Colour colour;
  colour.bits = d.comp[0].depth;
  const bool yuv_of_jpeg = format == AV_PIX_FMT_YUVJ420P || format == AV_PIX_FMT_YUVJ422P ||
                           format == AV_PIX_FMT_YUVJ444P || format == AV_PIX_FMT_YUVJ440P ||
                           format == AV_PIX_FMT_YUVJ411P;
  if (has(d, AV_PIX_FMT_FLAG_RGB)) {
    colour.matrix = ColourMatrix::kRgb;
    colour.full_range = true;
  } else if (d.nb_components < 3) {
    colour.matrix = ColourMatrix::kGrey;
    colour.full_range = frame.color_range != AVCOL_RANGE_MPEG;
  } else {
    colour.matrix = matrix_of(frame);
    colour.full_range = yuv_of_jpeg || frame.color_range == AVCOL_RANGE_JPEG;
  }
  if (frame.color_trc == AVCOL_TRC_SMPTE2084) colour.transfer = Transfer::kPq;
  if (frame.color_trc == AVCOL_TRC_ARIB_STD_B67) colour.transfer = Transfer::kHlg;
  const bool primaries_unsaid =
      frame.color_primaries == AVCOL_PRI_UNSPECIFIED || frame.color_primaries == AVCOL_PRI_RESERVED0;
  colour.bt2020_primaries =
      frame.color_primaries == AVCOL_PRI_BT2020 ||
      (primaries_unsaid && (colour.transfer != Transfer::kSdr || (colour.matrix == ColourMatrix::kBt2020)));
  return colour;
}

// Makes `scratch` an own, writable frame of this geometry.
AVFrame& reuse(AvFrame& scratch, int width, int height, AVPixelFormat format) {
  if (!scratch || scratch->width != width || scratch->height != height || scratch->format != format) {
    scratch.reset(av_frame_alloc());
    if (!scratch) throw std::bad_alloc();
    scratch->width = width;
    scratch->height = height;
    scratch->format = format;
    if (av_frame_get_buffer(scratch.get(), 0) < 0) throw std::bad_alloc();
  }
  return *scratch;
}

void copy_colour(const AVFrame& from, AVFrame& to) {
  to.color_range = from.color_range;
  to.colorspace = from.colorspace;
  to.color_primaries = from.color_primaries;
  to.color_trc = from.color_trc;
  to.interlaced_frame = from.interlaced_frame;
  to.top_field_first = from.top_field_first;
}

Plane plane_of(const AVFrame& frame, int component) {
  const AVPixFmtDescriptor& d = descriptor_of(format_of(frame));
  const int index = d.comp[component].plane;
  const bool chroma = !has(d, AV_PIX_FMT_FLAG_RGB) && (component == 1 || component == 2);
  return {frame.data[index], frame.linesize[index],
          chroma ? AV_CEIL_RSHIFT(frame.width, d.log2_chroma_w) : frame.width,
          chroma ? AV_CEIL_RSHIFT(frame.height, d.log2_chroma_h) : frame.height};
}

template <class Sample>
const Sample* row(const Plane& plane, int y) {
  return reinterpret_cast<const Sample*>(plane.data + y * plane.stride_bytes);
}

// out = black + (in - black) * alpha; where chroma is coarser than alpha, with the alpha in the middle.
template <class Sample>
void blend(const Plane& in, const Plane& alpha, const Plane& out, float black, float opaque) {
  const float scale = 1 / opaque;
  const auto mix = [=](Sample sample, Sample weight) {
    return static_cast<Sample>(
        black + (static_cast<float>(sample) - black) * (static_cast<float>(weight) * scale) + 0.5F);
  };
  for (int y = 0; y < in.height; ++y) {
    const int alpha_y =
        static_cast<int>((2 * std::int64_t{y} + 1) * alpha.height / (2 * std::int64_t{in.height}));
    const Sample* from = row<Sample>(in, y);
    const Sample* weight = row<Sample>(alpha, alpha_y);
    auto* to = const_cast<Sample*>(row<Sample>(out, y));
    if (alpha.width == in.width) {
      for (int x = 0; x < in.width; ++x) to[x] = mix(from[x], weight[x]);
    } else {
      for (int x = 0; x < in.width; ++x) {
        to[x] = mix(from[x], weight[(2 * std::int64_t{x} + 1) * alpha.width / (2 * std::int64_t{in.width})]);
      }
    }
  }
}

}  // namespace

Result<const AVFrame*> PlaneViewer::convert(const AVFrame& frame, AVPixelFormat to, AvFrame& scratch) {
  SwsScaler& converter = &scratch == &unpacked_ ? converter_ : second_converter_;
  converter.reset(sws_getCachedContext(
      converter.release(), frame.width, frame.height, format_of(frame), frame.width, frame.height, to,
      SWS_POINT | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT, nullptr, nullptr,
      nullptr));
  AVFrame& out = reuse(scratch, frame.width, frame.height, to);
  if (!converter ||
      sws_scale(converter.get(), frame.data, frame.linesize, 0, frame.height, out.data, out.linesize) < 0) {
    return Error{ErrorKind::kInput, std::string("cannot convert pictures of the pixel format ") +
                                        av_get_pix_fmt_name(format_of(frame))};
  }
  copy_colour(frame, out);
  return &out;
}

Result<const AVFrame*> PlaneViewer::make_planar(const AVFrame& frame) {
  const AVPixelFormat format = format_of(frame);
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(format);
  if (!d || frame.width <= 0 || frame.height <= 0 || !frame.data[0]) {
    return Error{ErrorKind::kInput, "a picture has no pixels or an unknown pixel format"};
  }
  if (is_viewable(format, *d)) return &frame;
  const AVPixelFormat planar = planar_neighbour(format, *d);
  const AVFrame* from = &frame;
  // FFmpeg takes packed RGB apart exactly, but only where every colour has a byte of its own; others would
  // come out rounded twice.
  const bool whole_bytes = d->nb_components >= 3 && d->comp[0].depth == 8 && !has(*d, AV_PIX_FMT_FLAG_PAL);
  if (has_colours_of_rgb(*d) && depth_of(*d) <= 8 && !whole_bytes && !has(*d, AV_PIX_FMT_FLAG_BAYER)) {
    auto unpacked =
        convert(frame, planar == AV_PIX_FMT_GBRAP ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24, unpacked_);
    if (!unpacked) return unpacked;
    from = *unpacked;
  }
  return convert(*from, planar, planar_);
}

Result<const AVFrame*> PlaneViewer::lay_over_black(const AVFrame& frame) {
  const AVPixelFormat format = format_of(frame);
  const Colour colour = colour_of(frame);
  const auto opaque = static_cast<float>((1 << colour.bits) - 1);
  AVFrame& out = reuse(opaque_, frame.width, frame.height, format);
  copy_colour(frame, out);
  const Plane alpha = plane_of(frame, 3);
  for (int i = 0; i < 3; ++i) {
    const bool chroma = i > 0 && colour.matrix != ColourMatrix::kRgb;
    const int level = chroma ? 128 : colour.full_range ? 0 : 16;
    const auto black = static_cast<float>(level << (colour.bits - 8));
    if (colour.bits > 8) {
      blend<std::uint16_t>(plane_of(frame, i), alpha, plane_of(out, i), black, opaque);
    } else {
      blend<std::uint8_t>(plane_of(frame, i), alpha, plane_of(out, i), black, opaque);
    }
  }
  return &out;
}

Result<Planes> PlaneViewer::view(const AVFrame& frame) {
  auto planar = make_planar(frame);
  if (!planar) return std::move(planar).error();
  const AVFrame* picture = *planar;
  if (descriptor_of(format_of(*picture)).nb_components == 4) {
    auto opaque = lay_over_black(*picture);
    if (!opaque) return std::move(opaque).error();
    picture = *opaque;
  }
  Planes planes;
  planes.colour = colour_of(*picture);
  const int count = planes.colour.matrix == ColourMatrix::kGrey ? 1 : 3;
  for (int i = 0; i < count; ++i) {
    Plane plane = plane_of(*picture, i);
    if (picture->interlaced_frame && picture->height >= 4) {
      if (!picture->top_field_first) plane.data += plane.stride_bytes;
      plane.height = (plane.height + (picture->top_field_first ? 1 : 0)) / 2;
      plane.stride_bytes *= 2;
    }
    planes.plane[static_cast<std::size_t>(i)] = plane;
  }
  return planes;
}

}  // namespace longtake
