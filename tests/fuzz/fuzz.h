// SPDX-License-Identifier: MIT
/* What a fuzzer calls, again and again; so does replay.c, for the inputs of the corpus. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Ends the program if anything is wrong; always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path at which the bytes are a regular file, until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* Ends the program with a message, unless wrong is null. */
void fuzz_check(const char *wrong);

#endif
