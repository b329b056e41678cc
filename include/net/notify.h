/*
 * Telling the service manager how things are: a datagram to the socket that it named, as sd_notify(3)
 * describes.  Never blocks.  Loop thread, or before the loop runs.
 */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Somebody wants to know. */
bool notify_is_wanted(void);

/* Send lines such as "READY=1\nSTATUS=..."; what cannot be sent is lost. */
void notify_send(const char *lines);

/* How often "WATCHDOG=1" is wanted at least, in microseconds; 0: never. */
uint64_t notify_watchdog_us(void);

#endif
