/*
 * Mork of any octets: reading it ends, and what is in the rows can be read.
 */
#include <assert.h>

#include "../../src/imapctl/source/mork.h"
#include "base/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct buffer text = { 0 };
	const struct mork_table *table;
	const struct mork_row *row;
	struct mork *mork;
	size_t total = 0;

	/* Names that a fuzzer would be long in finding. */
	buffer_add_string(&text, "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n< <(a=c)> (80=ns:msg:db:row:scope:msgs:all)"
	    "(88=flags)(96=ns:msg:db:table:kind:msgs)>\n");
	buffer_add(&text, octets, size);
	mork = mork_read(buffer_span(&text));
	assert(mork != NULL);
	if ((table = mork_table(mork, "ns:msg:db:table:kind:msgs")) != NULL) {
		for (size_t position = 0; (row = mork_next_row(table, &position)) != NULL;) {
			struct span flags = mork_cell(mork, row, "flags");

			for (size_t i = 0; i < flags.length; i++)
				total += flags.at[i];
		}
	}
	assert(total <= SIZE_MAX);
	mork_free(&mork);
	buffer_free(&text);
	return 0;
}
