/*
 * Other protocols that are tried on our port: a browser made to send HTTP (ALPACA), TLS where none is spoken.
 * Private to this room.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "base/span.h"

/* The first octet of a TLS or SSLv2 hello, which no tag begins with. */
bool imap_is_foreign_octet(uint8_t octet);

/* "GET / HTTP/1.1", "Host: example.org" and their kind; asked only about lines that are no command. */
bool imap_is_foreign_line(struct span line);

#endif
