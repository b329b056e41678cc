# imapd: make, make check, make run, make install.  `make help` lists the rest.

CC       ?= cc
BUILD    ?= build
PREFIX   ?= /usr
SYSCONF  ?= /etc
VERSION  := 0.1.0
SANITIZE ?=
WERROR   ?=

MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
CFLAGS   ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wvla $(WERROR)
HARDEN    = -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
ALL_CFLAGS = -std=gnu11 -pthread -Iinclude -MMD -MP -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DSYSCONF='"$(SYSCONF)"' \
	$(WARNINGS) $(HARDEN) $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))
LIBS      = -levent_core -lmbedtls -lmbedx509 -lmbedcrypto -lsqlite3 -lunistring -lcrypt

SOURCES  := $(filter-out src/main.c,$(shell find src -name '*.c' | LC_ALL=C sort))
SCHEMAS  := $(shell find schema -name '*.sql' | LC_ALL=C sort)
OBJECTS  := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/schema.o
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

$(BUILD)/schema.o: $(BUILD)/schema.c
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libimapd.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libimapd.a -lcmocka $(LIBS)

units: $(UNITS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

clean:
	rm -rf build

.PHONY: all units clean
.DELETE_ON_ERROR:
