#!/bin/sh
# Where the official image has its entrypoint: with the working directory /qdrant, so that config/ and storage/ are found.
exec python3 -B /opt/qdrant-stand-in/main.py "$@"
