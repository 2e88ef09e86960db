# Baton. `make help` lists what can be made; build.mk and what it includes say how.
# Between single quotes of the shell.
quoted = $(subst ','\'',$1)

# Without one a shell has a path of its own, which the programs that it starts do not know.
export PATH := $(or $(PATH),/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

GOALS := $(or $(MAKECMDGOALS),default)
NEEDS := $(if $(filter test test-machines test-sanitize test-labs bench gdb record replay docs,$(GOALS)),test,run)
# For each goal that needs a build: what of it.
WANTED := $(strip $(filter build/%,$(GOALS)) $(if $(filter iso,$(GOALS)),build/baton.iso) \
	$(if $(filter bench,$(GOALS)),build/user/bench/host build/user/bench/guest build/user/bench/kernel build/user/bench/echo) \
	$(if $(filter-out help clean lab grade replay tools iso format compile_commands.json build/%,$(GOALS)),all))

ifneq ($(WANTED),)
ifeq ($(shell { [ -w . ] && { [ -w build ] || [ ! -e build ]; }; } || echo no),no)
$(error $(CURDIR) cannot be written: copy or clone it to a folder of yours)
endif
endif

.PHONY: default products tools help all run test test-labs test-machines test-mutants test-programs \
	test-sanitize fuzz iso clean demo gdb record replay docs book trace bench lab grade format runtimes
default: products
	@echo "Built. Next: make run (a shell in the guest), make test, make help"

# One shell for all of it: who has seen enough (`make help | head`) is no error.
help:
	@trap '' PIPE; { \
	echo "make                  build all that the others need, on all CPUs"; \
	echo "make run              boot to a shell in this terminal (poweroff or ^A x ends"; \
	echo "                      it)"; \
	echo "make run CMD='...'    run one command in the guest and exit with its status"; \
	echo "                      ADD='/usr/bin/python3 FOLDER' brings the host's programs"; \
	echo "                      and folders"; \
	echo "make demo             the stall lesson in the guest: one blocked coroutine, and"; \
	echo "                      two cures"; \
	echo "make runtimes         the same question to Go, asyncio, Node, threads and our"; \
	echo "                      coroutines, in the guest"; \
	echo "make test             all tests; the last line says how many passed and failed"; \
	echo "make test-machines    the same with 1, 2 and 4 CPUs, under icount and in real"; \
	echo "                      time (TIMES=20)"; \
	echo "make fuzz CALLS=1000000  random system calls until one finds something"; \
	echo "                      (SEED, SMP, MEM, INJECT=1, FREE=1)"; \
	echo "make test-mutants     prove that the stress test finds mistakes in locking"; \
	echo "make test-programs    other people's programs: the same as on the host?"; \
	echo "                      (minutes)"; \
	echo "make test-sanitize    the guest tests on a kernel with all checks, 1 and 4 CPUs"; \
	echo "make iso              build/baton.iso, which GRUB boots"; \
	echo "make all              the same, and no word on what is next"; \
	echo "make clean            remove build/"; \
	echo "make lab N=2          a starter of lab 2 in build/lab/2 (OUT=dir for elsewhere)"; \
	echo "make grade N=2        grade lab 2 in this tree"; \
	echo "make test-labs        prove all labs: starters, solutions, mutants, cheaters"; \
	echo "make bench            what switches, coroutines, calls and CPUs cost, here and"; \
	echo "                      in the guest"; \
	echo "make trace CMD='...'  trace a command: report, timeline page and picture"; \
	echo "                      in build/trace/"; \
	echo "make explore CMD='...'  run a command by many schedules until one fails,"; \
	echo "                      and tell that one (docs/explore.md); COROUTINES=1:"; \
	echo "                      by many orders of its coroutines"; \
	echo "make gdb CMD='...'    debug a command and the kernel under it; CORE=file:"; \
	echo "                      what kcore wrote"; \
	echo "make record CMD='...' run a command and record it; then make replay:"; \
	echo "                      gdb, backwards too"; \
	echo "make format           put the spaces in C sources right (clang-format; line"; \
	echo "                      breaks stay)"; \
	echo "make compile_commands.json  for clangd: how each file is compiled"; \
	echo "make docs             write the listings in docs/ again (make test compares"; \
	echo "                      them)"; \
	echo "make book             docs/ as a site in English and Chinese:"; \
	echo "                      build/book/index.html"; \
	echo "Options: DEBUG=1 (check locking), SANITIZE=1 (that, undefined behaviour and"; \
	echo "         memory), CC=clang, CROSS_COMPILE=prefix-, V=1 (show commands),"; \
	echo "         GUI=1 (make run: VGA window)"; \
	} 2>/dev/null || [ -p /dev/stdout ]

# What is missing is installed, and only where something is made.
tools:
	@tools/setup --check $(NEEDS) >/dev/null || { echo "Installing what is missing: tools/setup $(NEEDS)"; \
		tools/setup $(NEEDS); }

# One after another, for two at once would spoil each other's files; on all CPUs, unless told.
DRY := $(findstring n,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN))
products: tools $(filter clean,$(GOALS))
	+@$(if $(DRY),,tools/alone build/lock) $(MAKE) --no-print-directory -f build.mk $(JOBS) $(WANTED)

all iso $(filter build/%,$(GOALS)): products
	@:

ADDED = $(foreach item,$(ADD),--add '$(call quoted,$(item))')
ADDED_NAMES = $(foreach item,$(ADD),$(notdir $(lastword $(subst :, ,$(item)))))
run: products
ifdef CMD
	@tools/run $(ADDED) -- sh -c '$(call quoted,$(CMD))'
else
	@tools/run $(ADDED)
endif

test: products
	@tests/run

# All of it with 1, 2 and 4 CPUs, under icount and in real time; TIMES=20 takes hours.
test-machines: products
	@tests/run --machines --times $(or $(TIMES),1)

# A failure tells its seed, and how to repeat it; ONLY=NAME,... or ^NAME,... chooses calls.
fuzz: products
	@tools/fuzz $(if $(CALLS),--calls $(CALLS)) $(if $(SEED),--seed $(SEED)) $(if $(SMP),--smp $(SMP)) \
		$(if $(MEM),--mem $(MEM)) $(if $(INJECT),--inject) $(if $(FREE),--free) \
		$(if $(ROUND),--round $(ROUND)) $(if $(ONLY),--only '$(ONLY)')

# Programs that nobody here has built: the same as on the host, and their time to start beside Linux.
test-programs: products
	@/usr/bin/python3 tests/program_table.py

test-mutants: products
	@tests/mutants/run

# Half an hour of it: for once a week. A part of it is in `make test`.
test-sanitize: products
	@tests/sanitized.py

lab:
	$(if $(wildcard tools/lab),,$(error this is a starter already: begin with its README.md))
	@tools/lab make $(or $(N),$(error which lab? make lab N=2)) $(if $(OUT),-o '$(call quoted,$(OUT))')

grade:
	@tools/grade $(if $(N),--lab $(N)) $(if $(SEED),--seed $(SEED)) $(if $(K),-k '$(call quoted,$(K))')

test-labs: products
	@tools/lab prove

bench: products
	@tools/bench $(BENCH)

demo: products
	@tools/run -- stall --mode=all

runtimes: products
	@tools/runtimes

# A command as words, "$$@": a program with its arguments runs without a shell, which would be one
# process more in a trace and in gdb.
as_words = set -- '$(call quoted,$1)'; case "$$1" in \
	    *[!A-Za-z0-9\ =._/,:+-]*) set -- sh -c "$$1" ;; \
	    *) case ' $(call quoted,$(ADDED_NAMES)) ' in *" $${1%% *} "*) set -- $$1 ;; \
	        *) ls build/user/*/"$${1%% *}" >/dev/null 2>&1 && set -- $$1 || set -- sh -c "$$1" ;; esac ;; \
	esac
TRACED = $(or $(CMD),stall --mode=all)
TRACE := build/trace/trace
trace: products
	@mkdir -p $(dir $(TRACE))
	@$(call as_words,$(TRACED)); \
	tools/run --icount --trace $(TRACE).ktr -- "$$@"; status=$$?; \
	tools/ktrace report $(TRACE).ktr && for kind in html svg chrome perfetto; do \
	    tools/ktrace $$kind $(TRACE).ktr || exit; \
	done; exit $$status

EXPLORED := build/explore/trace
.PHONY: explore
explore: products
	@mkdir -p $(dir $(EXPLORED)); rm -f $(EXPLORED).*
	@$(call as_words,$(or $(CMD),race --way plainly)); \
	tools/explore $(ADDED) $(if $(COROUTINES),--coroutines) --trace $(EXPLORED).ktr -- "$$@"; status=$$?; \
	[ ! -e $(EXPLORED).ktr ] || { tools/ktrace html $(EXPLORED).ktr && echo "timeline: $(EXPLORED).html"; }; \
	exit $$status

GDB := gdb -nx -q -x tools/gdb/load.py
GDB_CMD := $(or $(CMD),stall --mode=blocking --wait=200 --tickers=2)
RECORDING ?= build/recording

# gdb without a standard input would read commands from whatever file it opens first.
WITH_STDIN = [ -e /dev/stdin ] || exec </dev/null
gdb: products
ifdef CORE
	@$(WITH_STDIN); $(GDB) $(firstword $(wildcard $(dir $(CORE))baton.elf) build/baton.elf) $(CORE)
else
	@$(WITH_STDIN); $(call as_words,$(GDB_CMD)); $(if $(EXPLORE),BATON_OPTIONS=$$(tools/explore --words \
	    $(ADDED) --replay '$(call quoted,$(EXPLORE))' -- "$$@") || exit; export BATON_OPTIONS;) BATON_WORDS=$$(printf '%s\036' "$$@") $(GDB) build/baton.elf -ex kstart \
	    $(if $(EXPLORE),-ex 'break explore_take')
endif

record: products
	@$(call as_words,$(GDB_CMD)); tools/run --record $(RECORDING) -- "$$@"

replay: tools
	@$(WITH_STDIN); $(GDB) $(RECORDING)/baton.elf -ex "kstart --replay $(RECORDING)"

compile_commands.json: tools
	@$(MAKE) -Bns -f build.mk all 2>/dev/null | tools/compdb >$@

docs: products
	@tools/docs

# Nothing else needs what makes a site: it is installed here alone.
book: products
	@tools/setup --check book >/dev/null || { echo "Installing what makes the site: tools/setup book"; \
		tools/setup book; }
	@tools/book

format:
	@tools/format

clean:
	rm -rf build
	find tools tests -name __pycache__ -prune -exec rm -rf {} +
