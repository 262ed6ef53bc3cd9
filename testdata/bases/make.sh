#!/bin/sh
# Makes the OCI layouts of this folder anew from their sources, NAME.src -> NAME, with lading itself. The same sources
# give the same bytes, so a run changes nothing unless a source, or what lading writes, has changed.
#
# usage: make.sh [FOLDER]     FOLDER: where the layouts go; default: beside the sources
#
# LADING: the command to run; default: the one that `npm run build` made.
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd)
target=${1:-$here}
mkdir -p "$target"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for source in "$here"/*.src; do
  name=$(basename "$source" .src)
  cp -R "$source" "$work/$name"
  # git keeps neither empty folders nor modes; both are part of an image.
  find "$work/$name" -type d -exec chmod 0755 {} +
  find "$work/$name" -type f -exec chmod 0644 {} +
  grep -v '^#' "$source/folders" | while read -r mode path; do
    mkdir -p "$work/$name/root/$path"
    chmod "$mode" "$work/$name/root/$path"
  done
  rm -rf "${target:?}/$name"
  ${LADING:-node "$here/../../dist/cli/bin.js"} --root "$work/store" build --quiet \
    -t "$(echo "$name" | sed 's|-|/|')" --platform linux/amd64,linux/arm64 \
    -o "type=oci,tar=false,dest=$target/$name" "$work/$name"
done
