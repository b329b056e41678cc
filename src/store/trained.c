/*
 * Dictionaries of a file.  There are few: each is made when there are ten times as many messages as for the one
 * before.  Worker threads.
 */
#include "trained.h"

#include "base/digest.h"
#include "held.h"

static bool
is_undamaged(struct span octets, struct span sha256)
{
	struct digest *digest = digest_new();
	uint8_t computed[DIGEST_LENGTH];

	digest_add(digest, octets);
	digest_finish(&digest, computed);
	return span_equals(sha256, span_of(computed, sizeof computed));
}

static enum store_status
load(struct store *store, int64_t encoding, bool is_for_writing, const struct codec_dictionary **out)
{
	struct sql_statement *query = sql_prepare(store->sql, "SELECT octets, sha256 FROM dictionary WHERE encoding = ?1");
	struct codec_dictionary *dictionary = NULL;
	enum store_status status;

	sql_bind_number(query, 1, encoding);
	status = store_row(query);
	if (status == STORE_OK && is_undamaged(sql_column_blob(query, 0), sql_column_blob(query, 1)))
		dictionary = codec_dictionary_new(encoding, sql_column_blob(query, 0), is_for_writing);
	sql_reset(query);
	if (status == STORE_NOT_FOUND || (status == STORE_OK && dictionary == NULL))
		return STORE_CORRUPT;
	if (status != STORE_OK)
		return status;
	held_add(store, dictionary);
	*out = dictionary;
	return STORE_OK;
}

enum store_status
trained_find(struct store *store, int64_t encoding, const struct codec_dictionary **out)
{
	*out = NULL;
	if (encoding < ENCODING_TRAINED)
		return STORE_OK;
	*out = held_find(store, encoding);
	return *out != NULL ? STORE_OK : load(store, encoding, false, out);
}

bool
trained_is_good(struct store *store, int64_t encoding)
{
	const struct codec_dictionary *dictionary;

	return load(store, encoding, true, &dictionary) == STORE_OK;
}

static enum store_status
find_newest(struct store *store)
{
	struct sql_statement *query = sql_prepare(store->sql,
	    "SELECT encoding FROM dictionary WHERE encoding >= 16 ORDER BY encoding DESC LIMIT 1");
	enum store_status status = store_row(query);

	store->trained_newest = status == STORE_OK ? sql_column_number(query, 0) : 0;
	sql_reset(query);
	store->has_looked_for_newest = status == STORE_OK || status == STORE_NOT_FOUND;
	return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status
trained_newest(struct store *store, const struct codec_dictionary **out)
{
	enum store_status status;

	*out = NULL;
	if (!store->has_looked_for_newest && (status = find_newest(store)) != STORE_OK)
		return status;
	if (store->trained_newest == 0)
		return STORE_OK;
	*out = held_find(store, store->trained_newest);
	if (*out != NULL && codec_dictionary_is_for_writing(*out))
		return STORE_OK;
	status = load(store, store->trained_newest, true, out);
	if (status != STORE_CORRUPT)
		return status;
	*out = NULL;
	store->trained_newest = 0;	/* what it was used for is damage; what comes does without */
	return STORE_OK;
}

enum store_status
trained_unpack(struct store *store, int64_t encoding, struct span packed, size_t length, struct buffer *out)
{
	const struct codec_dictionary *dictionary;
	enum store_status status = trained_find(store, encoding, &dictionary);

	if (status != STORE_OK)
		return status;
	return codec_unpack(encoding, dictionary, packed, length, out) ? STORE_OK : STORE_CORRUPT;
}

enum store_status
trained_unpack_all(struct store *store, int64_t encoding, struct span packed, size_t most, struct buffer *out)
{
	const struct codec_dictionary *dictionary;
	enum store_status status = trained_find(store, encoding, &dictionary);

	if (status != STORE_OK)
		return status;
	return codec_unpack_all(encoding, dictionary, packed, most, out) ? STORE_OK : STORE_CORRUPT;
}
