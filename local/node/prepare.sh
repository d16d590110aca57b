#!/bin/sh
# Puts what the image is made of beside its Dockerfile: the pinned Node of this project's own `node_modules`
# and npm from the npm registry. usage: prepare.sh <context folder>
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cp "$here/../../node_modules/node/bin/node" "$1/node"
npm pack --silent --pack-destination "$1" "npm@$(cat "$here/npm-version")" >/dev/null
mv "$1"/npm-*.tgz "$1/npm.tgz"
