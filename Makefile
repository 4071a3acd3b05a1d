# SPDX-License-Identifier: MIT
#
# make            build/libtrace.so, build/tracemalloc, build/demo
# make help       everything else

O       ?= build
V       ?= 0
DEBUG   ?= 0
SAN     ?=
DEPS    ?= install
PREFIX  ?= /usr/local

CC      ?= gcc
CFLAGS  ?= -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-missing-field-initializers

Q = $(if $(filter 1,$(V)),,@)
say = @$(if $(filter 1,$(V)),true,printf '  %-8s %s\n' "$(1)" "$(2)")

# ---- sources, by layer -------------------------------------------------------------------------------

SHIM_BASE      = arena file life message options proc thread
SHIM_UNWIND    = learn modules rules walk
SHIM_TRACK     = blocks counters paths session track
SHIM_EDGE      = api heap new real start

SHIM_SOURCES   = $(SHIM_BASE:%=shim/base/%.c) $(SHIM_UNWIND:%=shim/unwind/%.c) \
                 $(SHIM_TRACK:%=shim/track/%.c) $(SHIM_EDGE:%=shim/edge/%.c)
ANALYZER_SOURCES = $(sort $(wildcard analyzer/*.c analyzer/*/*.c))
DEMO_SOURCES   = $(sort $(filter-out demo/make_cta.c,$(wildcard demo/*.c)))

SHIM_OBJECTS     = $(SHIM_SOURCES:%.c=$(O)/obj/%.o)
ANALYZER_OBJECTS = $(ANALYZER_SOURCES:%.c=$(O)/obj/%.o)
DEMO_OBJECTS     = $(DEMO_SOURCES:%.c=$(O)/obj/%.o)

# ---- flags: expanded in the recipes, after `deps` has installed what they ask for --------------------

SANFLAGS  = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
COMMON    = -std=gnu11 $(CFLAGS) $(WARNINGS) -MMD -MP -DDEBUG=$(DEBUG)

# The recorder never runs under a sanitizer in other people's programs, only its modules in unit tests.
SHIM_FLAGS     = -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-plt -fexceptions -Ishim \
                 -D_GNU_SOURCE $(shell pkg-config --cflags libunwind)
ANALYZER_FLAGS = -D_GNU_SOURCE -Ishim -Ianalyzer $(shell pkg-config --cflags libdw libelf) $(SANFLAGS)
ANALYZER_LIBS  = $(shell pkg-config --libs libdw libelf) -liberty
DEMO_FLAGS     = -D_GNU_SOURCE -Ishim $(SANFLAGS)

# ---- the three programs ------------------------------------------------------------------------------

.DEFAULT_GOAL = all
.PHONY: all deps demo test bench clean help check-rules
.DELETE_ON_ERROR:

all: $(O)/libtrace.so $(O)/tracemalloc $(O)/demo

$(O)/libtrace.so: $(SHIM_OBJECTS) shim/exports.map
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(CFLAGS) -Wl,-soname,libtrace.so -Wl,-z,now -Wl,-z,relro -Wl,--no-undefined \
	  -Wl,--version-script=shim/exports.map -Wl,-z,nodelete -o $@ $(SHIM_OBJECTS)

$(O)/tracemalloc: $(ANALYZER_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) -o $@ $(ANALYZER_OBJECTS) $(ANALYZER_LIBS)

$(O)/demo: $(DEMO_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) -Wl,-rpath,'$$ORIGIN' -o $@ $(DEMO_OBJECTS)

$(O)/make_cta: $(O)/obj/demo/make_cta.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANFLAGS) -o $@ $<

$(O)/cta.csv: $(O)/make_cta
	$(call say,MAKE,$@)
	$(Q)$(O)/make_cta $@

$(O)/obj/shim/%.o: shim/%.c | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(SHIM_FLAGS) -c -o $@ $<

$(O)/obj/analyzer/%.o: analyzer/%.c | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(ANALYZER_FLAGS) -c -o $@ $<

$(O)/obj/demo/%.o: demo/%.c | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(DEMO_FLAGS) -c -o $@ $<

# ---- what is needed ----------------------------------------------------------------------------------

deps:
	@DEPS=$(DEPS) sh ./deps.sh $(DEPS_FOR)

# ---- the main job ------------------------------------------------------------------------------------

demo: all $(O)/cta.csv
	$(Q)sh demo/run.sh $(O)

clean:
	rm -rf $(O)

help:
	@sed -n 's/^#   //p' Makefile

-include $(SHIM_OBJECTS:.o=.d) $(ANALYZER_OBJECTS:.o=.d) $(DEMO_OBJECTS:.o=.d)
