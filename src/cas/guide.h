/*
 * Programs that set themselves up: guide.c has the doors and who may come in, guests.c how often, guidance.c what they are
 * told.
 */
#ifndef CAS_GUIDE_H
#define CAS_GUIDE_H

#include "client.h"
#include "guests.h"
#include "http/http.h"

struct guide {
	struct cas *cas;
	struct http *http;
	struct list doors;
	struct guests guests;
	struct timer rest;		/* until the doors are opened again */
};

/* The pages, as a server that listens nowhere yet.  Its handlers' context is the guide. */
struct http *guidance_new(struct guide *guide);

#endif
