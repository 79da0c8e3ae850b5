#!/bin/sh
# Trains the default model from nothing: one seed, the same bytes again on the same kind of processor.
#
#   assets/models/train_default.sh DATA OUTPUT/default [option of longtake train…]
#
# DATA holds the folders that splits/train.txt and splits/choose.txt name; the card says where they come from. Weights are
# made from the former and chosen by the latter; the shot head, from shots.txt and shots-choose.txt. Beside OUTPUT/default lie
# logs and curves of the trainings.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -ge 2 ] || {
  sed -n '/^#   /s/^# *//p' "$0" >&2
  exit 2
}
data=$1
output=$2
shift 2

# Names in the lists are one a line, and may have spaces.
IFS='
'
set -f
videos_of() { sed "s|^|$data/|" "$here/splits/$1.txt"; }

train() {
  part=$1
  shift
  # shellcheck disable=SC2046
  "$here/../../longtake" train "$part" $(videos_of train) -o "$output" --val $(videos_of choose) --seed 1 \
    --log "$output-$part.jsonl" --plot "$output-$part.png" "$@"
}

train stack --steps 160 --rate 5e-4 "$@"
train recall --keys 192 --steps 1800 "$@"
# shellcheck disable=SC2046
"$here/../../longtake" train shots $(videos_of shots) -o "$output" --val $(videos_of shots-choose) --seed 1 \
  --log "$output-shots.jsonl" --plot "$output-shots.png" "$@"
# shellcheck disable=SC2046
"$here/degraded_copies.sh" "$output-copies" $(videos_of train) $(videos_of choose)
# shellcheck disable=SC2046
"$here/../../longtake" train familiarity $(videos_of train) $(videos_of choose) -o "$output" --copies "$output-copies" --seed 1 "$@"
