#!/usr/bin/env bash
# Prints the changelog's part about a version; fails when the version does not stand everywhere.
#
#   release_notes.sh VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?which version? e.g. release_notes.sh 0.2.0}
fail() { echo "$1" >&2 && exit 1; }
grep -qxF "version = \"$version\"" backend/pyproject.toml || fail "backend/pyproject.toml has another version."
grep -qF "\"version\": \"$version\"" frontend/package.json || fail "frontend/package.json has another version."
notes=$(awk -v version="$version" '
  index($0, "## [" version "]") == 1 { inside = 1; next }
  inside && /^## / { exit }
  inside { print }
' CHANGELOG.md)
[[ -n ${notes//[[:space:]]/} ]] || fail "CHANGELOG.md has no part \"## [$version]\"."
printf '%s\n' "$notes"
