# SPDX-License-Identifier: MIT
#
#   make              build/libtrace.so, build/tracemalloc, build/demo
#   make demo         the main job: records the demo over build/cta.csv and prints the report
#   make article      the demo in every representation: what each holds, beside the figures of the article that this
#                     began with; every difference that has a cause, checked to the byte
#   make article-python  the same steps in Python, and what its own tracemalloc does not see
#   make test         the whole test suite; SAN=address,undefined: unit tests and analyzer under sanitizers;
#                     SAN=thread: what threads share
#   make bench        what recording costs, beside every peer that is installed: up to an hour; QUICK=1: a
#                     minute; ROWS=demo,gcc PEERS=heaptrack (or none) JEMALLOC=LIBRARY; also build/bench.json
#   make install      PREFIX=/usr/local, DESTDIR=, LIBDIR= ...; make uninstall
#   make torture      real programs and large loads, untraced and traced: half an hour; ROWS=redis,git-gc; what they
#                     need: sh tests/torture/packages.sh; also build/torture
#   make check-rules  learned unwind rules against elfutils'; OBJECTS="FILE ..." for others than the default
#   make fuzz         the analyzer over damaged and hostile files, by clang's fuzzer: SECONDS=3600 for each of
#                     FUZZERS="trace module"
#   make fuzz-calls   random calls of the malloc family, traced and untraced; SEEDS="N ..."
#   make clean
#
#   V=1 shows the commands, O=DIR builds elsewhere, CC=, CXX=, CFLAGS=,
#   DEPS=skip does not look for missing packages

comma   := ,
O       ?= build$(if $(SAN),/$(subst $(comma),-,$(SAN)))
V       ?= 0
SAN     ?=
DEPS    ?= install
PREFIX  ?= /usr/local
SECONDS ?= 3600

ifeq ($(origin CC),default)
CC       = gcc
endif
ifeq ($(origin CXX),default)
CXX      = g++
endif
CFLAGS  ?= -O2 -g
WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-missing-field-initializers

Q = $(if $(filter 1,$(V)),,@)
say = @$(if $(filter 1,$(V)),true,printf '  %-8s %s\n' "$(1)" "$(2)")

# ---- sources, by layer -------------------------------------------------------------------------------

SHIM_BASE      = arena clock file life map message options proc records thread
SHIM_UNWIND    = cfi frames image learn modules rules stacks step walk
SHIM_TRACK     = blocks control counters domains mappings paths phases session snapshots timeline track
SHIM_EDGE      = api aside confine heap mappings new real start

SHIM_SOURCES   = $(SHIM_BASE:%=shim/base/%.c) $(SHIM_UNWIND:%=shim/unwind/%.c) \
                 $(SHIM_TRACK:%=shim/track/%.c) $(SHIM_EDGE:%=shim/edge/%.c)
ANALYZER_SOURCES = $(sort $(wildcard analyzer/*.c analyzer/*/*.c))
DEMO_SOURCES   = $(sort $(filter-out demo/make_cta.c,$(wildcard demo/*.c)))

SHIM_OBJECTS     = $(SHIM_SOURCES:%.c=$(O)/obj/%.o)
FAULTY_OBJECTS   = $(SHIM_SOURCES:%.c=$(O)/obj/faulty/%.o)
ANALYZER_OBJECTS = $(ANALYZER_SOURCES:%.c=$(O)/obj/%.o)
DEMO_OBJECTS     = $(DEMO_SOURCES:%.c=$(O)/obj/%.o)

# ---- flags: expanded in the recipes, after `deps` has installed what they ask for --------------------

SANFLAGS  = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
COMMON    = -std=gnu11 $(CFLAGS) $(WARNINGS) -MMD -MP

# With SAN the recorder's modules are only for the unit tests: a sanitizer brings its own malloc.
SHIM_FLAGS     = -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-plt -fexceptions -Ishim \
                 -D_GNU_SOURCE $(shell pkg-config --cflags libunwind) $(SANFLAGS)
ANALYZER_FLAGS = -D_GNU_SOURCE -Ishim -Ianalyzer $(shell pkg-config --cflags libdw libelf ncursesw) $(SANFLAGS)
ANALYZER_LIBS  = $(shell pkg-config --libs libdw libelf ncursesw) -liberty
DEMO_FLAGS     = -D_GNU_SOURCE -Ishim $(SANFLAGS)

# ---- the three programs ------------------------------------------------------------------------------

.DEFAULT_GOAL = all
.PHONY: all deps demo article article-python test torture bench clean help check-rules fuzz fuzz-calls install uninstall
.DELETE_ON_ERROR:

all: $(O)/libtrace.so $(O)/tracemalloc $(O)/demo

# The second is for tests: at the points of base/point.h they can hold it up, or make its system calls fail.
$(O)/libtrace.so: $(SHIM_OBJECTS)
$(O)/tests/faulty/libtrace.so: $(FAULTY_OBJECTS)
$(O)/libtrace.so $(O)/tests/faulty/libtrace.so: shim/exports.map
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -shared $(CFLAGS) -Wl,-soname,libtrace.so -Wl,-z,now -Wl,-z,relro -Wl,--no-undefined \
	  -Wl,--version-script=shim/exports.map -Wl,-z,nodelete -o $@ $(filter %.o,$^)

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

$(O)/obj/faulty/shim/%.o: shim/%.c | deps
	$(call say,CC,$< with points)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(SHIM_FLAGS) -DTEST_POINTS -c -o $@ $<

$(O)/obj/analyzer/%.o: analyzer/%.c | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(ANALYZER_FLAGS) -c -o $@ $<

# The page of `tracemalloc html`, without its data.
PAGE_SCRIPTS   = $(patsubst %,analyzer/page/%.js,units report looked elements colours tree icicle timeline table \
                   head describe main)
DYGRAPHS       = /usr/share/javascript/dygraphs/dygraph.min.js

$(O)/page.html: analyzer/page/assemble.sh analyzer/page/page.html analyzer/page/page.css $(PAGE_SCRIPTS) LICENSE | deps
	$(call say,MAKE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)sh analyzer/page/assemble.sh $(DYGRAPHS) LICENSE $(PAGE_SCRIPTS) >$@

$(O)/obj/analyzer/output/page.o: ANALYZER_FLAGS += -DPAGE_FILE='"$(O)/page.html"'
$(O)/obj/analyzer/output/page.o: $(O)/page.html

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

# demo/README.md is about these; they have to print what it shows.
article: DEPS_FOR = article
article: all $(O)/cta.csv $(O)/tests/bench/launch
	$(Q)python3 -B demo/measure/article.py $(O)

article-python: DEPS_FOR = article-python
article-python: all $(O)/cta.csv $(O)/tests/bench/launch
	$(Q)python3 -B demo/measure/article_python.py $(O)

# ---- tests -------------------------------------------------------------------------------------------
#
# A unit test bears its module's name and is linked with its program's modules, save the one with main (and
# the recorder's edge: a test with its own malloc would test itself).

SHIM_UNITS     = $(filter $(SHIM_BASE) $(SHIM_UNWIND) $(SHIM_TRACK) real,$(UNITS))
DEMO_UNITS     = csv aggregate
ANALYZER_UNITS = $(filter-out $(SHIM_UNITS) $(DEMO_UNITS),$(UNITS))
THREAD_UNITS   = arena control counters map snapshots thread track walk
UNITS          = $(patsubst tests/unit/test_%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_TESTS     = $(UNITS:%=$(O)/tests/unit/test_%)
PROGRAMS       = $(patsubst tests/programs/%.c,$(O)/tests/programs/%,$(wildcard tests/programs/*.c)) \
                 $(patsubst tests/programs/%.cc,$(O)/tests/programs/%,$(wildcard tests/programs/*.cc))
# Programs and tests of what breaks tools of this kind, each named by its hazard; libraries that they
# load are in libs/.
HAZARDS        = $(O)/tests/faulty/libtrace.so $(patsubst tests/hazards/%.c,$(O)/tests/hazards/%,$(wildcard tests/hazards/*.c)) \
                 $(patsubst tests/hazards/%.cc,$(O)/tests/hazards/%,$(wildcard tests/hazards/*.cc)) \
                 $(patsubst tests/hazards/libs/%.c,$(O)/tests/hazards/%.so,$(wildcard tests/hazards/libs/*.c)) \
                 $(patsubst tests/hazards/libs/%.cc,$(O)/tests/hazards/%.so,$(wildcard tests/hazards/libs/*.cc))
HAZARD_HEADERS = $(wildcard tests/hazards/*.h)
E2E_TESTS      = $(sort $(wildcard tests/e2e/test_*.sh) $(wildcard tests/hazards/test_*.sh))
CHECKS         = tests/check_layers.sh tests/check_exports.sh
FUZZERS        = trace module
REPLAYS        = $(FUZZERS:%=$(O)/tests/fuzz/replay_%)

UNIT_SUPPORT   = $(patsubst tests/unit/%.c,$(O)/obj/tests/unit/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
SHIM_SUPPORT   = $(filter %/shim_support.o,$(UNIT_SUPPORT))
ANALYZER_SUPPORT = $(filter-out $(SHIM_SUPPORT),$(UNIT_SUPPORT))
TEST_FLAGS     = -D_GNU_SOURCE -Ishim -Ianalyzer -Idemo -I. $(shell pkg-config --cflags cmocka libunwind) $(SANFLAGS)
TEST_LINK      = $(CC) $(CFLAGS) $(SANFLAGS) -pthread -rdynamic

$(O)/obj/tests/%.o: tests/%.c | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(TEST_FLAGS) -c -o $@ $<

$(SHIM_UNITS:%=$(O)/tests/unit/test_%): $(O)/tests/unit/%: $(O)/obj/tests/unit/%.o $(SHIM_SUPPORT) \
  $(filter-out $(O)/obj/shim/edge/%,$(SHIM_OBJECTS)) $(O)/obj/shim/edge/real.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(TEST_LINK) -o $@ $^ $(shell pkg-config --libs cmocka)

$(DEMO_UNITS:%=$(O)/tests/unit/test_%): $(O)/tests/unit/%: $(O)/obj/tests/unit/%.o \
  $(filter-out %/main.o,$(DEMO_OBJECTS))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(TEST_LINK) -o $@ $^ $(shell pkg-config --libs cmocka)

$(ANALYZER_UNITS:%=$(O)/tests/unit/test_%): $(O)/tests/unit/%: $(O)/obj/tests/unit/%.o $(ANALYZER_SUPPORT) \
  $(filter-out $(O)/obj/analyzer/main.o,$(ANALYZER_OBJECTS))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(TEST_LINK) -o $@ $^ $(ANALYZER_LIBS) $(shell pkg-config --libs cmocka)

$(O)/tests/programs/%: tests/programs/%.c $(wildcard tests/programs/*.h) | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O1 -g -fno-builtin -Ishim -Wall -Wextra -pthread -o $@ $<

$(O)/tests/programs/%: tests/programs/%.cc | deps
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 -O1 -g -Ishim -Wall -Wextra -pthread -o $@ $<

# They define what is called at the recorder's points.
$(O)/tests/hazards/%: tests/hazards/%.c $(HAZARD_HEADERS) | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-builtin -Ishim -Wall -Wextra -pthread -rdynamic -o $@ $<

$(O)/tests/hazards/%: tests/hazards/%.cc $(HAZARD_HEADERS) | deps
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 -O1 -g -Ishim -Wall -Wextra -pthread -o $@ $<

$(O)/tests/hazards/%.so: tests/hazards/libs/%.c $(HAZARD_HEADERS) | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-builtin -fPIC -shared -Wall -Wextra -o $@ $<

$(O)/tests/hazards/%.so: tests/hazards/libs/%.cc | deps
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 -O1 -g -fPIC -shared -Wall -Wextra -o $@ $<

test: DEPS_FOR = test
ifeq ($(SAN),)
test: $(O)/tests/small/libtrace.so
test: all $(O)/cta.csv $(O)/tests/bench/launch $(UNIT_TESTS) $(PROGRAMS) $(HAZARDS) $(O)/tests/compare_rules $(REPLAYS)
	$(Q)BUILD=$(O) bash tests/run.sh $(UNIT_TESTS) $(CHECKS) $(E2E_TESTS) tests/fuzz/test_corpus.sh
else ifeq ($(SAN),thread)
# Where threads meet.
test: $(THREAD_UNITS:%=$(O)/tests/unit/test_%)
	$(Q)BUILD=$(O) bash tests/run.sh $^
else
# The unit tests, and the analyzer over whatever needs no recorder.
test: $(O)/tracemalloc $(O)/demo $(O)/cta.csv $(UNIT_TESTS) $(REPLAYS)
	$(Q)BUILD=$(O) bash tests/run.sh $(UNIT_TESTS) tests/fuzz/test_corpus.sh \
	  $(filter %/test_report.sh %/test_info.sh %/test_demo.sh %/test_hostile_modules.sh,$(E2E_TESTS))
endif

torture: DEPS_FOR = test
torture: all $(HAZARDS)
	$(Q)python3 -B tests/torture/torture.py $(O)

# The recorder with small tables, to see them full (tests/hazards/test_loads.sh).
SMALL_TABLES   = {[TRACE_FRAMES] = 512, [TRACE_NODES] = 8192, [TRACE_SITES] = 1024, [TRACE_TIMELINE] = 64, [TRACE_MARKS] = 64}

$(O)/obj/small/records.o: shim/base/records.c | deps
	$(call say,CC,$< with small tables)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON) $(SHIM_FLAGS) -D'TEST_RECORDS_MAX=$(SMALL_TABLES)' -c -o $@ $<

$(O)/tests/small/libtrace.so: $(O)/obj/small/records.o $(filter-out %/records.o,$(SHIM_OBJECTS))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -shared $(CFLAGS) -Wl,-soname,libtrace.so -Wl,-z,now -Wl,-z,relro -Wl,--no-undefined \
	  -Wl,--version-script=shim/exports.map -Wl,-z,nodelete -o $@ $^

# Many more seeds than `make test` takes.
fuzz-calls: SEEDS = $(shell seq 1001 1100)
fuzz-calls: DEPS_FOR = test
fuzz-calls: all $(PROGRAMS) $(HAZARDS)
	$(Q)SEEDS="$(SEEDS)" BUILD=$(O) TEST_TIMEOUT=86400 bash tests/run.sh tests/e2e/test_calls.sh

# ---- fuzzing -----------------------------------------------------------------------------------------
#
# fuzz_NAME.c goes over the inputs in corpus/NAME: as replay_NAME over them alone, in every `make test`; as
# fuzz_NAME, built by clang with libFuzzer, over what that makes of them.

FUZZ_COMMON    = $(O)/obj/tests/fuzz/fuzz.o $(ANALYZER_SUPPORT) $(filter-out %/analyzer/main.o,$(ANALYZER_OBJECTS))
FUZZ_PROGRAMS  = $(FUZZERS:%=$(O)/tests/fuzz/fuzz_%)

$(O)/tests/fuzz/fuzz_trace $(O)/tests/fuzz/replay_trace: $(O)/obj/tests/fuzz/fuzz_trace.o \
  $(O)/obj/tests/fuzz/made_up_symbols.o $(filter-out %/model/symbols.o,$(FUZZ_COMMON))
$(O)/tests/fuzz/fuzz_module $(O)/tests/fuzz/replay_module: $(O)/obj/tests/fuzz/fuzz_module.o $(FUZZ_COMMON)

$(REPLAYS): $(O)/obj/tests/fuzz/replay.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(TEST_LINK) -o $@ $^ $(ANALYZER_LIBS)

$(FUZZ_PROGRAMS):
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(TEST_LINK) -fsanitize=fuzzer -o $@ $^ $(ANALYZER_LIBS)

# clang's check of pointers takes offence at <obstack.h>.
$(addprefix $(O)/obj/analyzer/model/,pool.o symbols.o debuginfo.o merge.o common_paths.o): SANFLAGS += $(if $(SAN),-fno-sanitize=pointer-overflow)

fuzz: DEPS_FOR = fuzz
fuzz: deps
	$(Q)$(MAKE) --no-print-directory DEPS=skip O=$(O)/fuzz CC=clang SAN=fuzzer-no-link,address,undefined \
	  $(FUZZERS:%=$(O)/fuzz/tests/fuzz/fuzz_%)
	$(Q)BUILD=$(O)/fuzz bash tests/fuzz/run.sh $(SECONDS) $(FUZZERS)

# Every call's return address in the given objects (or a default set): learned rules against elfutils'.
check-rules: $(O)/tests/compare_rules
	$(Q)$(O)/tests/compare_rules $(OBJECTS)

RULE_OBJECTS   = $(addprefix $(O)/obj/shim/unwind/,cfi.o image.o learn.o)

$(O)/tests/compare_rules: $(O)/obj/tests/rules/compare_rules.o $(RULE_OBJECTS)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(TEST_LINK) -o $@ $^ $(ANALYZER_LIBS)

# ---- benchmarks --------------------------------------------------------------------------------------

BENCH_PROGRAMS = $(patsubst tests/bench/%.c,$(O)/tests/bench/%,$(filter-out %/empty.c,$(wildcard tests/bench/*.c))) \
                 $(O)/tests/bench/strings $(O)/tests/bench/empty.so
BENCH_HEADERS  = $(wildcard tests/bench/*.h)

# Preloads must not reach what starts the measured programs.
$(O)/tests/bench/launch: BENCH_LINK = -static

$(O)/tests/bench/%: tests/bench/%.c $(BENCH_HEADERS) | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -pthread $(BENCH_LINK) -o $@ $<

$(O)/tests/bench/%: tests/bench/%.cc | deps
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 -O2 -g -Wall -Wextra -o $@ $<

$(O)/tests/bench/empty.so: tests/bench/empty.c | deps
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -shared -fPIC -fno-builtin -o $@ $<

bench: DEPS_FOR = bench
bench: all $(O)/cta.csv $(BENCH_PROGRAMS)
	$(Q)python3 -B tests/bench/bench.py $(O) --json $(O)/bench.json

# ---- installation ------------------------------------------------------------------------------------
#
# Another library bears the name libtrace.so; it is left alone, ours then goes into a folder of its own, where
# `tracemalloc run` looks too.  All paths are relative to each other: an installation can be moved.

BINDIR     = $(PREFIX)/bin
LIBDIR     = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
MANDIR     = $(PREFIX)/share/man
BASHDIR    = $(PREFIX)/share/bash-completion/completions
ZSHDIR     = $(PREFIX)/share/zsh/site-functions

install: all
	$(Q)INSTALL_ROOT='$(DESTDIR)' PREFIX='$(PREFIX)' BINDIR='$(BINDIR)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' \
	  MANDIR='$(MANDIR)' BASHDIR='$(BASHDIR)' ZSHDIR='$(ZSHDIR)' sh ./install.sh install $(O)

uninstall:
	$(Q)INSTALL_ROOT='$(DESTDIR)' PREFIX='$(PREFIX)' BINDIR='$(BINDIR)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' \
	  MANDIR='$(MANDIR)' BASHDIR='$(BASHDIR)' ZSHDIR='$(ZSHDIR)' sh ./install.sh uninstall

clean:
	rm -rf build

help:
	@sed -n 's/^#   //p' Makefile

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
