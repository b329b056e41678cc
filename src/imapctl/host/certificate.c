#include "certificate.h"

#include <string.h>
#include <time.h>

#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

static bool
parse(struct buffer *text, mbedtls_x509_crt *chain)
{
	mbedtls_x509_crt_init(chain);
	buffer_string(text);	/* mbedTLS counts the NUL */
	return text->length > 0 && mbedtls_x509_crt_parse(chain, text->at, text->length + 1) == 0;
}

static int64_t
to_calendar(const mbedtls_x509_time *moment)
{
	struct tm parts = { .tm_year = moment->year - 1900, .tm_mon = moment->mon - 1, .tm_mday = moment->day,
		.tm_hour = moment->hour, .tm_min = moment->min, .tm_sec = moment->sec };

	return timegm(&parts);
}

bool
certificate_look(struct buffer *text, struct certificate_look *look_out)
{
	mbedtls_x509_crt chain;
	bool is_good = parse(text, &chain);

	if (is_good) {
		*look_out = (struct certificate_look){ .begins_s = to_calendar(&chain.valid_from),
			.ends_s = to_calendar(&chain.valid_to), .is_self_signed = span_equals(
			span_of(chain.issuer_raw.p, chain.issuer_raw.len), span_of(chain.subject_raw.p, chain.subject_raw.len)) };
		for (const mbedtls_x509_crt *one = &chain; one != NULL; one = one->next)
			look_out->count++;
	}
	mbedtls_x509_crt_free(&chain);
	return is_good;
}

bool
certificate_names(struct buffer *text, const char *name)
{
	mbedtls_x509_crt chain;
	bool is_named = false;

	if (parse(text, &chain))
		for (const mbedtls_x509_sequence *one = &chain.subject_alt_names; one != NULL; one = one->next)
			is_named |= span_equals_nocase(span_of(one->buf.p, one->buf.len), span_from_string(name));
	mbedtls_x509_crt_free(&chain);
	return is_named;
}
