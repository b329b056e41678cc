/*
 * The verb alias import: the aliases of a file, some hundred of them in each call.
 */
#ifndef IMAPCTL_ALIAS_IMPORT_H
#define IMAPCTL_ALIAS_IMPORT_H

struct order;

int run_alias_import(const struct order *order);

#endif
