/*
 * Pairs lie in annotations of some thousand each, of which only those are written again that have changed: most often
 * the last.  One SETMETADATA is one transaction.
 */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/memory.h"
#include "imap/mailbox_name.h"

#define ROOT "/private/vendor/imapd/import/"
#define PAIRS_IN_ONE 2500		/* at most 22 octets each, and an annotation has up to 65536 */
#define ANNOTATIONS_MAX 900		/* of one mailbox */
#define ASKED_AT_ONCE 50

struct name {
	struct buffer text;		/* UTF-8 */
	unsigned uses;			/* enum imap_reply_attribute */
};

struct state {
	struct remote *here;
	char account_key[STATE_KEY_LENGTH + 1];
	struct buffer account;
	struct buffer met;		/* keys of mailboxes, one behind the other */
	struct place **places;
	size_t count;
	struct name *mailboxes;
	size_t mailbox_count;
	uint32_t saving;		/* the last command that saves; 0: none */
	bool is_refused;
};

static void
make_key(struct span text, char *key_out)
{
	uint8_t digest[DIGEST_LENGTH];

	digest_sha256(text, digest);
	for (size_t i = 0; i < STATE_KEY_LENGTH / 2; i++)
		snprintf(key_out + 2 * i, 3, "%02x", digest[i]);
}

/* INBOX has one name in any case. */
static void
make_mailbox_key(struct span sent, char *key_out)
{
	make_key(span_equals_nocase(sent, SPAN("INBOX")) ? SPAN("INBOX") : sent, key_out);
}

static void
place_free(struct place *place)
{
	buffer_free(&place->mailbox);
	pairs_free(&place->pairs);
	free(place);
}

void
state_free(struct state **state)
{
	if (*state == NULL)
		return;
	for (size_t i = 0; i < (*state)->count; i++)
		place_free((*state)->places[i]);
	for (size_t i = 0; i < (*state)->mailbox_count; i++)
		buffer_free(&(*state)->mailboxes[i].text);
	free((*state)->places);
	free((*state)->mailboxes);
	buffer_free(&(*state)->account);
	buffer_free(&(*state)->met);
	free(*state);
	*state = NULL;
}

static bool
is_key(struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!ascii_is_digit(text.at[i]) && (text.at[i] < 'a' || text.at[i] > 'f'))
			return false;
	}
	return text.length == STATE_KEY_LENGTH;
}

static struct place *
find_or_make(struct state *state, struct span key, struct span mailbox)
{
	struct place *place;

	for (size_t i = 0; i < state->count; i++) {
		place = state->places[i];
		if (span_equals(span_from_string(place->key), key) && span_equals(buffer_span(&place->mailbox), mailbox))
			return place;
	}
	place = NEW(struct place);
	memcpy(place->key, key.at, STATE_KEY_LENGTH);
	buffer_add_span(&place->mailbox, mailbox);
	place->is_new = true;
	state->places = memory_resize(state->places, state->count + 1, sizeof(struct place *));
	state->places[state->count++] = place;
	return place;
}

/* ---- loading -------------------------------------------------------------------------------------------- */

static uint64_t
next_number(struct span *rest)
{
	size_t space = span_find(*rest, ' ');
	uint64_t number = 0;

	span_to_number(span_slice(*rest, 0, space), UINT64_MAX, &number);
	*rest = span_from(*rest, space + 1);
	return number;
}

/* "1 uidvalidity modseq uidvalidity-here uidnext-here modseq-here annotations", and words for people on a second line. */
static void
read_state(struct place *place, struct span value)
{
	struct span line = span_slice(value, 0, span_find(value, '\n'));

	if (next_number(&line) != 1)
		return;
	place->uidvalidity = (uint32_t)next_number(&line);
	place->modseq = next_number(&line);
	place->here_uidvalidity = (uint32_t)next_number(&line);
	place->here_uidnext = (uint32_t)next_number(&line);
	place->here_modseq = next_number(&line);
	place->stored = next_number(&line);
	place->is_new = false;
}

/* The entry behind ROOT and the account: "/key/state" or "/key/7". */
static void
take_entry(struct state *state, struct span mailbox, struct span entry, struct span value)
{
	struct span key = span_slice(entry, 1, STATE_KEY_LENGTH), name = span_from(entry, 1 + STATE_KEY_LENGTH + 1);
	struct place *place;

	if (!is_key(key) || value.at == NULL)
		return;
	place = find_or_make(state, key, mailbox);
	if (span_equals(name, SPAN("state")))
		read_state(place, value);
	else if (!pairs_read(&place->pairs, value))
		place->uidvalidity = 0;
}

static bool
on_metadata(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct state *state = context;
	const struct imap_metadata_reply *metadata = &reply->metadata;
	struct span root = SPAN(ROOT);
	size_t prefix = root.length + STATE_KEY_LENGTH;
	struct buffer mailbox = { 0 };

	(void)is_malformed;
	if (reply->kind != IMAP_REPLY_METADATA)
		return true;
	imap_utf7_decode_lax(metadata->mailbox, remote_has_enabled(state->here, "UTF8=ACCEPT"), &mailbox);
	for (size_t i = 0; i + 1 < metadata->word_count; i += 2) {
		struct span entry = metadata->words[i], value = metadata->words[i + 1];

		if (entry.length > prefix)
			take_entry(state, buffer_span(&mailbox), span_from(entry, prefix), value);
		else if (metadata->mailbox.length == 0)
			buffer_add_span(&state->met, value);
	}
	buffer_free(&mailbox);
	return true;
}

static bool
on_list(const struct imap_reply *reply, bool is_malformed, void *context)
{
	struct state *state = context;
	struct name *name;

	(void)is_malformed;
	if (reply->kind != IMAP_REPLY_LIST || (reply->list.attributes & (IMAP_LIST_NOSELECT | IMAP_LIST_NONEXISTENT)) != 0)
		return true;
	state->mailboxes = memory_resize(state->mailboxes, state->mailbox_count + 1, sizeof *name);
	name = &state->mailboxes[state->mailbox_count++];
	*name = (struct name){ .uses = reply->list.attributes };
	imap_utf7_decode_lax(reply->list.name, remote_has_enabled(state->here, "UTF8=ACCEPT"), &name->text);
	return true;
}

/* Ask what is annotated to a mailbox, or with an empty name to the server. */
static bool
ask_for_metadata(struct state *state, struct span mailbox, uint32_t *number_out)
{
	*number_out = remote_begin(state->here, "GETMETADATA (DEPTH infinity) ");
	if (!remote_add_mailbox(state->here, mailbox))
		return false;
	buffer_printf(remote_out(state->here), " " ROOT "%s", state->account_key);
	remote_end(state->here);
	return true;
}

/* A server without METADATA says BAD, and keeps nothing. */
static bool
load(struct state *state)
{
	struct remote_answer answer;
	uint32_t number;

	remote_listen(state->here, on_list, state);
	if (!remote_call(state->here, "LIST \"\" \"*\" RETURN (SPECIAL-USE)", &answer))
		return false;
	remote_listen(state->here, on_metadata, state);
	if (!ask_for_metadata(state, SPAN(""), &number) || !remote_wait(state->here, number, &answer))
		return false;
	state->is_refused = answer.condition != IMAP_REPLY_OK;
	for (size_t i = 0; i < state->mailbox_count && !state->is_refused; i++) {
		if (!ask_for_metadata(state, buffer_span(&state->mailboxes[i].text), &number))
			return false;
		if ((i % ASKED_AT_ONCE == 0 || i + 1 == state->mailbox_count) && !remote_wait(state->here, number, &answer))
			return false;
	}
	return true;
}

struct state *
state_load(struct remote *here, struct span account)
{
	struct state *state = NEW(struct state);
	bool is_alive;

	state->here = here;
	make_key(account, state->account_key);
	buffer_add_span(&state->account, account);
	is_alive = load(state);
	remote_listen(here, NULL, NULL);
	for (size_t i = 0; i < state->count; i++)
		state->places[i]->pairs.changed_from = state->places[i]->pairs.count;
	if (!is_alive)
		state_free(&state);
	return state;
}

/* ---- asking --------------------------------------------------------------------------------------------- */

struct place *
state_place(struct state *state, struct span sent, size_t n)
{
	char key[STATE_KEY_LENGTH + 1];

	make_mailbox_key(sent, key);
	for (size_t i = 0; i < state->count; i++) {
		if (strcmp(state->places[i]->key, key) == 0 && n-- == 0)
			return state->places[i];
	}
	return NULL;
}

struct place *
state_place_in(struct state *state, struct span sent, struct span mailbox)
{
	char key[STATE_KEY_LENGTH + 1];

	make_mailbox_key(sent, key);
	return find_or_make(state, span_from_string(key), mailbox);
}

static bool
is_listed(const struct place *place, const struct map *listed)
{
	size_t position = 0;
	struct span name;
	void *value;
	char key[STATE_KEY_LENGTH + 1];

	while (map_next(listed, &position, &name, &value)) {
		make_mailbox_key(name, key);
		if (strcmp(key, place->key) == 0)
			return true;
	}
	return false;
}

struct place *
state_gone(struct state *state, const struct map *listed, size_t *n)
{
	while (*n < state->count) {
		struct place *place = state->places[(*n)++];

		if (!is_listed(place, listed))
			return place;
	}
	return NULL;
}

static bool
has_met(const struct state *state, const char *key)
{
	for (size_t i = 0; i + STATE_KEY_LENGTH <= state->met.length; i += STATE_KEY_LENGTH) {
		if (memcmp(state->met.at + i, key, STATE_KEY_LENGTH) == 0)
			return true;
	}
	return false;
}

bool
state_has_met(const struct state *state, struct span sent)
{
	char key[STATE_KEY_LENGTH + 1];

	make_mailbox_key(sent, key);
	return has_met(state, key);
}

static struct name *
find_name(const struct state *state, struct span name)
{
	for (size_t i = 0; i < state->mailbox_count; i++) {
		if (span_equals(buffer_span(&state->mailboxes[i].text), name))
			return &state->mailboxes[i];
	}
	return NULL;
}

bool
state_has_mailbox(const struct state *state, struct span name)
{
	return find_name(state, name) != NULL;
}

unsigned
state_uses(const struct state *state, struct span name)
{
	const struct name *found = find_name(state, name);

	return found == NULL ? 0 : found->uses;
}

void
state_note_uses(struct state *state, struct span name, unsigned uses)
{
	struct name *found = find_name(state, name);

	if (found != NULL)
		found->uses = uses;
}

struct span
state_mailbox_of_use(const struct state *state, unsigned use, size_t *position)
{
	while (*position < state->mailbox_count) {
		const struct name *name = &state->mailboxes[(*position)++];

		if ((name->uses & use) != 0)
			return buffer_span(&name->text);
	}
	return SPAN("");
}

/* ---- saving --------------------------------------------------------------------------------------------- */

static bool
add_annotation(struct state *state, const struct place *place, const char *name, struct span value)
{
	buffer_printf(remote_out(state->here), "%s" ROOT "%s/%s/%s ", strcmp(name, "state") == 0 ? "" : " ", state->account_key,
	    place->key, name);
	return remote_add_string(state->here, value);
}

static bool
add_state(struct state *state, const struct place *place, size_t annotations)
{
	struct buffer value = { 0 };
	bool is_alive;

	buffer_printf(&value, "1 %u %llu %u %u %llu %zu\n", place->uidvalidity, (unsigned long long)place->modseq,
	    place->here_uidvalidity, place->here_uidnext, (unsigned long long)place->here_modseq, annotations);
	buffer_add_span(&value, buffer_span(&state->account));
	is_alive = add_annotation(state, place, "state", buffer_span(&value));
	buffer_free(&value);
	return is_alive;
}

static bool
add_pairs(struct state *state, const struct place *place, size_t annotation)
{
	size_t first = annotation * PAIRS_IN_ONE, left = place->pairs.count - first;
	struct buffer value = { 0 };
	char name[24];
	bool is_alive;

	snprintf(name, sizeof name, "%zu", annotation);
	pairs_write(&place->pairs, first, left < PAIRS_IN_ONE ? left : PAIRS_IN_ONE, &value);
	is_alive = add_annotation(state, place, name, buffer_span(&value));
	buffer_free(&value);
	return is_alive;
}

/* The annotations that are no more needed. */
static void
add_removals(struct state *state, const struct place *place, size_t annotations)
{
	for (size_t i = annotations; i < place->stored; i++)
		buffer_printf(remote_out(state->here), " " ROOT "%s/%s/%zu NIL", state->account_key, place->key, i);
}

static bool
write_met(struct state *state)
{
	remote_begin(state->here, "SETMETADATA \"\" (");
	buffer_printf(remote_out(state->here), ROOT "%s ", state->account_key);
	if (!remote_add_string(state->here, buffer_span(&state->met)))
		return false;
	buffer_add_string(remote_out(state->here), ")");
	remote_end(state->here);
	return true;
}

/* That a mailbox was pulled is known before mail is in it. */
static bool
save_met(struct state *state, const struct place *place)
{
	if (has_met(state, place->key))
		return true;
	buffer_add(&state->met, place->key, STATE_KEY_LENGTH);
	return write_met(state);
}

bool
state_forget(struct state *state, const struct place *place)
{
	size_t kept = 0;

	for (size_t i = 0; i + STATE_KEY_LENGTH <= state->met.length; i += STATE_KEY_LENGTH) {
		if (memcmp(state->met.at + i, place->key, STATE_KEY_LENGTH) == 0)
			continue;
		memmove(state->met.at + kept, state->met.at + i, STATE_KEY_LENGTH);
		kept += STATE_KEY_LENGTH;
	}
	state->met.length = kept;
	return state->is_refused || write_met(state);
}

static bool
save(struct state *state, struct place *place)
{
	size_t annotations = (place->pairs.count + PAIRS_IN_ONE - 1) / PAIRS_IN_ONE;
	uint32_t number = remote_begin(state->here, "SETMETADATA ");

	if (!remote_add_mailbox(state->here, buffer_span(&place->mailbox)))
		return false;
	buffer_add_string(remote_out(state->here), " (");
	if (!add_state(state, place, annotations))
		return false;
	for (size_t i = place->pairs.changed_from / PAIRS_IN_ONE; i < annotations; i++) {
		if (!add_pairs(state, place, i))
			return false;
	}
	add_removals(state, place, annotations);
	buffer_add_string(remote_out(state->here), ")");
	remote_end(state->here);
	place->stored = annotations;
	place->pairs.changed_from = place->pairs.count;
	state->saving = number;
	return true;
}

bool
state_finish(struct state *state, bool *is_refused_out)
{
	struct remote_answer answer;

	if (state->saving != 0) {
		if (!remote_wait(state->here, state->saving, &answer))
			return false;
		state->is_refused |= answer.condition != IMAP_REPLY_OK;
		state->saving = 0;
	}
	*is_refused_out = state->is_refused;
	return true;
}

bool
state_save(struct state *state, struct place *place)
{
	bool is_refused;

	if (!state_finish(state, &is_refused))
		return false;
	if (is_refused || place->pairs.count > (size_t)ANNOTATIONS_MAX * PAIRS_IN_ONE) {
		state->is_refused = true;
		return true;
	}
	return save_met(state, place) && save(state, place);
}
