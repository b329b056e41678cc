/*
 * A line of the body of the verb user import, as the server reads it (service/user_import_line.h).
 */
#ifndef IMAPCTL_ROSTER_BODY_H
#define IMAPCTL_ROSTER_BODY_H

#include "roster.h"

/*
 * Append a person's line, with its end; what it holds is for the caller to wipe.
 *
 *	person		 is_locked and, where nobody comes of it, refusal are filled in
 *	has_no_password	 whether what stands in the place of the password is left out
 *	scheme_out	 of the password, when that is why it was refused; borrowed from the person's
 */
void roster_add_line(struct buffer *line, struct person *person, bool has_no_password, struct span *scheme_out);

#endif
