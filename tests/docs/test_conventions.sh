# docs/conventions.md is what the table of operations gives.
set -u
"$WG_BUILD_DIR/make_conventions" | diff -u "$WG_SOURCE_DIR/docs/conventions.md" - && exit 0
echo "docs/conventions.md is out of date: $WG_BUILD_DIR/make_conventions > docs/conventions.md"
exit 1
