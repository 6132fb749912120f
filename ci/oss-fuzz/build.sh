#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The project brings its own.
exec "$SRC/mallet/.clusterfuzzlite/build.sh"
