#include "maildir_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
maildir_name_write(const struct maildir_name *name, struct buffer *out)
{
	bool is_early = name->date_s < 0;

	buffer_printf(out, "%lld.P%uQ%u", is_early ? 0 : (long long)name->date_s, name->uidvalidity, name->uid);
	if (is_early)
		buffer_printf(out, "N%llu", -(unsigned long long)name->date_s);
	buffer_printf(out, ".imapd%s,S=%llu,W=%llu", name->is_octets ? "-octets" : "", (unsigned long long)name->size,
	    (unsigned long long)name->virtual_size);
}

bool
maildir_name_read(const char *text, struct maildir_name *out)
{
	int length = 0, more = 0;
	int64_t before = 0;

	*out = (struct maildir_name){ 0 };
	if (sscanf(text, "%20" SCNd64 ".P%10" SCNu32 "Q%10" SCNu32 "%n", &out->date_s, &out->uidvalidity, &out->uid, &length) != 3)
		return false;
	text += length;
	if (sscanf(text, "N%18" SCNd64 "%n", &before, &more) == 1) {
		out->date_s = -before;
		text += more;
	}
	out->is_octets = strncmp(text, ".imapd-octets,", 14) == 0;
	return out->is_octets || strncmp(text, ".imapd,", 7) == 0;
}
