#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the compiler in "$@". Objects of Verilator's own sources, which are the same in each build of
# a simulator, are compiled once and kept in the folder $SPIKEWRIGHT_OBJECTS.
set -eu

case " $* " in
	*" /"*"/include/verilated"*.cpp" ") ;;
	*) exec "$@" ;;
esac
before=
for word in "$@"; do
	if [ "$before" = -o ]; then out=$word; fi
	before=$word
done
name=$({ printf '%s ' "$@"; cat "$word" "$(dirname "$word")/verilated_config.h"; } | cksum)
kept=$SPIKEWRIGHT_OBJECTS/$(echo "$name" | tr ' ' -)-$(basename "$out")
if [ ! -e "$kept" ]; then
	"$@"
	cp "$out" "$kept.$$"
	mv "$kept.$$" "$kept"
fi
cp "$kept" "$out"
