/*
 * The table of capabilities.  RFC 9051 section 6.1.1; each extension's own RFC stands beside its row.  Pure.
 */
#include "imap/capability.h"

#include "imap/command.h"

#define BEFORE_TLS	(1u << IMAP_MOMENT_BEFORE_TLS)
#define BEFORE_LOGIN	(1u << IMAP_MOMENT_BEFORE_LOGIN)
#define AFTER_LOGIN	(1u << IMAP_MOMENT_AFTER_LOGIN)
#define LINK		(1u << IMAP_MOMENT_LINK)
#define LOGGING_IN	(BEFORE_TLS | BEFORE_LOGIN | LINK)

/* ---- what belongs to a capability beside its commands --------------------------------------------------- */

static bool
has_initial_response(const struct imap_command_line *line)
{
	return line->verb == IMAP_AUTHENTICATE && line->authenticate.has_initial;
}

static bool
is_uid_expunge(const struct imap_command_line *line)
{
	return line->verb == IMAP_EXPUNGE && line->is_uid;
}

static bool
lists(const struct imap_command_line *line, unsigned select, unsigned returns)
{
	return line->verb == IMAP_LIST && ((line->list.select & select) != 0 || (line->list.returns & returns) != 0);
}

static bool
lists_children(const struct imap_command_line *line)
{
	return lists(line, 0, IMAP_LIST_RETURN_CHILDREN);
}

static bool
lists_special_use(const struct imap_command_line *line)
{
	return lists(line, IMAP_LIST_SELECT_SPECIAL_USE, IMAP_LIST_RETURN_SPECIAL_USE);
}

static bool
creates_special_use(const struct imap_command_line *line)
{
	return line->verb == IMAP_CREATE && line->mailbox.uses != 0;
}

static bool
is_extended_list(const struct imap_command_line *line)
{
	return line->verb == IMAP_LIST && line->list.is_extended;
}

static bool
lists_status(const struct imap_command_line *line)
{
	return lists(line, 0, IMAP_LIST_RETURN_STATUS);
}

/* RFC 5465 sections 5.6 and 5.7. */
static bool
notifies_of_metadata(const struct imap_command_line *line)
{
	unsigned events = 0;

	for (size_t i = 0; line->verb == IMAP_NOTIFY && i < line->notify.group_count; i++)
		events |= line->notify.groups[i].events;
	return (events & (IMAP_EVENT_MAILBOX_METADATA | IMAP_EVENT_SERVER_METADATA)) != 0;
}

static bool
lists_metadata(const struct imap_command_line *line)
{
	return lists(line, 0, IMAP_LIST_RETURN_METADATA);
}

static bool
lists_rights(const struct imap_command_line *line)
{
	return lists(line, 0, IMAP_LIST_RETURN_MYRIGHTS);
}

static bool
searches_with_return(const struct imap_command_line *line)
{
	return line->verb == IMAP_SEARCH && line->search.has_return;
}

static bool
sorts_with_return(const struct imap_command_line *line)
{
	return line->verb == IMAP_SORT && line->search.has_return;
}

static bool
sorts_by_display(const struct imap_command_line *line)
{
	for (size_t i = 0; line->verb == IMAP_SORT && i < line->sort.count; i++)
		if (line->sort.criteria[i].key == IMAP_SORT_DISPLAYFROM || line->sort.criteria[i].key == IMAP_SORT_DISPLAYTO)
			return true;
	return false;
}

static bool
threads_by(const struct imap_command_line *line, enum imap_thread_algorithm algorithm)
{
	return line->verb == IMAP_THREAD && line->thread == algorithm;
}

static bool
threads_by_subject(const struct imap_command_line *line)
{
	return threads_by(line, IMAP_THREAD_ORDEREDSUBJECT);
}

static bool
threads_by_references(const struct imap_command_line *line)
{
	return threads_by(line, IMAP_THREAD_REFERENCES);
}

static bool
threads_by_refs(const struct imap_command_line *line)
{
	return threads_by(line, IMAP_THREAD_REFS);
}

static bool
searches_saved_result(const struct imap_command_line *line)
{
	for (size_t i = 0; i < line->search.node_count; i++)
		if (line->search.nodes[i].set.is_saved)
			return true;
	return (line->search.return_options & IMAP_RETURN_SAVE) != 0;
}

/* "$", or what fills it. */
static bool
uses_saved_result(const struct imap_command_line *line)
{
	if (imap_command_has_search(line))
		return searches_saved_result(line);
	switch (line->verb) {
	case IMAP_FETCH:
		return line->fetch.set.is_saved;
	case IMAP_STORE:
		return line->store.set.is_saved;
	case IMAP_COPY:
	case IMAP_MOVE:
		return line->copy.set.is_saved;
	case IMAP_EXPUNGE:
		return line->is_uid && line->expunge.set.is_saved;
	default:
		return false;
	}
}

static bool
appends_many(const struct imap_command_line *line)
{
	return line->verb == IMAP_APPEND && line->append.message_count > 1;
}

static bool
appends_utf8(const struct imap_command_line *line)
{
	return (line->verb == IMAP_APPEND || line->verb == IMAP_REPLACE) && line->append.has_utf8;
}

static bool
fetches(const struct imap_command_line *line, enum imap_fetch_kind kind)
{
	for (size_t i = 0; line->verb == IMAP_FETCH && i < line->fetch.item_count; i++)
		if (line->fetch.items[i].kind == kind)
			return true;
	return false;
}

static bool
searches(const struct imap_command_line *line, enum imap_search_key key)
{
	for (size_t i = 0; imap_command_has_search(line) && i < line->search.node_count; i++)
		if (line->search.nodes[i].key == key)
			return true;
	return false;
}

static bool
fetches_binary(const struct imap_command_line *line)
{
	return fetches(line, IMAP_FETCH_BINARY) || fetches(line, IMAP_FETCH_BINARY_SIZE);
}

static bool
fetches_preview(const struct imap_command_line *line)
{
	return fetches(line, IMAP_FETCH_PREVIEW);
}

/* By STATUS, or by LIST that returns it. */
static bool
asks_status(const struct imap_command_line *line, unsigned items)
{
	return (line->verb == IMAP_STATUS && (line->status.items & items) != 0) ||
	    (line->verb == IMAP_LIST && (line->list.status & items) != 0);
}

static bool
asks_size(const struct imap_command_line *line)
{
	return asks_status(line, IMAP_STATUS_SIZE);
}

static bool
asks_deleted_storage(const struct imap_command_line *line)
{
	return asks_status(line, IMAP_STATUS_DELETED_STORAGE);
}

static bool
asks_append_limit(const struct imap_command_line *line)
{
	return asks_status(line, IMAP_STATUS_APPENDLIMIT);
}

static bool
uses_object_ids(const struct imap_command_line *line)
{
	return fetches(line, IMAP_FETCH_EMAILID) || fetches(line, IMAP_FETCH_THREADID) ||
	    searches(line, IMAP_SEARCH_EMAILID) || searches(line, IMAP_SEARCH_THREADID) ||
	    asks_status(line, IMAP_STATUS_MAILBOXID);
}

static bool
uses_save_date(const struct imap_command_line *line)
{
	return fetches(line, IMAP_FETCH_SAVEDATE) || searches(line, IMAP_SEARCH_SAVEDATESUPPORTED) ||
	    searches(line, IMAP_SEARCH_SAVEDBEFORE) || searches(line, IMAP_SEARCH_SAVEDON) ||
	    searches(line, IMAP_SEARCH_SAVEDSINCE);
}

static bool
searches_within(const struct imap_command_line *line)
{
	return searches(line, IMAP_SEARCH_OLDER) || searches(line, IMAP_SEARCH_YOUNGER);
}

static bool
searches_beside_uid(const struct imap_command_line *line)
{
	return searches(line, IMAP_SEARCH_UIDAFTER) || searches(line, IMAP_SEARCH_UIDBEFORE);
}

/* RFC 7162 section 3.1: what makes a client aware of modseqs. */
static bool
uses_modseq(const struct imap_command_line *line)
{
	if (imap_command_has_search(line))
		return line->search.has_modseq;
	switch (line->verb) {
	case IMAP_SELECT:
	case IMAP_EXAMINE:
		return line->select.has_condstore;
	case IMAP_FETCH:
		return line->fetch.has_changed_since || fetches(line, IMAP_FETCH_MODSEQ);
	case IMAP_STORE:
		return line->store.has_unchanged_since;
	default:
		return asks_status(line, IMAP_STATUS_HIGHESTMODSEQ);
	}
}

static bool
asks_for_range(const struct imap_command_line *line)
{
	if (imap_command_has_search(line))
		return (line->search.return_options & IMAP_RETURN_PARTIAL) != 0;
	return line->verb == IMAP_FETCH && line->fetch.has_range;
}

static bool
resynchronizes(const struct imap_command_line *line)
{
	if (line->verb == IMAP_SELECT || line->verb == IMAP_EXAMINE)
		return line->select.has_qresync;
	return line->verb == IMAP_FETCH && line->fetch.wants_vanished;
}

/* ---- the table ------------------------------------------------------------------------------------------ */

#define VERBS(...) (const enum imap_verb[]){ __VA_ARGS__, IMAP_COMMAND_COUNT }

/*
 * What stands behind the moments is for masks: which names of ENABLE, which commands, and which arguments of others
 * belong to the capability.  The parser knows of literals (RFC 7888, literal8) by itself, and who
 * writes replies asks for what they hold: UIDPLUS, CHILDREN, SPECIAL-USE, OBJECTID, CONDSTORE.
 */
static const struct {
	const char *name;
	unsigned moments;
	unsigned enables;
	const enum imap_verb *verbs;
	bool (*is_used)(const struct imap_command_line *line);
} capabilities[IMAP_CAN_COUNT] = {
	[IMAP_CAN_REV1] = { "IMAP4rev1", LOGGING_IN | AFTER_LOGIN, 0, NULL, NULL },	/* RFC 3501 */
	[IMAP_CAN_REV2] = { "IMAP4rev2", LOGGING_IN | AFTER_LOGIN, IMAP_ENABLE_REV2, NULL, NULL },	/* RFC 9051 */
	[IMAP_CAN_LITERAL_PLUS] = { "LITERAL+", LOGGING_IN | AFTER_LOGIN, 0, NULL, NULL },	/* RFC 7888 */
	[IMAP_CAN_LITERAL_MINUS] = { "LITERAL-", LOGGING_IN | AFTER_LOGIN, 0, NULL, NULL },	/* RFC 7888 */
	[IMAP_CAN_SASL_IR] = { "SASL-IR", LOGGING_IN, 0, NULL, has_initial_response },	/* RFC 4959 */
	[IMAP_CAN_ID] = { "ID", LOGGING_IN | AFTER_LOGIN, 0, VERBS(IMAP_ID), NULL },	/* RFC 2971 */
	[IMAP_CAN_LOGIN_REFERRALS] = { "LOGIN-REFERRALS", BEFORE_TLS | BEFORE_LOGIN, 0, NULL, NULL },	/* RFC 2221 */
	[IMAP_CAN_STARTTLS] = { "STARTTLS", BEFORE_TLS, 0, VERBS(IMAP_STARTTLS), NULL },	/* RFC 9051 section 6.2.1 */
	[IMAP_CAN_ENABLE] = { "ENABLE", BEFORE_LOGIN | AFTER_LOGIN, 0, VERBS(IMAP_ENABLE), NULL },	/* RFC 5161 */
	[IMAP_CAN_EXTERNAL] = { "AUTH=EXTERNAL", LINK, 0, NULL, NULL },
	[IMAP_CAN_IDLE] = { "IDLE", AFTER_LOGIN, 0, VERBS(IMAP_IDLE), NULL },	/* RFC 2177 */
	[IMAP_CAN_NOTIFY] = { "NOTIFY", AFTER_LOGIN, 0, VERBS(IMAP_NOTIFY), NULL },	/* RFC 5465 */
	[IMAP_CAN_COMPRESS] = { "COMPRESS=DEFLATE", AFTER_LOGIN, 0, VERBS(IMAP_COMPRESS), NULL },	/* RFC 4978 */
	[IMAP_CAN_NAMESPACE] = { "NAMESPACE", AFTER_LOGIN, 0, VERBS(IMAP_NAMESPACE), NULL },	/* RFC 2342 */
	[IMAP_CAN_UIDPLUS] = { "UIDPLUS", AFTER_LOGIN, 0, NULL, is_uid_expunge },	/* RFC 4315 */
	[IMAP_CAN_UNSELECT] = { "UNSELECT", AFTER_LOGIN, 0, VERBS(IMAP_UNSELECT), NULL },	/* RFC 3691 */
	[IMAP_CAN_MOVE] = { "MOVE", AFTER_LOGIN, 0, VERBS(IMAP_MOVE), NULL },	/* RFC 6851 */
	[IMAP_CAN_CHILDREN] = { "CHILDREN", AFTER_LOGIN, 0, NULL, lists_children },	/* RFC 3348 */
	[IMAP_CAN_SPECIAL_USE] = { "SPECIAL-USE", AFTER_LOGIN, 0, NULL, lists_special_use },	/* RFC 6154 */
	[IMAP_CAN_CREATE_SPECIAL_USE] = { "CREATE-SPECIAL-USE", AFTER_LOGIN, 0, NULL, creates_special_use },	/* RFC 6154 */
	[IMAP_CAN_LIST_EXTENDED] = { "LIST-EXTENDED", AFTER_LOGIN, 0, NULL, is_extended_list },	/* RFC 5258 */
	[IMAP_CAN_LIST_STATUS] = { "LIST-STATUS", AFTER_LOGIN, 0, NULL, lists_status },	/* RFC 5819 */
	[IMAP_CAN_ESEARCH] = { "ESEARCH", AFTER_LOGIN, 0, NULL, searches_with_return },	/* RFC 4731 */
	[IMAP_CAN_SEARCHRES] = { "SEARCHRES", AFTER_LOGIN, 0, NULL, uses_saved_result },	/* RFC 5182 */
	[IMAP_CAN_MULTISEARCH] = { "MULTISEARCH", AFTER_LOGIN, 0, VERBS(IMAP_ESEARCH), NULL },	/* RFC 7377 */
	[IMAP_CAN_SORT] = { "SORT", AFTER_LOGIN, 0, VERBS(IMAP_SORT), NULL },	/* RFC 5256 */
	[IMAP_CAN_SORT_DISPLAY] = { "SORT=DISPLAY", AFTER_LOGIN, 0, NULL, sorts_by_display },	/* RFC 5957 */
	[IMAP_CAN_ESORT] = { "ESORT", AFTER_LOGIN, 0, NULL, sorts_with_return },	/* RFC 5267 section 3.1 */
	[IMAP_CAN_THREAD_ORDEREDSUBJECT] = { "THREAD=ORDEREDSUBJECT", AFTER_LOGIN, 0, NULL, threads_by_subject },	/* RFC 5256 */
	[IMAP_CAN_THREAD_REFERENCES] = { "THREAD=REFERENCES", AFTER_LOGIN, 0, NULL, threads_by_references },	/* RFC 5256 */
	[IMAP_CAN_THREAD_REFS] = { "THREAD=REFS", AFTER_LOGIN, 0, NULL, threads_by_refs },	/* draft-ietf-morg-inthread */
	[IMAP_CAN_REPLACE] = { "REPLACE", AFTER_LOGIN, 0, VERBS(IMAP_REPLACE), NULL },	/* RFC 8508 */
	[IMAP_CAN_MULTIAPPEND] = { "MULTIAPPEND", AFTER_LOGIN, 0, NULL, appends_many },	/* RFC 3502 */
	[IMAP_CAN_BINARY] = { "BINARY", AFTER_LOGIN, 0, NULL, fetches_binary },	/* RFC 3516 */
	[IMAP_CAN_STATUS_SIZE] = { "STATUS=SIZE", AFTER_LOGIN, 0, NULL, asks_size },	/* RFC 8438 */
	[IMAP_CAN_OBJECTID] = { "OBJECTID", AFTER_LOGIN, 0, NULL, uses_object_ids },	/* RFC 8474 */
	[IMAP_CAN_SAVEDATE] = { "SAVEDATE", AFTER_LOGIN, 0, NULL, uses_save_date },	/* RFC 8514 */
	[IMAP_CAN_PREVIEW] = { "PREVIEW", AFTER_LOGIN, 0, NULL, fetches_preview },	/* RFC 8970 */
	[IMAP_CAN_WITHIN] = { "WITHIN", AFTER_LOGIN, 0, NULL, searches_within },	/* RFC 5032 */
	[IMAP_CAN_APPENDLIMIT] = { "APPENDLIMIT", AFTER_LOGIN, 0, NULL, asks_append_limit },	/* RFC 7889 */
	[IMAP_CAN_UTF8] = { "UTF8=ACCEPT", AFTER_LOGIN, IMAP_ENABLE_UTF8, NULL, appends_utf8 },	/* RFC 6855 */
	[IMAP_CAN_INPROGRESS] = { "INPROGRESS", AFTER_LOGIN, 0, NULL, NULL },	/* RFC 9585 */
	[IMAP_CAN_I18NLEVEL] = { "I18NLEVEL=1", AFTER_LOGIN, 0, NULL, NULL },	/* RFC 5255 */
	[IMAP_CAN_CONDSTORE] = { "CONDSTORE", AFTER_LOGIN, IMAP_ENABLE_CONDSTORE, NULL, uses_modseq },	/* RFC 7162 */
	[IMAP_CAN_QRESYNC] = { "QRESYNC", AFTER_LOGIN, IMAP_ENABLE_QRESYNC, NULL, resynchronizes },	/* RFC 7162 */
	[IMAP_CAN_UIDONLY] = { "UIDONLY", AFTER_LOGIN, IMAP_ENABLE_UIDONLY, NULL, NULL },	/* RFC 9586 */
	[IMAP_CAN_UIDBATCHES] = { "UIDBATCHES", AFTER_LOGIN, 0, VERBS(IMAP_UIDBATCHES), NULL },	/* RFC 10022 */
	[IMAP_CAN_PARTIAL] = { "PARTIAL", AFTER_LOGIN, 0, NULL, asks_for_range },	/* RFC 9394 */
	[IMAP_CAN_MESSAGELIMIT] = { "MESSAGELIMIT", AFTER_LOGIN, 0, NULL, searches_beside_uid },	/* RFC 9738 */
	[IMAP_CAN_SAVELIMIT] = { "SAVELIMIT", AFTER_LOGIN, 0, NULL, NULL },	/* RFC 9738 */
	[IMAP_CAN_QUOTA] = { "QUOTA", AFTER_LOGIN, 0, VERBS(IMAP_GETQUOTA, IMAP_GETQUOTAROOT, IMAP_SETQUOTA), NULL },	/* RFC 9208 */
	[IMAP_CAN_QUOTA_STORAGE] = { "QUOTA=RES-STORAGE", AFTER_LOGIN, 0, NULL, asks_deleted_storage },	/* RFC 9208 */
	[IMAP_CAN_QUOTA_MESSAGE] = { "QUOTA=RES-MESSAGE", AFTER_LOGIN, 0, NULL, NULL },	/* RFC 9208 */
	[IMAP_CAN_QUOTA_MAILBOX] = { "QUOTA=RES-MAILBOX", AFTER_LOGIN, 0, NULL, NULL },	/* RFC 9208 */
	[IMAP_CAN_METADATA] = { "METADATA", AFTER_LOGIN, 0, VERBS(IMAP_GETMETADATA, IMAP_SETMETADATA), notifies_of_metadata },	/* RFC 5464 */
	[IMAP_CAN_LIST_METADATA] = { "LIST-METADATA", AFTER_LOGIN, 0, NULL, lists_metadata },	/* RFC 9590 */
	[IMAP_CAN_ACL] = { "ACL", AFTER_LOGIN, 0, VERBS(IMAP_GETACL, IMAP_SETACL, IMAP_DELETEACL, IMAP_LISTRIGHTS, IMAP_MYRIGHTS), NULL },	/* RFC 4314 */
	[IMAP_CAN_RIGHTS] = { "RIGHTS=texk", AFTER_LOGIN, 0, NULL, NULL },	/* RFC 4314 section 5.1.1 */
	[IMAP_CAN_LIST_MYRIGHTS] = { "LIST-MYRIGHTS", AFTER_LOGIN, 0, NULL, lists_rights },	/* RFC 8440 */
	[IMAP_CAN_UNAUTHENTICATE] = { "UNAUTHENTICATE", AFTER_LOGIN, 0, VERBS(IMAP_UNAUTHENTICATE), NULL },	/* RFC 8437 */
};

/* Without IMAP4rev1 this would be no IMAP server, and mechanisms are not of this table. */
static bool
can_be_masked(enum imap_capability capability)
{
	return capability != IMAP_CAN_REV1 && capability != IMAP_CAN_EXTERNAL;
}

bool
imap_capability_find(struct span name, enum imap_capability *capability_out)
{
	for (unsigned i = 0; i < IMAP_CAN_COUNT; i++) {
		if (!can_be_masked(i) || !span_equals_nocase(name, span_from_string(capabilities[i].name)))
			continue;
		*capability_out = i;
		return true;
	}
	return false;
}

const char *
imap_capability_objection(size_t index, bool is_for_users)
{
	if (!can_be_masked(index))
		return "cannot be masked";
	if (is_for_users && (capabilities[index].moments & AFTER_LOGIN) == 0)
		return "is for those whose user is not known yet";
	return NULL;
}

const char *
imap_capability_name(size_t index)
{
	return index < IMAP_CAN_COUNT ? capabilities[index].name : NULL;
}

static bool
is_used(enum imap_capability capability, const struct imap_command_line *line)
{
	const enum imap_verb *verb = capabilities[capability].verbs;

	while (verb != NULL && *verb != IMAP_COMMAND_COUNT)
		if (*verb++ == line->verb)
			return true;
	return capabilities[capability].is_used != NULL && capabilities[capability].is_used(line);
}

bool
imap_capabilities_permit(const struct imap_capabilities *masked, struct imap_command_line *line)
{
	for (unsigned i = 0; i < IMAP_CAN_COUNT; i++) {
		if (!imap_capabilities_have(masked, i))
			continue;
		if (is_used(i, line))
			return false;
		if (line->verb == IMAP_ENABLE)
			line->enable.names &= ~capabilities[i].enables;
	}
	return true;
}

/* ---- showing -------------------------------------------------------------------------------------------- */

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

/* What stands behind the name and "="; false: no number does. */
static bool
has_limit(enum imap_capability capability, const struct imap_capability_options *options, uint64_t *limit_out)
{
	switch (capability) {
	case IMAP_CAN_APPENDLIMIT:
		*limit_out = options->append_limit;
		return true;
	case IMAP_CAN_MESSAGELIMIT:
		*limit_out = options->message_limit;
		return true;
	case IMAP_CAN_SAVELIMIT:
		*limit_out = options->save_limit;
		return true;
	default:
		return false;
	}
}

static bool
is_shown(enum imap_capability capability, enum imap_moment moment, const struct imap_capability_options *options)
{
	uint64_t limit;

	if ((capabilities[capability].moments & (1u << moment)) == 0 ||
	    imap_capabilities_have(&options->masked, capability))
		return false;
	if (capability == IMAP_CAN_LOGIN_REFERRALS)
		return options->has_referrals;
	if (capability == IMAP_CAN_LITERAL_MINUS)	/* never both: RFC 7888 section 5 */
		return imap_capabilities_have(&options->masked, IMAP_CAN_LITERAL_PLUS);
	return !has_limit(capability, options, &limit) || limit > 0;
}

void
imap_capability_write(struct buffer *out, enum imap_moment moment,
    const struct imap_capability_options *options)
{
	bool is_first = true;
	uint64_t limit;

	for (unsigned i = 0; i < IMAP_CAN_COUNT; i++) {
		if (!is_shown(i, moment, options))
			continue;
		add(out, &is_first, span_from_string(capabilities[i].name));
		if (has_limit(i, options, &limit))
			buffer_printf(out, "=%llu", (unsigned long long)limit);
	}
	if (moment == IMAP_MOMENT_BEFORE_TLS || moment == IMAP_MOMENT_BEFORE_LOGIN)
		add_login(out, &is_first, options);
}
