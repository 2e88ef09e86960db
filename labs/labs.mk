# The labs: kernel tests (labs/N/kernel/*.c: linked into every kernel, run by the option lab=NAME)
# and the guest test programs of the grader.

build/labs/%.o: labs/%.c build/flags
	@mkdir -p $(@D)
	$(call say,CC ,$<)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c -o $@ $<

build/labs/%/tests: labs/%/tests.c $(wildcard labs/*.h labs/*/*.h) \
		build/user/libu.a build/user/ulib/crt0.asm.o
	@mkdir -p $(@D)
	$(call say,CC ,$<)
	$(Q)$(CC) $(USER_CFLAGS) -Ilabs -c -o $@.o $<
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ build/user/ulib/crt0.asm.o $@.o build/user/libu.a
