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
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ $@.o $(filter %.o,$^) build/user/libu.a

# Lab 4 has the learner's futex.c in an ordinary program; what does not fit its doubles fails one test.
build/labs/4/tests: build/labs/4/queue.o
build/labs/4/queue.o: labs/4/queue.c labs/4/doubles.h labs/grade.h kernel/sched/futex.c build/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -Ilabs -Ikernel -c -o $@ $< 2>$@.errors || \
	    $(CC) $(USER_CFLAGS) -Ilabs -c -o $@ labs/4/queue_unfit.c
