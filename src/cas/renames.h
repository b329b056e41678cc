/*
 * Users who get another name, on the host that orders it; cas_rename() is in cas/cas.h.  Loop thread.
 */
#ifndef CAS_RENAMES_H
#define CAS_RENAMES_H

#include "client.h"
#include "directory/renaming.h"

/* Go on with one that is noted, unless it is under way; and end, which leaves them noted: behind moves_close(). */
void renames_take_up(struct cas *cas, const struct directory_rename *row);
void renames_close(struct cas *cas);

#endif
