/*
 * Passwords as other programs keep them.  What Dovecot writes was made by doveadm pw, of the password "pencil".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/foreign.h"
#include "auth/password.h"
#include "base/memory.h"

/* All of them are "pencil". */
static const struct span good[] = {
	SPAN("{SSHA512}hu694I/rRJsetZbtW+EpgXDNaMDsfJRxVE0GIpTfQJOtwhq6+D2GS8Y7mi3cWWNlo6JW/eY6f7fiNNM4l4sGJJ8B4k0="),
	SPAN("{SSHA256}De2ijkSFbIp6YZF45vjoexabK2S3zeU1X8WqnH4RxPo+cVzq"),
	SPAN("{SSHA}lCQlXOFvHWDvbUQoLUt5KPsqYzCAgR6i"),
	SPAN("{ssha}lCQlXOFvHWDvbUQoLUt5KPsqYzCAgR6i"),
	SPAN("{SMD5}so/zoWhGKxPOKet+xBRdrrHVAeo="),
	SPAN("{SHA512}Gd8Bqrgo+NUINrp1cJcTrtInM1344YZDkYXAbJF6Kn03cat24wfPo7a4nvGmaC1mgd3xGISHDl3hPnk/uVXu6w=="),
	SPAN("{SHA256}E4CWaPtDY4Zwb2fcsFLtWEoEuhaowCoX1m00ww/O2iE="),
	SPAN("{SHA}0vxRJJChUDZGC1SJQBQ51tpUB/o="),
	SPAN("{SHA1}0vxRJJChUDZGC1SJQBQ51tpUB/o="),
	SPAN("{LDAP-MD5}qPaDC855Copn/C6E4SCTug=="),
	SPAN("{PLAIN-MD5}a8f6830bce790a8a67fc2e84e12093ba"),
	SPAN("{SHA512.HEX}19df01aab828f8d50836ba75709713aed227335df8e186439185c06c917a2a7d3771ab76e307cfa3b6b89ef1a6682d6681"
	    "ddf11884870e5de13e793fb955eeeb"),
	SPAN("{SSHA256.B64}Z9NB8ReMV0wH/EzXuxES+2f4dMhWwWKnYDGZPy11ffGuhH7Z"),
	SPAN("{SCRAM-SHA-256}4096,OCBJO/RZoj4oaexF3CGwqA==,Y+GInmyb8NeMWOkkOilRzyk9hHEBQ0CJpbQqJCG2mXM=,"
	    "9wIzUuGk5MsuStrBQ974VhztO7v4VrxzLdo0NjRTT7c="),
	SPAN("{scram-sha-1}4096,BQmjpVFCEQGIfI8Hwzifcw==,kHQrCbOTv+nZMAJzOW+l/ZNlxpo=,833fKk7slqGiJqD5qXjrFSJfifc="),
	SPAN("SCRAM-SHA-256$4096:OCBJO/RZoj4oaexF3CGwqA==$Y+GInmyb8NeMWOkkOilRzyk9hHEBQ0CJpbQqJCG2mXM=:"
	    "9wIzUuGk5MsuStrBQ974VhztO7v4VrxzLdo0NjRTT7c="),
	SPAN("{SHA512-CRYPT}$6$HuHO3ILbvvauspf9$RwyaLYZ6CQvITi/NKfw6z0S.da6Cdzx3xS4z3Pqjft12d8VfAlEbLCq1FvmngEoB84ncFSfKq9C5j"
	    "/oRoSEEd."),
	SPAN("{SHA512-CRYPT.B64}JDYkZ3hlbkdibjdLWGlxZ21LSSRHY1FlOUhnNlRyZDJieXJ1YXBNTzJOSUNWZ0VxNlg3SFU4Um9IRWdIbEpNY3dKa1o3Ri"
	    "5oYmZrdTJrcktTM01kUHdGMVFWSEdGOXVCVzFuaUFrVHhuLw=="),
	SPAN("{SHA256-CRYPT}$5$6E9X14ZLN9f1nxpH$..Fo3rwzitgxpg6lFTB8VgWovJQkVA1XC.7g/HQ43T7"),
	SPAN("{BLF-CRYPT}$2y$05$WBOBQYoOTWxNJbVf6EVje.zN80LG8hLZlCKEK4NUGlPsqrbkdWGey"),
	SPAN("{MD5-CRYPT}$1$EHkRQ9DI$RYRe9TUUgoqphvBW4D.Or0"),
	SPAN("{CRYPT}$2y$05$4KF.0BCCBNqljx8PALQz/ulgRHmDWdjQcicfouLiFZvM.9Y2MTqo."),
	SPAN("$2y$05$4KF.0BCCBNqljx8PALQz/ulgRHmDWdjQcicfouLiFZvM.9Y2MTqo."),
	SPAN("$y$j9T$abcdefgh$kff4zjKKNjmHWBD6KG8N2k8WunPqZGAsrQj0LdJ5QM9"),
};

static void
takes_hashes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct buffer credential = { 0 };
		struct span scheme;

		assert_int_equal(foreign_password_read(good[i], &credential, &scheme), FOREIGN_HASH);
		assert_true(password_is_credential(buffer_span(&credential)));
		assert_true(password_verify(SPAN("pencil"), buffer_span(&credential)));
		assert_false(password_verify(SPAN("Pencil"), buffer_span(&credential)));
		assert_false(password_verify(SPAN(""), buffer_span(&credential)));
		buffer_free(&credential);
	}
}

static void
tells_the_others(void **state)
{
	static const struct {
		struct span text, scheme, out;
		enum foreign_password expected;
	} cases[] = {
		{ SPAN(""), SPAN(""), SPAN(""), FOREIGN_NONE },
		{ SPAN("{PLAIN}"), SPAN("PLAIN"), SPAN(""), FOREIGN_NONE },
		{ SPAN("{PLAIN}pencil"), SPAN("PLAIN"), SPAN("pencil"), FOREIGN_PLAIN },
		{ SPAN("{clear}{PLAIN}x"), SPAN("clear"), SPAN("{PLAIN}x"), FOREIGN_PLAIN },
		{ SPAN("{PLAIN.HEX}70656e63696c"), SPAN("PLAIN.HEX"), SPAN("pencil"), FOREIGN_PLAIN },
		{ SPAN("{PLAIN.HEX}7065zz"), SPAN("PLAIN.HEX"), SPAN(""), FOREIGN_DAMAGED },
		{ SPAN("{PLAIN.ROT13}crapvy"), SPAN("PLAIN.ROT13"), SPAN(""), FOREIGN_UNKNOWN },
		{ SPAN("pencil"), SPAN("DES-CRYPT"), SPAN(""), FOREIGN_UNKNOWN },
		{ SPAN("{DES-CRYPT}NHf7ClOkYNCo6"), SPAN("DES-CRYPT"), SPAN(""), FOREIGN_UNKNOWN },
		{ SPAN("{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$LzBJ/f4PVPuR4w35HonjoA$sEhf"), SPAN("ARGON2ID"), SPAN(""),
		    FOREIGN_UNKNOWN },
		{ SPAN("$argon2id$v=19$m=65536,t=3,p=1$LzBJ/f4PVPuR4w35HonjoA$sEhf"), SPAN("$argon2id$"), SPAN(""), FOREIGN_UNKNOWN },
		{ SPAN("{CRAM-MD5}7f47ace0"), SPAN("CRAM-MD5"), SPAN(""), FOREIGN_UNKNOWN },
		{ SPAN("{}x"), SPAN(""), SPAN(""), FOREIGN_UNKNOWN },
		{ SPAN("{PLAINx"), SPAN("DES-CRYPT"), SPAN(""), FOREIGN_UNKNOWN },
		{ SPAN("{SSHA512}hu694I"), SPAN("SSHA512"), SPAN(""), FOREIGN_DAMAGED },
		{ SPAN("{SHA}E4CWaPtDY4Zwb2fcsFLtWEoEuhaowCoX1m00ww/O2iE="), SPAN("SHA"), SPAN(""), FOREIGN_DAMAGED },
		{ SPAN("{SCRAM-SHA-256}4096,OCBJO/RZoj4oaexF3CGwqA=="), SPAN("SCRAM-SHA-256"), SPAN(""), FOREIGN_DAMAGED },
		{ SPAN("$6$HuHO3ILbvvauspf9$RwyaLYZ6CQvITi"), SPAN("sha512crypt"), SPAN(""), FOREIGN_DAMAGED },
		{ SPAN("{BLF-CRYPT}$2y$05$"), SPAN("bcrypt"), SPAN(""), FOREIGN_DAMAGED },
		/* What takes minutes, or all memory, to compare. */
		{ SPAN("$2y$31$4KF.0BCCBNqljx8PALQz/ulgRHmDWdjQcicfouLiFZvM.9Y2MTqo."), SPAN("bcrypt"), SPAN(""), FOREIGN_COSTLY },
		{ SPAN("$5$rounds=999999999$6E9X14ZLN9f1nxpH$..Fo3rwzitgxpg6lFTB8VgWovJQkVA1XC.7g/HQ43T7"), SPAN("sha256crypt"),
		    SPAN(""), FOREIGN_COSTLY },
		{ SPAN("$y$jLT$abcdefgh$kff4zjKKNjmHWBD6KG8N2k8WunPqZGAsrQj0LdJ5QM9"), SPAN("yescrypt"), SPAN(""), FOREIGN_COSTLY },
		{ SPAN("$7$LU..../....abcdefgh$kff4zjKKNjmHWBD6KG8N2k8WunPqZGAsrQj0LdJ5QM9"), SPAN("scrypt"), SPAN(""), FOREIGN_COSTLY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buffer out = { 0 };
		struct span scheme;

		assert_int_equal(foreign_password_read(cases[i].text, &out, &scheme), cases[i].expected);
		assert_true(span_equals(scheme, cases[i].scheme));
		assert_true(span_equals(buffer_span(&out), cases[i].out));
		buffer_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_hashes),
		cmocka_unit_test(tells_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
