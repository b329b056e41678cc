/*
 * What header blocks have in common, as octets that compression begins with.  Made from headers.dictionary by the
 * build.
 */
#ifndef DICTIONARY_H
#define DICTIONARY_H

#include "base/span.h"

/* Never to be changed, since rows of files were compressed with it: a better one gets an encoding of its own. */
extern const struct span header_dictionary;

#endif
