#!/bin/bash
# Starts Postgres in the official image and in ours alike. The init script runs as `postgres`, which may not read the
# mounted password, so root hands it over on a tmpfs first. The official entry point takes the rest.
set -euo pipefail
for name in control-db-password identity-db-password; do
  install -o postgres -g postgres -m 0400 "/run/secrets/$name" "/run/deeplens/$name"
done
chmod 0711 /run/deeplens
exec docker-entrypoint.sh "$@"
