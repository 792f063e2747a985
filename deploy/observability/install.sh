#!/usr/bin/env bash
# Builds the OpenTelemetry Collector and Jaeger 2 from their Go modules, for machines without a container
# engine: the end-to-end tests start both and look at what arrives. `docker compose up` needs none of this.
#
# Promises: versions are pinned, and Go verifies each module's checksum; a binary appears under its name only
# when it is complete, so runs at the same time do not harm one another (with flock the later one waits and
# finds the work done); a run with nothing to do ends at once and needs no Go. Writes to the cache folder
# and to Go's own caches, nowhere else.
#
#   OBSERVABILITY_CACHE  where the binaries go; .cache/observability of the project if not set
set -euo pipefail

readonly collector_version=0.161.0
# The last release whose tag suits the module's path; its cmd/jaeger is Jaeger 2.13.
readonly jaeger_version=1.76.0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${OBSERVABILITY_CACHE:-$here/../../.cache/observability}
mkdir -p "$cache/bin"
cache=$(cd "$cache" && pwd)
readonly here cache

say() { printf 'observability: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# What a binary was built from. A change of it leads to a new build.
stamp_of() {
  case $1 in
    otelcol) echo "$collector_version $(cksum <"$here/builder.yaml")" ;;
    jaeger) echo "$jaeger_version" ;;
  esac
}

is_current() {
  [ -x "$cache/bin/$1" ] && [ "$(cat "$cache/bin/$1.stamp" 2>/dev/null)" = "$(stamp_of "$1")" ]
}

# Moves a finished binary into its place. Both paths are in one file system, so the move is atomic.
publish() {
  mv -f "$2" "$cache/bin/$1"
  stamp_of "$1" >"$cache/bin/$1.stamp"
}

build_otelcol() {
  say "building the OpenTelemetry Collector $collector_version (two minutes or so the first time)"
  cd "$work"
  GOBIN="$work" go install "go.opentelemetry.io/collector/cmd/builder@v$collector_version"
  ./builder --config "$here/builder.yaml" >builder.log 2>&1 || { cat builder.log >&2; fail 'the Collector was not built'; }
  publish otelcol "$work/otelcol/otelcol"
}

# `go install …/cmd/jaeger@version` is refused, because the module has a replace directive, which only counts
# in the main module. So the module itself is made the main one, by building inside its (read-only) folder;
# this also makes its own go.sum the one that counts.
build_jaeger() {
  say "building Jaeger 2 from module version $jaeger_version (three minutes or so the first time)"
  cd "$work"
  local module
  module=$(go mod download -json "github.com/jaegertracing/jaeger@v$jaeger_version" | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
  [ -n "$module" ] || fail 'the Jaeger module could not be downloaded'
  cd "$module"
  CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags='-s -w' -o "$work/jaeger" ./cmd/jaeger
  publish jaeger "$work/jaeger"
}

build_missing() {
  local name
  for name in otelcol jaeger; do
    is_current "$name" || "build_$name"
  done
}

if ! is_current otelcol || ! is_current jaeger; then
  command -v go >/dev/null || fail 'Go 1.26 or later is needed to build the Collector and Jaeger; or set OTELCOL_BIN and JAEGER_BIN to binaries of your own'

  work=$(mktemp -d "$cache/build.XXXXXX")
  trap 'rm -rf "$work"' EXIT

  # The user's settings stay as they are but for two that do not suit a build in a foreign folder: a
  # workspace, and stamping with the version control of whatever repository lies around the cache.
  GOFLAGS="$(go env GOFLAGS) -buildvcs=false"
  export GOFLAGS GOWORK=off

  exec 9>"$cache/lock"
  if command -v flock >/dev/null && ! flock --nonblock 9; then
    say 'another run is building; waiting for it'
    flock 9
  fi
  # The lock is not for the children: one that outlives this script would keep it.
  build_missing 9>&-
fi

say 'ready'
echo "$cache/bin/otelcol"
echo "$cache/bin/jaeger"
