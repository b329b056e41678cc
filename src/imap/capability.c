/*
 * The table of capabilities.  RFC 9051 section 6.1.1; each extension's own RFC stands beside its row.  Pure.
 */
#include "imap/capability.h"

#include "base/memory.h"

#define BEFORE_TLS	(1u << IMAP_MOMENT_BEFORE_TLS)
#define BEFORE_LOGIN	(1u << IMAP_MOMENT_BEFORE_LOGIN)
#define AFTER_LOGIN	(1u << IMAP_MOMENT_AFTER_LOGIN)
#define LINK		(1u << IMAP_MOMENT_LINK)
#define LOGGING_IN	(BEFORE_TLS | BEFORE_LOGIN | LINK)

static const struct {
	const char *name;
	unsigned moments;
} capabilities[] = {
	{ "IMAP4rev1",		LOGGING_IN | AFTER_LOGIN },	/* RFC 3501 */
	{ "IMAP4rev2",		LOGGING_IN | AFTER_LOGIN },	/* RFC 9051 */
	{ "LITERAL+",		LOGGING_IN | AFTER_LOGIN },	/* RFC 7888 */
	{ "SASL-IR",		LOGGING_IN },			/* RFC 4959 */
	{ "ID",			LOGGING_IN | AFTER_LOGIN },	/* RFC 2971 */
	{ "STARTTLS",		BEFORE_TLS },
	{ "ENABLE",		BEFORE_LOGIN | AFTER_LOGIN },	/* RFC 5161 */
	{ "AUTH=EXTERNAL",	LINK },
	{ "IDLE",		AFTER_LOGIN },			/* RFC 2177 */
	{ "COMPRESS=DEFLATE",	AFTER_LOGIN },			/* RFC 4978 */
	{ "NAMESPACE",		AFTER_LOGIN },			/* RFC 2342 */
	{ "UIDPLUS",		AFTER_LOGIN },			/* RFC 4315 */
	{ "UNSELECT",		AFTER_LOGIN },			/* RFC 3691 */
	{ "MOVE",		AFTER_LOGIN },			/* RFC 6851 */
	{ "CHILDREN",		AFTER_LOGIN },			/* RFC 3348 */
	{ "SPECIAL-USE",	AFTER_LOGIN },			/* RFC 6154 */
	{ "CREATE-SPECIAL-USE", AFTER_LOGIN },			/* RFC 6154 */
	{ "LIST-EXTENDED",	AFTER_LOGIN },			/* RFC 5258 */
	{ "LIST-STATUS",	AFTER_LOGIN },			/* RFC 5819 */
	{ "ESEARCH",		AFTER_LOGIN },			/* RFC 4731 */
	{ "SEARCHRES",		AFTER_LOGIN },			/* RFC 5182 */
	{ "REPLACE",		AFTER_LOGIN },			/* RFC 8508 */
	{ "MULTIAPPEND",	AFTER_LOGIN },			/* RFC 3502 */
	{ "BINARY",		AFTER_LOGIN },			/* RFC 3516 */
	{ "STATUS=SIZE",	AFTER_LOGIN },			/* RFC 8438 */
	{ "OBJECTID",		AFTER_LOGIN },			/* RFC 8474 */
	{ "SAVEDATE",		AFTER_LOGIN },			/* RFC 8514 */
	{ "WITHIN",		AFTER_LOGIN },			/* RFC 5032 */
	{ "CONDSTORE",		AFTER_LOGIN },			/* RFC 7162 */
};

static void
add(struct buffer *out, bool *is_first, struct span name)
{
	if (!*is_first)
		buffer_add_octet(out, ' ');
	buffer_add_span(out, name);
	*is_first = false;
}

static void
add_mechanisms(struct buffer *out, bool *is_first, struct span names)
{
	while (names.length > 0) {
		size_t end = span_find(names, ' ');

		if (end > 0) {
			add(out, is_first, SPAN("AUTH="));
			buffer_add_span(out, span_slice(names, 0, end));
		}
		names = span_from(names, end + 1);
	}
}

/* RFC 9051 section 6.2.3: LOGINDISABLED says that no password will be looked at. */
static void
add_login(struct buffer *out, bool *is_first, const struct imap_capability_options *options)
{
	if (options->is_login_disabled)
		add(out, is_first, SPAN("LOGINDISABLED"));
	if (options->mechanisms != NULL)
		add_mechanisms(out, is_first, span_from_string(options->mechanisms));
}

void
imap_capability_write(struct buffer *out, enum imap_moment moment,
    const struct imap_capability_options *options)
{
	bool is_first = true;

	for (size_t i = 0; i < COUNT_OF(capabilities); i++)
		if (capabilities[i].moments & (1u << moment))
			add(out, &is_first, span_from_string(capabilities[i].name));
	if (moment == IMAP_MOMENT_BEFORE_TLS || moment == IMAP_MOMENT_BEFORE_LOGIN)
		add_login(out, &is_first, options);
	if (moment == IMAP_MOMENT_AFTER_LOGIN && options->append_limit > 0) {
		add(out, &is_first, SPAN("APPENDLIMIT="));	/* RFC 7889 */
		buffer_add_number(out, options->append_limit);
	}
}
