/*
 * The operator's page: what the control socket can do, in a browser on this host.  `imapctl web` asks on the control
 * socket for a link that is good once and for a short while; who follows it asks the control what its giver may ask, by
 * the same look-up of groups at each call.  src/web/README says what is promised.  Loop thread.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>

struct control;
struct http;
struct loop;
struct web;

/* Registers the verbs web and web end; they say that admin-listen is missing while it listens nowhere. */
struct web *web_new(struct loop *loop, struct control *control);

/* What serves the page, for the caller to tell where to listen: on addresses of the loopback alone.  Borrowed. */
struct http *web_http(struct web *web);

/* Where it listens first; NULL: nowhere. */
const char *web_listener(const struct web *web);

/* Before control_free().  Accepts NULL, leaves NULL behind. */
void web_free(struct web **web);

#endif
