#!/bin/sh
# Installs what tools/packages.txt, or the lists given (setup.sh packages.txt ...), name and this
# machine lacks. Silent when nothing is missing, so that every make target may call it first.
set -eu

here=$(dirname "$0")
[ $# -gt 0 ] || set -- packages.txt
wanted=$(cd "$here" && sed 's/#.*//' "$@")

# A package may be known but removed, so its status counts and not dpkg-query's exit status.
missing=
for package in $wanted; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done
missing=${missing# }
[ -n "$missing" ] || exit 0

fail() {
    echo "setup: $1" >&2
    echo "setup: missing packages: $missing" >&2
    echo "setup: install them with: $2" >&2
    exit 1
}

by_hand="apt-get install --no-install-recommends $missing"
command -v apt-get >/dev/null ||
    fail "this system has no apt-get" \
        "its own package manager (names as on Debian 12), then run make with SETUP=true"

# A password may be asked for only where somebody sits at a terminal.
if [ "$(id -u)" = 0 ]; then
    as_root=
elif ! command -v sudo >/dev/null; then
    fail "installing needs root, and there is no sudo" "su -c '$by_hand'"
elif sudo -n true 2>/dev/null; then
    as_root='sudo -n'
elif [ -t 0 ]; then
    as_root=sudo
else
    fail "installing needs root, and sudo wants a password" "sudo $by_hand"
fi

apt() {
    # The lock is waited for: a fresh machine often updates itself in the background.
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"
}
install() { apt install -y --no-install-recommends $missing >/dev/null; }
known() { apt-cache show --no-all-versions $missing >/dev/null 2>&1; }

echo "setup: installing $missing"
# The package lists are fetched when they are absent, or so old that the install fails.
{ known && install; } || { apt update && install; } ||
    fail "apt-get could not install them (its message is above)" "${as_root:+sudo }$by_hand"
