/*
 * The annotated configuration that comes with imapd, as it was when this program was built: etc/imapd.conf.
 */
#ifndef CONFIG_SAMPLE_H
#define CONFIG_SAMPLE_H

#include "base/span.h"

extern const struct span config_sample;

#endif
