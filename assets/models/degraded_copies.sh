#!/bin/sh
# Copies of videos as they come back from elsewhere: 5 % cropped, 10 % brighter, re-encoded hard (x264, crf 36). What memories'
# answers are calibrated by beside the program's own way of degrading frames.
#
#   assets/models/degraded_copies.sh OUTPUT VIDEO…
#
# A copy has its video's name. Needs ffmpeg with libx264; other versions of that make other copies.
set -eu
[ $# -ge 2 ] || {
  sed -n '/^#   /s/^# *//p' "$0" >&2
  exit 2
}
output=$1
shift
mkdir -p "$output"
for video; do
  ffmpeg -nostdin -v error -y -i "$video" -an -c:v libx264 -crf 36 -preset veryfast -g 25 -threads 1 \
    -vf 'crop=iw*0.95:ih*0.95,lutyuv=y=clip(val*1.1\,0\,255),scale=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p' \
    "$output/$(basename "$video")"
done
