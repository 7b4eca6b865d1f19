#!/usr/bin/env bash
# Carries out docker/Dockerfile in a plain folder, where there is no container engine: a Debian made by debootstrap
# takes the place of the base image, chroot that of the engine. Needs root, debootstrap and 3 GB (CUDA: 7 GB).
#
#   docker/in-folder.sh /tmp/retarget                       builds, then runs: retarget --help
#   docker/in-folder.sh /tmp/retarget demo --minutes 2      ... then: retarget demo --minutes 2
#
# A folder that is already built is used as it is; /tmp/retarget/work is /work inside. Environment variables:
#   HARDWARE=cpu|cuda      the build argument
#   BIND="FROM[:TO] ..."   files and folders of this machine to see inside, read-only (a pip.conf, wheels, certificates)
#   MIRROR=URL             Debian packages from here, else from where debootstrap takes them by itself
# PIP_*, UV_*, SSL_CERT_FILE and *_proxy are handed to the build, and to nothing after it.
set -euo pipefail

fail() { echo "in-folder.sh: $*" >&2; exit 2; }

[ $# -gt 0 ] || fail "which folder? docker/in-folder.sh FOLDER [COMMAND ...]"
[ "$(id -u)" = 0 ] || fail "only root can make mounts and chroot: sudo $0 $*"
command -v debootstrap > /dev/null || fail "no debootstrap (Debian, Ubuntu: apt install debootstrap)"

# Every mount is made in a namespace of this script's own, so none outlives it, however it ends.
if [ -z "${IN_FOLDER_NAMESPACE:-}" ]; then
    IN_FOLDER_NAMESPACE=1 exec unshare --mount --propagation private bash "$0" "$@"
fi

context=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
root=$(cd "$1" && pwd)
shift
built=$root/.built
[ -e "$built" ] || [ -z "$(ls -A "$root")" ] || fail "$root is not empty and not built by this script: give a new folder"

state=""  # ARG, ENV and WORKDIR so far, as lines of shell that come before each RUN
folder=/
user=root
start=() arguments=() handed=()
while IFS= read -r name; do handed+=("$name=${!name}"); done < <(compgen -e | grep -iE '^(PIP_|UV_)|^SSL_CERT_FILE$|_proxy$')

inside() {  # inside SCRIPT [ARGUMENT ...]: as the Dockerfile's user, in its environment and nothing else
    local script=$1
    shift
    chroot --userspec="$user" "$root" /usr/bin/env -i HOME=/root "${handed[@]}" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -ec "$state$script" sh "$@"
}

mounts() {
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    local item from to
    for item in ${BIND:-}; do
        from=${item%%:*} to=$root${item#*:}
        [ -e "$from" ] || fail "BIND: $from is not there"
        if [ -d "$from" ]; then mkdir -p "$to"; else mkdir -p "$(dirname "$to")" && touch "$to"; fi
        mount --bind -o ro "$from" "$to"
    done
}

base() {  # base IMAGE: only debian:SUITE-slim can be made here
    local suite=${1#debian:}
    suite=${suite%-slim}
    [ "$1" = "debian:$suite-slim" ] || fail "FROM $1: expected debian:SUITE-slim"
    [ -e "$built" ] || debootstrap --variant=minbase "$suite" "$root" ${MIRROR:+"$MIRROR"}
    mounts
}

copy() {  # copy SOURCE ... TARGET, a folder's contents into the target as COPY does
    local sources=("${@:1:$#-1}") target=$root$folder/${!#} source
    for source in "${sources[@]}"; do
        if [ -d "$context/$source" ]; then mkdir -p "$target" && cp -r "$context/$source/." "$target"
        else cp "$context/$source" "$target"; fi
    done
}

words() { tr -d '[],"' <<< "$1"; }  # ["a", "b"] -> a b

while IFS= read -r line; do
    while [[ $line == *\\ ]]; do
        IFS= read -r more
        line=${line%\\}$more
    done
    case $line in "" | "#"*) continue ;; esac
    instruction=${line%% *} rest=${line#* }
    [ -e "$built" ] || echo "==> $line"
    case $instruction in
        FROM) base "$rest" ;;
        ARG) name=${rest%%=*} && state+="export $name='${!name:-${rest#*=}}'"$'\n' ;;
        ENV) state+="export $rest"$'\n' ;;
        WORKDIR) folder=$rest && mkdir -p "$root$folder" && state+="cd $folder"$'\n' ;;
        USER) user=$rest ;;
        COPY) read -ra paths <<< "$rest" && { [ -e "$built" ] || copy "${paths[@]}"; } ;;
        RUN)
            while [[ $rest == --mount=* ]]; do rest=${rest#* }; done  # secrets come by BIND
            [ -e "$built" ] || inside "$rest" < /dev/null
            ;;
        ENTRYPOINT) read -ra start <<< "$(words "$rest")" ;;
        CMD) read -ra arguments <<< "$(words "$rest")" ;;
        LABEL) ;;
        *) fail "$instruction: an instruction that this script does not know" ;;
    esac
done < "$context/docker/Dockerfile"
touch "$built"

handed=()
[ $# -eq 0 ] || arguments=("$@")
echo "==> ${start[*]} ${arguments[*]} (as $user)"
inside 'exec "$@"' "${start[@]}" "${arguments[@]}"
