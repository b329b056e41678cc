# imapd: make, make check, make run, make install.  `make help` lists the rest.

CC       ?= cc
BUILD    ?= build
PREFIX   ?= /usr
SYSCONF  ?= /etc
VERSION  := 0.1.0
SANITIZE ?=
WERROR   ?=

# libldap is optional: found by its header; `make LDAP=` builds without it.
LDAP     := $(shell echo '\#include <ldap.h>' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)
NO_LDAP  := $(if $(LDAP),src/directory/no_ldap.c,$(addprefix src/directory/,ldap.c entries.c hosted.c claim.c entry.c servers.c silence.c))

MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
CFLAGS   ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla $(WERROR)
HARDEN    = -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
ALL_CFLAGS = -std=gnu11 -pthread -Iinclude -MMD -MP -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DSYSCONF='"$(SYSCONF)"' \
	$(if $(LDAP),-DHAVE_LDAP) $(WARNINGS) $(HARDEN) $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LIBS      = -levent_core -lmbedtls -lmbedx509 -lmbedcrypto -lhogweed -lnettle -lgmp -ljansson -lsqlite3 -lunistring -lcrypt -lresolv -lz -lbz2 -llzma -lzstd -llz4 $(if $(LDAP),-lldap -llber)

SOURCES  := $(filter-out src/main.c $(NO_LDAP),$(shell find src -name '*.c' | LC_ALL=C sort))
SCHEMAS  := $(shell find schema -name '*.sql' | LC_ALL=C sort)
PAGE     := $(shell find src/web/page -type f | LC_ALL=C sort)
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/schema.o $(BUILD)/dictionary.o $(BUILD)/sample.o $(BUILD)/page.o
UNITS    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c))
FUZZERS  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/*.c))

all: $(BUILD)/imapd $(BUILD)/imapctl

$(BUILD)/imapd: $(BUILD)/src/main.o $(BUILD)/libimapd.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/imapctl: $(BUILD)/imapd
	ln -sf imapd $@

$(BUILD)/libimapd.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The schema files as one C array: what the sqlite3 shell reads is what the program runs.
$(BUILD)/schema.c: $(SCHEMAS) etc/embed-schema
	@mkdir -p $(@D)
	sh etc/embed-schema $(SCHEMAS) > $@

# What header blocks are compressed with, as one reads it.
$(BUILD)/dictionary.c: src/store/headers.dictionary etc/embed-dictionary
	@mkdir -p $(@D)
	sh etc/embed-dictionary src/store/headers.dictionary > $@

# The example that setup may replace, and no file of the operator's own.
$(BUILD)/sample.c: etc/imapd.conf etc/embed-sample
	@mkdir -p $(@D)
	sh etc/embed-sample etc/imapd.conf > $@

$(BUILD)/sample.o: $(BUILD)/sample.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/dictionary.o: $(BUILD)/dictionary.c
	$(CC) $(ALL_CFLAGS) -Isrc/store -c -o $@ $<

# The operator's page: what lies in src/web/page is what the program serves.
$(BUILD)/page.c: $(PAGE) etc/embed-page
	@mkdir -p $(@D)
	sh etc/embed-page $(PAGE) > $@

$(BUILD)/page.o: $(BUILD)/page.c
	$(CC) $(ALL_CFLAGS) -Isrc/web -c -o $@ $<

$(BUILD)/schema.o: $(BUILD)/schema.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libimapd.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libimapd.a -lcmocka $(LIBS)

units: $(UNITS)

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(BUILD)/libimapd.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(BUILD)/libimapd.a $(LIBS)

fuzzers: $(FUZZERS)

$(BUILD)/tests/bench/load: tests/bench/load.c tests/bench/work.c tests/bench/client.c tests/bench/work.h tests/bench/client.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c,$^) -lssl -lcrypto -lz

$(BUILD)/tests/bench/letters: tests/bench/letters.c tests/bench/words.c tests/bench/words.h
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c,$^) -lm

help:
	@sed -n 's/^## //p' Makefile

## make              build imapd and imapctl in build/
## make run          set everything up and serve a demo mailbox on 127.0.0.1
## make check        build every variant and pass the tests; CHECK="wire units" runs those stages alone
## make soak         faults between hosts for SPLIT_SECONDS=3600, from SPLIT_SEED=1 on (root); the model check,
##                   MODEL_STEPS=20000 for each of MODEL_SEEDS (fifty): a million steps; SEARCH against its model,
##                   SEARCH_QUERIES=20000 for each of SEARCH_SEEDS (fifty): a million questions, and as many over the corpus
## make check-debian12   make check on a fresh Debian 12 in a chroot (root); check-debian13 on Debian 13
## make move         moves from real servers, Debian 12's and 13's in folders of their own (root): 10,000 messages, 50 kills, 50 users
## make rehome-kills  kill -9 in the middle of moving a user between hosts, 100 times each of the processes; 100 users, 100,000 messages
## make move-bench   how long a move from Dovecot takes: by our import, by mbsync, one message at a time
## make rename-kills  kill -9 in the middle of renaming a user, 100 times each of imapctl, the server, and the hosts of a site
## make backup-kills a thousand users backed up, deleted, restored and compared; imapctl and the server killed 100 times in each
## make check-setup  imapctl setup killed at every step; certificates by certbot itself, where it and pebble are installed
## make repair-kills imapctl verify --repair, killed 100 times at calls that write, and run again
## make fuzz         a million executions of each fuzz target
## make bench        the same work on imapd and on Dovecot, side by side; W="append" alone what has this word, in any row or
##                   group; BENCH_SECONDS=2 for each cell, BENCH_PASSES=3 of them, BENCH_ALONE=1 without Dovecot
## make bench-scale  what an operation costs as mailboxes, users and sessions become more
## make bench-report the tables and charts of both, from what they have left in build/: tests/bench/RESULTS.md, README.md
## make bench-smoke  what commands cost in system calls and instructions, against the figures of last time; a part of make check
## make metrics-check  a real Prometheus asks a cas and a mailbox server under load: all of the dashboard and the alerts (root)
## make web-check    the operator's page in Chromium and Firefox without a screen: chromium, chromium-driver, firefox-esr and
##                   python3-selenium of Debian; what is missing is skipped. Pictures in build/web
## make rooms        the arrows between the rooms of src/ and between their inner rooms
## make deb          the Debian package of DEBIAN=12, built in a chroot, and what lintian says of it (root); in build/deb12
## make check-deb    the same, and then installed, started, upgraded and purged in a machine that systemd runs (root)
## make install      DESTDIR= PREFIX=/usr; starts nothing
## make deps         install by apt what is missing
deps:
	@tests/tools/deps build

run:
	@tests/tools/deps run
	@$(MAKE) -s -j$$(nproc) all
	@tests/tools/demo $(BUILD)

check:
	@tests/tools/deps check
	@tests/tools/programs
	@tests/tools/check $(CHECK)

# Before anything is built, what is missing for it is installed.
ready-check ready-bench ready-metrics: ready-%:
	@tests/tools/deps $*
	@$(MAKE) -s all

check-setup: ready-check
	CERTBOT=1 SETUP_KILLS=1 IMAPD=$(BUILD)/imapd /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider \
	    tests/operator/test_setup.py tests/operator/test_certbot.py

soak: ready-check
	SPLIT_SCHEDULES=$${SPLIT_SCHEDULES:-5000} SPLIT_SECONDS=$${SPLIT_SECONDS:-3600} IMAPD=$(BUILD)/imapd \
	    /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/split/test_faults.py
	MODEL_STEPS=$${MODEL_STEPS:-20000} MODEL_SEEDS="$${MODEL_SEEDS:-$$(seq -s ' ' 101 150)}" \
	    SEARCH_QUERIES=$${SEARCH_QUERIES:-20000} SEARCH_SEEDS="$${SEARCH_SEEDS:-$$(seq -s ' ' 101 150)}" IMAPD=$(BUILD)/imapd \
	    /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/model tests/corpus/test_corpus_search.py

check-debian12 check-debian13: check-debian%:
	@tests/tools/debian $*

DEBIAN ?= 12
deb:
	@tests/tools/deb $(DEBIAN) build

check-deb:
	@tests/tools/deb $(DEBIAN) check

fuzz:
	@tests/tools/deps check
	@tests/tools/fuzz

bench:
	@tests/tools/deps bench
	@tests/bench/run $(W)
	@tests/bench/search $(W)
	@tests/bench/crowd $(W)
	@tests/bench/uploads $(W)

bench-scale:
	@tests/tools/deps bench
	@tests/bench/scale $(W)

repair-kills: ready-check
	REPAIR_KILLS=$${REPAIR_KILLS:-100} IMAPD=$(BUILD)/imapd /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/fault/test_repair_kills.py

bench-report:
	@tests/tools/deps bench
	@tests/bench/report

bench-smoke: ready-check
	@IMAPD=$(BUILD)/imapd /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/bench

move: ready-check
	@tests/move/machines 12 || true
	@tests/move/machines 13 || true
	MOVE=1 IMAPD=$(BUILD)/imapd /usr/bin/python3 -m pytest -q -s -rs -p no:cacheprovider tests/move

rename-kills: ready-check
	RENAME_KILLS=$${RENAME_KILLS:-100} IMAPD=$(BUILD)/imapd /usr/bin/python3 -m pytest -q -s -rs -p no:cacheprovider -k killed \
	    tests/operator/test_rename_kills.py tests/split/test_split_rename.py

backup-kills: ready-check
	IMAPD=$(BUILD)/imapd /usr/bin/python3 tests/backup/kills.py

rehome-kills: ready-check
	REHOME_KILLS=$${REHOME_KILLS:-100} REHOME_MESSAGES=$${REHOME_MESSAGES:-100000} REHOME_USERS=$${REHOME_USERS:-100} REHOME_JOURNEYS=$${REHOME_JOURNEYS:-20} \
	    IMAPD=$(BUILD)/imapd /usr/bin/python3 -m pytest -q -s -rs -p no:cacheprovider tests/split/test_rehome_kills.py tests/split/test_rehome_life.py

move-bench: ready-bench
	@IMAPD=$(BUILD)/imapd /usr/bin/python3 tests/move/bench $(MOVE_MESSAGES)

metrics-check: ready-metrics
	METRICS=1 IMAPD=$(BUILD)/imapd /usr/bin/python3 -m pytest -q -s -rs -p no:cacheprovider tests/metrics tests/operator/test_dashboard.py

web-check: ready-check
	IMAPD=$(BUILD)/imapd /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider tests/web

rooms: all
	@tests/tools/rooms

man:
	@mandoc -Tlint -Wwarning man/*.[1-9]

install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 \
	    $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/doc/imapd $(DESTDIR)$(SYSCONF)/imapd
	install -m 755 $(BUILD)/imapd $(DESTDIR)$(PREFIX)/sbin/imapd
	ln -sf imapd $(DESTDIR)$(PREFIX)/sbin/imapctl
	install -m 644 man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	install -m 644 man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 README.md LICENSE etc/imapctl.schema.json $(DESTDIR)$(PREFIX)/share/doc/imapd/
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d \
	    $(DESTDIR)$(PREFIX)/share/polkit-1/rules.d
	for unit in $(notdir $(wildcard etc/systemd/*.service etc/systemd/*.socket)); do \
	    sed 's,/usr/sbin/,$(PREFIX)/sbin/,; s,/etc/imapd/,$(SYSCONF)/imapd/,' etc/systemd/$$unit \
	        > $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit && \
	    chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit || exit 1; done
	install -m 644 etc/systemd/imapd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/imapd.conf
	install -m 644 etc/systemd/imapd.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/imapd.conf
	install -m 644 etc/systemd/50-imapd.rules $(DESTDIR)$(PREFIX)/share/polkit-1/rules.d/50-imapd.rules
	install -m 644 etc/grafana/imapd.json $(DESTDIR)$(PREFIX)/share/doc/imapd/grafana-imapd.json
	install -m 644 etc/prometheus/imapd.rules.yml $(DESTDIR)$(PREFIX)/share/doc/imapd/prometheus-imapd.rules.yml
	install -m 644 etc/prometheus/scrape.yml $(DESTDIR)$(PREFIX)/share/doc/imapd/prometheus-scrape.yml
	install -d $(DESTDIR)$(SYSCONF)/fail2ban/filter.d
	install -m 644 etc/fail2ban/filter.conf $(DESTDIR)$(SYSCONF)/fail2ban/filter.d/imapd.conf
	install -m 644 etc/fail2ban/jail.conf $(DESTDIR)$(PREFIX)/share/doc/imapd/fail2ban-jail.conf
	install -d $(DESTDIR)$(SYSCONF)/letsencrypt/renewal-hooks/deploy
	install -m 755 etc/certbot/deploy $(DESTDIR)$(SYSCONF)/letsencrypt/renewal-hooks/deploy/imapd
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions \
	    $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	$(DESTDIR)$(PREFIX)/sbin/imapctl completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/imapctl
	$(DESTDIR)$(PREFIX)/sbin/imapctl completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_imapctl
	$(DESTDIR)$(PREFIX)/sbin/imapctl completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/imapctl.fish
	test -e $(DESTDIR)$(SYSCONF)/imapd/imapd.conf || install -m 644 etc/imapd.conf $(DESTDIR)$(SYSCONF)/imapd/imapd.conf

-include $(shell find $(BUILD) -name '*.d' -type f 2>/dev/null)

clean:
	rm -rf build

.PHONY: all ready-check ready-bench ready-metrics rename-kills web-check units fuzzers help deps run check check-setup soak check-debian12 check-debian13 deb check-deb fuzz bench bench-scale bench-report bench-smoke move rehome-kills move-bench backup-kills repair-kills metrics-check rooms man install clean
.DELETE_ON_ERROR:
