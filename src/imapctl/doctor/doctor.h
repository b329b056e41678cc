#ifndef IMAPCTL_DOCTOR_H
#define IMAPCTL_DOCTOR_H

#include "../ctl/order.h"

/* The verb; gives the exit code: 1 when something was found. */
int run_doctor(const struct order *order);

#endif
