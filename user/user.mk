# User programs: user/bin/NAME.c, user/demo/NAME.c, user/test/NAME.c, and of several files the shell
# in user/sh, the explorer in user/explore and tests in user/torture and user/fuzz; each linked with our
# own small libc, the lessons in user/demo also with what they share; and the initramfs.
USER_CFLAGS := -std=gnu17 -O2 -g -Wall -Wextra $(WERROR_FLAG) -ffreestanding -nostdinc \
	-isystem $(shell $(CC) -print-file-name=include) -Iuser/ulib/include \
	-fno-omit-frame-pointer -fno-pic -fno-pie -fno-stack-protector -fno-strict-aliasing \
	-fstack-clash-protection $(if $(CC_IS_CLANG),-Wno-unused-command-line-argument) \
	-fno-asynchronous-unwind-tables -MMD -MP
USER_LDFLAGS := -nostdlib -static -z noexecstack -z max-page-size=4096 --build-id=none
ULIB_SOURCES := $(sort $(wildcard user/ulib/*.c user/ulib/*/*.c))
ULIB_ASM := $(sort $(wildcard user/ulib/*.asm user/ulib/*/*.asm))
ULIB_OBJECTS := $(ULIB_SOURCES:%.c=build/%.o) $(ULIB_ASM:%.asm=build/%.asm.o)
PROGRAM_SOURCES := $(sort $(wildcard user/bin/*.c user/demo/*.c user/test/*.c))
PROGRAMS := $(PROGRAM_SOURCES:%.c=build/%) build/user/bin/sh build/user/bin/explore build/user/test/torture \
	build/user/test/fuzz
SH_OBJECTS := $(patsubst %.c,build/%.o,$(sort $(wildcard user/sh/*.c)))
LESSON_OBJECTS := $(patsubst %.c,build/%.o,$(sort $(wildcard user/demo/common/*.c)))
LESSONS := $(patsubst %.c,build/%,$(wildcard user/demo/*.c))
EXPLORE_OBJECTS := $(patsubst %.c,build/%.o,$(sort $(wildcard user/explore/*.c)))
TORTURE_OBJECTS := $(patsubst %.c,build/%.o,$(sort $(wildcard user/torture/*.c)))
FUZZ_OBJECTS := $(patsubst %.c,build/%.o,$(sort $(wildcard user/fuzz/*.c)))

build/user/%.o: user/%.c build/flags
	@mkdir -p $(@D)
	$(call say,CC ,$<)
	$(Q)$(CC) $(USER_CFLAGS) -c -o $@ $<

build/user/files: FILES = $(ULIB_OBJECTS) $(LESSON_OBJECTS) $(SH_OBJECTS) $(EXPLORE_OBJECTS) $(TORTURE_OBJECTS) $(FUZZ_OBJECTS)
build/user/libu.a: $(filter-out %/crt0.asm.o,$(ULIB_OBJECTS)) build/user/files
build/user/demo/liblesson.a: $(LESSON_OBJECTS) build/user/files
build/user/libu.a build/user/demo/liblesson.a:
	$(call say,AR ,$@)
	$(Q)rm -f $@; $(AR) rcs $@ $(filter %.o,$^)

build/user/demo/common/zh.inc: user/demo/zh.po tools/catalogue.py
	@mkdir -p $(@D)
	$(call say,ZH ,$@)
	$(Q)tools/catalogue.py $< -o $@
build/user/demo/common/language.o: build/user/demo/common/zh.inc
build/user/demo/common/language.o: USER_CFLAGS += -Ibuild/user/demo/common

$(LESSONS) build/user/bin/tour: build/user/demo/liblesson.a
$(patsubst %.c,build/%,$(filter-out user/bin/init.c,$(wildcard user/bin/*.c))): build/user/written/written.o
$(PROGRAM_SOURCES:%.c=build/%): build/%: build/%.o build/user/libu.a build/user/ulib/crt0.asm.o
	$(call say,LD ,$@)
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ build/user/ulib/crt0.asm.o $< $(filter %/written.o %/liblesson.a,$^) \
		build/user/libu.a

build/user/bin/sh: $(SH_OBJECTS)
build/user/bin/explore: $(EXPLORE_OBJECTS)
build/user/test/torture: $(TORTURE_OBJECTS)
build/user/test/fuzz: $(FUZZ_OBJECTS)
build/user/bin/sh build/user/bin/explore build/user/test/torture build/user/test/fuzz: build/user/libu.a build/user/ulib/crt0.asm.o build/user/files
	@mkdir -p $(@D)
	$(call say,LD ,$@)
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ build/user/ulib/crt0.asm.o $(filter %.o,$(filter-out %.asm.o,$^)) \
		build/user/libu.a

# The benchmark, for the guest and, of the same library objects, with the host's C library.
CO_OBJECTS := $(filter build/user/ulib/co/%,$(ULIB_OBJECTS))
BENCH_OBJECTS := $(addprefix build/user/bench/,main.o switches.o creation.o six.asm.o)
build/user/bench/guest: build/user/bench/guest.o $(BENCH_OBJECTS) build/user/libu.a \
		build/user/ulib/crt0.asm.o
	$(call say,LD ,$@)
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ build/user/ulib/crt0.asm.o $(filter %.o,$(filter-out \
		%/crt0.asm.o,$^)) build/user/libu.a

# What tools/runtimes compares with other languages' programs.
RUNTIMES := $(patsubst %.c,build/%,$(wildcard user/runtimes/*.c))
all: $(RUNTIMES)
$(RUNTIMES): build/%: build/%.o build/user/libu.a build/user/ulib/crt0.asm.o
	$(call say,LD ,$@)
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ build/user/ulib/crt0.asm.o $< build/user/libu.a

# What the kernel's calls cost, for the guest: Baton or Linux.
build/user/bench/kernel: $(addprefix build/user/bench/,kernel.o rows.o growth.o smp.o) build/user/libu.a \
		build/user/ulib/crt0.asm.o
	$(call say,LD ,$@)
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ build/user/ulib/crt0.asm.o $(filter %.o,$(filter-out \
		%/crt0.asm.o,$^)) build/user/libu.a

build/user/bench/host: $(addprefix user/bench/,host.c main.c switches.c creation.c) \
		user/bench/bench.h build/user/bench/six.asm.o $(CO_OBJECTS)
	@mkdir -p $(@D)
	$(call say,CC ,$<)
	$(Q)$(CC) -std=gnu17 -O2 -g -Wall -Wextra $(WERROR_FLAG) -D_GNU_SOURCE -idirafter \
		user/ulib/include -no-pie -pthread -o $@ $(filter %.c %.o,$^)

build/user/bench/echo: user/bench/echo.c $(CO_OBJECTS)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -O2 -g -Wall -Wextra $(WERROR_FLAG) -D_GNU_SOURCE -idirafter \
		user/ulib/include -no-pie -pthread -o $@ $(filter %.c %.o,$^)

# The guest needs no symbols: debuggers and reports take them from build/user on the host.
STRIPPED := $(PROGRAMS:build/user/%=build/stripped/%)
build/stripped/%: build/user/%
	@mkdir -p $(@D)
	$(Q)$(OBJCOPY) --strip-all $< $@

build/stripped/files: FILES = $(STRIPPED)
build/initramfs.cpio: $(STRIPPED) build/stripped/files tools/mkinitrd tools/launch/cpio.py
	$(call say,CPIO,$@)
	$(Q)tools/mkinitrd $@ $(STRIPPED)

.PRECIOUS: build/user/%.o
-include build/user/written/written.d $(ULIB_OBJECTS:.o=.d) $(SH_OBJECTS:.o=.d) $(EXPLORE_OBJECTS:.o=.d) $(TORTURE_OBJECTS:.o=.d) \
	$(FUZZ_OBJECTS:.o=.d) \
	$(LESSON_OBJECTS:.o=.d) \
	$(PROGRAM_SOURCES:%.c=build/%.d)
