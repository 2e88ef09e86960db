# How everything in build/ is made. The Makefile calls it, one at a time and on all CPUs.
# Elsewhere than on an x86-64 Linux: a cross compiler.
ifneq ($(shell uname -sm),Linux x86_64)
CROSS_COMPILE ?= $(firstword $(foreach prefix,x86_64-linux-gnu- x86_64-elf-, \
	$(if $(shell command -v $(prefix)gcc),$(prefix))))
endif
CC = $(CROSS_COMPILE)gcc
LD = $(CROSS_COMPILE)ld
NM = $(CROSS_COMPILE)nm
AR = $(CROSS_COMPILE)ar
OBJCOPY = $(CROSS_COMPILE)objcopy
Q := $(if $(V),,@)
# What is being done, in a short line; V=1 shows the commands instead, -s neither.
SILENT := $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(V)$(SILENT),,$(info $1  $2))
CC_IS_CLANG := $(findstring clang,$(CC))
WERROR_FLAG := $(if $(CI)$(WERROR),-Werror)
# Undefined behaviour: see kernel/arch/ubsan.c. Not what is meant here (container_of of a list's head,
# words that are not aligned, sums of user pointers), and not null pointers, which trap anyway.
comma := ,
SANITIZE_FLAGS := -DSANITIZE -fsanitize=undefined -fno-sanitize-recover=undefined \
	-fno-sanitize=null,alignment,object-size,pointer-overflow$(if $(CC_IS_CLANG),$(comma)function)
STACK_FLAGS := $(if $(SANITIZE),-fstack-protector-strong -mstack-protector-guard=global,-fno-stack-protector)
DEBUG_FLAGS := $(if $(DEBUG)$(SANITIZE),-DDEBUG) $(if $(SANITIZE),$(SANITIZE_FLAGS))

.PHONY: all force
all: build/baton.elf build/baton32.elf build/initramfs.cpio

# A file of words, written only where they differ from what it has.
keep = @[ "$$(cat $@ 2>/dev/null)" = '$(strip $1)' ] || { mkdir -p $(@D) && echo '$(strip $1)' >$@; }
# Objects of another compiler, or of other options, with and without the checks, say, do not go together.
build/flags: force
	$(call keep,$(filter-out -Werror,$(CC) $(DEBUG_FLAGS) $(KERNEL_CFLAGS) $(USER_CFLAGS)))
# What is made of all files of a folder is made again when one of them is gone, too.
build/kernel/files build/user/files build/stripped/files: force
	$(call keep,$(FILES))
force:

include kernel/kernel.mk
include user/user.mk
include labs/labs.mk

build/baton.iso: build/baton.elf build/initramfs.cpio iso/grub.cfg
	$(call say,ISO,$@)
	$(Q)tools/mkiso $@ build/baton.elf build/initramfs.cpio iso/grub.cfg
