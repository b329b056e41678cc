/*
 * An account that is about to move elsewhere.  Loop thread.
 */
#include "gate.h"

#include <assert.h>

#include "account_parts.h"
#include "base/map.h"

void
account_begin_copy(struct account *account)
{
	account->gate.copies++;
}

void
account_end_copy(struct account *account)
{
	assert(account->gate.copies > 0);
	account->gate.copies--;
}

bool
account_is_copied(const struct account *account)
{
	return account->gate.copies > 0;
}

void
account_halt(struct account *account)
{
	account->gate.is_halted = true;
}

void
account_shut(struct account *account)
{
	assert(account->holders > 0);
	account->gate.is_halted = account->gate.is_shut = true;
}

bool
account_is_halted(const struct account *account)
{
	return account->gate.is_halted;
}

bool
account_is_shut(const struct account *account)
{
	return account->gate.is_shut;
}

/* In the order in which they were submitted. */
void
account_open(struct account *account)
{
	account->gate.is_halted = account->gate.is_shut = false;
	LIST_FOREACH(&account->gate.held, link) {
		list_remove(link);
		account_submit_inside(account, LIST_ENTRY(link, struct account_job, job.link));
	}
}

void
accounts_note_gone(struct accounts *accounts, const char *mailbox_id, bool is_gone)
{
	if (is_gone)
		map_put(accounts->gone, span_from_string(mailbox_id), accounts);
	else
		map_remove(accounts->gone, span_from_string(mailbox_id));
}
