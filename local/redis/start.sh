#!/bin/bash
# Starts Redis in the official image and in ours alike: users in an ACL file on the volume, the default user's password
# as a hash in it. Begins as root, which alone may read the mounted password, and goes on as `redis`.
set -euo pipefail
umask 077
users=/data/users.acl
hash=$(tr -d '\n' </run/secrets/redis-password | sha256sum | cut -d ' ' -f 1)
touch "$users"
# The default user's line is made anew at every start, so that the mounted file stays the truth; tenants' lines stay.
{ grep -v '^user default ' "$users" || true; echo "user default on #$hash ~* &* +@all"; } >"$users.new"
mv "$users.new" "$users"
chown -R redis: /data
exec setpriv --reuid=redis --regid=redis --clear-groups -- redis-server \
  --bind 0.0.0.0 --protected-mode no --port 6379 --dir /data \
  --aclfile "$users" --appendonly yes --appendfsync everysec --save '' --maxmemory-policy noeviction
