/**
 * Makes a folder in memory for the bundle of a runtime, in namespaces that end with the builder, and binds there what the
 * container is to see: its root, without devices, and the sources of its mounts. Arguments: the folder, an emulator and what
 * tells the kernel which programs it is for, or nothing twice, and then for each bind its name, its source, the identity
 * that it must have, and flags.
 */
export const bundleScript = String.raw`
set -eu
umask 077
fail() { printf '%s\n' "$1" >&2; exit 1; }
folder=$1
emulator=$2
pattern=$3
shift 3
mount -n -i -t tmpfs -o mode=700 tmpfs "$folder"
if [ -n "$emulator" ]; then
  mkdir "$folder/registrations"
  mount -n -i -t binfmt_misc binfmt_misc "$folder/registrations"
  # By a name in which nothing has a meaning for the kernel.
  cd "$folder"
  ln -s "$emulator" emulator
  printf '%s' "${'$'}{pattern}emulator:POCF" >registrations/register
  cd /
fi
while [ $# -gt 0 ]; do
  if [ -d "$2" ]; then mkdir "$folder/$1"; else : >"$folder/$1"; fi
  mount -n -i -c --bind "$2" "$folder/$1"
  [ "$(stat -c %d:%i "$folder/$1")" = "$3" ] || fail "$2 has been put in the place of what was to be mounted"
  if [ -n "$4" ]; then mount -n -i -c -o "remount,bind,$4" "$folder/$1"; fi
  shift 4
done
# Groups of control where none can be made: nothing of them is left behind, and runtimes take that as for a user without any.
mount -n -i -t cgroup2 cgroup2 /sys/fs/cgroup
mount -n -i -o remount,bind,ro /sys/fs/cgroup
mount -n -i -t proc proc /proc
printf 'ready\0'
trap '' CHLD
exec cat >/dev/null 2>&1
`;
