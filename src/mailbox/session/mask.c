/*
 * What capability-mask takes from a session: it is neither shown nor understood.  Loop thread.
 */
#include "../shared/role.h"
#include "config/config.h"
#include "limit.h"

/* Names that are no capability were refused with the configuration; mechanisms are not spoken of after login. */
static void
add(const char *name, void *context)
{
	enum imap_capability capability;

	if (imap_capability_find(span_from_string(name), &capability))
		imap_capabilities_add(context, capability);
}

void
session_mask(struct session *session)
{
	struct config_client client = { session->user, session->address, buffer_span(&session->id) };

	if (session->account == NULL)	/* it is the cas that speaks */
		return;
	session->masked = (struct imap_capabilities){ .bits = { 0 } };
	if (!session->is_operators)	/* imapctl takes no offence at what some clients cannot bear */
		config_mask(session->role->parts.config, &client, add, &session->masked);
	if (!session_can(session, IMAP_CAN_CONDSTORE)) {
		session->has_condstore = false;
		imap_capabilities_add(&session->masked, IMAP_CAN_QRESYNC);	/* it implies CONDSTORE: RFC 7162 section 3.2.3 */
	}
	if (!session_can(session, IMAP_CAN_QRESYNC))
		session->has_qresync = false;
	if (!session_can(session, IMAP_CAN_SORT)) {
		imap_capabilities_add(&session->masked, IMAP_CAN_SORT_DISPLAY);
		imap_capabilities_add(&session->masked, IMAP_CAN_ESORT);
	}
	if (!session_can(session, IMAP_CAN_ESEARCH))	/* MULTISEARCH is answered by its responses */
		imap_capabilities_add(&session->masked, IMAP_CAN_MULTISEARCH);
	if (!session_can(session, IMAP_CAN_QUOTA))
		for (unsigned i = IMAP_CAN_QUOTA_STORAGE; i <= IMAP_CAN_QUOTA_MAILBOX; i++)
			imap_capabilities_add(&session->masked, i);
	if (!session_can(session, IMAP_CAN_METADATA))
		imap_capabilities_add(&session->masked, IMAP_CAN_LIST_METADATA);
	if (!session_can(session, IMAP_CAN_ACL)) {
		imap_capabilities_add(&session->masked, IMAP_CAN_RIGHTS);
		imap_capabilities_add(&session->masked, IMAP_CAN_LIST_MYRIGHTS);
	}
	if (!session->role->parts.config->uidonly)
		imap_capabilities_add(&session->masked, IMAP_CAN_UIDONLY);
	limit_mask(session);
	if (session->return_word == NULL || session->return_capability == NULL)
		imap_capabilities_add(&session->masked, IMAP_CAN_UNAUTHENTICATE);
	imap_parser_set_masked(session->parser, &session->masked);
}
