#!/bin/sh
# Makes `debian:bookworm-slim` where no image registry can be reached: debootstrap, trimmed, imported.
# usage: build.sh <cache folder> <label value>
#
# The root file system is kept in the cache folder as rootfs.tar, so that an engine that lost its images does not
# cost the minute again. The host's own certificate authorities go into this LOCAL base, because behind a proxy
# that inspects TLS npm and pip would fail inside images otherwise. Never publish an image that stands on it.
set -eu
cache=$1
label=$2
work=$(mktemp -d "${cache}/base.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

if [ ! -f "$cache/rootfs.tar" ]; then
  debootstrap --variant=minbase --include=ca-certificates bookworm "$work/rootfs"
  # Security and point updates come from the mirror that debootstrap chose.
  sed -i -n -e 'p' \
    -e 's#/debian bookworm main#/debian bookworm-updates main#p' \
    "$work/rootfs/etc/apt/sources.list"
  sed -i -e '1{p;s#/debian bookworm main#/debian-security bookworm-security main#}' "$work/rootfs/etc/apt/sources.list"
  : >"$work/rootfs/etc/resolv.conf"
  : >"$work/rootfs/etc/hostname"
  rm -rf "$work/rootfs/var/lib/apt/lists"/* "$work/rootfs/var/cache/apt"/* "$work/rootfs/usr/share/doc"/* \
    "$work/rootfs/usr/share/locale"/* "$work/rootfs/usr/share/man"/* "$work/rootfs/usr/share/info"/* "$work/rootfs/var/log"/*.log
  # What the official slim image does: packages installed later bring no documentation either.
  printf 'path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\npath-exclude /usr/share/locale/*\n' \
    >"$work/rootfs/etc/dpkg/dpkg.cfg.d/slim"
  printf 'APT::Install-Recommends "false";\nAPT::Get::Assume-Yes "true";\n' >"$work/rootfs/etc/apt/apt.conf.d/slim"
  printf '#!/bin/sh\nexit 101\n' >"$work/rootfs/usr/sbin/policy-rc.d"
  chmod +x "$work/rootfs/usr/sbin/policy-rc.d"
  tar -C "$work/rootfs" --numeric-owner -cf "$cache/rootfs.tar.new" .
  mv "$cache/rootfs.tar.new" "$cache/rootfs.tar"
  rm -rf "$work/rootfs"
fi

docker import "$cache/rootfs.tar" deeplens-local/rootfs:bookworm

# One file for each authority: `update-ca-certificates` then keeps them whatever package is installed later.
mkdir -p "$work/host-ca"
: >"$work/host-ca/none"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
  awk -v dir="$work/host-ca" '
    /-----BEGIN CERTIFICATE-----/ { n++; file = sprintf("%s/host-%03d.crt", dir, n); inside = 1 }
    inside { print > file }
    /-----END CERTIFICATE-----/ { inside = 0; close(file) }' /etc/ssl/certs/ca-certificates.crt
fi
cp "$(dirname "$0")/Dockerfile" "$work/Dockerfile"
DOCKER_BUILDKIT=0 docker build --label "deeplens.base=$label" -t debian:bookworm-slim "$work"
