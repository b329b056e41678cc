#include "reparse.h"

#include "imap/arrival.h"
#include "ordering.h"
#include "searchable.h"
#include "store/message.h"
#include "store/repair.h"

#define OCTETS_MAX (256 * 1024 * 1024)
#define ALL_FIELDS (STORE_CONTENT_ENVELOPE | STORE_CONTENT_BODY | STORE_CONTENT_BODYSTRUCTURE | STORE_CONTENT_PARTS | \
	STORE_CONTENT_MESSAGE_ID | STORE_CONTENT_PREVIEW)

struct comparison {
	const struct imap_arrival *made;
	struct store_ordering ordering;
	struct store_searchable searchable;
	const char *differs;
};

static bool
note_size(const struct store_content *content, void *context)
{
	*(uint32_t *)context = content->size;
	return true;
}

/* Render what the octets say.  A message that is too large, or empty, is left zeroed. */
static enum store_status
render(struct store *store, uint64_t content_id, struct imap_arrival *made)
{
	struct buffer octets = { 0 };
	uint32_t size = 0;
	enum store_status status = store_content_each(store, &content_id, 1, 0, note_size, &size);

	if (status == STORE_OK && size > 0 && size <= OCTETS_MAX) {
		status = store_read_octets(store, content_id, 0, size, &octets);
		if (status == STORE_OK)
			imap_arrival_render(buffer_span(&octets), made);
	}
	buffer_free(&octets);
	return status;
}

static bool
differs(const struct buffer *made, struct span kept)
{
	return !span_equals(buffer_span(made), kept);
}

static bool
compare_content(const struct store_content *kept, void *context)
{
	struct comparison *comparison = context;
	const struct imap_arrival *made = comparison->made;

	if (kept->header_length != made->header_length)
		comparison->differs = "length of the header";
	else if (differs(&made->envelope, kept->envelope))
		comparison->differs = "envelope";
	else if (differs(&made->body, kept->body) || differs(&made->bodystructure, kept->bodystructure))
		comparison->differs = "body structure";
	else if (differs(&made->parts, kept->parts))
		comparison->differs = "places of its parts";
	else if (differs(&made->message_id, kept->message_id))
		comparison->differs = "Message-ID";
	else if (kept->has_preview && differs(&made->preview, kept->preview))
		comparison->differs = "preview";
	else if (kept->has_sent_date != made->has_sent_date ||
	    (made->has_sent_date && (kept->sent_s != made->sent_s || kept->sent_day != made->sent_day)))
		comparison->differs = "date of sending";
	return true;
}

static bool
compare_ordering(size_t place, const struct store_ordering *kept, void *context)
{
	struct comparison *comparison = context;
	const struct store_ordering *made = &comparison->ordering;

	(void)place;
	if (kept != NULL && (kept->is_reply != made->is_reply || !span_equals(kept->subject, made->subject) ||
	    !span_equals(kept->from, made->from) || !span_equals(kept->to, made->to) || !span_equals(kept->cc, made->cc) ||
	    !span_equals(kept->from_name, made->from_name) || !span_equals(kept->to_name, made->to_name) ||
	    !span_equals(kept->links, made->links) || kept->has_sent_date != made->has_sent_date ||
	    (made->has_sent_date && kept->sent_s != made->sent_s)))
		comparison->differs = "what SORT and THREAD compare";
	return true;
}

/* One of another version is made anew when it is asked for. */
static bool
compare_searchable(size_t place, const struct store_searchable *kept, void *context)
{
	struct comparison *comparison = context;
	const struct store_searchable *made = &comparison->searchable;

	(void)place;
	for (size_t i = 0; kept != NULL && kept->version == made->version && i < STORE_SEARCHABLE_COUNT; i++)
		if ((kept->texts[i].at == NULL) != (made->texts[i].at == NULL) || !span_equals(kept->texts[i], made->texts[i]))
			comparison->differs = "what SEARCH looks through";
	return true;
}

static enum store_status
compare(struct store *store, uint64_t content_id, struct comparison *comparison)
{
	enum store_status status =
	    store_content_each(store, &content_id, 1, ALL_FIELDS, compare_content, comparison);

	if (status == STORE_OK && comparison->differs == NULL)
		status = store_ordering_each(store, &content_id, 1, STORE_ORDERING_ALL, compare_ordering, comparison);
	if (status == STORE_OK && comparison->differs == NULL)
		status = store_searchable_each(store, &content_id, 1, (1u << STORE_SEARCHABLE_COUNT) - 1, compare_searchable,
		    comparison);
	return status;
}

enum store_status
reparse_check(struct store *store, uint64_t content_id, const char **differs_out)
{
	struct imap_arrival made = { 0 };
	enum store_status status = render(store, content_id, &made);

	*differs_out = NULL;
	if (status == STORE_OK && made.header_length > 0) {
		struct comparison comparison = { .made = &made, .ordering = ordering_stored(&made.ordering),
			.searchable = searchable_stored(&made.searchable) };

		status = compare(store, content_id, &comparison);
		*differs_out = comparison.differs;
	}
	imap_arrival_fini(&made);
	return status;
}

enum store_status
reparse_mend(struct store *store, uint64_t content_id)
{
	struct imap_arrival made = { 0 };
	enum store_status status = render(store, content_id, &made);

	if (status == STORE_OK && made.header_length > 0) {
		struct store_ordering ordering = ordering_stored(&made.ordering);
		struct store_searchable searchable = searchable_stored(&made.searchable);
		struct store_arrival arrival = {
			.envelope = buffer_span(&made.envelope), .body = buffer_span(&made.body),
			.bodystructure = buffer_span(&made.bodystructure), .parts = buffer_span(&made.parts),
			.preview = buffer_span(&made.preview), .message_id = buffer_span(&made.message_id),
			.has_sent_date = made.has_sent_date, .sent_s = made.sent_s, .sent_day = made.sent_day,
			.ordering = &ordering, .searchable = made.has_searchable ? &searchable : NULL,
		};

		status = store_repair_parse(store, content_id, &arrival);
	}
	imap_arrival_fini(&made);
	return status;
}
