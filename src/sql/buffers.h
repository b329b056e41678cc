/*
 * Buffers for what goes to files and comes from them: those that nobody needs now are kept for the next.  Any thread.
 */
#ifndef SQL_BUFFERS_H
#define SQL_BUFFERS_H

#include <stdint.h>

#define BUFFERS_OCTETS (128 * 1024)

/* Given; to be given back. */
uint8_t *buffers_take(void);
void buffers_give(uint8_t *buffer);

#endif
