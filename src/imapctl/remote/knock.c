#include "knock.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/local_socket.h"
#include "connection.h"

static int
open_path(const struct knock *knock, struct connection **connection_out, struct buffer *trouble_out)
{
	int descriptor = local_socket_connect(knock->at->path, knock->timeout_s);

	if (descriptor < 0) {
		int error = errno;

		buffer_printf(trouble_out, "nobody answers: %s", error == EAGAIN ? "nobody takes the call" : strerror(error));
		return error == EACCES ? EX_NOPERM : EX_UNAVAILABLE;
	}
	*connection_out = connection_of(descriptor, knock->timeout_s);
	return EX_OK;
}

static const char *
reachable(const char *host)
{
	static const char *const everywhere[] = { "*", "::", "0.0.0.0" };

	for (size_t i = 0; i < sizeof everywhere / sizeof everywhere[0]; i++)
		if (strcmp(host, everywhere[i]) == 0)
			return "localhost";
	return host;
}

static int
open_connection(const struct knock *knock, struct connection **connection_out, struct buffer *trouble_out)
{
	struct connection_settings settings = { .is_insecure = true, .timeout_s = knock->timeout_s, .port = knock->at->port };
	int code;

	if (knock->at->path != NULL)
		return open_path(knock, connection_out, trouble_out);
	settings.host = reachable(knock->at->host);
	code = connection_open(&settings, connection_out, trouble_out);
	return code == EX_OK && knock->is_tls ? connection_start_tls(*connection_out, trouble_out) : code;
}

/* The first octets that come, as many as are expected. */
static int
listen_to(const struct knock *knock, struct connection *connection, struct buffer *trouble_out)
{
	struct connection_wait wait = { .connection = connection, .out = span_from_string(knock->say == NULL ? "" : knock->say) };
	struct span expected = span_from_string(knock->expected);
	const char *why = "nothing is said there";
	struct buffer in = { 0 };
	bool is_alive = true, is_good;
	size_t sent;

	while (is_alive && in.length < expected.length) {
		is_alive = connection_wait(&wait) && connection_move(&wait, &sent, &in, &why);
		wait.out = is_alive ? span_from(wait.out, sent) : wait.out;
	}
	is_good = span_starts_with(buffer_span(&in), expected);
	if (!is_good)
		buffer_printf(trouble_out, "%s", in.length < expected.length ? why : "something else is spoken there");
	buffer_free(&in);
	return is_good ? EX_OK : EX_TEMPFAIL;
}

int
knock(const struct knock *knock, struct buffer *trouble_out)
{
	struct connection *connection = NULL;
	int code = open_connection(knock, &connection, trouble_out);

	if (code == EX_OK && knock->expected != NULL)
		code = listen_to(knock, connection, trouble_out);
	connection_free(&connection);
	return code;
}
