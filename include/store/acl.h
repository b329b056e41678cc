/*
 * Rights in a mailbox: RFC 4314 section 2.1.
 */
#ifndef STORE_ACL_H
#define STORE_ACL_H

#define STORE_RIGHT_LOOKUP	0x001u	/* l: LIST, SUBSCRIBE */
#define STORE_RIGHT_READ	0x002u	/* r: SELECT, STATUS */
#define STORE_RIGHT_SEEN	0x004u	/* s: \Seen */
#define STORE_RIGHT_WRITE	0x008u	/* w: flags but \Seen and \Deleted */
#define STORE_RIGHT_INSERT	0x010u	/* i: APPEND, COPY into it */
#define STORE_RIGHT_POST	0x020u	/* p: for who submits mail to it; nothing here asks for it */
#define STORE_RIGHT_CREATE	0x040u	/* k: mailboxes below it */
#define STORE_RIGHT_DELETE	0x080u	/* x: the mailbox */
#define STORE_RIGHT_DELETED	0x100u	/* t: \Deleted */
#define STORE_RIGHT_EXPUNGE	0x200u	/* e */
#define STORE_RIGHT_ADMINISTER	0x400u	/* a: its rights */
#define STORE_RIGHTS_ALL	0x7ffu

#endif
