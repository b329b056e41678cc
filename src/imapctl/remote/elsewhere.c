#include "elsewhere.h"

#include <string.h>
#include <sysexits.h>

#include "secret.h"

/* Where the way is short, compressing takes longer than sending. */
static bool
is_on_this_host(const char *host)
{
	return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static int
read_url(struct elsewhere *elsewhere, const char *word)
{
	const char *wrong = url_parse(word, &elsewhere->url);

	if (wrong == NULL && elsewhere->url.user.length == 0)
		wrong = "the URL names no user: imap://USER@HOST";
	if (wrong == NULL)
		return EX_OK;
	complain("%s", wrong);	/* the word may hold a password */
	return EX_USAGE;
}

int
elsewhere_read(struct elsewhere *elsewhere, const struct order *order)
{
	int code = read_url(elsewhere, order->words[order->word_count - 1]);

	if (code != EX_OK)
		return code;
	code = secret_read(order_value(order, OPTION_PASSWORD_FILE), buffer_string(&elsewhere->url.user), &elsewhere->secret);
	elsewhere->login = (struct login_settings){
		.url = &elsewhere->url,
		.is_insecure = order_has(order, OPTION_INSECURE),
		.ca_file = order_value(order, OPTION_TLS_CA),
		.timeout_s = order->timeout_s,
		.wants_compression = !is_on_this_host(elsewhere->url.host),
		.login = order_value(order, OPTION_LOGIN),
		.mechanism = order_value(order, OPTION_AUTH),
		.secret = buffer_span(&elsewhere->secret),
	};
	return code;
}

void
elsewhere_free(struct elsewhere *elsewhere)
{
	buffer_wipe(&elsewhere->secret);
	url_free(&elsewhere->url);
}
