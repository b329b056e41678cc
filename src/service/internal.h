/*
 * What the files of room service share.
 *
 *	service.c	making, running and ending all parts
 *	privileges.c	who we are, what we may open
 *	directories.c	the directory that the configuration names
 *	reload.c	another configuration while running
 *	users.c		the verbs user add, passwd, del, list
 *	status.c	the verb status
 */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include <sys/types.h>

#include "cas/cas.h"
#include "config/config.h"
#include "control/control.h"
#include "directory/directory.h"
#include "link/link.h"
#include "loop/job.h"
#include "loop/loop.h"
#include "mailbox/mailbox.h"
#include "net/tls.h"

struct service {
	const char *path, *role;
	struct config *config;
	struct list retired;		/* configurations that parts may still point into */
	uint64_t began_us;

	struct loop *loop;
	struct workers *storage, *compute;
	struct workers *ldap;		/* NULL without directory ldap */
	struct directory *directory;	/* for the queue's jobs */
	struct job_queue *directory_queue;
	struct directory *mailbox_directory;	/* the mailbox role's own */
	struct link *link;
	struct tls_context *tls;
	struct control *control;
	struct cas *cas;
	struct mailbox_role *mailbox;

	unsigned stopping;		/* roles that have not stopped yet */
	bool is_stopping;
	bool is_reloading;
	unsigned jobs;			/* of users.c and reload.c, not yet home */
};

/* Log an error that ends the start; takes the text. */
void service_complain(const char *event, char *error);

/* The certificate of a configuration; NULL without error when it has none. */
struct tls_context *service_tls(const struct config *config, char **error_out);

/* directories.c; for the mailbox role the directory gives mailbox ids to new users.  False: logged. */
bool service_open_directory(const struct config *config, bool gives_mailboxes,
    struct directory **directory_out);

/* privileges.c */
struct identity {
	uid_t uid;
	gid_t gid;
	bool is_change;			/* we are root and shall be somebody else */
};

/* Find out who the configuration wants us to be.  False: logged. */
bool identity_find(const struct config *config, struct identity *identity_out);

/* Make files as that user, then be root again for ports below 1024. */
bool identity_borrow(const struct identity *identity);
bool identity_return(const struct identity *identity);

/* For good. */
bool identity_become(const struct identity *identity);

/* As many descriptors as the system permits. */
void raise_descriptor_limit(void);

/* reload.c: the verb, and what SIGHUP does. */
void reload_begin(struct service *service, struct control_call *call);
void reload_register(struct service *service);
void reload_forget(struct service *service);

/* users.c */
void users_register(struct service *service);

/* status.c */
void status_register(struct service *service);

#endif
