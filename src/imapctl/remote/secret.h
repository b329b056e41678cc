/*
 * A password or a token: the first line of a file or of standard input, or what is typed.
 */
#ifndef IMAPCTL_SECRET_H
#define IMAPCTL_SECRET_H

#include "base/buffer.h"

/*
 * Read it.
 *
 *	file	NULL or "-": standard input, or the terminal where that is one
 *	who	for the question
 *
 * Gives an exit code: 0, or what is wrong was said.  The caller wipes the secret.
 */
int secret_read(const char *file, const char *who, struct buffer *secret_out);

#endif
