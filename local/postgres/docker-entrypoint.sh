#!/bin/bash
# What the official image's entry point of this name does, as far as it is used here:
# POSTGRES_PASSWORD_FILE, PGDATA, /docker-entrypoint-initdb.d/*.sql, and the server as `postgres`.
set -euo pipefail
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; }

if [ "$1" != postgres ]; then exec "$@"; fi
chown postgres: "$(dirname "$PGDATA")" /var/run/postgresql
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # Made beside and moved when whole: one that was interrupted begins again.
  new=$PGDATA.new
  rm -rf "$new"
  # initdb wants a file, and only root may read the mounted one.
  password=$(mktemp -p /dev/shm)
  cat "$POSTGRES_PASSWORD_FILE" >"$password"
  chown postgres: "$password"
  as_postgres initdb --pgdata="$new" --username=postgres --pwfile="$password" \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --data-checksums
  rm "$password"
  echo 'host all all all scram-sha-256' >>"$new/pg_hba.conf"
  # No TCP until the init scripts have run: nobody sees a half-made server.
  as_postgres pg_ctl --pgdata="$new" --wait -o "-c listen_addresses=''" start
  for script in /docker-entrypoint-initdb.d/*.sql; do
    [ -f "$script" ] || continue
    as_postgres psql --no-psqlrc -v ON_ERROR_STOP=1 --username=postgres --dbname=postgres --file="$script"
  done
  as_postgres pg_ctl --pgdata="$new" --wait --mode=fast stop
  mkdir -p "$(dirname "$PGDATA")"
  rm -rf "$PGDATA"
  mv "$new" "$PGDATA"
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
