#!/bin/sh
# Fetches the demo clip: 7.6 s of a city at night, CC0, from Debian's package python-kivy-examples. The package is only
# opened, not installed, so nothing comes with it. What is believed is pinned by SHA-256.
#
#   assets/fetch_demo.sh [FILE]        default: assets/demo/cityCC0.mpg
#
# LONGTAKE_DEMO_DEB=package.deb takes the package from there, for machines without network.
set -eu

member=usr/share/kivy-examples/widgets/cityCC0.mpg
sum=fe129d341e5b1a174336b956bf16d2b215a506c4a07f6fa3351a1e9b58ca0279
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
target=${1:-$here/demo/cityCC0.mpg}

fail() {
  printf 'cannot fetch "%s": %s\n' "$target" "$1" >&2
  exit 1
}

is_the_clip() { [ "$(sha256sum <"$1" | cut -d ' ' -f 1)" = "$sum" ]; }

if [ -f "$target" ] && is_the_clip "$target"; then exit 0; fi

work=$(mktemp -d)
part=
trap 'rm -rf -- "$work"; [ -z "$part" ] || rm -f -- "$part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -f "/$member" ]; then
  clip=/$member  # somebody installed the package
else
  if [ -n "${LONGTAKE_DEMO_DEB:-}" ]; then
    cp -- "$LONGTAKE_DEMO_DEB" "$work/package.deb" || fail "\"$LONGTAKE_DEMO_DEB\" cannot be read"
  else
    command -v apt-get >/dev/null || fail 'apt-get is not there; give the Debian package as LONGTAKE_DEMO_DEB'
    chmod 755 "$work"  # apt fetches as a user of its own
    (cd "$work" && apt-get -q download python-kivy-examples) >"$work/log" 2>&1 || {
      cat "$work/log" >&2
      fail 'apt-get download python-kivy-examples failed (try apt-get update first)'
    }
    mv "$work"/python-kivy-examples_*.deb "$work/package.deb"
  fi
  dpkg-deb --fsys-tarfile "$work/package.deb" | tar -xf - -C "$work" "./$member" || fail 'the package could not be opened'
  clip=$work/$member
fi
is_the_clip "$clip" || fail 'the clip in the package has another SHA-256 than expected'

mkdir -p -- "$(dirname -- "$target")"
part=$target.$$.part
cp -- "$clip" "$part" || fail 'it could not be written'
mv -- "$part" "$target" || fail 'it could not be written'
part=
