#include "thunderbird_names.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/memory.h"
#include "lines.h"

struct server {
	struct buffer directory, name, user, host;
};

/* The last levels of a path, with either kind of slash: what lies below the profile. */
static void
add_path_in_profile(struct buffer *out, struct span path)
{
	static const struct span tops[] = { SPAN("/Mail/"), SPAN("/ImapMail/") };
	struct buffer plain = { 0 };
	struct span text, found = { NULL, 0 };

	buffer_add_octet(&plain, '/');	/* "Mail/Local Folders" may be a relative path */
	for (size_t i = 0; i < path.length; i++)
		buffer_add_octet(&plain, path.at[i] == '\\' ? '/' : path.at[i]);
	text = buffer_span(&plain);
	for (size_t at = 0; at < text.length && found.length == 0; at++) {
		for (size_t i = 0; i < COUNT_OF(tops); i++) {
			if (span_starts_with(span_from(text, text.length - at - 1), tops[i]))
				found = span_from(text, text.length - at);
		}
	}
	buffer_add_span(out, found);
	buffer_free(&plain);
}

static void
put_name(struct map *names, struct span path, struct span name)
{
	struct buffer key = { 0 }, *value, *old;
	struct span ending = SPAN(".msf");

	add_path_in_profile(&key, path);
	if (key.length > ending.length && span_equals(span_from(buffer_span(&key), key.length - ending.length), ending))
		key.length -= ending.length;
	if (key.length > 0 && name.length > 0) {
		value = NEW(struct buffer);
		buffer_add_span(value, name);
		if ((old = map_put(names, buffer_span(&key), value)) != NULL) {
			buffer_free(old);
			free(old);
		}
	}
	buffer_free(&key);
}

static void
read_folders(struct thunderbird_names *names, const char *profile)
{
	struct buffer path = { 0 };
	json_t *cache, *facts;
	const char *key;

	buffer_printf(&path, "%s/folderCache.json", profile);
	cache = json_load_file(buffer_string(&path), 0, NULL);
	buffer_free(&path);
	names->folders = map_new();
	json_object_foreach(cache, key, facts) {
		const char *name = json_string_value(json_object_get(facts, "folderName"));

		if (name != NULL)
			put_name(names->folders, span_from_string(key), span_from_string(name));
	}
	json_decref(cache);
}

/* The string behind the comma: `user_pref("mail.server.server1.name", "Local Folders");` */
static void
add_string(struct buffer *out, struct span text)
{
	size_t i = span_find(text, '"') + 1;

	buffer_clear(out);
	for (; i < text.length && text.at[i] != '"'; i++) {
		if (text.at[i] == '\\' && i + 1 < text.length)
			i++;
		buffer_add_octet(out, text.at[i]);
	}
}

static struct server *
server_of(struct map *servers, struct span key)
{
	struct server *server = map_get(servers, key);

	if (server == NULL) {
		server = NEW(struct server);
		map_put(servers, key, server);
	}
	return server;
}

static void
read_preference(struct map *servers, struct span line)
{
	struct span start = SPAN("user_pref(\"mail.server."), name, value;
	struct server *server;
	size_t dot;

	if (!span_starts_with(line, start))
		return;
	line = span_from(line, start.length);
	dot = span_find(line, '.');
	name = span_slice(line, dot + 1, span_find(span_from(line, dot + 1), '"'));
	value = span_from(line, span_find(line, '"') + 1);
	server = server_of(servers, span_slice(line, 0, dot));
	if (span_equals(name, SPAN("directory")))
		add_string(&server->directory, value);
	else if (span_equals(name, SPAN("name")))
		add_string(&server->name, value);
	else if (span_equals(name, SPAN("userName")))
		add_string(&server->user, value);
	else if (span_equals(name, SPAN("hostname")))
		add_string(&server->host, value);
}

/* As Thunderbird shows an account: by the name that it was given, or "user@host". */
static void
put_account(struct map *accounts, struct server *server)
{
	if (server->name.length == 0 && server->user.length > 0) {
		buffer_add_span(&server->name, buffer_span(&server->user));
		if (span_find(buffer_span(&server->user), '@') == server->user.length)
			buffer_printf(&server->name, "@%.*s", SPAN_ARGS(buffer_span(&server->host)));
	}
	put_name(accounts, buffer_span(&server->directory), buffer_span(&server->name));
	buffer_free(&server->directory);
	buffer_free(&server->name);
	buffer_free(&server->user);
	buffer_free(&server->host);
	free(server);
}

static void
read_accounts(struct thunderbird_names *names, const char *profile)
{
	struct map *servers = map_new();
	size_t position = 0;
	struct lines lines;
	struct span text;
	void *server;

	names->accounts = map_new();
	if (lines_open(&lines, profile, "prefs.js")) {
		while (lines_next(&lines, &text))
			read_preference(servers, text);
		lines_close(&lines);
	}
	while (map_next(servers, &position, &text, &server))
		put_account(names->accounts, server);
	map_free(&servers);
}

void
thunderbird_names_read(struct thunderbird_names *names, const char *profile)
{
	read_folders(names, profile);
	read_accounts(names, profile);
}

static void
free_names(struct map **names)
{
	size_t position = 0;
	struct span key;
	void *name;

	while (*names != NULL && map_next(*names, &position, &key, &name)) {
		buffer_free(name);
		free(name);
	}
	map_free(names);
}

void
thunderbird_names_free(struct thunderbird_names *names)
{
	free_names(&names->folders);
	free_names(&names->accounts);
}

struct span
thunderbird_name_of(const struct map *names, struct span path)
{
	struct buffer key = { 0 }, *name;

	add_path_in_profile(&key, path);
	name = names == NULL ? NULL : map_get(names, buffer_span(&key));
	buffer_free(&key);
	return name == NULL ? (struct span){ NULL, 0 } : buffer_span(name);
}
