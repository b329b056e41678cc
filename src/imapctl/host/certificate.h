/*
 * A certificate as an operator looks at it.
 */
#ifndef IMAPCTL_CERTIFICATE_H
#define IMAPCTL_CERTIFICATE_H

#include "base/buffer.h"

struct certificate_look {
	bool is_self_signed;
	size_t count;			/* of certificates in the file */
	int64_t begins_s, ends_s;	/* of the first, since 1970 */
};

/* Look at a file's text as PEM.  False: it holds no certificate that can be read. */
bool certificate_look(struct buffer *text, struct certificate_look *look_out);

/* Whether the first certificate has a name among its alternative names. */
bool certificate_names(struct buffer *text, const char *name);

#endif
