/*
 * The arithmetic under TLS that nettle does in the place of mbedTLS.  Any thread.
 */
#ifndef NET_TLS_PRIMITIVES_H
#define NET_TLS_PRIMITIVES_H

#include <stdbool.h>

/* Whether AES-GCM is the faster cipher here; otherwise ChaCha20-Poly1305 is. */
bool tls_is_aes_fast(void);

#endif
