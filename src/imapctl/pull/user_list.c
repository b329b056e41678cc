/*
 * A URL may hold commas, so the name ends at the first and the file begins behind the last.
 */
#include "user_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../ctl/order.h"
#include "base/memory.h"

static char *
copy_trimmed(struct span text)
{
	return memory_copy_span(span_trim(text));
}

/* NULL: well; else what is wrong. */
static const char *
check_url(struct listed_user *user)
{
	struct url url = { 0 };
	struct buffer host = { 0 };
	const char *wrong = url_is_server(user->url) ? url_parse(user->url, &url) : "it is no imap:// or imaps://";

	if (wrong == NULL && url.user.length == 0)
		wrong = "the URL names no user, imap://USER@HOST";
	if (wrong == NULL)
		url_write_host(&url, &host);
	user->host = memory_copy_span(buffer_span(&host));
	buffer_free(&host);
	url_free(&url);
	return wrong;
}

static const char *
add_line(struct user_list *list, struct span line)
{
	size_t first = span_find(line, ','), last = line.length;
	struct listed_user *user;

	while (last > first && line.at[last - 1] != ',')
		last--;
	if (last <= first + 1)
		return "it is no name,url,password-file";
	list->at = memory_resize(list->at, list->count + 1, sizeof *user);
	user = &list->at[list->count++];
	*user = (struct listed_user){ 0 };
	user->name = copy_trimmed(span_slice(line, 0, first));
	user->url = copy_trimmed(span_slice(line, first + 1, last - first - 2));
	user->password_file = copy_trimmed(span_from(line, last));
	if (user->name[0] == '\0' || user->password_file[0] == '\0')
		return "it is no name,url,password-file";
	return check_url(user);
}

static int
read_lines(struct user_list *list, FILE *file, const char *path)
{
	char *text = NULL;
	size_t capacity = 0, number = 0;
	ssize_t length;
	int code = EX_OK;

	while ((length = getline(&text, &capacity, file)) >= 0) {
		struct span line = span_trim(span_without_line_end(span_of(text, (size_t)length)));
		const char *wrong = line.length == 0 || line.at[0] == '#' ? NULL : add_line(list, line);

		number++;
		if (wrong == NULL)
			continue;
		complain("%s:%zu: %s", path, number, wrong);
		code = EX_DATAERR;
	}
	free(text);
	return code;
}

int
user_list_read(struct user_list *list, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int code;

	if (file == NULL) {
		complain("%s: %s", path, strerror(errno));
		return EX_NOINPUT;
	}
	code = read_lines(list, file, path);
	if (file != stdin)
		fclose(file);
	if (code == EX_OK && list->count == 0) {
		complain("%s names nobody", path);
		return EX_NOINPUT;
	}
	return code;
}

void
user_list_free(struct user_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->at[i].name);
		free(list->at[i].url);
		free(list->at[i].password_file);
		free(list->at[i].host);
	}
	free(list->at);
	*list = (struct user_list){ 0 };
}
