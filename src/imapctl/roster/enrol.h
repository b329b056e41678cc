/*
 * The verb user import: the users of a file, some hundred of them in each call.
 */
#ifndef IMAPCTL_ENROL_H
#define IMAPCTL_ENROL_H

struct order;

int run_user_import(const struct order *order);

#endif
