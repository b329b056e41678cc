/*
 * ESEARCH: RFC 7377.  The mailboxes that the sources name are searched one after the other, each by the machine of
 * SEARCH, and what is found in one is told before the next is looked at: memory is that of one.  Commands are executed
 * in their order, and so is what is pipelined before and behind SAVE (section 2.1).  Loop thread; work_list() on a
 * worker.
 */
#include <stdlib.h>

#include "../search/charset.h"
#include "../search/run.h"
#include "../session/abroad.h"
#include "../session/hold.h"
#include "commands.h"

struct esearch {
	struct search_run run;
	struct session_job job;
	struct hold hold;
	struct arena *arena;
	struct door door;
	struct abroad abroad;
	const struct imap_search_sources *sources;
	struct imap_search *keys;
	enum reply reply;		/* of work_list() */
	const struct account *selected_account;	/* NULL: the selected mailbox is not meant for being selected */
	uint64_t selected_id;
	struct abroad_mailbox *mailboxes;	/* those that are meant: the user's own in the order of their names, those of others */
	size_t count, next;
	uint64_t done, total;		/* messages */
	struct view *view;		/* owned; NULL: the selected mailbox is being searched, or none */
};

static void search_next(struct session *session);

/* Section 2.4: what was told of the mailboxes before stands, and is not all. */
static void
finish(struct session *session, enum reply reply)
{
	struct esearch *esearch = session->running;

	if (reply == REPLY_CPU_LIMIT && esearch->next > 1)
		reply = REPLY_SEARCHED_IN_PART;
	search_run_fini(&esearch->run);
	view_free(&esearch->view);
	search_run_finish(session, reply);
}

/* ---- telling -------------------------------------------------------------------------------------------- */

/* What the mailbox is called: it may have got another name since it was listed. */
static struct span
name_of(const struct session *session)
{
	const struct esearch *esearch = session->running;
	const struct state *state = esearch->run.view->state;

	if (state->name.length > 0 && state->account == session->account)
		return state->name;
	return esearch->next > 0 ? span_from_string(esearch->mailboxes[esearch->next - 1].row.name) : session->selected_name;
}

static void
write_line(struct session *session, unsigned returns)
{
	const struct esearch *esearch = session->running;
	const struct imap_search *search = &session->line->search;

	search_result_write_esearch(&esearch->run.result, search, &(struct imap_esearch){ .tag = session->line->tag,
	    .mailbox = name_of(session), .uidvalidity = esearch->run.view->state->uidvalidity,
	    .is_utf8 = session_is_utf8(session), .is_uid = true, .returns = returns, .partial = search->partial },
	    session_out(session));
}

/* Section 2.1: nothing is said of a mailbox where nothing is found.  SAVE is answered by nothing: RFC 5182. */
static void
answer(struct session *session)
{
	const struct esearch *esearch = session->running;
	const struct imap_search *search = &session->line->search;
	unsigned returns = search->has_return ? search->return_options & ~IMAP_RETURN_SAVE : IMAP_RETURN_ALL;
	struct view_message first;

	session_stop_at_limit(session, esearch->run.lowest_uid);
	if (returns != 0 && search_result_next(&esearch->run.result, 0, &first) != 0)
		write_line(session, returns);
	if ((search->return_options & IMAP_RETURN_SAVE) != 0)
		search_run_save(session);
}

/* ---- searching ------------------------------------------------------------------------------------------ */

/* A mailbox that was deleted meanwhile, or may not be read any more, is none of those that are meant. */
static void
go_on(struct session *session, enum store_status status)
{
	if (status == STORE_OK || status == STORE_NOT_FOUND || status == STORE_DENIED)
		session_when_room(session, search_next);
	else
		finish(session, reply_for(status));
}

static void
on_found(struct session *session, enum reply reply)
{
	struct esearch *esearch = session->running;
	const struct state *state = esearch->run.view->state;
	enum store_status status = state->phase == STATE_READY ? STORE_OK : state->status;

	if (reply != REPLY_DONE) {
		finish(session, reply);
		return;
	}
	if (status == STORE_OK)
		answer(session);
	esearch->done += esearch->run.result.last;
	search_run_fini(&esearch->run);
	view_free(&esearch->view);
	go_on(session, status);
}

static void
search(struct session *session, const struct view *view)
{
	struct esearch *esearch = session->running;

	esearch->run.before = esearch->done;
	esearch->run.total = esearch->total;
	search_run_begin(session, &esearch->run, view, on_found);
}

/* Nobody is told what happens in a mailbox that is not selected. */
static void
on_news(void *context)
{
	(void)context;
}

/* Who looks, where it is not the owner. */
static const struct store_identity *
looker(const struct session *session, const struct state *state)
{
	return state->account == session->account ? NULL : &session->identity;
}

/* As EXAMINE does: what is recent stays so. */
static void
on_held(struct session *session, struct hold *hold, struct state *state, enum store_status status)
{
	struct esearch *esearch = CONTAINER_OF(hold, struct esearch, hold);

	if (status != STORE_OK) {
		go_on(session, status);
		return;
	}
	esearch->view = view_new_with(state, true, looker(session, state), IMAP_RIGHT_READ, on_news, NULL);
	search(session, esearch->view);
}

/* The selected mailbox is searched as its client knows it. */
static void
search_next(struct session *session)
{
	struct esearch *esearch = session->running;
	enum reply reply = session_reason_to_stop(session);
	const struct abroad_mailbox *mailbox;

	if (esearch->next == esearch->count || reply != REPLY_DONE) {
		finish(session, esearch->next == esearch->count ? REPLY_DONE : reply);
		return;
	}
	mailbox = &esearch->mailboxes[esearch->next++];
	if (session_has_selected(session, mailbox->account, mailbox->row.id)) {
		search(session, session->view);
		return;
	}
	esearch->hold.account = mailbox->account;
	esearch->hold.mailbox_id = mailbox->row.id;
	esearch->hold.viewer = mailbox->viewer;
	hold_begin(session, &esearch->hold);
}

/* ---- which mailboxes ------------------------------------------------------------------------------------ */

/* "personal" and "inboxes" are the user's own: RFC 5465 section 6. */
static bool
is_meant(const struct esearch *esearch, const struct abroad_mailbox *mailbox, bool is_subscribed)
{
	struct span name = span_from_string(mailbox->row.name);
	bool is_own = mailbox->account == esearch->door.account;

	if (mailbox->account == esearch->selected_account && mailbox->row.id == esearch->selected_id)
		return true;
	for (size_t i = 0; i < esearch->sources->filter_count; i++) {
		const struct imap_filter *filter = &esearch->sources->filters[i];
		bool is_personal = filter->kind == IMAP_FILTER_PERSONAL || filter->kind == IMAP_FILTER_INBOXES;

		if ((is_own || (!is_personal && (mailbox->rights & IMAP_RIGHT_LOOKUP) != 0)) &&
		    imap_filter_covers(filter, name, is_subscribed))
			return true;
	}
	return false;
}

static int
compare_names(const void *left, const void *right)
{
	return span_compare(*(const struct span *)left, *(const struct span *)right);
}

/* Each comes once, however many sources name it; where there are no messages there is nothing to find. */
static void
choose(struct esearch *esearch, const struct abroad_mailbox *mailbox, const struct span *subscribed, size_t count)
{
	struct span name = span_from_string(mailbox->row.name);
	const struct span *found = bsearch(&name, subscribed, count, sizeof *subscribed, compare_names);

	if (mailbox->row.messages == 0 || !is_meant(esearch, mailbox, found != NULL))
		return;
	esearch->total += mailbox->row.messages;
	esearch->mailboxes[esearch->count++] = *mailbox;
}

/* The subscriptions are in the order of their octets. */
static enum store_status
list(struct esearch *esearch, struct store *store)
{
	struct span *subscribed = NULL;
	struct store_mailbox *own = NULL;
	size_t count = 0, subscribed_count = 0;
	enum store_status status = door_list(store, &esearch->door, SPAN(""), esearch->arena, &own, NULL, &count);

	if (status == STORE_OK)
		status = store_subscription_list(store, esearch->arena, &subscribed, &subscribed_count);
	if (status != STORE_OK)
		return status;
	esearch->mailboxes = arena_alloc_array(esearch->arena, count + esearch->abroad.count + 1, sizeof *esearch->mailboxes);
	for (size_t i = 0; i < count; i++)
		choose(esearch, &(struct abroad_mailbox){ .account = esearch->door.account, .row = own[i] }, subscribed,
		    subscribed_count);
	for (size_t i = 0; i < esearch->abroad.count; i++)
		choose(esearch, &esearch->abroad.mailboxes[i], subscribed, subscribed_count);
	return status;
}

/* A charset is refused also where there is nothing to search. */
static enum store_status
work_list(struct store *store, struct session_job *job)
{
	struct esearch *esearch = CONTAINER_OF(job, struct esearch, job);

	esearch->reply = search_charset_convert(esearch->keys, esearch->arena);
	return esearch->reply == REPLY_DONE ? list(esearch, store) : STORE_OK;
}

/*
 * RFC 9738 limits SEARCH, and its code names a UID of one mailbox.  With more messages than one command may deal with,
 * many mailboxes are not searched at all: section 2.4.
 */
static void
on_listed(struct session *session, struct session_job *job, enum store_status status)
{
	const struct esearch *esearch = CONTAINER_OF(job, struct esearch, job);
	uint32_t limit = session_message_limit(session);

	if (status != STORE_OK)
		finish(session, reply_for(status));
	else if (esearch->reply != REPLY_DONE)
		finish(session, esearch->reply);
	else if (limit > 0 && esearch->total > limit)
		finish(session, REPLY_LIMIT);
	else
		search_next(session);
}

static void
on_abroad(struct session *session, struct abroad *abroad)
{
	struct esearch *esearch = CONTAINER_OF(abroad, struct esearch, abroad);

	esearch->job.work = work_list;
	esearch->job.done = on_listed;
	session_submit(session, &esearch->job, ACCOUNT_READ);
}

static void
submit_list(struct session *session, struct esearch *esearch)
{
	authorize_own(session, IMAP_RIGHT_LOOKUP | IMAP_RIGHT_READ, &esearch->door);
	if (esearch->sources->has_selected) {
		esearch->selected_account = session->view->state->account;
		esearch->selected_id = session->view->state->mailbox_id;
	}
	abroad_find(session, &esearch->abroad, IMAP_RIGHT_READ, NULL, on_abroad);
}

void
cmd_esearch(struct session *session)
{
	struct esearch *esearch = ARENA_NEW(session->line->arena, struct esearch);

	esearch->arena = session->line->arena;
	esearch->sources = &session->line->sources;
	esearch->keys = &session->line->search;
	esearch->hold.done = on_held;
	session->running = esearch;
	if (esearch->sources->has_selected && session->view == NULL)
		finish(session, REPLY_BAD_STATE);
	else if (session->line->search.has_charset && session->has_utf8)	/* RFC 6855 section 3 */
		finish(session, REPLY_BAD_ARGUMENT);
	else if (esearch->sources->filter_count == 0)
		search(session, session->view);
	else
		submit_list(session, esearch);
}
