# Bellwether. `make help` lists the targets.
#
# Each room (a folder) becomes build/lib<room>.a; a new .c file in a room needs no line here.

CFLAGS  ?= -O2 -g
WARN     = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
# The kernels choose their instruction set at run time, so nothing here names one. IEEE semantics
# stay: no -ffast-math, and no contraction of a*b+c unless a kernel writes it.
BASE     = -std=c17 -D_GNU_SOURCE -I. -fPIC -fopenmp -ffp-contract=off -MMD -MP $(WARN)
LIBS     = -lsqlite3 -lgsl -lopenblas -lcjson -lcsv -lutf8proc -lz -lm
# What the loadable extension needs; SQLite itself comes from the host.
EXT_LIBS = -lgsl -lopenblas -lcjson -lutf8proc -lz -lm

BUILD   ?= build
BIN     ?= bellwether

# `make V=1` shows whole commands.
Q        = $(if $(V),,@)
say      = @$(if $(V),:,printf '  %-4s %s\n' $(1) $(2))

ROOMS    = common sql model analyze reports demo
# Order of linking: a room may use those to its right.
LINK     = demo reports analyze model sql common
SRC      = $(foreach r,$(ROOMS),$(wildcard $(r)/*.c $(r)/*/*.c))
OBJ      = $(SRC:%.c=$(BUILD)/%.o)
HEADERS  = $(foreach r,$(ROOMS),$(wildcard $(r)/*.h $(r)/*/*.h))
ARCHIVES = $(LINK:%=$(BUILD)/lib%.a)
EMBED    = $(sort $(wildcard sql/schema/*.sql model/weights/*.safetensors model/weights/*.json \
             model/recipes/*.json model/recipes/*.txt reports/prose/* reports/page/* reports/ask/*.json demo/text/*))
TEST_SRC = $(filter-out tests/slow/%,$(wildcard tests/*/test_*.c))
TEST_BIN = $(TEST_SRC:%.c=$(BUILD)/%)
CLI_TEST = $(filter-out tests/cli/lib.sh,$(sort $(wildcard tests/cli/*.sh)))

.PHONY: all demo test test-real test-slow test-browser test-odd test-asan test-valgrind test-clang bench bench-model bench-fit bench-timing deps \
        format lint \
        install clean help
.SECONDARY:

all: $(BIN) $(BIN).so        ## build ./bellwether and ./bellwether.so

demo: deps                   ## install what is missing, build, simulate a shop and open its report
	@$(MAKE) --no-print-directory -j"$$(nproc)" all
	./$(BIN) demo --db $(BUILD)/demo.db --out demo-report

test: deps                   ## install what is missing, build, run every test
	@$(MAKE) --no-print-directory -j"$$(nproc)" all $(TEST_BIN)
	@tests/run.sh $(TEST_BIN) $(CLI_TEST)

test-real: all               ## the main job on published data; needs DATA=folder
	@test -n "$(DATA)" || { echo "usage: make test-real DATA=FOLDER (see tests/real.sh)"; exit 2; }
	@tests/run.sh tests/real.sh $(wildcard tests/real/*.sh)

test-browser: all            ## the demo report in Chromium: axe-core, overflow, overlap, requests
	@tests/run.sh tests/browser/run.sh

test-odd: all                ## forty odd shops through fit, report and verify, minutes
	@tests/run.sh tests/slow/odd_shops.sh

test-slow: all               ## statistical coverage by simulation, minutes
	@$(MAKE) --no-print-directory -j"$$(nproc)" $(patsubst %.c,$(BUILD)/%,$(wildcard tests/slow/test_*.c))
	@tests/run.sh $(patsubst %.c,$(BUILD)/%,$(wildcard tests/slow/test_*.c))

test-asan:                   ## the tests under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory -j"$$(nproc)" BUILD=$(BUILD)/asan BIN=$(BUILD)/asan/bellwether \
	  CFLAGS="-O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined" \
	  asan-run

.PHONY: asan-run
asan-run: $(BIN) $(TEST_BIN)
	@BW="$(CURDIR)/$(BIN)" ASAN_OPTIONS=detect_leaks=1 tests/run.sh $(TEST_BIN) $(CLI_TEST)

test-valgrind: all $(TEST_BIN) ## the C tests under valgrind
	@for t in $(TEST_BIN); do valgrind -q --leak-check=full --error-exitcode=9 $$t || exit 1; done

test-clang:                  ## everything again, built by clang
	@$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/clang BIN=$(BUILD)/clang/bellwether asan-run

bench-model: all             ## the language core beside PyTorch
	tests/bench/model.sh

bench-fit: all               ## channel effects by size, beside Stan where rstan is installed
	tests/bench/fit.sh

bench-timing: all            ## ten million messages through `timing`: seconds and peak memory
	tests/bench/timing.sh 10000000

bench: all                   ## all benchmarks: medians, and ratios to a peer in the same run
	@for b in tests/bench/*.sh; do $$b || exit 1; done

deps:                        ## install the packages that are missing
	@tests/deps.sh

format:                      ## rewrite every source file in the house format
	@clang-format -i $(SRC) $(HEADERS) main.c extension.c $(TEST_SRC)

lint:                        ## clang-format, cppcheck and shellcheck, no output is good
	@clang-format --dry-run -Werror $(SRC) $(HEADERS) main.c extension.c $(TEST_SRC)
	cppcheck -q --std=c11 --enable=warning,portability --suppressions-list=tests/cppcheck.txt -I. --error-exitcode=1 $(ROOMS) main.c
	shellcheck -S warning -x -e SC1091,SC1111 $(CLI_TEST) tests/*.sh

PREFIX ?= /usr/local
install: all                 ## copy the binary and the extension to PREFIX
	install -D $(BIN) $(DESTDIR)$(PREFIX)/bin/bellwether
	install -D $(BIN).so $(DESTDIR)$(PREFIX)/lib/bellwether.so

clean:                       ## remove what was built
	rm -rf $(BUILD) bellwether bellwether.so

help:                        ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

$(BIN): $(BUILD)/main.o $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -fopenmp -o $@ $^ $(LIBS)

# The extension: the same rooms, but the files that register functions speak through the host.
EXT_SRC = extension.c $(wildcard sql/functions.c model/functions.c analyze/functions.c)
$(BIN).so: $(EXT_SRC:%.c=$(BUILD)/ext/%.o) $(BUILD)/libanalyze.a $(BUILD)/libmodel.a $(BUILD)/libsql.a $(BUILD)/libcommon.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -fopenmp -shared -Wl,-z,defs -o $@ $^ $(EXT_LIBS)

$(BUILD)/lib%.a:
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

define room_rule
$(BUILD)/lib$(1).a: $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c $(1)/*/*.c))
endef
$(foreach r,$(ROOMS),$(eval $(call room_rule,$(r))))
$(BUILD)/libcommon.a: $(BUILD)/embedded.o

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE) $(CFLAGS) -c -o $@ $<

$(BUILD)/ext/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE) $(CFLAGS) -DBW_EXTENSION -c -o $@ $<

$(BUILD)/embedded.c: $(EMBED) common/embed.sh Makefile
	@mkdir -p $(@D)
	$(Q)common/embed.sh $(EMBED) > $@
$(BUILD)/embedded.o: $(BUILD)/embedded.c
	$(call say,CC,$<)
	$(Q)$(CC) -I. -fPIC $(CFLAGS) -c -o $@ $<

# Tests link against one shared library of all rooms: a change in a room relinks that alone.
TEST_LIB = $(BUILD)/libbellwether.so
$(TEST_LIB): $(ARCHIVES)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -fopenmp -shared -o $@ -Wl,--whole-archive $^ -Wl,--no-whole-archive $(LIBS)

$(BUILD)/tests/%: tests/%.c | $(TEST_LIB)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE) $(CFLAGS) -o $@ $< -L$(BUILD) -lbellwether -Wl,-rpath,$(abspath $(BUILD)) $(LIBS) -lcmocka

$(BUILD)/tests/bench/bench_model: $(addprefix $(BUILD)/tests/bench/,roof.o bandwidth.o bench_encode.o bench_decode.o)
$(BUILD)/tests/bench/%: tests/bench/%.c $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) -o $@ $(filter %.c %.o,$^) $(filter %.a,$^) $(LIBS)

-include $(OBJ:.o=.d) $(BUILD)/main.d $(TEST_BIN:=.d) $(patsubst %.c,$(BUILD)/%.d,$(wildcard tests/slow/test_*.c))
