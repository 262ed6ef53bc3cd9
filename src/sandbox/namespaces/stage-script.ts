/**
 * The first half of making a root for a process, as a program of the shell: everything that is to be mounted is prepared
 * on a file system in memory, at paths that nobody else can reach. It runs as the first process of new namespaces, with
 * the tree of files of this machine still in sight, and carries out what stands in its arguments: a word that names the
 * operation, and what that takes. Nothing is ever put into the text of the program.
 *
 * The file system in memory lies over `/`. A process whose root is below it still sees the files of this machine by their
 * names, so that no folder of this machine has to be made, or hidden, for it. Descriptors: 3 is the root of this machine
 * in the namespace of the builder, 8 the same in the new one, 6 the file system in memory.
 *
 * What has been bound is compared with what was meant, by device and inode: a path that somebody exchanges meanwhile leads
 * to an error, and not to other files.
 */
export const stageScript = String.raw`
set -eu
umask 022
fail() { printf '%s\n' "$1" >&2; exit 1; }
mounted() { mount -n -i -c "$@"; }
# What a mount of another namespace must keep cannot be asked for in a portable way: it is tried.
remount() { # NAME FLAGS
  for more in '' ,noexec ,nosuid ,nosuid,nodev ,nosuid,nodev,noexec; do
    for time in '' ,noatime ,nodiratime ,noatime,nodiratime; do
      if mounted -o "remount,bind,$2$more$time" "$1" 2>/dev/null; then return 0; fi
    done
  done
  fail "$1 cannot be mounted with $2"
}
read -r pid rest </proc/self/stat
printf 'pid %s\0' "$pid"
place=$1
shift
exec 8</
mounted -t tmpfs -o mode=755 tmpfs /
cd -P /..
exec 6<.
while [ $# -gt 0 ]; do
  case $1 in
    text) # NAME CONTENT
      printf '%s' "$3" >"./$2"
      mounted --bind "./$2" "./$2"
      shift 3 ;;
    folder) mkdir "./$2"; shift 2 ;;
    link) ln -s -- "$3" "./$2"; shift 3 ;;
    mount) # NAME TYPE OPTIONS
      mkdir -p "./$2"
      mounted -t "$3" -o "$4" "$3" "./$2"
      shift 4 ;;
    overlay) # OPTIONS
      mkdir ./root
      mounted -t overlay -o "$2" overlay ./root
      shift 2 ;;
    bind) # NAME SOURCE IDENTITY ro|nodev|dev
      if [ -d "$3" ]; then mkdir "./$2"; else : >"./$2"; fi
      mounted --bind "$3" "./$2"
      [ "$(stat -c %d:%i "./$2")" = "$4" ] || fail "$3 has been put in the place of what was to be mounted"
      case $5 in
        ro) remount "./$2" ro,nosuid,nodev ;;
        nodev) remount "./$2" nodev ;;
      esac
      shift 5 ;;
    share) # NAME SOURCE: with what is mounted in it
      mkdir "./$2"
      mounted --rbind "$3" "./$2"
      shift 3 ;;
    node) # NAME MAJOR MINOR
      mknod -m 666 "./$2" c "$3" "$4"
      shift 4 ;;
    device) # NAME SOURCE: where nodes cannot be made, those of this machine
      : >"./$2"
      mounted --bind "$3" "./$2"
      shift 3 ;;
    mask) # NAME: to be seen empty
      if [ -d "./$2" ]; then mounted -t tmpfs -o ro,nosuid,nodev,noexec tmpfs "./$2"
      elif [ -e "./$2" ]; then mounted --bind ./dev/null "./$2"; fi
      shift 2 ;;
    protect) # NAME: to be read only
      if [ -e "./$2" ]; then mounted --bind "./$2" "./$2"; remount "./$2" ro,nosuid,nodev,noexec; fi
      shift 2 ;;
    hostname)
      printf '%s' "$2" >/proc/sys/kernel/hostname 2>/dev/null || hostname -- "$2"
      shift 2 ;;
    loopback)
      printf 1 >./sys/class/net/lo/flags 2>/dev/null || ip link set lo up
      shift ;;
    seal) remount "./$2" ro,nosuid,nodev,noexec; shift 2 ;;
    root)
      shift
      cd -P ./root
      exec unshare --root=/proc/self/fd/3 --wd=. sh -c "$place" lading "$@" ;;
    *) fail "unknown operation $1" ;;
  esac
done
`.replaceAll('$\\{', '${');
