/*
 * Unpredictable octets from the kernel.  Any thread.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>

/* Fill; ends the process when the kernel has none. */
void random_fill(void *octets, size_t length);

/* Write length characters of [0-9a-f] and a NUL. */
void random_hex(char *text, size_t length);

#endif
