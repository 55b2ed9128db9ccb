# shellcheck shell=bash
# What the launchers share; sourced, not run.

# The project's folder, whatever the current one is and through symbolic links.
# shellcheck disable=SC2034
root=$(cd -P -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)

# Names in what is said may be of others: what a terminal would obey is shown as a question mark.
say() {
  local LC_ALL=C.UTF-8
  # In the bytes of UTF-8, for `\u` says something else where this file is read in another locale: U+0001 to U+009F but the
  # line's end and visible ASCII, U+200B to U+200F, U+2028 to U+202E, U+2060 to U+2069, U+FEFF.
  local unseen=$'\001-\011\013-\037\177-\xc2\x9f\xe2\x80\x8b-\xe2\x80\x8f\xe2\x80\xa8-\xe2\x80\xae\xe2\x81\xa0-\xe2\x81\xa9\xef\xbb\xbf'
  printf '%s: %s\n' "$(basename -- "$0")" "${*//[$unseen]/?}" >&2
}

# fail CODE WORDS…: codes are sysexits', as the program's own (docs/reference.md).
fail() {
  local code=$1
  shift
  say "error: $*"
  exit "$code"
}

# The program: $DISTSGD, or what was built here, or what is installed.
find_program() {
  local program=${DISTSGD:-$root/.build/release/distsgd}
  if [ -z "${DISTSGD:-}" ] && [ ! -x "$program" ]; then program=$(command -v distsgd || echo "$program"); fi
  [ -x "$program" ] || fail 66 "there is no program '$program'; build it with launch/setup, or name it: export DISTSGD=…"
  echo "$program"
}

# Runs a command silently; shows what it said only if it fails.
quietly() {
  local log code=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || code=$?
  ((code == 0)) || cat -- "$log" >&2
  rm -f -- "$log"
  return "$code"
}

# CPUs that this shell may use at the same time: its affinity, or the control group's quota where lower.
usable_cpus() {
  local cpus quota period
  cpus=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
  if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [[ $quota =~ ^[0-9]+$ ]] &&
    ((quota / period < cpus)); then
    cpus=$((quota / period > 1 ? quota / period : 1))
  fi
  echo "$cpus"
}

# Cores behind those CPUs, hyper-threads counted once: what Open MPI calls slots.
usable_cores() {
  local allowed range cpu siblings
  allowed=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status 2>/dev/null || true)
  siblings=$(
    for range in ${allowed//,/ }; do
      for ((cpu = ${range%-*}; cpu <= ${range#*-}; cpu++)); do
        cat "/sys/devices/system/cpu/cpu$cpu/topology/thread_siblings_list" 2>/dev/null || echo "$cpu"
      done
    done | sort -u | wc -l
  )
  local cpus
  cpus=$(usable_cpus)
  echo $((siblings > 0 && siblings < cpus ? siblings : cpus))
}

# Open MPI refuses to run as root unless told twice; in a container root is the usual user.
allow_root() {
  if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
}

# Open MPI 4.1 packs the hosts' names into an expression, in which its usual way ends for a name with an underscore.
allow_any_host_name() { export OMPI_MCA_regx="${OMPI_MCA_regx:-naive}"; }

# Reading another process's memory, which Open MPI does for large messages, is often forbidden in containers.
avoid_process_reads() {
  if [ -e /.dockerenv ] || [ -e /run/.containerenv ]; then
    export OMPI_MCA_btl_vader_single_copy_mechanism="${OMPI_MCA_btl_vader_single_copy_mechanism:-none}"
  fi
}
