#!/bin/sh
# Purpose: the linker, which also writes into `trace`, beside itself, what it takes: files, and members of libraries.
#          The check lays it where the compiler looks first.
exec ld --trace --trace "$@" >>"$(dirname "$0")/trace"
