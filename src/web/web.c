/*
 * The page's side of HTTP: its files, how a session begins and ends, and calls.  What changes anything is a POST from
 * the page's own origin with both secrets of its session; reading is no different, so that there is one rule.
 */
#include "web/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "bridge.h"
#include "control/control.h"
#include "control/words.h"
#include "http/http.h"
#include "loop/loop.h"
#include "page.h"
#include "sessions.h"

#define POLICY "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " \
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"

struct web {
	struct loop *loop;
	struct http *http;
	struct sessions sessions;
	struct bridge bridge;
	char cookie[32];		/* its name: cookie_name() */
};

static void
on_file(struct http_request *request, void *context)
{
	const struct page_file *file = context;

	http_answer_field(request, "Content-Security-Policy", POLICY);
	http_answer_field(request, "Cross-Origin-Opener-Policy", "same-origin");
	http_answer_field(request, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
	http_answer(request, 200, file->type, file->octets);
}

/*
 * Browsers say with each POST which page it comes from, and pages cannot lie about it.  The host is one of this machine
 * already: the room http has seen to that.
 */
static bool
is_from_page(struct http_request *request)
{
	struct span origin = http_request_field(request, "Origin"), host = http_request_field(request, "Host");
	struct span site = http_request_field(request, "Sec-Fetch-Site");

	return span_starts_with(origin, SPAN("http://")) && span_equals_nocase(span_from(origin, 7), host) &&
	    (site.length == 0 || span_equals(site, SPAN("same-origin")));
}

/* Cookies know no ports: two servers of a host have one each. */
static const char *
cookie_name(struct web *web)
{
	const char *where = web_listener(web);

	snprintf(web->cookie, sizeof web->cookie, "imapd-%s", where == NULL ? "" : strrchr(where, ':') + 1);
	return web->cookie;
}

/* NULL: the request is answered already. */
static struct session *
find_session(struct web *web, struct http_request *request)
{
	struct session *session;

	if (!is_from_page(request)) {
		http_answer_text(request, 403, "only the page itself may ask this");
		return NULL;
	}
	session = sessions_find(&web->sessions, http_request_cookie(request, cookie_name(web)),
	    http_request_field(request, "X-Imapd-Key"), loop_now_us(web->loop));
	if (session == NULL)
		http_answer_text(request, 401, "there is no such session, or it is over: ask `imapctl web` for another link");
	return session;
}

static void
set_cookie(struct web *web, struct http_request *request, const char *value, unsigned seconds)
{
	char field[160];

	snprintf(field, sizeof field, "%s=%s; Path=/; Max-Age=%u; HttpOnly; SameSite=Strict", cookie_name(web), value, seconds);
	http_answer_field(request, "Set-Cookie", field);
	memory_wipe(field, sizeof field);
}

static void
on_login(struct http_request *request, void *context)
{
	struct web *web = context;
	struct buffer out = { 0 };
	struct session *session;

	if (!is_from_page(request)) {
		http_answer_text(request, 403, "only the page itself may ask this");
		return;
	}
	session = sessions_begin(&web->sessions, span_trim(http_request_body(request)), loop_now_us(web->loop));
	if (session == NULL) {
		log_warning("web-refused", log_text("peer", http_request_peer(request)));
		http_answer_text(request, 401, "this link was used, or is too old: ask `imapctl web` for another one");
		return;
	}
	log_info("web-session", log_text("peer", session->who.name));
	buffer_add_octet(&out, '{');
	json_add_text(&out, "user", span_from_string(session->who.name));
	json_add_text(&out, "key", span_from_string(session->key));
	buffer_printf(&out, ",\"mayChange\":%s}", session->who.may_change ? "true" : "false");
	set_cookie(web, request, session->cookie, SESSION_SECONDS);
	http_answer(request, 200, "application/json", buffer_span(&out));
	buffer_wipe(&out);
}

static void
on_logout(struct http_request *request, void *context)
{
	struct session *session = find_session(context, request);

	if (session == NULL)
		return;
	session_end(session);
	set_cookie(context, request, "", 0);
	http_answer(request, 204, NULL, SPAN(""));
}

static void
on_call(struct http_request *request, void *context)
{
	struct web *web = context;
	struct session *session = find_session(web, request);
	struct span line;

	if (session == NULL)
		return;			/* the request is answered, and gone */
	line = http_request_body(request);
	if (bridge_knows(&web->bridge, line))
		bridge_ask(&web->bridge, &session->who, line, request);
	else
		http_answer_text(request, 400, "the page may not ask this");
}

/* Who asks on the control socket. */
static struct identity
identity_of(const struct control_call *call)
{
	struct identity who = { .may_change = control_call_may(call, CONTROL_CHANGE) };

	control_call_identity(call, &who.uid, &who.gid);
	snprintf(who.name, sizeof who.name, "%s", control_call_peer(call));
	return who;
}

static void
on_web(struct control_call *call, void *context)
{
	struct web *web = context;
	struct identity who = identity_of(call);
	struct buffer line = { 0 }, url = { 0 };

	if (web_listener(web) == NULL) {
		control_finish(call, EX_CONFIG, "there is no page: write `admin-listen 127.0.0.1:9993` into imapd.conf, and "
		    "then `imapctl reload`");
		return;
	}
	/* Behind the #, which browsers keep to themselves: no log and no Referer ever has it. */
	buffer_printf(&url, "http://%s/#%s", web_listener(web), sessions_new_link(&web->sessions, &who, loop_now_us(web->loop)));
	control_add_word(&line, SPAN("web"));
	control_add_field(&line, "url", buffer_span(&url));
	control_add_number(&line, "seconds", LINK_SECONDS);
	control_reply(call, buffer_span(&line));
	control_finish(call, EX_OK, NULL);
	buffer_wipe(&line);
	buffer_wipe(&url);
}

/* Those of who asks; of all, if root or the server's own user asks. */
static void
on_web_end(struct control_call *call, void *context)
{
	struct web *web = context;
	struct identity who = identity_of(call);
	bool is_all = who.uid == 0;
	size_t count = sessions_end(&web->sessions, who.uid, is_all, loop_now_us(web->loop));

	control_replyf(call, "ended sessions:=%zu", count);
	control_finish(call, EX_OK, NULL);
}

struct web *
web_new(struct loop *loop, struct control *control)
{
	struct web *web = NEW(struct web);

	web->loop = loop;
	web->http = http_new(loop, &(struct http_settings){ .is_local = true, .body_max = CONTROL_LINE_MAX });
	sessions_init(&web->sessions);
	bridge_init(&web->bridge, loop, control);
	for (const struct page_file *file = page_files; file->path != NULL; file++)
		http_register(web->http, "GET", file->path, on_file, (void *)file);
	http_register(web->http, "POST", "/login", on_login, web);
	http_register(web->http, "POST", "/logout", on_logout, web);
	http_register(web->http, "POST", "/call", on_call, web);
	control_register(control, "web", CONTROL_VIEW, on_web, web);
	control_register(control, "web end", CONTROL_VIEW, on_web_end, web);
	return web;
}

struct http *
web_http(struct web *web)
{
	return web->http;
}

const char *
web_listener(const struct web *web)
{
	return http_listener(web->http, 0);
}

void
web_free(struct web **web)
{
	if (*web == NULL)
		return;
	bridge_fini(&(*web)->bridge);
	http_free(&(*web)->http);
	sessions_fini(&(*web)->sessions);
	free(*web);
	*web = NULL;
}
