/*
 * The control socket: where the operator asks and the parts of the program answer.  Knows framing,
 * rights and who is asking; every verb is registered by the part that can answer it.  Loop thread.
 *
 * A request is one line of words, quoted as in imapd.conf, of at most CONTROL_LINE_MAX octets.  A last
 * word {N} says that N octets of body follow the line: how a password travels.
 *
 *	C: user add alice {13}
 *	C: correct horse
 *	S: +note added
 *	S: .0
 *
 * The verb "may" and another one ask whether who asks has the right to that, and whether the service is there that answers it.
 *
 * The reply is lines that begin with `+`, each at most CONTROL_LINE_MAX, and one that begins with `.`,
 * an exit code of sysexits.h, and, when it is not 0, a space and a sentence for the operator.
 * Several requests may follow each other on one connection.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <sys/types.h>

#include "base/buffer.h"

#define CONTROL_LINE_MAX  8192
#define CONTROL_WORDS_MAX 64
#define CONTROL_BODY_MAX  65536

struct loop;
struct stream;
struct workers;

struct control;
struct control_call;

/* The daemon's own user and root may always do everything. */
enum control_right {
	CONTROL_VIEW,	/* also members of imapd-view and imapd-admin */
	CONTROL_CHANGE,	/* also members of imapd-admin */
};

/*
 * Listen on a Unix socket, mode 0660, group imapd-admin if that group exists; mode 0666 if there is an
 * imapd-view, since two groups must get in and credentials are asked for anyway.  Replaces a socket
 * that nobody answers on.  Reads the group database: before the loop runs.
 *
 * However many connections and requests other users make, some connections are left for root and the daemon's own user; who
 * may not change anything gets an answer later when they ask very often.
 *
 *	workers	look up who asks and what groups they are in, for each call
 *
 * NULL: *error_out, given, says why (another imapd is there, no permission).
 */
struct control *control_new(struct loop *loop, struct workers *workers, const char *path,
    char **error_out);

/*
 * Let somebody call who has come in another way, such as by a page, with the rights of a user of this system: they are
 * looked up for each call as for those on the socket.
 *
 *	stream	taken; refused by a line when there are too many connections, in all or of this user
 */
void control_attach(struct control *control, struct stream *stream, uid_t uid, gid_t gid);

/* Ends every connection and removes the socket's file. */
void control_free(struct control **control);

/*
 * Answer a call: now or later, but exactly once, by control_finish() or control_take_stream().
 */
typedef void control_handler(struct control_call *call, void *context);

/*
 * Register a verb: one word, or two as in "user add", which is then looked for first.  The strings are
 * literals or outlive the control.  Registered again, it gets another handler.
 *
 *	handler	NULL: whoever may ask is told that the service is stopped
 */
void control_register(struct control *control, const char *verb, enum control_right right,
    control_handler *handler, void *context);

/* The verb that these words would call, two words or one; NULL: there is none. */
const char *control_find_verb(const struct control *control, const struct span *words, size_t count);

/* The part that registered verbs with this context goes: from now on they say that the service is stopped. */
void control_forget(struct control *control, const void *context);

/* The words after the verb; borrowed until the call is finished. */
size_t control_call_count(const struct control_call *call);
struct span control_call_word(const struct control_call *call, size_t index);

/* What came as {N}; empty when there was none.  Wiped when the call is finished. */
struct span control_call_body(const struct control_call *call);

/* Who asks, for the log: a user's name, or the number of one without. */
const char *control_call_peer(const struct control_call *call);

/* The same as numbers, for control_attach(). */
void control_call_identity(const struct control_call *call, uid_t *uid_out, gid_t *gid_out);

/* Send one line of data; a line break in it is sent as a space, what is too long is cut. */
void control_reply(struct control_call *call, struct span line);
void control_replyf(struct control_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* End the call.  Code 0 with NULL, or a code of sysexits.h with a sentence. */
void control_finish(struct control_call *call, int code, const char *text);

/*
 * End the call with success and give its stream to the caller, who speaks another protocol on it from
 * then on.  NULL when the operator has gone meanwhile; the call is ended all the same.
 */
struct stream *control_take_stream(struct control_call *call);

/* Memory that lives until the call is finished; zeroed. */
void *control_call_memory(struct control_call *call, size_t size);

/* Whether who asks might call verbs of this right, too. */
bool control_call_may(const struct control_call *call, enum control_right right);

/*
 * Go on with a long answer in a later turn, when the operator has taken most of what was replied, or has gone.  Once for
 * each call of it.
 */
typedef void control_room(struct control_call *call, void *context);
void control_when_room(struct control_call *call, control_room *on_room, void *context);

/* True when the operator has gone: a long answer may stop.  Finish the call all the same. */
bool control_call_is_gone(const struct control_call *call);

#endif
