/*
 * Certificates that work and that clients complain of all the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../host/certificate.h"
#include "../host/program.h"
#include "config/config.h"
#include "finding.h"

#define FILE_MAX ((size_t)1 << 20)

static bool
read_file(const char *path, struct buffer *text_out)
{
	FILE *file = fopen(path, "re");
	size_t got = 1;

	while (file != NULL && got > 0 && text_out->length <= FILE_MAX) {
		got = fread(buffer_reserve(text_out, 4096), 1, 4096, file);
		text_out->length += got;
	}
	if (file != NULL)
		fclose(file);
	return file != NULL && text_out->length <= FILE_MAX;
}

/* How to come to one that an authority has signed: by certbot, whose hook brings it here. */
static const char *
certbot(struct doctor *doctor, const char *name)
{
	char *program = program_find("certbot");
	const char *before = program == NULL ? "apt-get install certbot && " : "";

	free(program);
	return doctor_text(doctor, "%scertbot certonly --standalone -d %s --deploy-hook "
	    "/etc/letsencrypt/renewal-hooks/deploy/imapd", before, name);
}

static void
look_at(struct doctor *doctor, const char *path, const char *name)
{
	struct certificate_look look;
	struct buffer text = { 0 };

	if (path != NULL && read_file(path, &text) && certificate_look(&text, &look)) {
		if (look.is_self_signed)
			finding(doctor, WARNING, certbot(doctor, name), "the certificate in %s is self-signed: clients warn of it, "
			    "or refuse it", path);
		else if (look.count == 1)
			finding(doctor, WARNING, certbot(doctor, name), "%s holds the server's certificate alone, without those "
			    "between it and the authority: some clients refuse it", path);
		if (look.begins_s > (int64_t)time(NULL))
			finding(doctor, WARNING, "timedatectl set-ntp true", "the certificate in %s begins in the future: is the clock "
			    "behind?", path);
	}
	buffer_free(&text);
}

void
doctor_certificates(struct doctor *doctor)
{
	const struct config *config = doctor->config;

	if ((config->role & CONFIG_ROLE_CAS) == 0)
		return;
	look_at(doctor, config->tls_certificate, config->hostname);
	for (size_t i = 0; i < config->tls_certificate_for.count; i++)
		look_at(doctor, config->tls_certificate_for.at[i].certificate, config->tls_certificate_for.at[i].name);
}
