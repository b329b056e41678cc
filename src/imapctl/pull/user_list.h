/*
 * Whose mail comes from where: lines `name,url,password-file`, empty ones and comments behind `#`.
 */
#ifndef IMAPCTL_USER_LIST_H
#define IMAPCTL_USER_LIST_H

#include "../remote/url.h"

struct listed_user {
	char *name, *url, *password_file;
	char *host;			/* of the URL, with its port */
};

struct user_list {
	struct listed_user *at;
	size_t count;
};

/* Read a file.  Gives an exit code: 0, or what is wrong was said, with its line; *list can be freed in any case. */
int user_list_read(struct user_list *list, const char *path);

void user_list_free(struct user_list *list);

#endif
