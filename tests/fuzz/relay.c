/*
 * Whatever an old server says, line by line, as the cas logs in there: the password is never said before TLS, the talk
 * ends, and what a client gets of it is one line, and capabilities that can be told.
 */
#include <assert.h>
#include <string.h>

#include "../../src/link/dialog.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static bool
says(struct span text, const char *word)
{
	return text.length > 0 && memmem(text.at, text.length, word, strlen(word)) != NULL;
}

static void
check_said(struct dialog *dialog)
{
	bool is_login = says(buffer_span(&dialog->out), "c2VjcmV0") || says(buffer_span(&dialog->out), "secret") ||
	    says(buffer_span(&dialog->out), "AHVzZXIAc2VjcmV0");

	assert(!is_login || dialog->is_secure || dialog->is_insecure);
	dialog_sent(dialog);
}

static void
check_end(struct dialog *dialog)
{
	struct buffer offer = { 0 };

	assert(dialog->status != LINK_DENIED || dialog->password.length == 0);
	assert(span_find(buffer_span(&dialog->text), '\n') == dialog->text.length);
	assert(dialog->untagged.length <= 8192);
	dialog_write_offer(buffer_span(&dialog->capability), &offer);
	assert(span_find(buffer_span(&offer), ']') == offer.length && offer.length <= 4200);
	buffer_free(&offer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	const struct link_facts facts = { .session_id = SPAN("5f0c"), .address = SPAN("192.0.2.7"), .port = 1 };
	struct link_home home = { .is_tls_first = size > 0 && (octets[0] & 1) != 0 };
	const struct link_relay_wish wish = { .home = &home, .user = SPAN("user"), .password = SPAN("secret"), .facts = &facts,
		.ttl = 4, .is_insecure = size > 0 && (octets[0] & 2) != 0 };
	struct span input = span_from(span_of(octets, size), 1);
	enum dialog_event event = DIALOG_MORE;
	struct dialog dialog;

	dialog_init(&dialog, &wish);
	while (input.length > 0 && event != DIALOG_OVER) {
		size_t end = span_find(input, '\n');

		event = dialog_read(&dialog, span_slice(input, 0, end));
		if (event == DIALOG_START_TLS)
			event = dialog_secured(&dialog);
		check_said(&dialog);
		input = span_from(input, end + 1);
	}
	if (event == DIALOG_OVER)
		check_end(&dialog);
	dialog_fini(&dialog);
	return 0;
}
