# The kernel: every .c and .asm file below kernel/ and boot/, linked twice, so that the second
# image holds a table of the first one's symbols for backtraces.
KERNEL_SOURCES := $(sort $(wildcard kernel/*.c kernel/*/*.c labs/*/kernel/*.c))
KERNEL_ASM := $(sort $(wildcard boot/*.asm kernel/*/*.asm labs/*/kernel/*.asm))
KERNEL_OBJECTS := $(KERNEL_SOURCES:%.c=build/%.o) $(KERNEL_ASM:%.asm=build/%.asm.o)
KERNEL_CFLAGS := -std=gnu17 -O2 -g -Wall -Wextra $(WERROR_FLAG) $(DEBUG_FLAGS) -ffreestanding -nostdinc \
	-isystem $(shell $(CC) -print-file-name=include) -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fno-omit-frame-pointer -fno-pic $(STACK_FLAGS) \
	-fno-strict-aliasing -fno-asynchronous-unwind-tables -Ikernel -MMD -MP
ifeq ($(CC_IS_CLANG),)
KERNEL_CFLAGS += --param=min-pagesize=0
endif
KERNEL_LDFLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none \
	-T boot/kernel.ld

build/kernel/%.o: kernel/%.c build/flags
	@mkdir -p $(@D)
	$(call say,CC ,$<)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c -o $@ $<

# nasm does not list what it includes.
build/%.asm.o: %.asm build/flags $(wildcard kernel/arch/*.inc user/ulib/co/*.inc)
	@mkdir -p $(@D)
	$(call say,ASM,$<)
	$(Q)nasm -f elf64 -g -F dwarf $(filter -D%,$(DEBUG_FLAGS)) -Ikernel/ -I$(<D)/ -MD $(@:.o=.d) -o $@ $<

build/ksyms-empty.o: tools/ksyms
	@mkdir -p $(@D)
	$(Q)tools/ksyms </dev/null >build/ksyms-empty.asm
	$(Q)nasm -f elf64 -o $@ build/ksyms-empty.asm

build/kernel/files: FILES = $(KERNEL_OBJECTS)
build/baton-first.elf: $(KERNEL_OBJECTS) build/kernel/files build/ksyms-empty.o boot/kernel.ld
	$(call say,LD ,$@)
	$(Q)$(LD) $(KERNEL_LDFLAGS) -o $@ $(KERNEL_OBJECTS) build/ksyms-empty.o

build/baton.elf: build/baton-first.elf tools/ksyms
	$(call say,LD ,$@)
	$(Q)$(NM) -n build/baton-first.elf | tools/ksyms >build/ksyms.asm
	$(Q)nasm -f elf64 -o build/ksyms.o build/ksyms.asm
	$(Q)$(LD) $(KERNEL_LDFLAGS) -o $@ $(KERNEL_OBJECTS) build/ksyms.o

# QEMU's own multiboot loader takes 32-bit images only.
build/baton32.elf: build/baton.elf
	$(Q)$(OBJCOPY) -O elf32-i386 -g $< $@ 2>/dev/null

-include $(KERNEL_OBJECTS:.o=.d)
