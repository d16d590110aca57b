#!/bin/bash
# Starts MinIO as a user of its own. Root alone may read the mounted password and hands it over on a tmpfs.
set -euo pipefail
install -o minio -g minio -m 0400 /run/secrets/minio-password /run/deeplens/minio-password
chmod 0711 /run/deeplens
chown minio: /data
export MINIO_ROOT_PASSWORD_FILE=/run/deeplens/minio-password
exec setpriv --reuid=minio --regid=minio --clear-groups -- minio server /data --address :9000 --quiet
