/**
 * The second half of making a root for a process: what the first has prepared is moved to where the process is to see it.
 * Its own root is that of this machine in the namespace of the builder, its current folder is in the new root, and that
 * is the root of the new namespace. So its programs are those of this machine, while no mount of the namespace is reached
 * by a name that begins with `/`, and none outside of the new root by `..`: a path in the root that is hostile, or is
 * exchanged while it is being walked, leads to nothing that could be mounted on.
 *
 * Descriptors: 4 is the new root, the others are as in the first half. Links are followed here, inside the root, and what
 * is made is made in a folder that has been entered and of which the kernel has said where it is. What had to be made for
 * a mount is reported, with the time of the folder it was made in, so that it can be taken away afterwards.
 */
export const placeScript = String.raw`
set -eu
umask 022
fail() { printf '%s\n' "$1" >&2; exit 1; }
sure() { [ "$(readlink /proc/self/cwd)" = "$\{here:-/}" ] || fail "a path in the root changes while it is used: $here"; }
# walk PATH folder|file|none KEPT: enters the folder that PATH names, or that the file lies in, which then is "leaf".
# KEPT is stub for what is to be taken away afterwards. With "none" nothing is made, and the result says whether it is there.
walk() {
  left=$1 here= leaf= hops=0
  cd -P /proc/self/fd/4
  while :; do
    while :; do case $left in /*) left=$\{left#/} ;; *) break ;; esac; done
    if [ -z "$left" ]; then break; fi
    name=$\{left%%/*}
    case $left in */*) left=$\{left#*/} ;; *) left= ;; esac
    case $name in
      .) continue ;;
      ..)
        here=$\{here%/*}
        cd -P /proc/self/fd/4
        cd -P "./$here"
        continue ;;
    esac
    if [ -L "./$name" ]; then
      hops=$((hops + 1))
      if [ $hops -gt 40 ]; then fail "too many symbolic links: $1"; fi
      to=$(readlink -n -- "./$name" && printf x)
      to=$\{to%x}
      case $to in /*) here=; cd -P /proc/self/fd/4 ;; esac
      left=$to/$left
      continue
    fi
    if [ -d "./$name" ]; then
      cd -P "./$name"
      here=$here/$name
      continue
    fi
    rest=$left
    while :; do case $rest in /*) rest=$\{rest#/} ;; *) break ;; esac; done
    if [ -e "./$name" ]; then
      if [ -n "$rest" ] || [ "$2" = folder ]; then
        [ "$2" != none ] || return 1
        fail "not a folder: $here/$name, on the way to $1"
      fi
      leaf=./$name
      here=$here/$name
      return 0
    fi
    [ "$2" != none ] || return 1
    sure
    before=$(stat -c %.9Y .)
    here=$here/$name
    if [ "$2" = file ] && [ -z "$rest" ]; then
      # Created, never opened: a link that appears here now is an error.
      (set -C; : >"./$name")
      leaf=./$name
      if [ "$3" = stub ]; then printf 'file %s\0%s\0' "$before" "$here"; fi
      return 0
    fi
    mkdir "./$name"
    if [ "$3" = stub ]; then printf 'folder %s\0%s\0' "$before" "$here"; fi
    cd -P "./$name"
    sure
  done
  if [ "$2" = file ]; then fail "a folder, where a file is to be mounted: $1"; fi
  [ "$2" != none ]
}
exec 4<.
unshare --root=/proc/self/fd/8 --wd=. pivot_root . .
while [ $# -gt 0 ]; do
  case $1 in
    place) # NAME TARGET folder|file
      walk "$3" "$4" stub
      if [ -z "$leaf" ]; then sure; fi
      mount -n -i -c --move "/proc/self/fd/6/$2" "$\{leaf:-.}"
      printf 'mounted\0%s\0' "$here"
      shift 4 ;;
    enter) # PATH: where the process begins
      walk "$2" folder kept
      shift 2 ;;
    program) # PATH...-: the first that is there is reported
      shift
      found=
      while [ "$1" != - ]; do
        if [ -z "$found" ] && walk "$1" none kept; then found=$1; fi
        shift
      done
      printf 'program\0%s\0' "$found"
      shift ;;
    seal)
      cd -P /proc/self/fd/4
      mount -n -i -c -o remount,bind,ro .
      shift ;;
    *) fail "unknown operation $1" ;;
  esac
done
cd -P /proc/self/fd/4
# First what lies over the old root, then the old root.
unshare --root=/proc/self/fd/8 --wd=. umount -n -i -l -c /
unshare --root=/proc/self/fd/8 --wd=. umount -n -i -l -c /
exec 3<&- 4<&- 6<&- 8<&-
printf 'ready\0'
# Orphans of the process come here, and vanish by themselves. This lives as long as the builder holds the other end.
trap '' CHLD
exec cat >/dev/null 2>&1
`.replaceAll('$\\{', '${');
